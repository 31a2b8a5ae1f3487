"""The pages on which an account is linked: what they show, what they refuse, and that no secret is on them."""

import html
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import anyio
import httpx
import mcp_types as types
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from bosa_connectors.calls import Credentials
from bosa_hub.connectors import built_in
from bosa_hub.serve import RunningHub, running
from bosa_mcp.connect_page import HEADERS
from bosa_mcp.tickets import LASTING

from .conftest import KEY, TOKEN, answer, refusal
from .linkable import GOOD_KEY, Clock, Linkable, Shop, fill_in, link_in, linkable, opened
from .many_users import Person, SharedServer, shared_server
from .processes import started
from .scripted_api import WAIT, Json, ScriptedApi, fails, says
from .test_acting_accounts import accounts_of

ANSWERS = {"answer0": "home", "answer1": GOOD_KEY, "answer2": "eu"}
HOSTILE = "\"><script>alert(1)</script>'</textarea></style>{0}%s\u202e"


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("hub"), connectors=[*built_in(), Shop()]) as hub:
        yield hub


@pytest.fixture
def who(shops: RunningHub, request: pytest.FixtureRequest) -> Credentials:
    return Credentials(shops.client_key, shops.user_token(request.node.nodeid))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def shop(shops: RunningHub, who: Credentials, clock: Clock) -> AsyncGenerator[Linkable]:
    async with linkable(shops.url, who, "auto", clock=clock) as it:
        yield it


async def link(it: Linkable, connector: str = "shop") -> str:
    return (await answer(it.client, "bosa_connect", connector=connector))["data"]["url"]


class _Tags(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, name: str) -> dict[str, str | None]:
        [attributes] = [attributes for _, attributes in self.found if attributes.get("name") == name]
        return attributes


async def test_the_form_asks_what_the_schema_says_and_runs_no_script(shop: Linkable) -> None:
    page = await opened(await link(shop))
    tags = _Tags(page.text)
    kinds = [(tag, attributes.get("type")) for tag, attributes in tags.found if attributes.get("name") != "viewport"]
    assert [kind for kind in kinds if kind[0] in {"input", "select", "textarea"}] == [
        ("input", "text"),
        ("input", "password"),
        ("select", None),
        ("input", "text"),
        ("input", "checkbox"),
    ]
    assert "script" not in {tag for tag, _ in tags.found}
    assert "required" in tags.named("answer1")
    assert "required" not in tags.named("answer0")
    assert "From the settings page." in tags.text
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_what_is_wrong_stands_beside_its_question_and_no_secret_comes_back(shop: Linkable) -> None:
    url = await link(shop)
    page = await fill_in(url, **{**ANSWERS, "answer1": "short", "answer2": "moon", "answer3": "1000"})
    tags = _Tags(page.text)
    assert page.status_code == 422
    marked = [attributes["name"] for _, attributes in tags.found if attributes.get("aria-invalid")]
    assert marked == ["answer1", "answer2", "answer3"]
    assert tags.named("answer0")["value"] == "home"
    assert tags.named("answer3")["value"] == "1000"
    assert "value" not in tags.named("answer1")
    assert "short" not in page.text
    refused = await fill_in(url, **{**ANSWERS, "answer1": "planted-bad-key-93d1"})
    assert "The shop does not know this key." in refused.text
    assert "planted-bad-key" not in refused.text
    assert (await fill_in(url, **ANSWERS)).status_code == 200


async def test_an_account_that_is_linked_already_can_be_replaced(shop: Linkable) -> None:
    assert (await fill_in(await link(shop), **ANSWERS)).status_code == 200
    url = await link(shop)
    again = await fill_in(url, **ANSWERS)
    assert again.status_code == 422
    assert "Replace the account of this name" in again.text
    replaced = await fill_in(url, **ANSWERS, replace="yes")
    assert (replaced.status_code, "The account was linked anew." in replaced.text) == (200, True)


async def test_a_link_is_used_once_also_where_two_use_it_at_once(shop: Linkable) -> None:
    url = await link(shop)
    statuses: list[int] = []

    async def use() -> None:
        statuses.append((await fill_in(url, **ANSWERS)).status_code)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(use)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 410}
    for answered in (await opened(url), await fill_in(url, **ANSWERS)):
        assert answered.status_code == 410
        assert "has been used" in answered.text


async def test_a_link_expires_and_a_changed_one_leads_nowhere(shop: Linkable, clock: Clock) -> None:
    url = await link(shop)
    assert (await opened(f"{url[:-1]}~")).status_code == 404
    clock.now += LASTING - 1
    assert (await opened(url)).status_code == 200
    other = await link(shop)
    assert other != url
    clock.now += 1
    expired = await fill_in(url, **ANSWERS)
    assert (expired.status_code, "expired" in expired.text) == (410, True)
    assert (await opened(other)).status_code == 200
    assert (await answer(shop.client, "bosa_accounts"))["data"]["shop"] == []


async def test_a_page_of_somebody_else_cannot_send_the_form(shop: Linkable) -> None:
    url = await link(shop)
    async with httpx.AsyncClient(timeout=WAIT) as browser:
        for headers, status in (
            ([("origin", "https://evil.example")], 403),
            ([("origin", url.partition("/connect/")[0]), ("origin", "https://evil.example")], 403),
            ([("origin", "null")], 403),
            ([("host", "evil.example")], 421),
        ):
            assert (await browser.post(url, data=ANSWERS, headers=headers)).status_code == status
        assert (await browser.post(url, json=ANSWERS)).status_code == 400
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await browser.post(url, content=b"answer0=%ff", headers=form)).status_code == 400
        assert (await browser.post(url, content=b"a=" + b"x" * 300_000, headers=form)).status_code == 400
        assert (await browser.put(url, data=ANSWERS)).status_code == 405
    assert (await answer(shop.client, "bosa_accounts"))["data"]["shop"] == []


ODD: Json = {
    "type": "object",
    "title": HOSTILE,
    "description": HOSTILE,
    "properties": {
        HOSTILE: {"type": "string", "title": HOSTILE, "description": HOSTILE, "default": HOSTILE},
        "choice": {"enum": [HOSTILE, 1, None, {"a": [1]}]},
        "": {"type": "string"},
        "many": {"type": "array", "items": {"type": "string"}},
        "nested": {"$ref": "#/$defs/Nested"},
        "loop": {"$ref": "#/$defs/Loop"},
        "lost": {"$ref": "#/$defs/Nowhere"},
        "union": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "private_key": {"type": "string"},
        "number": {"type": ["number", "null"]},
        "strange": {"type": "quux"},
        "nothing": None,
        "true": True,
    },
    "$defs": {
        "Nested": {"type": "object", "properties": {"password": {"type": "string"}}},
        "Loop": {"$ref": "#/$defs/Loop"},
    },
}


MANY: Json = {"properties": {f"p{number}": {} for number in range(500)}}
FORM: Json = {"supported_auth_types": [{"type": "custom", "config": {"properties": {"a": {}}}}]}


@pytest.mark.parametrize(
    "config",
    [
        ODD,
        {},
        {"type": "object"},
        {"type": "quux"},
        {"properties": HOSTILE},
        MANY,
    ],
    ids=["odd", "empty", "no members", "no type", "no schema", "too many"],
)
async def test_whatever_a_schema_holds_becomes_a_form_that_holds_no_markup_of_it(
    api: ScriptedApi, config: Json
) -> None:
    api.offer("shop", "order")
    accounts_of(api)
    api.odd["/connectors/shop/auth-schema"] = says(
        {"supported_auth_types": [{"type": "odd"}, {"type": "custom", "config": config}]}
    )
    api.odd["/connectors/shop/integrations"] = fails(422, HOSTILE, details=[{"loc": ["body", HOSTILE], "msg": HOSTILE}])
    async with linkable(api.url, Credentials(KEY, TOKEN), "auto") as it:
        url = await link(it)
        page = await opened(url)
        count = sum(1 for _, attributes in _Tags(page.text).found if str(attributes.get("name")).startswith("answer"))
        answers = {f"answer{number}": HOSTILE for number in range(count)}
        for shown in (page, await fill_in(url, **answers), await fill_in(url, answer0="")):
            tags = _Tags(shown.text)
            assert shown.status_code in {200, 422}
            assert "script" not in {tag for tag, _ in tags.found}
            assert {name for _, attributes in tags.found for name in attributes if name.startswith("on")} == set()
        assert "\u202e" not in re.sub(r'value="[^"]*"', "", page.text)
        if config is ODD:
            assert count == len(ODD["properties"])
            password = [
                attributes.get("name")
                for _, attributes in _Tags(page.text).found
                if attributes.get("type") == "password"
            ]
            assert password == ["answer8"]
            assert "class=secret" in page.text


async def test_a_connector_with_an_odd_name_stays_text_on_its_page(api: ScriptedApi) -> None:
    name = "<b onmouseover=alert(1)>"
    api.offer(name, "order")
    accounts_of(api)
    api.odd[f"/connectors/{name}/auth-schema"] = says(FORM)
    async with linkable(api.url, Credentials(KEY, TOKEN), "auto") as it:
        page = await opened(await link(it, name))
        assert page.status_code == 200
        assert html.escape(name) in page.text
        assert name not in page.text


@pytest.fixture(scope="module")
def shared(shops: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    with shared_server(
        tmp_path_factory.mktemp("shared"), shops.url, shops.client_key, BOSA_LOG_LEVEL="debug"
    ) as server:
        yield server


@asynccontextmanager
async def client_of(shared: SharedServer, person: Person, era: str) -> AsyncGenerator[Linkable]:
    async with shared.client(person, era) as client:
        yield Linkable(client, None)  # pyright: ignore[reportArgumentType]  it is in another process


async def test_over_http_an_account_is_linked_for_the_user_who_asked_whoever_opens_the_link(
    shops: RunningHub, shared: SharedServer, era: str
) -> None:
    ada, bob = (Person(name, shops.user_token(f"{name}-{era}")) for name in ("ada", "bob"))
    async with client_of(shared, ada, era) as hers, client_of(shared, bob, era) as his:
        url, other = await link(hers), await link(his)
        assert url.startswith(f"{shared.url}/connect/")
        assert url != other
        page = await opened(url, authorization=f"Bearer {bob.token}")
        assert f"ada-{era}" in page.text
        assert f"bob-{era}" not in page.text
        assert (await fill_in(url, **ANSWERS)).status_code == 200
        assert [each["account"] for each in (await answer(hers.client, "bosa_accounts"))["data"]["shop"]] == ["home"]
        assert (await answer(his.client, "bosa_accounts"))["data"]["shop"] == []
    logged = "".join(shared.log)
    assert not [secret for secret in (GOOD_KEY, ada.token, bob.token, url.rpartition("/")[2]) if secret in logged]


def test_the_pages_over_http_are_behind_the_gate(shared: SharedServer) -> None:
    with httpx.Client(base_url=shared.url, timeout=WAIT) as http:
        assert http.get("/connect/nothing").status_code == 404
        assert http.get("/connected/nothing").status_code == 404
        assert http.get("/connect/nothing", headers={"host": "evil.example"}).status_code == 421
        assert http.post("/connect/nothing", headers={"origin": "https://evil.example"}).status_code == 403


async def test_behind_a_proxy_links_lead_to_its_address(
    shops: RunningHub, who: Credentials, tmp_path: Path, era: str
) -> None:
    settings = {"BOSA_PUBLIC_URL": "https://mcp.example.com/bosa"}
    assert who.user_token
    with shared_server(tmp_path, shops.url, shops.client_key, **settings) as server:
        async with client_of(server, Person("me", who.user_token), era) as it:
            assert (await link(it)).startswith("https://mcp.example.com/bosa/connect/")


@pytest.mark.parametrize(
    ("flags", "era", "path", "is_asked"),
    [
        ((), "auto", "/mcp", True),
        ((), "legacy", "/mcp", True),
        ((), "legacy", "/sse", True),
        (("--json-response",), "auto", "/mcp", True),
        (("--json-response",), "legacy", "/mcp", False),
        (("--stateless",), "auto", "/mcp", True),
        (("--stateless",), "legacy", "/mcp", False),
    ],
)
async def test_over_http_a_client_is_asked_where_there_is_a_way_to_ask_it(  # noqa: PLR0913, PLR0917  a table
    shops: RunningHub,
    who: Credentials,
    tmp_path: Path,
    flags: tuple[str, ...],
    era: str,
    path: str,
    is_asked: bool,  # noqa: FBT001
) -> None:
    asked: list[str] = []

    async def person(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestURLParams)
        asked.append(params.url)
        assert (await fill_in(params.url, **ANSWERS)).status_code == 200
        return types.ElicitResult(action="accept")

    known = {"BOSA_API_BASE_URL": shops.url, "BOSA_API_KEY": shops.client_key, "BOSA_USER_TOKEN": who.user_token or ""}
    with started(tmp_path, "serve", "--transport", "http", "--port", "0", *flags, **known) as server:
        url = server.log_line("ready ").split()[1] + path
        transport = sse_client(url) if path == "/sse" else streamable_http_client(url)
        async with Client(transport, mode=era, read_timeout_seconds=WAIT, elicitation_callback=person) as client:
            if is_asked:
                assert (await answer(client, "shop_order", item="tea"))["data"] == "tea for home"
            else:
                assert "/connect/" in link_in(await refusal(client, "shop_order", item="tea"))
    assert bool(asked) is is_asked
