"""Connectors that do odd things: each gets an ordinary answer, and costs no other."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import httpx
import pytest
from pydantic import Base64Bytes, BaseModel, Field, SecretStr
from starlette.exceptions import HTTPException

from bosa_hub import Conflict, Connector, HubError, NotFound, OutputFile, Page, Result, action
from bosa_hub.actions import actions, listing_item
from bosa_hub.serve import RunningHub, running

_MOMENT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


class Which(BaseModel):
    which: str


class Color(Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Plain:
    at: datetime
    note: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Inner(BaseModel):
    at: datetime
    color: Color | None = None


class Everything(BaseModel):
    inner: Inner
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    either: int | str
    amount: Decimal | None = None
    span: timedelta | None = None
    inners: dict[str, list[Inner]] | None = None
    pair: tuple[int, int] | None = None
    mail: str | None = Field(None, alias="eMail")
    picture: Base64Bytes | None = None


class TakesBytes(BaseModel):
    content: bytes | None = None


class Inside(BaseModel):
    many: list[TakesBytes] | None = None


_VALUES: Mapping[str, object] = {
    "nothing": None,
    "number": 5,
    "moment": _MOMENT,
    "day": date(2024, 1, 2),
    "span": timedelta(days=1),
    "decimal": Decimal("1.10"),
    "bytes": b"abc",
    "uuid": UUID(int=0),
    "tuple": (1, 2),
    "dataclass": Plain(_MOMENT),
    "point": Point(1, 2),
    "enum": Color.RED,
    "keys": {1: {"aB": _MOMENT}},
    "models": [Inner(at=_MOMENT)],
    "secret": SecretStr("hush"),
    "page": Page([Plain(_MOMENT)], next_cursor="2"),
    "meta": Result(Color.RED, {"at": _MOMENT}),
    "object": object(),
    "not text": b"\xff",
    "not unicode": "\ud800",
    "not an action's": OutputFile,
}
_AT = "2024-01-02T03:04:05Z"
_JSON: Mapping[str, object] = {
    "nothing": None,
    "number": 5,
    "moment": _AT,
    "day": "2024-01-02",
    "span": "P1D",
    "decimal": "1.10",
    "bytes": "abc",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "tuple": [1, 2],
    "dataclass": {"at": _AT, "note": None},
    "point": [1, 2],
    "enum": "red",
    "keys": {"1": {"a_b": _AT}},
    "models": [{"at": _AT, "color": None}],
    "secret": "**********",
    "page": [{"at": _AT, "note": None}],
    "meta": "red",
}
_FAILURES: Mapping[str, Callable[[], BaseException]] = {
    "exit": lambda: SystemExit(3),
    "interrupt": KeyboardInterrupt,
    "cancelled": asyncio.CancelledError,
    "generator": GeneratorExit,
    "base": lambda: BaseException("odd"),
    "stop": StopIteration,
    "group": lambda: ExceptionGroup("several", [ValueError("one"), Conflict("two")]),
    "another framework's": lambda: HTTPException(404, "no such city"),
}


class Odd(Connector):
    """Odd things."""

    @action(effect="read")
    async def give(self, request: Which) -> object:
        """Return something."""
        return _VALUES[request.which]

    @action(effect="send")
    async def fail(self, request: Which) -> None:
        """Raise something."""
        error = _FAILURES[request.which]()
        raise error

    @action(effect="read")
    async def miss(self) -> None:
        """Raise an error made of another, with details that are no JSON."""
        raise NotFound(ValueError("Oslo \ud800"), details={"asked": {Color.RED}, "by": object})

    @action(effect="read")
    async def echo(self, request: Everything) -> Everything:
        """Return what came."""
        return request

    @action(effect="read")
    async def print_out(self, request: Which) -> OutputFile | Page[int] | None:
        """Return a file, or a page, or nothing."""
        choices = {"file": OutputFile("a.txt", b"abc"), "page": Page([1], next_cursor=None)}
        return choices.get(request.which)

    @action(effect="read")
    async def größe(self) -> int:  # noqa: PLC2401  what is tested
        """Have a name that is no ASCII."""
        return 1


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("data"), connectors=[Odd()]) as started:
        yield started


@pytest.fixture(scope="module")
def user(hub: RunningHub) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {hub.user_token('ada')}"}
    with httpx.Client(base_url=f"{hub.url}/connectors/odd", headers=headers, timeout=20) as client:
        yield client


@pytest.mark.parametrize("which", _JSON)
def test_whatever_python_returns_is_json(user: httpx.Client, which: str) -> None:
    answer = user.post("/give", json={"which": which})
    assert (answer.status_code, answer.json()["data"]) == (200, _JSON[which])


@pytest.mark.parametrize("which", [each for each in _VALUES if each not in _JSON])
def test_what_is_no_json_is_an_ordinary_failure(user: httpx.Client, which: str) -> None:
    _is_ordinary(user.post("/give", json={"which": which}))


@pytest.mark.parametrize("which", _FAILURES)
def test_whatever_an_action_raises_is_an_ordinary_failure(
    user: httpx.Client, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = user.post("/fail", json={"which": which}, headers={"X-GL-Error-Contract": "2"})
    _is_ordinary(answer)
    assert answer.headers["X-GL-Error-Contract"] == "2"
    assert [record.name for record in caplog.records if record.exc_info] == ["bosa_hub"]


@pytest.mark.parametrize("which", _FAILURES)
def test_whatever_an_action_raises_is_answered_again_under_its_key(user: httpx.Client, which: str) -> None:
    key = {"Idempotency-Key": which}
    first, again = (user.post("/fail", json={"which": which}, headers=key) for _ in range(2))
    _is_ordinary(first)
    assert (again.status_code, again.content, again.headers["Idempotency-Key"]) == (500, first.content, which)


def _is_ordinary(answer: httpx.Response) -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (500, "INTERNAL_ERROR")
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert error["recovery"] == {"retryable": False, "retry_after_seconds": None}


def test_an_error_says_what_it_was_made_of(user: httpx.Client) -> None:
    answer = user.post("/miss")
    error = answer.json()["error"]
    assert (answer.status_code, error["message"]) == (404, "Oslo ?")
    assert error["details"]["asked"] == ["red"]


def test_arguments_of_every_kind_are_taken_by_the_names_that_are_listed(user: httpx.Client) -> None:
    (item,) = [listing_item(each) for each in actions([Odd()])["odd"].values() if each.name == "echo"]
    listed: dict[str, Any] = item["request_body"]  # pyright: ignore[reportAssignmentType]  as JSON has it
    given = {
        "inner": {"at": _AT, "color": "red"},
        "pet": {"kind": "dog", "name": "Rex"},
        "either": "3",
        "amount": "1.10",
        "span": "P1D",
        "inners": {"aB": [{"at": _AT, "color": None}]},
        "pair": [1, 2],
        "mail": "ada@example.com",
        "picture": "YWJj",
    }
    assert given.keys() < listed["properties"].keys()
    answer = user.post("/echo", json=given)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {**given, "inners": {"a_b": [{"at": _AT, "color": None}]}}
    refused = user.post("/echo", json={**given, "eMail": "ada@example.com", "mail": 5, "pet": {"kind": "fox"}}).json()
    assert {tuple(each["loc"]) for each in refused["detail"]} == {("body", each) for each in ("eMail", "mail", "pet")}


def test_an_action_gets_its_own_model_and_nothing_that_the_hub_takes_itself(user: httpx.Client) -> None:
    given = {"inner": {"at": _AT}, "pet": {"kind": "cat", "lives": 9}, "either": 3}
    answer = user.post("/echo", json={**given, "response_fields": None, "response_filters": []})
    assert answer.json()["data"].keys() == Everything.model_fields.keys()


def test_an_action_may_answer_with_a_file_or_with_data(user: httpx.Client) -> None:
    assert user.post("/print_out", json={"which": "file"}).content == b"abc"
    assert user.post("/print_out", json={"which": "page"}).json()["meta"] == {
        "has_next": False,
        "forwards_cursor": None,
    }
    assert user.post("/print_out", json={"which": "nothing"}).json() == {"data": None, "meta": None}
    assert listing_item(actions([Odd()])["odd"]["print_out"])["response"] == {"type": "any"}


def test_a_name_that_is_no_ascii_is_called_as_it_is_listed(user: httpx.Client) -> None:
    path = listing_item(actions([Odd()])["odd"]["größe"])["path"]
    assert user.post(str(path).removeprefix("/connectors/odd")).json()["data"] == 1


class Bytes(Connector):
    @action(effect="read")
    async def keep(self, request: TakesBytes) -> None:
        """Keep."""


class Nested(Connector):
    @action(effect="read")
    async def keep(self, request: Inside) -> None:
        """Keep."""


@pytest.mark.parametrize("connector", [Bytes(), Nested()])
def test_bytes_are_refused_with_advice_and_the_name_of_the_action(connector: Connector) -> None:
    with pytest.raises(TypeError, match="takes bytes: declare a file as InputFile, text as str") as refused:
        actions([connector])
    assert refused.value.__notes__ == [f"It is about the action {connector.name}.keep."]


@pytest.mark.parametrize("status", [200, 600, "404"])
def test_a_failure_has_the_status_of_one(status: object) -> None:
    with pytest.raises(ValueError, match="a failure has 400 to 599"):
        type("Odd", (HubError,), {"status": status})
