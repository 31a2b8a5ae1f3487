"""A connector of one's own, from its class to its answers."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

import bosa_hub
from bosa_hub import (
    BadRequest,
    Busy,
    Conflict,
    Connector,
    Context,
    Forbidden,
    HubError,
    InputFile,
    NotFound,
    OutputFile,
    Page,
    RateLimited,
    Result,
    TooLarge,
    Unauthenticated,
    UpstreamFailed,
    action,
)
from bosa_hub.serve import running

NUMBERS = list(range(1, 8))


class ForecastRequest(BaseModel):
    city: str


class Forecast(BaseModel):
    city: str
    skyColour: str  # noqa: N815  a name that the wire changes


class Weather(Connector):
    """Forecasts."""

    @action(effect="read")
    async def forecast(self, request: ForecastRequest, context: Context) -> Forecast:
        """The forecast for a city."""
        (context.root / "asked").write_text(request.city)
        return Forecast(city=request.city, skyColour="grey")


class Where(BaseModel):
    page: int | None = None
    cursor: str | None = None


class Token(BaseModel):
    page_token: str | None = None


class Numbers(BaseModel):
    numbers: list[int]
    nextPageToken: str | None  # noqa: N815  a name that the wire changes


class Pages(Connector):
    """Every way to say where a page stands."""

    @action(effect="read")
    async def by_number(self, request: Where) -> Page[int]:
        """Three on a page."""
        page = request.page or 1
        return Page(NUMBERS[3 * page - 3 : 3 * page], page=page, per_page=3, total=len(NUMBERS))

    @action(effect="read")
    async def by_cursor(self, request: Where) -> Page[int]:
        """Forwards and backwards."""
        at = int(request.cursor or 0)
        return Page(
            NUMBERS[at : at + 3],
            total=len(NUMBERS),
            per_page=3,
            next_cursor=str(at + 3) if at + 3 < len(NUMBERS) else None,
            previous_cursor=str(at - 3) if at else None,
        )

    @action(effect="read")
    async def by_total(self) -> Page[int]:
        """A total, and nothing else that is known."""
        return Page(NUMBERS, total=len(NUMBERS))

    @action(effect="read")
    async def by_token(self, request: Token) -> Page[int]:
        """Forwards only."""
        at = int(request.page_token or 0)
        return Page(NUMBERS[at : at + 3], next_cursor=str(at + 3) if at + 3 < len(NUMBERS) else None)

    @action(effect="read")
    async def in_data(self, request: Token) -> Numbers:
        """The next token is in the data."""
        at = int(request.page_token or 0)
        return Numbers(numbers=NUMBERS[at : at + 3], nextPageToken=str(at + 3) if at + 3 < len(NUMBERS) else None)

    @action(effect="read")
    async def of_its_own(self) -> Result[list[int]]:
        """Some other meta."""
        return Result(NUMBERS, {"before": "a", "after": "b"})


class Kind(BaseModel):
    kind: str


class Refusals(Connector):
    """Errors of every kind."""

    @action(effect="update")
    async def refuse(self, request: Kind) -> None:
        """Refuse."""
        kinds = (BadRequest, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge, UpstreamFailed, Busy, HubError)
        known = {kind.__name__: kind("No. Do this instead.") for kind in kinds}
        raise {**known, "RateLimited": RateLimited("Slower.", 7)}[request.kind]


class Attachment(BaseModel):
    file: InputFile


class Copier(Connector):
    """Files in and out."""

    @action(effect="read")
    async def copy(self, request: Attachment) -> OutputFile:
        """The same file again."""
        return OutputFile(request.file.filename, [request.file.file.read()], "text/plain")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    connectors = [Weather(), Pages(), Refusals(), Copier()]
    with running(tmp_path_factory.mktemp("own"), connectors=connectors) as hub:
        headers = {"Authorization": f"Bearer {hub.user_token('ada')}"}
        with httpx.Client(base_url=f"{hub.url}/connectors", headers=headers) as client:
            yield client


def run(base: httpx.Client, path: str, **arguments: object) -> Any:  # noqa: ANN401  JSON
    answer = base.post(path, json=arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_ten_lines_are_a_connector(base: httpx.Client) -> None:
    listed = base.get("/", params={"modules": "weather"}).json()["weather"]["forecast"]
    assert listed["docstring"] == "The forecast for a city."
    assert listed["x-bosa-effect"] == "read"
    assert list(listed["request_body"]["properties"]) == ["city", "response_fields"]
    assert listed["response"]["properties"]["data"]["type"] == "object"
    assert run(base, "/weather/forecast", city="Bandung") == {
        "data": {"city": "Bandung", "sky_colour": "grey"},
        "meta": None,
    }
    assert base.post("/weather/forecast", json={}).json()["detail"][0]["loc"] == ["body", "city"]


def test_a_page_by_number_says_where_it_stands(base: httpx.Client) -> None:
    place = {"limit": 3, "total": 7, "total_page": 3}
    assert run(base, "/pages/by_number") == {
        "data": [1, 2, 3],
        "meta": {"page": 1, **place, "has_next": True, "has_prev": False},
    }
    assert run(base, "/pages/by_number", page=3) == {
        "data": [7],
        "meta": {"page": 3, **place, "has_next": False, "has_prev": True},
    }


def test_cursors_lead_forwards_and_backwards(base: httpx.Client) -> None:
    first = run(base, "/pages/by_cursor")
    assert first["meta"] == {
        "total": 7,
        "total_page": 3,
        "has_next": True,
        "has_prev": False,
        "forwards_cursor": "3",
        "backwards_cursor": None,
    }
    last = run(base, "/pages/by_cursor", cursor="6")
    assert (last["data"], last["meta"]["has_next"], last["meta"]["backwards_cursor"]) == ([7], False, "3")


def test_a_total_alone_is_enough_for_a_cursor_page(base: httpx.Client) -> None:
    meta = run(base, "/pages/by_total")["meta"]
    assert (meta["total"], meta["total_page"], meta["has_next"], meta["has_prev"]) == (7, None, False, False)


def test_tokens_lead_forwards_only(base: httpx.Client) -> None:
    assert run(base, "/pages/by_token")["meta"] == {"has_next": True, "forwards_cursor": "3"}
    assert run(base, "/pages/by_token", page_token="6")["meta"] == {"has_next": False, "forwards_cursor": None}


def test_the_next_token_may_be_in_the_data(base: httpx.Client) -> None:
    first = run(base, "/pages/in_data")
    assert first == {"data": {"numbers": [1, 2, 3], "next_page_token": "3"}, "meta": None}
    assert run(base, "/pages/in_data", page_token="6")["data"]["next_page_token"] is None


def test_a_connector_may_have_a_meta_of_its_own(base: httpx.Client) -> None:
    assert run(base, "/pages/of_its_own")["meta"] == {"before": "a", "after": "b"}


@pytest.mark.parametrize(
    ("kind", "status", "code", "retry_after"),
    [
        ("BadRequest", 400, "BAD_REQUEST", None),
        ("Unauthenticated", 401, "UNAUTHENTICATED", None),
        ("Forbidden", 403, "FORBIDDEN", None),
        ("NotFound", 404, "NOT_FOUND", None),
        ("Conflict", 409, "CONFLICT", None),
        ("TooLarge", 413, "TOO_LARGE", None),
        ("RateLimited", 429, "RATE_LIMITED", 7),
        ("HubError", 500, "INTERNAL_ERROR", None),
        ("UpstreamFailed", 502, "UPSTREAM_FAILED", None),
        ("Busy", 503, "BUSY", 1),
    ],
)
def test_a_typed_error_reaches_the_caller(
    base: httpx.Client, kind: str, status: int, code: str, retry_after: int | None
) -> None:
    refused = base.post("/refusals/refuse", json={"kind": kind})
    assert refused.status_code == status
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == (kind, code)
    assert error["recovery"] == {"retryable": retry_after is not None, "retry_after_seconds": retry_after}


def test_files_come_in_and_go_out(base: httpx.Client) -> None:
    copied = base.post("/copier/copy", files={"file": ("hello.txt", b"hello", "text/plain")})
    assert (copied.status_code, copied.content) == (200, b"hello")
    assert 'filename="hello.txt"' in copied.headers["Content-Disposition"]


def test_everything_that_a_connector_needs_has_one_place() -> None:
    assert all(hasattr(bosa_hub, name) for name in bosa_hub.__all__)
    assert sorted(bosa_hub.__all__) == sorted(set(bosa_hub.__all__))
    with pytest.raises(AttributeError, match="has no attribute 'Weather'"):
        bosa_hub.Weather  # pyright: ignore[reportAttributeAccessIssue, reportUnusedExpression]  # noqa: B018  what is tested


def test_importing_the_package_loads_no_web_server() -> None:
    program = "import sys, bosa_hub; sys.exit(bool({'starlette', 'pydantic', 'uvicorn'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
