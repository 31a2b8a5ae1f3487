"""The requests that both servers get: a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Sender: TypeAlias = Literal["user", "client", "nobody"]
File: TypeAlias = tuple[str | None, bytes] | tuple[str | None, bytes, str]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request. `<name>` in a path, a header or a JSON text stands for what is called so at each server."""

    path: str
    json: object = None
    method: str = "POST"
    sender: Sender = "user"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes | None = None
    form: Mapping[str, str | list[str]] | None = None
    files: tuple[tuple[str, File], ...] = ()


def get(**arguments: object) -> Exchange:
    return Exchange("/connectors/probe/get", arguments)


def raw(content: bytes, content_type: str | None = "application/json") -> Exchange:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Exchange("/connectors/probe/get", content=content, headers=headers)


def fields(*paths: str) -> Exchange:
    return get(shape="object", response_fields=list(paths))


def pages(**arguments: object) -> Exchange:
    return Exchange("/connectors/probe/list_pages", arguments)


def cursors(**arguments: object) -> Exchange:
    return Exchange("/connectors/probe/list_cursors", arguments)


def tokens(**arguments: object) -> Exchange:
    return Exchange("/connectors/probe/list_tokens", arguments)


def filters(*conditions: Mapping[str, object], **more: object) -> Exchange:
    return pages(per_page=10, response_filters=list(conditions), **more)


def credentials(sender: Sender = "nobody", **headers: str) -> Exchange:
    """A question that only a user may ask."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange("/connectors/sql/integration-exists", method="GET", sender=sender, headers=named)


def upload(*parts: tuple[str, File], **form: str | list[str]) -> Exchange:
    return Exchange("/connectors/probe/upload", form=form, files=parts)


def download(size: int, filename: str) -> Exchange:
    return Exchange("/connectors/probe/download", {"size": size, "filename": filename})


def dates(shape: str = "dates", **bounds: str | None) -> Exchange:
    return get(shape=shape, response_filters=[{"type": "date_range", "field_name": "at", **bounds}])


SHAPES = {
    shape: get(shape=shape)
    for shape in ("object", "list", "dates", "odd dates", "null", "text", "number", "empty", "boom")
}

ARGUMENTS = {
    "a missing argument": get(),
    "null for a required argument": get(shape=None),
    "a number for a text": get(shape=5),
    "a list for a text": get(shape=["object"]),
    "an unknown argument": get(shape="number", extra=1),
    "a text for a number": pages(page="2", per_page="2"),
    "words for a number": pages(page="two"),
    "a whole float for a number": pages(page=2.0, per_page=2),
    "a broken float for a number": pages(page=1.5),
    "a boolean for a number": pages(page=True, per_page=2),
    "null for optional arguments": pages(page=None, per_page=None),
    "two wrong arguments": pages(page=0, per_page=101),
    "an action without input, with no body": Exchange("/connectors/probe/whoami"),
    "an action without input, with an empty object": Exchange("/connectors/probe/whoami", {}),
    "an action without input, with an argument": Exchange("/connectors/probe/whoami", {"x": 1}),
}

FIELDS = {
    "no fields": fields(),
    "null for fields": get(shape="object", response_fields=None),
    "a missing field": fields("missing"),
    "a missing field below another": fields("user.missing"),
    "a field as the connector wrote it": fields("aB"),
    "a field in snake case": fields("a_b"),
    "a field below a number": fields("a_b.x"),
    "a null field": fields("none"),
    "a field below null": fields("none.x"),
    "a field of a list": fields("labels.c"),
    "an index": fields("labels.0.n"),
    "a field below scalars of a list": fields("tags.x"),
    "a wildcard": fields("*"),
    "an object and a part of it": fields("user.login", "user"),
    "a part of an object and the object": fields("user", "user.login"),
    "two parts of an object": fields("user.id", "user.login"),
    "fields in another order": fields("tags", "user.login", "a_b"),
    "a field twice": fields("a_b", "a_b"),
    "a field in another case": fields("USER"),
    "a field with blanks": fields(" user"),
    "a field of nothing": fields(""),
    "a dot alone": fields("."),
    "fields of a list": get(shape="list", response_fields=["name", "owner.login"]),
    "fields of an empty list": get(shape="empty", response_fields=["name"]),
    "fields of a text": get(shape="text", response_fields=["name"]),
    "fields of a number": get(shape="number", response_fields=["name"]),
    "fields of null": get(shape="null", response_fields=["name"]),
    "fields of a page": pages(per_page=2, response_fields=["id"]),
    "a text for fields": get(shape="object", response_fields="user"),
    "a number among the fields": get(shape="object", response_fields=["user", 1]),
}

FILTERS = {
    "no filters": filters(),
    "a text filter": filters({"type": "string", "field_name": "name", "value": "ITEM 3"}),
    "a text filter with case": filters(
        {"type": "string", "field_name": "name", "value": "ITEM 3", "ignore_case": False}
    ),
    "a filter on a nested field": filters({"type": "string", "field_name": "owner.login", "value": "user3"}),
    "a filter on a missing field": filters({"type": "string", "field_name": "nothing", "value": "x"}),
    "a text list filter": filters({"type": "string_list", "field_name": "name", "values": ["Item 1", "item 2"]}),
    "a text list filter with case": filters(
        {"type": "string_list", "field_name": "name", "values": ["Item 1", "item 2"], "ignore_case": False}
    ),
    "an empty text list filter": filters({"type": "string_list", "field_name": "name", "values": []}),
    "a number filter": filters({"type": "number", "field_name": "id", "value": 4}),
    "a float filter": filters({"type": "number", "field_name": "id", "value": 4.0}),
    "a number list filter": filters({"type": "number_list", "field_name": "id", "values": [2, 4, 400]}),
    "a number range filter": filters({"type": "number_range", "field_name": "id", "from_value": 3, "to_value": 5}),
    "a number range filter with one end": filters({"type": "number_range", "field_name": "id", "from_value": 8}),
    "a number range filter with the other end": filters({"type": "number_range", "field_name": "id", "to_value": 2}),
    "a number range filter without ends": filters({"type": "number_range", "field_name": "id"}),
    "two filters": filters(
        {"type": "number_range", "field_name": "id", "to_value": 8},
        {"type": "string", "field_name": "owner.login", "value": "user1"},
    ),
    "a filter, then fields": filters({"type": "number", "field_name": "id", "value": 4}, response_fields=["name"]),
    "a filter on a field that is not shown": filters(
        {"type": "string", "field_name": "name", "value": "item 3"}, response_fields=["id"]
    ),
    "a number filter on a text": filters({"type": "number", "field_name": "name", "value": 4}),
    "a text filter on a number": filters({"type": "string", "field_name": "id", "value": "4"}),
    "a text filter on an object": filters({"type": "string", "field_name": "owner", "value": "4"}),
    "a date filter on a text that is no date": filters(
        {"type": "date_range", "field_name": "name", "from_date": "2024-01-01T00:00:00Z"}
    ),
    "a filter of an unknown type": filters({"type": "colour", "field_name": "id", "value": 4}),
    "a filter without a type": filters({"field_name": "id", "value": 4}),
    "a filter without a field": filters({"type": "number", "value": 4}),
    "a filter without a value": filters({"type": "number", "field_name": "id"}),
    "a filter with an unknown part": filters({"type": "number", "field_name": "id", "value": 4, "more": 1}),
    "an object for filters": pages(per_page=2, response_filters={"type": "number", "field_name": "id", "value": 1}),
    "null for filters": pages(per_page=2, response_filters=None),
    "a filter at a root": get(
        shape="object",
        response_filters=[{"type": "string", "root": "labels", "field_name": "n", "value": "a"}],
    ),
    "a filter at a missing root": get(
        shape="object",
        response_filters=[{"type": "string", "root": "missing", "field_name": "n", "value": "a"}],
    ),
    "a filter at a root that is no list": get(
        shape="object",
        response_filters=[{"type": "string", "root": "user", "field_name": "login", "value": "u"}],
    ),
    "a filter at a root, on a list": filters(
        {"type": "string", "root": "owner", "field_name": "login", "value": "user3"}
    ),
    "a filter that an object passes": get(
        shape="object", response_filters=[{"type": "string", "field_name": "user.login", "value": "u"}]
    ),
    "a filter that an object does not pass": get(
        shape="object", response_filters=[{"type": "string", "field_name": "user.login", "value": "v"}]
    ),
    "a filter below a list": get(
        shape="object", response_filters=[{"type": "string", "field_name": "labels.n", "value": "a"}]
    ),
    "a filter of a text": get(shape="text", response_filters=[{"type": "string", "field_name": "n", "value": "a"}]),
    "a filter of null": get(shape="null", response_filters=[{"type": "string", "field_name": "n", "value": "a"}]),
    "a filter of an empty list": get(
        shape="empty", response_filters=[{"type": "string", "field_name": "n", "value": "a"}]
    ),
}

DATES = {
    "dates from a moment": dates(from_date="2024-01-02T12:00:00Z"),
    "dates up to a moment": dates(to_date="2024-01-02T00:00:00Z"),
    "dates from a day": dates(from_date="2024-01-02"),
    "dates up to a day": dates(to_date="2024-01-02"),
    "dates between days": dates(from_date="2024-01-02", to_date="2024-01-03"),
    "dates from a moment of no zone": dates(from_date="2024-01-02T12:00:00"),
    "dates without bounds": dates(from_date=None, to_date=None),
    "dates up to a moment of another zone": dates(to_date="2024-01-02T01:00:00+01:00"),
    "dates from a fraction of a second": dates(from_date="2024-01-02T00:00:00.500Z"),
    "dates from no date": dates(from_date="tomorrow"),
    "odd dates from a moment": dates("odd dates", from_date="2024-01-02T12:00:00Z"),
    "odd dates up to a moment": dates("odd dates", to_date="2024-01-02T00:00:00Z"),
}

PAGING = {
    "the first page": pages(),
    "a page in the middle": pages(page=3, per_page=20),
    "the last page": pages(page=9),
    "a page after the last": pages(page=10),
    "all in three pages": pages(page=3, per_page=100),
    "page 0": pages(page=0),
    "an empty page size": pages(per_page=0),
    "too large a page": pages(per_page=101),
    "the first cursor": cursors(per_page=20),
    "a cursor in the middle": cursors(cursor="40", per_page=20),
    "the last cursor": cursors(cursor="240", per_page=20),
    "a cursor after the last": cursors(cursor="250"),
    "a cursor that is none": cursors(cursor="here"),
    "an empty cursor": cursors(cursor=""),
    "a number for a cursor": cursors(cursor=40),
    "the first token": tokens(page_size=20),
    "a token in the middle": tokens(page_token="40", page_size=20),
    "the last token": tokens(page_token="240", page_size=20),
    "a cursor where a token is meant": tokens(cursor="40", page_size=20),
}

BODIES = {
    "no body": raw(b""),
    "a body that is no JSON": raw(b"{shape: object}"),
    "half a body": raw(b'{"shape": "num'),
    "a list": raw(b'["number"]'),
    "a text": raw(b'"number"'),
    "null": raw(b"null"),
    "a body in Latin-1": raw('{"shape": "ü"}'.encode("latin-1")),
    "a byte order mark": raw(b'\xef\xbb\xbf{"shape": "number"}'),
    "a key twice": raw(b'{"shape": "text", "shape": "number"}'),
    "not a number": raw(b'{"shape": NaN}'),
    "blanks around a body": raw(b' \n{"shape": "number"}\n'),
    "JSON with a charset": raw(b'{"shape": "number"}', "application/json; charset=utf-8"),
    "JSON of a kind of its own": raw(b'{"shape": "number"}', "application/vnd.api+json"),
    "JSON that is called text": raw(b'{"shape": "number"}', "text/plain"),
    "JSON that is called nothing": raw(b'{"shape": "number"}', None),
    "a form where JSON is meant": raw(b"shape=number", FORM),
}

FILES = {
    "a form with a file": upload(("file", ("a.txt", b"abc", "text/plain")), name="n"),
    "a form with files and lists": upload(
        ("files", ("a.txt", b"abc", "text/plain")),
        ("files", ("b.bin", bytes(range(256)), "application/x-thing")),
        name="n",
        tags=["a", "b"],
    ),
    "a form with one file in a list": upload(("files", ("a.txt", b"abc", "text/plain")), name="n"),
    "a form with two files where one is meant": upload(
        ("file", ("a.txt", b"abc", "text/plain")), ("file", ("b.txt", b"abcd", "text/plain")), name="n"
    ),
    "a form with an empty file": upload(("file", ("a.txt", b"", "text/plain")), name="n"),
    "a form with a file of no kind": upload(("file", ("a.txt", b"abc", "")), name="n"),
    "a form with a file whose name is no ASCII": upload(("file", ("ä.txt", b"abc", "text/plain")), name="n"),
    "a form with a file whose name is a path": upload(("file", ("../../a.txt", b"abc", "text/plain")), name="n"),
    "a form with a text where a file is meant": upload(("file", (None, b"abc")), name="n"),
    "a form with a file where a text is meant": upload(("name", ("a.txt", b"abc", "text/plain"))),
    "a form with a file and no name": upload(("file", ("a.txt", b"abc", "text/plain"))),
    "a form with an unknown field": upload(("file", ("a.txt", b"abc", "text/plain")), name="n", extra="1"),
    "a form with one tag": upload(("file", ("a.txt", b"abc", "text/plain")), name="n", tags=["a"]),
    "a form with JSON in a field": upload(("file", ("a.txt", b"abc", "text/plain")), name="n", tags='["a", "b"]'),
    "a form with chosen fields": upload(
        ("file", ("a.txt", b"abc", "text/plain")), name="n", response_fields=["name", "files.size"]
    ),
    "a form without a file": upload(name="n", tags=["a", "b"]),
    "a form without a file or a tag": upload(name="n"),
    "a form with an empty text": upload(name=""),
    "an empty form": Exchange("/connectors/probe/upload", content=b"", headers={"Content-Type": FORM}),
    "JSON where a form is meant": Exchange("/connectors/probe/upload", {"name": "n"}),
    "a form without its boundary": Exchange(
        "/connectors/probe/upload", content=b"--x", headers={"Content-Type": "multipart/form-data"}
    ),
    "half a form": Exchange(
        "/connectors/probe/upload",
        content=b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nn',
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    ),
    "a form to an action without files": Exchange("/connectors/probe/get", form={"shape": "number"}),
    "a file": download(3, "a.bin"),
    "an empty file": download(0, "a.bin"),
    "a file of several pieces": download(200_000, "a.bin"),
    "a file whose name has blanks": download(3, "a b.bin"),
    "a file whose name is a path": download(3, "../../a.bin"),
    "a file whose name is no ASCII": download(3, "ä.bin"),
    "a file whose name has quotes": download(3, 'a"b.bin'),
    "a file of less than no bytes": download(-1, "a.bin"),
    "a file of which fields are chosen": Exchange(
        "/connectors/probe/download", {"size": 3, "filename": "a.bin", "response_fields": ["size"]}
    ),
}

CREDENTIALS = {
    "a key and a token": credentials("user"),
    "no key and no token": credentials(),
    "a key and no token": credentials("client"),
    "a key that is no key": credentials("user", X_API_Key="bosa"),
    "an empty key": credentials("user", X_API_Key=""),
    "half a key": credentials("user", X_API_Key="<half a key>"),
    "a key of an unknown client": credentials("user", X_API_Key="<unknown key>"),
    "a key with a wrong secret": credentials("user", X_API_Key="<wrong key>"),
    "a token without a key": credentials(Authorization="Bearer <token>"),
    "a token that is no token": credentials("client", Authorization="Bearer nonsense"),
    "a token with a wrong signature": credentials("client", Authorization="Bearer <forged token>"),
    "a token that was never issued": credentials("client", Authorization="Bearer <unknown token>"),
    "an empty token": credentials("client", Authorization="Bearer"),
    "a token without its scheme": credentials("client", Authorization="<token>"),
    "a token with another scheme": credentials("client", Authorization="Basic <token>"),
    "a token whose scheme is in lower case": credentials("client", Authorization="bearer <token>"),
    "an action without a user": Exchange("/connectors/probe/get", {"shape": "number"}, sender="client"),
    "an action without a client": Exchange("/connectors/probe/get", {"shape": "number"}, sender="nobody"),
    "an action that needs an account": Exchange("/connectors/google_drive/list_permissions", {"file_id": "1"}),
    "an action that needs an account, by a name": Exchange(
        "/connectors/google_drive/list_permissions", {"file_id": "1"}, headers={"X-Bosa-Integration": "me"}
    ),
}

PATHS = {
    "GET of an action": Exchange("/connectors/probe/get", method="GET"),
    "PUT of an action": Exchange("/connectors/probe/get", {"shape": "number"}, method="PUT"),
    "an unknown action": Exchange("/connectors/probe/nothing", {}),
    "an unknown connector": Exchange("/connectors/nothing/get", {}),
    "an action with a slash behind it": Exchange("/connectors/probe/get/", {"shape": "number"}),
    "an action in capitals": Exchange("/connectors/probe/GET", {"shape": "number"}),
    "an unknown path": Exchange("/nothing", method="GET"),
    "an unknown connector's listing": Exchange("/connectors/?modules=nothing", method="GET", sender="nobody"),
    "an account of an unknown connector": Exchange("/connectors/nothing/integration-exists", method="GET"),
}

EXCHANGES: Mapping[str, Exchange] = {
    **SHAPES,
    **ARGUMENTS,
    **FIELDS,
    **FILTERS,
    **DATES,
    **PAGING,
    **BODIES,
    **FILES,
    **CREDENTIALS,
    **PATHS,
}


def account(method: str, path: str, body: object = None, **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(f"/connectors/{path}", body, method, headers=named)


def query(**headers: str) -> Exchange:
    return account("POST", "sql/query", {"query": "SELECT 1 AS one"}, **headers)


def custom(configuration: object, **more: object) -> Exchange:
    return account("POST", "sql/integrations", {"auth_type": "custom", "configuration": configuration, **more})


def agree(body: object, connector: str = "google_drive") -> Exchange:
    return account("POST", f"{connector}/integrations", body)


WHO_AM_I = Exchange("/users/me", method="GET")
STORY: Mapping[str, Exchange] = {
    "a new user": Exchange("/users", {"identifier": "ada"}, sender="client"),
    "the same user again": Exchange("/users", {"identifier": "ada"}, sender="client"),
    "a new user of the older family": Exchange("/clients/register-user", {"identifier": "bob"}, sender="client"),
    "a user of an unknown client": Exchange(
        "/users", {"identifier": "eve"}, sender="nobody", headers={"X-API-Key": "<unknown key>"}
    ),
    "a user of nobody": Exchange("/users", {"identifier": "eve"}, sender="nobody"),
    "a token": Exchange("/auth/tokens", {"identifier": "<user>", "secret": "<secret>"}, sender="client"),
    "a token of the older family": Exchange(
        "/clients/oauth-token", {"identifier": "<user>", "secret": "<secret>"}, sender="client"
    ),
    "a token for a wrong secret": Exchange(
        "/auth/tokens", {"identifier": "<user>", "secret": "<wrong secret>"}, sender="client"
    ),
    "a token for another user": Exchange("/auth/tokens", {"identifier": "ada", "secret": "<secret>"}, sender="client"),
    "who am I": WHO_AM_I,
    "who am I of the older family": Exchange("/clients/user", method="GET"),
    "how an sql account is linked": account("GET", "sql/auth-schema"),
    "how a google_drive account is linked": account("GET", "google_drive/auth-schema"),
    "no account yet": account("GET", "sql/integration-exists"),
    "a query without an account": query(),
    "a way to link that there is none": agree({"auth_type": "magic", "configuration": "<first configuration>"}, "sql"),
    "a configuration that is missing": agree({"auth_type": "custom"}, "sql"),
    "nothing to link": agree({}, "sql"),
    "a configuration that is empty": custom({}),
    "a configuration that is wrong": custom("<wrong configuration>"),
    "OAuth 2 where there is none": agree({"callback_url": "http://localhost/cb"}, "sql"),
    "an account": custom("<first configuration>"),
    "the same account again": custom("<first configuration>"),
    "the same account in place of itself": custom("<first configuration>", replace_duplicate=True),
    "another account": custom("<second configuration>"),
    "an account now": account("GET", "sql/integration-exists"),
    "who am I with accounts": WHO_AM_I,
    "look at an account": account("GET", "sql/integrations/<first account>"),
    "look at no account": account("GET", "sql/integrations/nobody"),
    "select no account": account("POST", "sql/integrations/nobody"),
    "remove no account": account("DELETE", "sql/integrations/nobody"),
    "accounts have no list": account("GET", "sql/integrations"),
    "a query": query(),
    "a query by an account": query(X_Bosa_Integration="<second account>"),
    "a query by no account": query(X_Bosa_Integration="nobody"),
    "a query by no account in the later header": query(X_Integration="nobody"),
    "select an account": account("POST", "sql/integrations/<second account>"),
    "who am I after selecting": WHO_AM_I,
    "remove the selected account": account("DELETE", "sql/integrations/<second account>"),
    "who am I after removing": WHO_AM_I,
    "remove it again": account("DELETE", "sql/integrations/<second account>"),
    "remove the other account": account("DELETE", "sql/integrations/<first account>"),
    "no account any more": account("GET", "sql/integration-exists"),
    "remove as the older family does": account("DELETE", "sql/integrations"),
    "where to agree": agree({"callback_url": "http://localhost/linked?a=b"}),
    "where to agree, to come back nowhere": agree({"callback_url": "nonsense"}),
    "where to agree, without a way back": agree({}),
    "an account of google_drive": account("GET", "google_drive/integration-exists"),
}
"""One after the other: each finds what those before it left."""
