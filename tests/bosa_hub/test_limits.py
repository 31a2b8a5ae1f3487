"""How often a client may ask."""

import math
import os
from pathlib import Path

import httpx
from hypothesis import given
from hypothesis import strategies as st

from bosa_hub.limits import Bucket, take
from bosa_hub.plugin import Connector, action
from bosa_hub.serve import RunningHub, running

_RATES = st.integers(1, 10_000)
_GAPS = st.lists(st.floats(0, 120), max_size=300)


@given(_RATES, _GAPS)
def test_no_stretch_of_time_sees_more_than_a_minutes_worth_beside_its_own(rate: int, gaps: list[float]) -> None:
    bucket, now, granted = None, 1000.0, list[float]()
    for gap in gaps:
        now += gap
        bucket, wait = take(bucket, rate, now)
        granted += [now] if wait == 0 else []
    for first, begin in enumerate(granted):
        for last, end in enumerate(granted[first:], first):
            assert last - first + 1 <= rate + (end - begin) * rate / 60 + 1e-6


@given(_RATES, st.floats(0, 1, exclude_max=True))
def test_whoever_waits_as_told_is_let_through_and_whoever_does_not_is_not(rate: int, tokens: float) -> None:
    bucket, wait = take(Bucket(tokens, 1000), rate, 1000)
    assert 0 < wait <= 60 / rate
    assert take(bucket, rate, 1000 + math.ceil(wait))[1] == 0
    assert take(bucket, rate, 1000 + wait / 2)[1] > 0


@given(_RATES, st.floats(0, 10_000), st.floats(-1000, 1000))
def test_a_bucket_never_overflows_and_no_clock_empties_it(rate: int, tokens: float, passed: float) -> None:
    before = Bucket(min(tokens, rate), 1000)
    after, wait = take(before, rate, 1000 + passed)
    assert 0 <= after.tokens <= rate
    assert after.tokens >= before.tokens - (wait == 0)


class Counter(Connector):
    """Counts."""

    def __init__(self) -> None:
        self.calls = 0

    @action(effect="create")
    async def count(self) -> int:
        """Count."""
        self.calls += 1
        return self.calls


def _token(hub: RunningHub, who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.user_token(who)}"}


def test_a_client_that_asks_too_often_is_told_when_to_come_back_and_nothing_is_done(tmp_path: Path) -> None:
    counter = Counter()
    with running(tmp_path, connectors=[counter], rate_limit=3) as hub, httpx.Client(base_url=hub.url) as client:
        ada, bob = _token(hub, "ada"), _token(hub, "bob")
        answers = [client.post("/connectors/counter/count", headers=who) for who in (ada, bob, ada, bob)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        error, wait = answers[3].json()["error"], int(answers[3].headers["Retry-After"])
        assert 1 <= wait <= 20
        assert (error["code"], error["recovery"]) == (
            "RATE_LIMITED",
            {"retryable": True, "retry_after_seconds": wait},
        )
        assert error["message"] == f"This client may make 3 requests a minute. Try again in {wait} s."
        assert counter.calls == 3
        assert client.get("/users/me", headers=ada).status_code == 429
        key = {"X-API-Key": hub.client_key}
        assert client.post("/users", headers=key, json={"identifier": "carol"}).status_code == 429


def test_clients_do_not_use_up_each_others_requests(tmp_path: Path) -> None:
    with running(tmp_path, master_key="master", rate_limit=1) as hub, httpx.Client(base_url=hub.url) as client:
        ada = _token(hub, "ada")
        assert [client.get("/users/me", headers=ada).status_code for _ in range(2)] == [200, 429]
        other = client.post("/clients", headers={"X-API-Key": "master"}, json={"name": "other"}).json()["data"]
        answer = client.post("/users", headers={"X-API-Key": other["api_key"]}, json={"identifier": "ada"})
        assert answer.status_code == 200
        strangers = [client.get("/users/me", headers={"Authorization": f"Bearer {n}"}) for n in range(3)]
        assert {each.status_code for each in strangers} == {401}
        assert client.get("/connectors/names").status_code == 200


def test_a_request_turned_away_uses_no_idempotency_key_up(tmp_path: Path) -> None:
    counter, key = Counter(), {"Idempotency-Key": os.urandom(8).hex()}
    with running(tmp_path, connectors=[counter], rate_limit=1) as hub, httpx.Client(base_url=hub.url) as client:
        ada = _token(hub, "ada")
        answers = [client.post("/connectors/counter/count", headers=ada | key) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 429]
    with running(tmp_path, connectors=[counter]) as hub, httpx.Client(base_url=hub.url) as client:
        again = client.post("/connectors/counter/count", headers=_token(hub, "ada") | key)
        assert again.content == answers[0].content
    assert counter.calls == 1


def test_there_is_no_limit_unless_one_is_set(tmp_path: Path) -> None:
    with running(tmp_path) as hub, httpx.Client(base_url=hub.url, headers=_token(hub, "ada")) as client:
        assert {client.get("/users/me").status_code for _ in range(50)} == {200}
