"""The page with every action: that it is whole, and that nothing foreign runs in it."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel, Field

from bosa_hub.plugin import Connector, action
from bosa_hub.serve import running

EVIL = """</script><script>alert(1)</script><img src=x onerror="alert(1)"><!-- {listing} {script} </style>"""


class Trap(BaseModel):
    value: str = Field(description=EVIL)


class Evil(Connector):
    __doc__ = EVIL

    @action(effect="send")
    async def spring(self, request: Trap) -> None:
        raise NotImplementedError

    spring.__doc__ = EVIL


class Parts(HTMLParser):
    """What a browser finds in the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.content: dict[str, str] = {}
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._within = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._within = ""

    def handle_data(self, data: str) -> None:
        self.content[self._within] = self.content.get(self._within, "") + data


@pytest.fixture(scope="module")
def page(anyone: httpx.Client) -> httpx.Response:
    return anyone.get("/docs")


def test_the_page_needs_no_credentials_and_is_html(page: httpx.Response) -> None:
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_every_action_is_there_as_the_listing_has_it(page: httpx.Response, anyone: httpx.Client) -> None:
    shown = json.loads(Parts(page.text).content["listing"])
    assert {connector: own["actions"] for connector, own in shown.items()} == anyone.get("/connectors").json()


def test_a_connector_says_what_it_is_for(page: httpx.Response) -> None:
    shown = json.loads(Parts(page.text).content["listing"])
    assert shown["notes"]["about"] == "Notes of one's own."


def test_only_the_pages_own_style_and_script_may_act(page: httpx.Response) -> None:
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    content = Parts(page.text).content
    assert policy == {
        "default-src": "'none'",
        "script-src": _hash(content["script"]),
        "style-src": _hash(content["style"]),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_the_page_loads_nothing_and_has_no_handlers_in_its_markup(page: httpx.Response) -> None:
    parts = Parts(page.text)
    assert not [name for name, _ in parts.attributes if name.startswith("on") or name in {"style", "src", "action"}]
    assert {value for name, value in parts.attributes if name == "href"} == {"data:,", "#actions"}
    assert not re.search(r"https?://|@import|url\(", parts.content["script"] + parts.content["style"])


def test_keys_are_neither_kept_nor_put_into_an_address(page: httpx.Response) -> None:
    parts = Parts(page.text)
    # a control without a name is part of no address, whatever submits its form
    assert [value for name, value in parts.attributes if name == "name"] == ["viewport"]
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|indexedDB|pushState", page.text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", page.text)


def test_what_a_connector_says_is_text_whatever_it_says(tmp_path: Path) -> None:
    with running(tmp_path, connectors=[Evil()]) as hub:
        page = httpx.get(f"{hub.url}/docs")
    parts = Parts(page.text)
    assert (parts.tags.count("script"), parts.tags.count("style"), parts.tags.count("img")) == (2, 1, 0)
    shown = json.loads(parts.content["listing"])["evil"]
    assert shown["about"] == EVIL
    assert shown["actions"]["spring"]["docstring"] == EVIL
    assert _hash(parts.content["script"]) in page.headers["Content-Security-Policy"]


def test_the_page_is_for_the_hubs_own_names_only(anyone: httpx.Client) -> None:
    assert anyone.get("/docs", headers={"Host": "evil.example"}).status_code == 421


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
