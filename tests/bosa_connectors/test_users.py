"""Users, made, logged in and asked for, in both families of paths and through both shells."""

import inspect
from uuid import UUID

import anyio
import pytest

from bosa_connectors import AsyncBosaConnector, BosaConnector
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    Conflict,
    InvalidArguments,
    NotFound,
    Unauthenticated,
)
from bosa_connectors.models.token import BosaToken
from bosa_connectors.models.user import BosaUser, CreateUserResponse, ThirdPartyIntegrationAuthBasic

from .people import (
    BEARER,
    CLIENT_ID,
    FAMILIES,
    ID,
    KEY,
    NAMES,
    NEW_USER,
    SAYS_JSON,
    TOKEN,
    Paths,
    account,
    data,
    speak,
    user,
)
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Paths:
    return FAMILIES[request.param]


async def test_a_user_is_made(api: ScriptedApi, connector: AsyncBosaConnector, family: Paths) -> None:
    speak(api, family, users=data(NEW_USER))
    made = await connector.create_bosa_user("ada")
    assert made == CreateUserResponse(
        id=UUID(ID), identifier="ada", secret="sk-user-hush", secret_preview="sk-user-...sh", is_active=True
    )
    assert api.lines == [NAMES, f"POST {family.users}"]
    asked = api.asked[-1]
    assert (asked.said, asked.arguments) == ({**KEY, **SAYS_JSON}, {"identifier": "ada"})
    assert asked.headers["idempotency-key"]


async def test_a_user_gets_a_token(api: ScriptedApi, connector: AsyncBosaConnector, family: Paths) -> None:
    speak(api, family, tokens=data(TOKEN))
    token = await connector.authenticate_bosa_user("ada", "sk-user-hush")
    assert token == BosaToken(
        token="the-token",
        token_type="Bearer",
        expires_at="2027-01-01T00:00:00Z",
        is_revoked=False,
        user_id=ID,
        client_id=CLIENT_ID,
    )
    assert api.lines == [NAMES, f"POST {family.tokens}"]
    asked = api.asked[-1]
    assert asked.said == {**KEY, **SAYS_JSON}
    assert asked.arguments == {"identifier": "ada", "secret": "sk-user-hush"}


async def test_a_user_is_asked_for(api: ScriptedApi, connector: AsyncBosaConnector, family: Paths) -> None:
    speak(api, family, me=data(user(account(selected=True), account("mill", selected=False, auth_status="expired"))))
    me = await connector.get_user_info("the-token")
    assert isinstance(me, BosaUser)
    assert (me.id, me.client_id, me.identifier, me.is_active) == (UUID(ID), UUID(CLIENT_ID), "ada", True)
    assert [(each.user_identifier, each.selected, each.auth_status) for each in me.integrations] == [
        ("shop", True, None),
        ("mill", False, "expired"),
    ]
    assert api.lines == [NAMES, f"GET {family.me}"]
    assert (api.asked[-1].said, api.asked[-1].body) == (BEARER, b"")
    assert "idempotency-key" not in api.asked[-1].headers


async def test_the_current_names_do_the_same(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    speak(api, users=data(NEW_USER), tokens=data(TOKEN))
    made = await connector.create_user("ada")
    assert (await connector.authenticate(made.identifier, made.secret)).token == "the-token"
    assert api.lines == [NAMES, "POST /users", "POST /auth/tokens"]


async def test_what_an_older_api_does_not_say_and_what_a_newer_one_says_besides_does_no_harm(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    without_expiry = {name: value for name, value in TOKEN.items() if name not in {"expires_at", "id"}}
    speak(api, tokens=data(without_expiry), me=data(user(account(scopes=["a"]), born="yesterday")))
    assert (await connector.authenticate_bosa_user("ada", "s")).expires_at is None
    [linked] = (await connector.get_user_info("the-token")).integrations
    assert linked == ThirdPartyIntegrationAuthBasic(
        id=UUID(ID), client_id=UUID(CLIENT_ID), user_id=UUID(ID), connector="sql", user_identifier="shop"
    )


async def test_the_second_contract_is_asked_for_with_every_request(api: ScriptedApi, shell: Shell) -> None:
    speak(api, users=data(NEW_USER))
    async with connecting(shell, api.url, error_contract=2) as connector:
        await connector.create_user("ada")
    assert [asked.said.get("x-gl-error-contract") for asked in api.asked] == ["2", "2"]


async def test_a_user_logs_in_without_a_client_key(api: ScriptedApi, shell: Shell) -> None:
    speak(api, tokens=data(TOKEN), me=data(user()))
    async with connecting(shell, api.url, None) as connector:
        token = await connector.authenticate("ada", "sk-user-hush")
        await connector.get_user_info(token.token)
    assert [asked.said for asked in api.asked[1:]] == [SAYS_JSON, {"authorization": "Bearer the-token"}]


async def test_the_family_is_found_by_one_read_however_many_ask_at_once(
    api: ScriptedApi, connector: AsyncBosaConnector, family: Paths
) -> None:
    speak(api, family, users=data(NEW_USER), me=data(user()))
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(connector.create_bosa_user, "ada")
            tasks.start_soon(connector.get_user_info, "the-token")
    assert api.lines.count(NAMES) == 1
    assert api.lines[0] == NAMES
    assert sorted(set(api.lines[1:])) == [f"GET {family.me}", f"POST {family.users}"]


async def test_a_404_to_another_request_does_not_decide_the_family(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    speak(api)
    for _ in range(2):
        with pytest.raises(NotFound, match=r"^404: There is nothing here\."):
            await connector.create_bosa_user("ada")
    assert api.lines == [NAMES, "POST /users", "POST /users"]


async def test_where_the_family_cannot_be_found_nothing_is_written_and_it_is_asked_again(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    speak(api, users=data(NEW_USER))
    api.answers["/connectors/names"] = Answer.of({"message": "It broke."}, 503)
    with pytest.raises(ApiError, match=r"^503: It broke\."):
        await connector.create_bosa_user("ada")
    assert api.lines == [NAMES]
    speak(api)
    await connector.create_bosa_user("ada")
    assert api.lines == [NAMES, NAMES, "POST /users"]


async def test_whoever_waits_for_the_family_hears_what_the_one_who_asked_hears(api: ScriptedApi) -> None:
    api.answers["/connectors/names"] = Answer.of({"message": "It broke."}, 503)
    heard: list[ApiError] = []

    async def ask(connector: AsyncBosaConnector) -> None:
        with pytest.raises(ApiError) as caught:
            await connector.create_bosa_user("ada")
        heard.append(caught.value)

    async with AsyncBosaConnector(api.url) as connector, anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask, connector)
    assert api.lines == [NAMES]
    assert [error.status for error in heard] == [503] * 8


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthenticated), (404, NotFound), (409, Conflict), (422, ApiError), (500, ApiError)]
)
async def test_a_failure_is_raised_as_what_it_is_and_as_the_value_error_that_programs_catch(
    status: int, kind: type[ApiError], api: ScriptedApi, connector: AsyncBosaConnector, family: Paths
) -> None:
    said = {"error": {"message": "No.", "source": "X", "reference_id": "r1"}, "message": "No."}
    speak(api, family, users=Answer.of(said, status), tokens=Answer.of(said, status), me=Answer.of(said, status))
    for asking in (
        connector.create_bosa_user("ada"),
        connector.authenticate_bosa_user("ada", "s"),
        connector.get_user_info("the-token"),
    ):
        with pytest.raises(ValueError, match=rf"^{status}: No\.") as caught:
            await asking
        assert isinstance(caught.value, kind)
        assert caught.value.failure.request_id == "r1"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer.of({"user": NEW_USER}),
            r"^The answer to POST /users has no data\. Is this the address of a BOSA API\?$",
        ),
        (Answer.of(NEW_USER), "has no data"),
        (Answer.of([1]), "has no data"),
        (Answer(204), "has no data"),
        (data(None), r"^The answer lacks what it must say, or says it oddly: data\.$"),
        (data({**NEW_USER, "id": 5, "secret": None}), r"oddly: data\.id, data\.secret\.$"),
        (data({name: value for name, value in NEW_USER.items() if name != "secret"}), r"oddly: data\.secret\.$"),
        (Answer(200, {"content-type": "text/plain"}, b"fine"), "is of type text/plain, not JSON"),
        (Answer(200, {"content-type": "text/html"}, b"<html>"), "is of type text/html, not JSON"),
    ],
)
async def test_a_success_that_lacks_what_it_must_say_is_a_bad_reply(
    answer: Answer, message: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    speak(api, users=answer)
    with pytest.raises(BadReply, match=message):
        await connector.create_bosa_user("ada")
    assert api.lines == [NAMES, "POST /users"]


@pytest.mark.parametrize("odd", ["", None, 5, b"ada", "half \ud800"])
async def test_what_is_no_text_is_refused_before_anything_is_sent(
    odd: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    for name, asking in {
        "identifier": connector.create_bosa_user(odd),
        "secret": connector.authenticate_bosa_user("ada", odd),
        "token": connector.get_user_info(odd),
    }.items():
        with pytest.raises(ValueError, match=f"^Invalid parameters: {{'{name}': 'This ") as caught:
            await asking
        assert isinstance(caught.value, InvalidArguments)
    assert api.asked == []


async def test_all_that_is_wrong_is_said_at_once(connector: AsyncBosaConnector) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await connector.authenticate_bosa_user("", "")
    assert [problem.path for problem in caught.value.errors] == ["identifier", "secret"]


@pytest.mark.parametrize("token", ["hush\r\nx-admin: 1", "hüsh", "hush "])
async def test_a_token_that_no_header_can_carry_is_refused(
    token: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    speak(api, me=data(user()))
    with pytest.raises(BosaError) as caught:
        await connector.get_user_info(token)
    assert token.strip()[-4:] not in str(caught.value)
    assert [line for line in api.lines if line != NAMES] == []


async def test_identifiers_of_every_script_are_sent_as_they_are(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    speak(api, users=data({**NEW_USER, "identifier": "Ädä 🌍\n\0"}))
    assert (await connector.create_bosa_user("Ädä 🌍\n\0")).identifier == "Ädä 🌍\n\0"
    assert api.asked[-1].arguments == {"identifier": "Ädä 🌍\n\0"}


def test_both_shells_have_the_same_methods() -> None:
    def signatures(shell: type) -> dict[str, tuple[str, str | None]]:
        names = (name for name in dir(shell) if name.endswith(("user", "integration", "_auth", "_schema", "_info")))
        return {name: (str(inspect.signature(getattr(shell, name))), getattr(shell, name).__doc__) for name in names}

    assert len(signatures(BosaConnector)) >= 9
    assert signatures(BosaConnector) == signatures(AsyncBosaConnector)
