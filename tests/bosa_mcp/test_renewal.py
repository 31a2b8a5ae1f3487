"""`bosa-mcp hub --workers 2`: access that has ended is renewed once, whichever processes the calls come to."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ..bosa_hub.oauth_bench import link  # noqa: TID252  test folders are no packages
from ..bosa_hub.oauth_provider import CLIENT_ID, CLIENT_SECRET, Provider, providing  # noqa: TID252  likewise
from .processes import started
from .scripted_api import WAIT

CALLS = 24
MODULE = """
import os

import httpx

from bosa_hub import Connector, Context, OAuth2, action

SERVICE = "{url}"


class Things(Connector):
    oauth2 = OAuth2(
        authorize_url=SERVICE + "/authorize", token_url=SERVICE + "/token", userinfo_url=SERVICE + "/userinfo"
    )

    @action(effect="read")
    async def list_things(self, context: Context) -> list[int]:
        "Who answers, and what the service says."
        async with httpx.AsyncClient(auth=context.account.auth) as service:
            return [os.getpid(), (await service.get(SERVICE + "/things")).status_code]
"""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture
def ada(provider: Provider, tmp_path: Path) -> Iterator[httpx.Client]:
    """A user of a hub of two processes."""
    (tmp_path / "things_module.py").write_text(MODULE.format(url=provider.url))
    settings = {
        "PYTHONPATH": str(tmp_path),
        "BOSA_HUB_CONNECTORS": "things_module:Things",
        "BOSA_HUB_OAUTH": json.dumps({"things": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}}),
    }
    with started(tmp_path, "hub", "--port", "0", "--workers", "2", **settings) as hub:
        url = hub.log_line("ready ").split()[1]
        key = Path(hub.log_line("client key in ").strip().removeprefix("client key in ")).read_text().strip()
        with httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=WAIT) as http:
            made = http.post("/users", json={"identifier": "ada"}).json()["data"]
            login = http.post("/auth/tokens", json={"identifier": "ada", "secret": made["secret"]}).json()["data"]
            http.headers["authorization"] = f"Bearer {login['token']}"
            yield http


def test_many_calls_at_once_to_two_processes_renew_once(ada: httpx.Client, provider: Provider) -> None:
    assert link(ada) == {"user_identifier": "ada@service.example"}

    def called(_: int) -> list[int]:
        """Over a connection of its own, which either process may take."""
        headers = {**ada.headers, "connection": "close"}
        answered = httpx.post(
            str(ada.base_url.join("/connectors/things/list_things")), json={}, headers=headers, timeout=WAIT
        )
        return answered.raise_for_status().json()["data"]

    deadline = time.monotonic() + WAIT
    with ThreadPoolExecutor(CALLS) as callers:
        while True:
            before = provider.count("/token")
            provider.end_access()
            answers = list(callers.map(called, range(CALLS)))
            assert {status for _, status in answers} == {200}
            assert provider.count("/token") - before == 1
            if len({process for process, _ in answers}) == 2:
                return
            assert time.monotonic() < deadline, "one process took all calls"
