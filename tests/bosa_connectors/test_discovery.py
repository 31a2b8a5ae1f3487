"""What an API offers, asked over a real socket, in both families of paths."""

import gc
from collections.abc import Callable
from contextlib import suppress
from threading import Barrier
from typing import TypeVar

import anyio
import pytest
from anyio import to_thread

from bosa_connectors import AsyncBosaConnector, BosaConnector, Call, Catalogue
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaConnectorError,
    BosaError,
    BrokenReply,
    ConnectorNotFound,
    Forbidden,
    NotFound,
    Unauthenticated,
    Unreachable,
)

from .raw import Behaviour, Connection, answer, answering, hanging_up, raw_api, stalling
from .samples import listed
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

T = TypeVar("T")
NAMES = "/connectors/names"
OLDER = "/connectors"
NOTES = "/connectors/?modules=notes"
HTML = {"content-type": "text/html"}


async def test_the_current_family_lists_names(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[NAMES] = Answer.of(["notes", "google_drive", 5, None])
    assert await connector.get_available_modules() == ["notes", "google_drive"]
    assert api.lines == [f"GET {NAMES}"]


@pytest.mark.parametrize("status", [404, 405])
async def test_the_older_family_lists_an_object(status: int, api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers |= {NAMES: Answer.of({"message": "no"}, status), OLDER: Answer.of({"notes": {}, "sql": {"query": {}}})}
    assert await connector.get_available_modules() == ["notes", "sql"]
    assert api.lines == [f"GET {NAMES}", f"GET {OLDER}"]


async def test_the_names_are_asked_anew_each_time(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[NAMES] = Answer.of(["notes"])
    await connector.get_available_modules()
    api.answers[NAMES] = Answer.of(["notes", "sql"])
    assert await connector.get_available_modules() == ["notes", "sql"]


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_other_failures_do_not_decide_which_family_it_is(
    status: int, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers |= {NAMES: Answer.of({"message": "It broke."}, status), OLDER: Answer.of({"notes": {}})}
    with pytest.raises(ApiError, match=f"^{status}: It broke"):
        await connector.get_available_modules()
    assert api.lines == [f"GET {NAMES}"]


async def test_where_neither_family_answers_the_404_is_raised(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    with pytest.raises(NotFound, match=r"There is nothing here\."):
        await connector.get_available_modules()
    assert api.lines == [f"GET {NAMES}", f"GET {OLDER}"]


@pytest.mark.parametrize("body", [{"status": "ok", "version": 3}, [{"id": 1}], "ok", None])
async def test_what_answers_everything_with_json_of_its_own_is_no_older_api(
    body: object, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers |= {NAMES: Answer.of(body), OLDER: Answer.of({"status": "ok"})}
    with pytest.raises(BadReply, match=r"not a JSON array of names\. Is this the address of a BOSA API\?"):
        await connector.get_available_modules()


async def test_a_list_that_is_none_is_a_bad_reply(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[OLDER] = Answer.of("notes")
    with pytest.raises(BadReply, match="Is this the address of a BOSA API"):
        await connector.get_available_modules()


async def test_a_catalogue_is_what_the_api_lists(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    items = {
        "reports/by_month": listed(path="/connectors/notes/reports/by_month"),
        "get-users": listed(docstring=None, parameters={}, path="/connectors/notes/get-users"),
        "admin/revoke_integrations": listed(),
        "stolen": listed(path="https://elsewhere.example/do"),
        "odd": None,
    }
    api.answers[NOTES] = Answer.of({"notes": items})
    catalogue = await connector.catalogue("notes")
    assert (list(catalogue), list(catalogue.refused)) == (["reports/by_month", "get-users"], ["stolen", "odd"])
    assert api.lines == [f"GET {NOTES}"]


async def test_listings_carry_no_credentials(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers |= {OLDER: Answer.of({"notes": {}}), NOTES: Answer.of({"notes": {}})}
    await connector.get_available_modules()
    await connector.catalogue("notes")
    assert [asked.said for asked in api.asked] == [{}, {}, {}]
    assert [asked.body for asked in api.asked] == [b"", b"", b""]


async def test_the_name_of_a_connector_is_percent_encoded(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/connectors/?modules=a+b%2Fc%26d%3D%C3%BC%23"] = Answer.of({"a b/c&d=ü#": {"do": listed()}})
    assert list(await connector.catalogue("a b/c&d=ü#")) == ["do"]


async def test_an_unknown_connector_is_not_found(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/connectors/?modules=note"] = Answer.of({})
    with pytest.raises(ConnectorNotFound, match=r"^No connector found for app 'note'$") as caught:
        await connector.catalogue("note")
    assert isinstance(caught.value, BosaConnectorError)


async def test_a_404_to_a_listing_decides_nothing(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    with pytest.raises(NotFound):
        await connector.catalogue("notes")
    assert api.lines == [f"GET {NOTES}"]


async def test_a_catalogue_is_asked_once_however_many_tasks_ask_at_once(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[NOTES] = Answer.of({"notes": {"do": listed()}})
    seen: list[Catalogue] = []

    async def ask() -> None:
        seen.append(await connector.catalogue("notes"))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)
    assert len(seen) == 20
    assert all(catalogue is seen[0] for catalogue in seen)
    assert api.lines == [f"GET {NOTES}"]


async def test_one_slow_connector_does_not_keep_the_others_waiting() -> None:
    async with (
        raw_api(stalling(), answering(answer(b'{"sql": {}}'))) as api,
        AsyncBosaConnector(api.url) as connector,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(connector.catalogue, "notes")
        await api.asked.wait()
        with anyio.fail_after(5):
            assert list(await connector.catalogue("sql")) == []
        tasks.cancel_scope.cancel()


async def test_a_task_that_gives_up_asking_does_not_keep_the_others_from_it() -> None:
    listing = answer(b'{"notes": {}}')
    async with raw_api(stalling(), answering(listing)) as api, AsyncBosaConnector(api.url) as connector:
        with anyio.move_on_after(0.1) as patience:
            await connector.catalogue("notes")
        assert patience.cancelled_caught
        assert list(await connector.catalogue("notes")) == []


async def test_a_refresh_asks_anew_and_is_what_is_known_from_then_on(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[NOTES] = Answer.of({"notes": {"a": listed()}})
    before = await connector.catalogue("notes")
    api.answers[NOTES] = Answer.of({"notes": {"b": listed()}})
    assert await connector.catalogue("notes") is before
    after = await connector.refresh_connector("notes")
    assert (list(before), list(after)) == (["a"], ["b"])
    assert await connector.catalogue("notes") is after


async def test_a_refresh_that_fails_keeps_what_was_known(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[NOTES] = Answer.of({"notes": {"a": listed()}})
    before = await connector.catalogue("notes")
    api.answers[NOTES] = Answer.of({"message": "It broke."}, 500)
    with pytest.raises(ApiError):
        await connector.refresh_connector("notes")
    assert await connector.catalogue("notes") is before


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Answer.of({"message": "No key."}, 401), Unauthenticated, "401: No key."),
        (Answer.of({"message": "Not you."}, 403), Forbidden, "403: Not you."),
        (Answer.of({"message": "No such path."}, 404), NotFound, "404: No such path."),
        (Answer(500, {"content-type": "text/plain"}, b"It broke."), ApiError, "500: It broke."),
        (Answer(502, HTML, b"<html>"), ApiError, "502: The API gave no reason."),
        (Answer(301, {"location": "https://elsewhere.example/"}), ApiError, "redirects to https://elsewhere.example"),
        (Answer(200, {"content-type": "application/json"}, b"{"), BrokenReply, "says that it is JSON and is not"),
        (Answer(200, {"content-type": "application/json"}, b"[]"), BadReply, "is not a JSON object"),
        (Answer(204), BadReply, "is not a JSON object"),
        (Answer(200, {"content-type": "text/plain"}, b"{}"), BadReply, "is of type text/plain, not JSON"),
        (Answer.of({"notes": []}), BadReply, "does not hold its actions by name"),
        (Answer(200, HTML, b"<html>"), BadReply, "is of type text/html, not JSON"),
    ],
)
async def test_a_discovery_that_fails_says_what_it_is_and_is_asked_again_the_next_time(
    answer: Answer, kind: type[BosaError], message: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[NOTES] = answer
    with pytest.raises(kind, match=message) as caught:
        await connector.catalogue("notes")
    assert type(caught.value) is kind
    api.answers[NOTES] = Answer.of({"notes": {"do": listed()}})
    assert list(await connector.catalogue("notes")) == ["do"]


async def test_an_action_that_was_discovered_can_be_called(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers |= {
        NOTES: Answer.of({"notes": {"reports/by_month": listed(path="/connectors/notes/reports/by_month")}}),
        "/connectors/notes/reports/by_month": Answer.of({"data": [], "meta": None}),
    }
    action = (await connector.catalogue("notes")).action("reports/by_month")
    assert (await connector.send(Call(action, {"month": 5}))).data == []
    assert api.lines[-1] == "POST /connectors/notes/reports/by_month"


# Once, however many ask


async def test_eight_threads_discover_once() -> None:
    async with raw_api(answering(answer(b'{"notes": {}}'))) as api:
        with BosaConnector(api.url) as connector:
            seen = await in_threads(8, lambda: connector.catalogue("notes"))
    assert len(api.requests) == 1
    assert all(catalogue is seen[0] for catalogue in seen)


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_eight_who_ask_at_once_hear_of_one_failure(status: int) -> None:
    async def failing_slowly(connection: Connection) -> None:
        await connection.request()
        await anyio.sleep(0.3)  # in which all of them come to ask
        await connection.write(answer(b'{"message": "No."}', status))

    async with raw_api(failing_slowly) as api:
        with BosaConnector(api.url) as connector:
            heard = await in_threads(8, lambda: failure_of(lambda: connector.catalogue("notes")))
        assert {(type(error), str(error)) for error in heard} == {(type(heard[0]), str(heard[0]))}
        assert len({id(error) for error in heard}) == 8
        assert len(api.requests) == 1


async def in_threads(count: int, ask: Callable[[], T]) -> list[T]:
    """What each of so many threads gets, which all begin together."""
    together, seen = Barrier(count), list[T]()

    def run() -> None:
        together.wait(10)
        seen.append(ask())

    async with anyio.create_task_group() as threads:
        for _ in range(count):
            threads.start_soon(to_thread.run_sync, run)
    return seen


def failure_of(ask: Callable[[], object]) -> BosaError:
    """The error that this ends with."""
    with pytest.raises(BosaError) as caught:
        ask()
    return caught.value


async def test_one_who_gives_up_does_not_fail_those_who_wait_for_the_answer() -> None:
    listing = answer(b'{"notes": {}}')
    async with raw_api(stalling(), answering(listing)) as api, AsyncBosaConnector(api.url) as connector:
        seen: list[Catalogue] = []

        async def ask() -> None:
            seen.append(await connector.catalogue("notes"))

        async with anyio.create_task_group() as others, anyio.create_task_group() as leader:
            leader.start_soon(connector.catalogue, "notes")
            await api.asked.wait()
            for _ in range(5):
                others.start_soon(ask)
            leader.cancel_scope.cancel()
        assert len(seen) == 5
        assert api.connections == 2


async def crashing(connection: Connection) -> None:
    await connection.request()
    await connection.reset()


@pytest.mark.parametrize(
    "lost",
    [hanging_up(), hanging_up(answer(b'{"notes": {}}')[:-3]), crashing],
    ids=["without a word", "in the middle of the answer", "by a crash"],
)
async def test_what_got_lost_on_its_way_is_asked_for_once_more(shell: Shell, lost: Behaviour) -> None:
    listing = answering(answer(b'{"notes": {}}'))
    async with raw_api(lost, listing) as api, connecting(shell, api.url) as connector:
        assert list(await connector.catalogue("notes")) == []
        assert api.connections == 2
    async with raw_api(lost, lost, listing) as api, connecting(shell, api.url) as connector:
        with pytest.raises(Unreachable):
            await connector.catalogue("notes")
        assert api.connections == 2


# By age


def aged(connector: AsyncBosaConnector, seconds: float) -> None:
    """As if what is known of the connector had been found so much earlier."""
    blocking = getattr(connector, "blocking", connector)
    blocking._known["notes"].at -= seconds  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  an hour is long


async def test_a_catalogue_is_asked_anew_after_an_hour(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[NOTES] = Answer.of({"notes": {"a": listed()}})
    await connector.catalogue("notes")
    api.answers[NOTES] = Answer.of({"notes": {"b": listed()}})
    aged(connector, 3500)
    assert list(await connector.catalogue("notes")) == ["a"]
    aged(connector, 200)
    assert list(await connector.catalogue("notes")) == ["b"]


async def test_the_last_good_catalogue_goes_on_serving_while_the_api_fails(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[NOTES] = Answer.of({"notes": {"a": listed()}})
    before = await connector.catalogue("notes")
    api.answers[NOTES] = Answer.of({"message": "It broke."}, 500)
    aged(connector, 3700)
    for _ in range(3):
        assert await connector.catalogue("notes") is before
    assert len(api.asked) == 2
    api.answers[NOTES] = Answer.of({"notes": {"b": listed()}})
    aged(connector, 61)
    assert list(await connector.catalogue("notes")) == ["b"]


async def test_a_connector_that_is_gone_serves_no_more(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[NOTES] = Answer.of({"notes": {"a": listed()}})
    await connector.catalogue("notes")
    api.answers[NOTES] = Answer.of({})
    aged(connector, 3700)
    for _ in range(2):
        with pytest.raises(ConnectorNotFound):
            await connector.catalogue("notes")
    assert len(api.asked) == 3


async def test_failures_that_repeat_do_not_gather_what_they_were_raised_through(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[NOTES] = Answer.of({"message": "It broke."}, 500)
    depths: set[int] = set()
    for _ in range(3):
        with pytest.raises(ApiError) as caught:
            await connector.catalogue("notes")
        depths.add(len(caught.traceback))
    assert len(depths) == 1


async def test_of_names_that_there_are_not_nothing_is_kept(api: ScriptedApi, shell: Shell) -> None:
    api.answers |= {f"/connectors/?modules=no{number}": Answer.of({}) for number in range(20)}
    async with connecting(shell, api.url) as connector:
        for number in range(20):
            with suppress(ConnectorNotFound):
                await connector.execute(f"no{number}", "do", {})
        gc.collect()
        kept = [each for each in gc.get_objects() if type(each) is ConnectorNotFound]
        assert len(kept) < 5  # a thread that waits still knows its last one
    assert len(api.asked) == 20
