"""What is compared of a reply, and how two replies differ.

The normalisation, all of it:

* Of the headers, those in `HEADERS` count, and Content-Length where a file comes: JSON may be spaced as one likes.
* An answer with another status is another answer: nothing else of it is compared.
* JSON is compared as values, with the order of the keys. Files are compared byte for byte.
* What must differ from server to server is compared by its name: keys, tokens, UUIDs, times, the server's own address,
  the accounts that `Server.values` names. An address to go to is compared by its parts.
* A failure is compared by its status, by whether it has a message, and by which fields it complains of. How that is
  worded, and what else stands beside it, is every server's own (the published server's app around its connectors is
  private, and the one in upstream/ is rebuilt). So is what follows the colon in `{"success": false, "error": "…: …"}`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qsl, urlsplit

import httpx

Seen: TypeAlias = dict[str, Any]
HEADERS = ("content-type", "content-disposition", "allow", "location", "set-cookie", "www-authenticate")
KINDS = {
    "key": re.compile(r"sk-(client|user)-[\w=-]+\.[\w=-]+\.[\w-]+"),
    "token": re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    "uuid": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
}
OPAQUE = {"secret_preview", "expires_at", "state", "code_challenge"}
"""What goes by these names is compared by its name alone."""


def seen(reply: httpx.Response, names: Mapping[str, str]) -> Seen:
    """What is compared of a reply, where `names` are what texts of this server's own are called."""
    headers = {name: reply.headers[name] for name in HEADERS if name in reply.headers}
    if reply.headers.get("content-type") == "application/json":
        document = json.loads(reply.content)
        body = named(document, names) if reply.is_success else complaint(document)
    elif reply.is_success:
        headers["content-length"] = reply.headers.get("content-length")
        body = reply.content.hex()
    else:
        body = "a failure that is no JSON"
    return {"status": reply.status_code, "headers": headers, "body": body}


def named(value: object, names: Mapping[str, str]) -> Any:  # noqa: ANN401  JSON
    """The value, with what must differ from server to server by its name."""
    match value:
        case str():
            return named_text(value, names)
        case list():
            return [named(item, names) for item in cast("list[object]", value)]
        case {"success": False, "error": str() as error}:
            return {"success": False, "error": error.partition(":")[0]}
        case dict():
            fields = cast("dict[str, object]", value).items()
            return {key: f"<{key}>" if key in OPAQUE else named(item, names) for key, item in fields}
        case _:
            return value


def named_text(text: str, names: Mapping[str, str]) -> object:
    """The text by its name, or an address by its parts, where it is one of those."""
    for meaning, name in names.items():
        if text == meaning or text.startswith(f"{meaning}/"):
            return name + text.removeprefix(meaning)
    if text.startswith("https://"):
        url = urlsplit(text)
        query = named(dict(sorted(parse_qsl(url.query, keep_blank_values=True))), names)
        return {"address": f"{url.netloc}{url.path}", "query": query}
    return next((f"<{kind}>" for kind, pattern in KINDS.items() if pattern.fullmatch(text)), text)


def complaint(document: Mapping[str, object]) -> Seen:
    """Whether a failure has a message, and which fields it complains of, by the kind of the complaint."""
    error = document.get("error")
    inner = cast("Mapping[str, object]", error if isinstance(error, dict) else {})
    detail = document.get("detail") or inner.get("detail")
    message = document.get("message") or inner.get("message") or detail
    problems = cast("list[dict[str, Any]]", detail if isinstance(detail, list) else [])
    fields = {".".join(map(str, problem["loc"])): problem["type"] for problem in problems}
    return {"message": isinstance(message, str), "fields": dict(sorted(fields.items()))}


def answers_differ(one: Seen, other: Seen) -> set[str]:
    """The paths at which two answers differ: the status alone, where that does."""
    return {"status"} if one["status"] != other["status"] else set(differences(one, other))


def differences(one: object, other: object, path: str = "") -> Iterator[str]:
    """The paths at which two values differ; `…keys` where only the order of an object's keys does."""
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _in_objects(cast("dict[str, object]", one), cast("dict[str, object]", other), path)
    elif isinstance(one, list) and isinstance(other, list):
        left, right = cast("list[object]", one), cast("list[object]", other)
        if len(left) != len(right):
            yield path
        for index, (item, its_like) in enumerate(zip(left, right, strict=False)):
            yield from differences(item, its_like, f"{path}.{index}")
    elif type(cast("object", one)) is not type(other) or one != other:  # True is not 1
        yield path


def _in_objects(one: dict[str, object], other: dict[str, object], path: str) -> Iterator[str]:
    for key in {**one, **other}:
        below = f"{path}.{key}".removeprefix(".")
        if key in one and key in other:
            yield from differences(one[key], other[key], below)
        else:
            yield below
    common = [key for key in one if key in other]
    if common != [key for key in other if key in one]:
        yield f"{path}.keys".removeprefix(".")
