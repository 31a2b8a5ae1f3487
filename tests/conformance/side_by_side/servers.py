"""Both servers, asked in the same words."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import httpx

from bosa_hub.keys import new_key

from .exchanges import Exchange
from .seen import Seen, seen

CREDENTIALS: Mapping[str, dict[str, str]] = {
    "user": {"X-API-Key": "<key>", "Authorization": "Bearer <token>"},
    "client": {"X-API-Key": "<key>"},
    "nobody": {},
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server with a client and a user of it; `values` is what each `<name>` in an exchange stands for."""

    client: httpx.Client
    values: Mapping[str, object]

    def seen(self, exchange: Exchange) -> Seen:
        """What is compared of its answer."""
        names = {meaning: f"<{name}>" for name, meaning in self.values.items() if isinstance(meaning, str)}
        return seen(self.answer(exchange), names)

    def answer(self, exchange: Exchange) -> httpx.Response:
        """Its answer."""
        return self.client.request(
            exchange.method,
            self._filled(exchange.path),
            headers=self._filled({**CREDENTIALS[exchange.sender], **exchange.headers}),
            json=self._filled(exchange.json),
            content=exchange.content,
            data=exchange.form,
            files=exchange.files or None,
        )

    def _filled(self, value: object) -> Any:  # noqa: ANN401  JSON
        match value:
            case str():
                whole = self.values.get(value.removeprefix("<").removesuffix(">"))
                return cast("object", whole) if isinstance(whole, dict) else self._filled_text(value)
            case dict():
                return {key: self._filled(item) for key, item in cast("dict[str, object]", value).items()}
            case _:
                return value

    def _filled_text(self, text: str) -> str:
        for name, meaning in self.values.items():
            text = text.replace(f"<{name}>", str(meaning))
        return text


@contextmanager
def met(url: str, key: str, **values: object) -> Generator[Server]:
    """The server, with a user made for the purpose."""
    # the published server drops a connection after a 500 without a word
    with httpx.Client(base_url=url, timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        client_key = {"X-API-Key": key}
        user = client.post("/users", json={"identifier": "me"}, headers=client_key).json()["data"]
        login = {"identifier": "me", "secret": user["secret"]}
        token = client.post("/auth/tokens", json=login, headers=client_key).json()["data"]["token"]
        head, _, secret = key.rpartition(".")
        common = {
            "url": url,
            "key": key,
            "half a key": head,
            "wrong key": f"{head}.{secret[:-3]}zzz",
            "unknown key": str(new_key("client", str(uuid4()), "nobody")),
            "user": "me",
            "secret": user["secret"],
            "wrong secret": f"{user['secret'][:-3]}zzz",
            "token": token,
            "forged token": f"{token[:-4]}AAAA",
        }
        yield Server(client, {**common, **{name.replace("_", " "): value for name, value in values.items()}})
