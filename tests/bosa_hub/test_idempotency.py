"""Safe repetition: what an Idempotency-Key promises."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from uuid import uuid4

import httpx
import pytest
from anyio import to_thread
from pydantic import BaseModel

from bosa_hub.errors import Busy, Conflict
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import RunningHub, running
from bosa_hub.transfer import InputFile, OutputFile


class Amount(BaseModel):
    amount: int
    reason: str | None = None


class Attachment(BaseModel):
    file: InputFile
    note: str | None = None


class Till(Connector):
    """Counts what it does."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered, self.go_on = Event(), Event()

    @action(effect="send")
    async def pay(self, request: Amount) -> dict[str, int]:
        """Pay."""
        self.calls += 1
        return {"paid": request.amount, "calls": self.calls}

    @action(effect="send")
    async def pay_back(self, request: Amount) -> dict[str, int]:
        """Pay back."""
        self.calls += 1
        return {"paid": -request.amount, "calls": self.calls}

    @action(effect="send")
    async def pay_slowly(self, request: Amount) -> dict[str, int]:
        """Pay when told to."""
        self.calls += 1
        self.entered.set()
        await to_thread.run_sync(self.go_on.wait)
        return {"paid": request.amount, "calls": self.calls}

    @action(effect="send")
    async def refuse(self) -> None:
        """Refuse, and say how often."""
        self.calls += 1
        raise Conflict(f"Refused {self.calls} times.")

    @action(effect="send")
    async def break_down(self) -> None:
        """Fail as nobody foresaw."""
        self.calls += 1
        raise RuntimeError(str(self.calls))

    @action(effect="send")
    async def be_busy_once(self) -> int:
        """Do nothing at first."""
        self.calls += 1
        if self.calls == 1:
            raise Busy("Nothing was done. Try again.")
        return self.calls

    @action(effect="create")
    async def attach(self, request: Attachment) -> dict[str, object]:
        """Keep a file."""
        self.calls += 1
        content = await to_thread.run_sync(request.file.file.read)
        return {"size": len(content), "calls": self.calls}

    @action(effect="read")
    async def print_receipt(self) -> OutputFile:
        """Print."""
        self.calls += 1
        return OutputFile("receipt.txt", [f"number {self.calls}".encode()])

    @action(effect="create")
    async def open_account(self) -> OutputFile:
        """Open an account, and confirm it with a file."""
        self.calls += 1
        return OutputFile("contract.txt", [b"signed"])


class BankAccount(BaseModel):
    name: str


class Bank(Connector):
    """Pays from whichever account acts."""

    name = "till"
    configuration = BankAccount

    def __init__(self) -> None:
        self.calls = 0

    @action(effect="send")
    async def pay(self, request: Amount, context: Context) -> str:
        """Pay."""
        self.calls += 1
        return f"{self.calls}: {request.amount} by {context.account.identifier}"


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def shop(tmp_path: Path, till: Till) -> Iterator[RunningHub]:
    with running(tmp_path, connectors=[till]) as hub:
        yield hub


def _client(hub: RunningHub, who: str = "ada") -> httpx.Client:
    headers = {"Authorization": f"Bearer {hub.user_token(who)}"}
    return httpx.Client(base_url=f"{hub.url}/connectors/till", headers=headers, timeout=20)


@pytest.fixture
def ada(shop: RunningHub) -> Iterator[httpx.Client]:
    with _client(shop) as client:
        yield client


def _key(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid4().hex}


def _error(answer: httpx.Response) -> tuple[int, str, bool]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["recovery"]["retryable"]


def test_a_repeated_request_is_answered_like_the_first_and_carried_out_once(ada: httpx.Client, till: Till) -> None:
    key = _key("Order 1/a~ !")
    first = ada.post("/pay", json={"amount": 5, "reason": "tea"}, headers=key)
    again = ada.post("/pay", json={"reason": "tea", "amount": 5}, headers=key)
    assert (first.status_code, first.json()["data"]) == (200, {"paid": 5, "calls": 1})
    assert (again.status_code, again.content, again.headers["Content-Type"]) == (200, first.content, "application/json")
    assert [each.headers["Idempotency-Key"] for each in (first, again)] == ["Order 1/a~ !"] * 2
    assert till.calls == 1


def test_without_a_key_every_request_counts_and_nothing_is_kept(ada: httpx.Client, shop: RunningHub) -> None:
    answers = [ada.post("/pay", json={"amount": 5}) for _ in range(2)]
    assert [each.json()["data"]["calls"] for each in answers] == [1, 2]
    assert "Idempotency-Key" not in answers[0].headers
    assert not (shop.home.folder / "repeats.db").exists()


@pytest.mark.parametrize(("path", "status"), [("/refuse", 409), ("/break_down", 500)])
def test_a_failure_is_answered_again_as_well(ada: httpx.Client, till: Till, path: str, status: int) -> None:
    key = _key()
    first, again = (ada.post(path, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, first.content) == (status, status, again.content)
    assert first.headers["Idempotency-Key"] == key["Idempotency-Key"]
    assert till.calls == 1


def test_where_nothing_was_done_the_same_key_tries_again(ada: httpx.Client) -> None:
    key = _key()
    busy = ada.post("/be_busy_once", headers=key)
    assert (*_error(busy), busy.headers["Retry-After"]) == (503, "BUSY", True, "1")
    assert ada.post("/be_busy_once", headers=key).json()["data"] == 2
    assert ada.post("/be_busy_once", headers=key).json()["data"] == 2


def test_a_request_that_leaves_nothing_behind_forgets_no_other_one(ada: httpx.Client, till: Till) -> None:
    key = _key()
    paid = ada.post("/pay", json={"amount": 5}, headers=key)
    ada.post("/print_receipt", headers=_key())
    assert ada.post("/pay", json={"amount": 5}, headers=key).content == paid.content
    assert till.calls == 2


def test_other_arguments_under_the_same_key_are_refused(ada: httpx.Client, till: Till) -> None:
    key = _key()
    ada.post("/pay", json={"amount": 5}, headers=key)
    other = ada.post("/pay", json={"amount": 6}, headers=key)
    assert _error(other) == (409, "IDEMPOTENCY_KEY_REUSED", False)
    assert "Retry-After" not in other.headers
    assert other.headers["Idempotency-Key"] == key["Idempotency-Key"]
    assert till.calls == 1


def test_while_the_first_goes_on_the_second_is_told_to_come_again(ada: httpx.Client, till: Till) -> None:
    key = _key()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(ada.post, "/pay_slowly", json={"amount": 5}, headers=key)
        till.entered.wait()
        early = ada.post("/pay_slowly", json={"amount": 5}, headers=key)
        till.go_on.set()
        assert (*_error(early), early.headers["Retry-After"]) == (409, "STILL_RUNNING", True, "1")
        assert first.result().json()["data"] == {"paid": 5, "calls": 1}
    assert ada.post("/pay_slowly", json={"amount": 5}, headers=key).content == first.result().content


def test_an_answer_that_cannot_be_kept_is_given_and_its_key_is_used_up(
    shop: RunningHub, ada: httpx.Client, till: Till
) -> None:
    key = _key()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(ada.post, "/pay_slowly", json={"amount": 5}, headers=key)
        till.entered.wait()
        with closing(sqlite3.connect(shop.home.folder / "repeats.db")) as connection:
            connection.execute("ALTER TABLE requests RENAME TO elsewhere")
            till.go_on.set()
            assert first.result().json()["data"] == {"paid": 5, "calls": 1}
            connection.execute("ALTER TABLE elsewhere RENAME TO requests")
    assert _error(ada.post("/pay_slowly", json={"amount": 5}, headers=key)) == (409, "OUTCOME_UNKNOWN", False)
    assert till.calls == 1


@pytest.mark.parametrize("key", ["", "a" * 256, "caf\u00e9", "a\tb"])
def test_a_key_that_is_none_costs_the_request_and_nothing_else(ada: httpx.Client, till: Till, key: str) -> None:
    refused = ada.post("/pay", json={"amount": 5}, headers=[(b"Idempotency-Key", key.encode())])
    assert _error(refused) == (400, "BAD_IDEMPOTENCY_KEY", False)
    assert "1 to 255 printable ASCII" in refused.json()["message"]
    assert till.calls == 0
    assert ada.post("/pay", json={"amount": 5}, headers=_key("a" * 255)).status_code == 200


def test_a_body_that_is_no_json_uses_no_key_up(ada: httpx.Client) -> None:
    key = _key()
    assert ada.post("/pay", content=b"{", headers=key).status_code == 422
    assert ada.post("/pay", json={"amount": 5}, headers=key).status_code == 200


def test_clients_users_and_actions_do_not_share_keys(shop: RunningHub, ada: httpx.Client) -> None:
    key, body = _key(), {"amount": 5}
    identity = shop.home.identity
    namesake = identity.issue_token(identity.ensure_user(identity.create_client("other").id, "ada")).token
    with _client(shop, "bob") as bob:
        answers = [
            ada.post("/pay", json=body, headers=key),
            bob.post("/pay", json=body, headers=key),
            ada.post("/pay_back", json=body, headers=key),
            ada.post("/pay", json=body, headers={**key, "Authorization": f"Bearer {namesake}"}),
        ]
    assert [each.json()["data"]["calls"] for each in answers] == [1, 2, 3, 4]


def test_the_account_that_acts_is_part_of_what_is_repeated(tmp_path: Path) -> None:
    key, bank = _key(), Bank()
    with running(tmp_path, connectors=[bank]) as hub, _client(hub) as ada:
        for name in ("work", "home"):
            ada.post("/integrations", json={"configuration": {"name": name}}).raise_for_status()

        def pay(**headers: str) -> str:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return ada.post("/pay", json={"amount": 5}, headers={**key, **named}).json()["data"]

        assert pay() == "1: 5 by work"
        assert {pay(X_Integration="work"), pay(X_Bosa_Integration="work")} == {"1: 5 by work"}
        ada.post("/integrations/home").raise_for_status()
        assert pay() == "2: 5 by home"
        assert {pay(X_Integration="home"), pay(X_Integration="home", X_Bosa_Integration="work")} == {"2: 5 by home"}
        assert pay(X_Integration="work") == "1: 5 by work"


def test_a_header_that_names_no_account_of_the_connector_is_no_part_of_it(ada: httpx.Client) -> None:
    key, body = _key(), {"amount": 5}
    answers = [ada.post("/pay", json=body, headers=each) for each in (key, {**key, "X-Integration": "other"})]
    assert answers[0].content == answers[1].content


def test_a_key_is_good_for_a_day_and_leaves_nothing_behind(shop: RunningHub, ada: httpx.Client) -> None:
    key, body = _key(), {"amount": 5}
    ada.post("/pay", json=body, headers=key)
    with closing(sqlite3.connect(shop.home.folder / "repeats.db")) as connection:
        connection.execute("UPDATE requests SET at = at - 86399")
        connection.commit()
        assert ada.post("/pay", json=body, headers=key).json()["data"]["calls"] == 1
        connection.execute("UPDATE requests SET at = at - 2")
        connection.commit()
        assert ada.post("/pay", json=body, headers=key).json()["data"]["calls"] == 2
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (1,)
    assert list((shop.home.folder / "running").iterdir()) == []


def test_a_form_with_the_same_file_is_the_same_request(ada: httpx.Client, till: Till) -> None:
    key, large = _key(), b"x" * 200_000
    first = ada.post("/attach", files={"file": ("a.txt", large)}, headers=key)
    again = ada.post("/attach", files={"file": ("a.txt", large)}, headers=key)
    assert first.json()["data"] == {"size": 200_000, "calls": 1}
    assert again.content == first.content
    other = ada.post("/attach", files={"file": ("a.txt", large[:-1] + b"y")}, headers=key)
    assert _error(other) == (409, "IDEMPOTENCY_KEY_REUSED", False)
    assert till.calls == 1


def test_a_file_is_read_again_and_never_made_again(ada: httpx.Client, till: Till) -> None:
    key = _key()
    assert [ada.post("/print_receipt", headers=key).text for _ in range(2)] == ["number 1", "number 2"]
    assert ada.post("/open_account", headers=key).text == "signed"
    assert _error(ada.post("/open_account", headers=key)) == (409, "ANSWER_NOT_KEPT", False)
    assert till.calls == 3


def test_of_many_at_once_one_is_carried_out(shop: RunningHub, till: Till) -> None:
    key = _key()

    def pay(_: int) -> httpx.Response:
        with _client(shop) as client:
            return client.post("/pay", json={"amount": 5}, headers=key)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(pay, range(24)))
    assert till.calls == 1
    assert {each.content for each in answers if each.status_code == 200} == {
        b'{"data":{"paid":5,"calls":1},"meta":null}'
    }
    assert {_error(each) for each in answers if each.status_code != 200} <= {(409, "STILL_RUNNING", True)}


_HANGING = """
import sys
from pathlib import Path
from threading import Event
from bosa_hub.plugin import Connector, action
from bosa_hub.serve import running

class Till(Connector):
    @action(effect="send")
    async def pay(self) -> None:
        with open(sys.argv[2], "a") as ledger:
            ledger.write("paid\\n")
        print(flush=True)
        Event().wait()

with running(Path(sys.argv[1]), connectors=[Till()]) as hub:
    print(hub.url, hub.user_token("ada"), flush=True)
    sys.stdin.read()
"""


def test_what_a_dead_process_left_half_done_is_unknown_and_never_done_again(tmp_path: Path) -> None:
    ledger, key = tmp_path / "ledger", _key()
    command = [sys.executable, "-c", _HANGING, str(tmp_path / "data"), str(ledger)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process,
        ThreadPoolExecutor() as threads,
    ):
        assert process.stdout
        url, token = process.stdout.readline().split()
        headers = {"Authorization": f"Bearer {token}", **key}
        lost = threads.submit(httpx.post, f"{url}/connectors/till/pay", headers=headers, timeout=20)
        process.stdout.readline()
        process.kill()
        assert isinstance(lost.exception(), httpx.TransportError)
    till = Till()
    with running(tmp_path / "data", connectors=[till]) as hub, _client(hub) as ada:
        answers = [ada.post("/pay", headers=key, json={}) for _ in range(2)]
        assert [_error(each) for each in answers] == [(409, "OUTCOME_UNKNOWN", False)] * 2
        assert "Look whether it happened" in answers[0].json()["message"]
    assert (till.calls, ledger.read_text()) == (0, "paid\n")
