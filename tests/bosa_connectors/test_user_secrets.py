"""Secrets of users, tokens and credentials: where they were, and in no repr, no error and no chain of errors."""

import string
from collections.abc import Iterable, Iterator
from pprint import pformat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bosa_connectors import AsyncBosaConnector, integrations, users
from bosa_connectors.auth import ApiKeyAuthenticator, BosaAuthenticator
from bosa_connectors.errors import ApiError, BadReply, OutcomeUnknown
from bosa_connectors.hiding import hide
from bosa_connectors.models.integration import Integration
from bosa_connectors.models.token import BosaToken
from bosa_connectors.models.user import BosaUser, CreateUserResponse

from .people import NEW_USER, TOKEN, account, data, speak
from .raw import Connection, answer, raw_api
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

SECRETS = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=6, max_size=60).map("~{}~".format)
HUSH = "hush-hush-secret"
PUBLISHED_SERVER_SAYS = (
    "ValidationError: 1 validation error for SqlConfig\n  Value error, Database URL must include a protocol"
    " [type=value_error, input_value={{'url': '{}'}}, input_type=dict]"
)


def chain(error: BaseException | None) -> Iterator[str]:
    """What the error says, and everything that led to it."""
    while error:
        yield f"{error!s} {error!r}"
        error = error.__cause__ or error.__context__


def shown(value: object) -> str:
    """Everything that shows itself by itself."""
    return f"{value!r} {value!s} {pformat(value)} {[value]!r}"


@settings(deadline=None)
@given(SECRETS)
def test_the_secret_of_a_new_user_is_where_it_was_and_shown_nowhere(secret: str) -> None:
    made = CreateUserResponse.model_validate({**NEW_USER, "secret": secret})
    assert made.secret == made.model_dump()["secret"] == secret
    assert secret not in shown(made)


@settings(deadline=None)
@given(SECRETS)
def test_a_token_is_where_it_was_and_shown_nowhere(secret: str) -> None:
    token = BosaToken.model_validate({**TOKEN, "token": secret})
    assert token.token == token.model_dump()["token"] == secret
    assert secret not in shown(token)


@settings(deadline=None)
@given(SECRETS)
def test_a_credential_is_where_it_was_and_shown_nowhere(secret: str) -> None:
    integration = Integration(account(auth_string=secret, refresh={"token": secret}))
    assert integration["auth_string"] == secret
    assert secret not in shown(integration)
    assert "'user_identifier': 'shop'" in repr(integration)


@settings(deadline=None)
@given(SECRETS)
def test_what_is_sent_is_shown_nowhere(secret: str) -> None:
    asking = [
        users.log_in("ada", secret),
        users.who_am_i(secret),
        integrations.configure("sql", secret, {"url": secret}, replace_duplicate=False),
    ]
    for errand in asking:
        assert secret not in shown(errand)
    assert secret not in shown(ApiKeyAuthenticator(secret))


@pytest.mark.parametrize("model", [CreateUserResponse, BosaToken, BosaUser])
def test_a_model_that_cannot_be_made_does_not_repeat_what_it_was_made_of(
    model: type[CreateUserResponse | BosaToken | BosaUser],
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"secret": [HUSH], "token": [HUSH], "id": HUSH})
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize(
    "said", [{**NEW_USER, "id": HUSH}, {**NEW_USER, "secret": [HUSH]}, [HUSH], HUSH, {"token": HUSH, "secret": HUSH}]
)
async def test_an_answer_that_makes_no_sense_is_not_repeated(
    said: object, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    speak(api, users=data(said), tokens=data(said), me=data(said))
    api.answers["/connectors/sql/integrations"] = data(said)
    for asking in (
        connector.create_bosa_user("ada"),
        connector.authenticate_bosa_user("ada", "s"),
        connector.get_user_info("t"),
        connector.initiate_connector_auth("sql", "t", "https://here.example"),
    ):
        with pytest.raises(BadReply) as caught:
            await asking
        assert not [text for text in chain(caught.value) if HUSH in text]


@pytest.mark.parametrize(
    "said",
    [
        Answer.of({"message": f"Wrong: {HUSH}!"}, 401),
        Answer.of({"error": {"message": f"Wrong: {HUSH}!"}}, 409),
        Answer.of({"detail": [{"loc": ["body"], "msg": f"Odd {HUSH}", "input": HUSH}]}, 422),
        Answer(500, {"content-type": "text/plain"}, f"INSERT ('{HUSH}')".encode()),
        data({"success": False, "error": f"Odd {HUSH}"}),
        Answer.of({"message": PUBLISHED_SERVER_SAYS.format(HUSH)}, 500),
    ],
)
async def test_a_secret_that_the_api_repeats_is_hidden(said: Answer, api: ScriptedApi, shell: Shell) -> None:
    speak(api, users=said, tokens=said, me=said)
    accounts = ("/connectors/sql/integrations", "/connectors/sql/integrations/shop")
    api.answers |= dict.fromkeys(accounts, said)
    async with connecting(shell, api.url, HUSH) as known_by_it, connecting(shell, api.url, "a-key") as connector:
        asking = [
            known_by_it.create_bosa_user("ada"),
            connector.authenticate_bosa_user("ada", HUSH),
            connector.get_user_info(HUSH),
            connector.initiate_plugin_configuration("sql", "t", {"nested": [{"url": HUSH}]}),
            connector.get_integration("sql", HUSH, "shop"),
            connector.remove_integration("sql", HUSH, "shop"),
        ]
        for each in asking:
            try:
                texts: Iterable[str] = [shown(await each)]
            except ApiError as failure:
                texts = chain(failure)
            assert not [text for text in texts if HUSH in text]


async def test_a_failure_on_the_way_tells_no_secret(shell: Shell) -> None:
    async def losing(connection: Connection) -> None:
        await connection.request()
        await connection.write(answer(b'["sql"]'))
        await connection.request()

    async with raw_api(losing) as api, connecting(shell, api.url, "hush-key") as connector:
        with pytest.raises(OutcomeUnknown) as caught:
            await connector.authenticate_bosa_user("ada", HUSH)
        assert HUSH.encode() in api.requests[-1]
    assert not [text for text in chain(caught.value) if "hush" in text]


async def test_a_message_says_that_something_was_hidden(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    speak(api, tokens=Answer.of({"message": f"The secret {HUSH} is wrong."}, 401))
    with pytest.raises(ApiError, match=r"^401: The secret \[hidden\] is wrong\."):
        await connector.authenticate_bosa_user("ada", HUSH)


async def test_what_a_configuration_says_openly_can_be_named(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/connectors/sql/integrations"] = Answer.of({"message": f"There is no shop.db; {HUSH}."}, 404)
    config = {"file": "shop.db", "password": HUSH}
    with pytest.raises(ApiError, match=r"^404: There is no shop\.db; \[hidden\]\."):
        await connector.initiate_plugin_configuration("sql", "the-token", config)


@given(SECRETS, st.text(max_size=200), st.text(max_size=200))
def test_no_piece_of_a_secret_is_left_and_everything_else_is(secret: str, before: str, after: str) -> None:
    text = hide(f"{before}{secret[2:]}{after} {secret}", [secret])
    left = text.split("[hidden]")
    assert not [piece for piece in pieces(secret) if any(piece in part for part in left)]
    assert hide(before, [secret]) == before or any(piece in before for piece in pieces(secret))


def pieces(secret: str) -> set[str]:
    """What is too much of it to be shown."""
    return {secret[start : start + 8] for start in range(len(secret) - 7)}


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("Account shop exists.", [], "Account shop exists."),
        ("Account shop exists.", ["a", "is", ""], "Account shop exists."),
        ("Wrong: p4ss!", ["p4ss"], "Wrong: [hidden]!"),
        ("p4ssp4ss p4ss", ["p4ss"], "[hidden] [hidden]"),
        (
            "'url': 'postgresql://me:...@db:5432/shop'",
            ["postgresql://me:hush@db:5432/shop"],
            "'url': '[hidden]...[hidden]'",
        ),
    ],
)
def test_short_words_stay_and_long_texts_go_in_pieces(text: str, secrets: list[str], expected: str) -> None:
    assert hide(text, secrets) == expected


def test_an_authenticator_shows_its_address_and_not_its_key() -> None:
    with BosaAuthenticator("https://api.bosa.id/v1/", HUSH) as authenticator:
        assert shown(authenticator).count("<BosaAuthenticator https://api.bosa.id/v1>") == 4
        assert HUSH not in shown(authenticator)
