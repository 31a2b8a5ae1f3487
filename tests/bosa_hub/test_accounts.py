"""Accounts that are linked by a configuration: made, chosen, shown, removed, and used by actions."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypeAlias
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from bosa_hub.connectors.notes import Notes
from bosa_hub.errors import Forbidden
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import RunningHub, running

Json: TypeAlias = dict[str, Any]
User: TypeAlias = httpx.Client

CONTRACT_2 = {"X-GL-Error-Contract": "2"}


class TodoAccount(BaseModel):
    """Where the list is kept."""

    name: Annotated[str, Field(description="How to call the account.")] | None = None
    api_key: SecretStr = Field(description="From the settings page.", min_length=3)
    lists: list[int] | None = None


class Todo(Connector):
    """A list of things to do, kept elsewhere."""

    configuration = TodoAccount

    async def account_identifier(self, configuration: TodoAccount, context: Context) -> str:
        if configuration.api_key.get_secret_value() == "rejected":
            raise Forbidden("The key does not work. Copy it again.")
        return await super().account_identifier(configuration, context)

    @action(effect="read")
    async def whoami(self, context: Context) -> dict[str, str]:
        """Say which account acts."""
        account = context.account
        key = account.configuration(TodoAccount).api_key.get_secret_value()
        return {"account": account.identifier, "key": key, "shown": repr(context)}


class Optional(Connector):
    """Works without an account, too."""

    configuration = TodoAccount
    needs_account = False

    @action(effect="read")
    async def whoami(self, context: Context) -> str | None:
        """Say which account acts, if any."""
        return context.linked and context.linked.identifier

    @action(effect="read")
    async def insist(self, context: Context) -> str:
        """Ask for the account nevertheless."""
        return context.account.identifier


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("data"), connectors=[Todo(), Optional(), Notes()]) as started:
        yield started


@pytest.fixture(scope="module")
def new_user(hub: RunningHub) -> Callable[[], User]:
    def make() -> User:
        headers = {"X-API-Key": hub.client_key, "Authorization": f"Bearer {hub.user_token(uuid4().hex)}"}
        return httpx.Client(base_url=hub.url, headers=headers, timeout=20)

    return make


def _body(name: str | None = None, key: str = "s3cret", **more: object) -> Json:
    return {"auth_type": "custom", "configuration": {"name": name, "api_key": key}, **more}


def _link(user: User, name: str | None = None, key: str = "s3cret", **more: object) -> httpx.Response:
    return user.post("/connectors/todo/integrations", json=_body(name, key, **more))


def _accounts(user: User, path: str = "/users/me") -> dict[str, bool]:
    return {each["user_identifier"]: each["selected"] for each in user.get(path).json()["data"]["integrations"]}


def _whoami(user: User, **headers: str) -> Json:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = user.post("/connectors/todo/whoami", json={}, headers=named)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_connector_says_how_its_accounts_are_linked(hub: RunningHub) -> None:
    def ways(connector: str) -> list[Json]:
        return httpx.get(f"{hub.url}/connectors/{connector}/auth-schema").json()["data"]["supported_auth_types"]

    assert ways("notes") == []
    (way,) = ways("todo")
    assert way["type"] == "custom"
    assert way["config"]["required"] == ["api_key"]
    assert way["config"]["properties"]["api_key"]["format"] == "password"
    assert httpx.get(f"{hub.url}/connectors/nothing/auth-schema").status_code == 404


def test_an_account_is_linked_used_shown_and_removed(ada: User) -> None:
    assert ada.get("/connectors/todo/integration-exists").json()["data"] == {"has_integration": False}
    made = _link(ada, "home")
    assert made.status_code == 200
    result = made.json()["data"]["result"]
    assert UUID(result["configuration_id"])
    assert made.json() == {"data": {"result": {**result, "configuration_name": "home"}, "success": True}, "meta": None}

    assert ada.get("/connectors/todo/integration-exists").json()["data"] == {"has_integration": True}
    me = ada.get("/users/me").json()["data"]
    basic = {
        "id": result["configuration_id"],
        "client_id": me["client_id"],
        "user_id": me["id"],
        "connector": "todo",
        "user_identifier": "home",
        "selected": True,
        "auth_status": "active",
    }
    assert me["integrations"] == [basic]
    assert ada.get("/connectors/todo/integrations/home").json()["data"] == basic | {
        "auth_string": '{"name":"home","api_key":"s3cret"}',
        "auth_scopes": [],
    }
    assert _whoami(ada)["key"] == "s3cret"
    assert ada.delete("/connectors/todo/integrations/home").json() == {"data": {"success": True}, "meta": None}
    assert ada.get("/users/me").json()["data"]["integrations"] == []


def test_the_older_family_sees_accounts_and_removes_the_selected_one(ada: User) -> None:
    for name in ("one", "two"):
        _link(ada, name)
    ada.post("/connectors/todo/integrations/two")
    assert _accounts(ada, "/clients/user") == {"one": False, "two": True}
    assert ada.delete("/connectors/todo/integrations").json()["data"] == {"success": True}
    assert _accounts(ada) == {"one": True}
    assert ada.delete("/connectors/todo/integrations").json()["data"] == {"success": True}
    gone = ada.delete("/connectors/todo/integrations")
    assert gone.status_code == 200
    assert gone.json()["data"]["success"] is False
    assert ada.delete("/connectors/todo/integrations", headers=CONTRACT_2).status_code == 404


def test_the_first_account_is_selected_and_another_may_be(ada: User) -> None:
    for name in ("one", "two", "three"):
        assert _link(ada, name, key=f"key of {name}").status_code == 200
    assert _accounts(ada) == {"one": True, "two": False, "three": False}
    assert _whoami(ada)["account"] == "one"
    assert ada.post("/connectors/todo/integrations/two").json() == {"data": {"success": True}, "meta": None}
    assert _accounts(ada) == {"one": False, "two": True, "three": False}
    assert _whoami(ada)["key"] == "key of two"


def test_where_the_selected_account_is_removed_the_last_one_is_selected(ada: User) -> None:
    for name in ("one", "two", "other", "three"):
        _link(ada, name)
    ada.delete("/connectors/todo/integrations/other")
    assert _accounts(ada) == {"one": True, "two": False, "three": False}
    ada.delete("/connectors/todo/integrations/one")
    assert _accounts(ada) == {"two": False, "three": True}
    ada.delete("/connectors/todo/integrations/two")
    assert _accounts(ada) == {"three": True}


def test_a_header_picks_the_account_of_a_call(ada: User) -> None:
    for name in ("one", "two", "three"):
        _link(ada, name)
    assert _whoami(ada, X_Integration="two")["account"] == "two"
    assert _whoami(ada, X_Bosa_Integration="three")["account"] == "three"
    assert _whoami(ada, X_Integration="two", X_Bosa_Integration="three")["account"] == "two"
    assert _whoami(ada, X_Integration="", X_Bosa_Integration="")["account"] == "one"
    assert _accounts(ada)["one"]


def test_an_action_without_its_account_is_not_found(ada: User) -> None:
    answer = ada.post("/connectors/todo/whoami", json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "INTEGRATION_NOT_FOUND"
    message = answer.json()["message"]
    assert message.startswith("Integration does not exist: there is no account on todo.")
    assert "POST /connectors/todo/integrations links one" in message

    _link(ada, "home")
    for header in ("X-Integration", "X-Bosa-Integration"):
        answer = ada.post("/connectors/todo/whoami", json={}, headers={header: "work"})
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("Integration does not exist: there is no account 'work' on todo.")


def test_a_connector_may_do_without_an_account(ada: User) -> None:
    assert ada.post("/connectors/optional/whoami", json={}).json()["data"] is None
    assert ada.post("/connectors/optional/insist", json={}).json()["error"]["code"] == "INTEGRATION_NOT_FOUND"
    unknown = ada.post("/connectors/optional/whoami", json={}, headers={"X-Integration": "work"})
    assert unknown.status_code == 404
    ada.post("/connectors/optional/integrations", json=_body())
    assert ada.post("/connectors/optional/whoami", json={}).json()["data"] == "optional"


def test_a_connector_without_accounts_leaves_the_header_to_others(ada: User) -> None:
    headers = {"X-Integration": "work"}
    assert ada.post("/connectors/notes/list_notes", json={}, headers=headers).status_code == 200
    refused = ada.post("/connectors/notes/integrations", json=_body())
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "AUTH_TYPE_NOT_SUPPORTED")


def test_a_connector_without_oauth2_says_so(ada: User) -> None:
    refused = ada.post("/connectors/todo/integrations", json={"callback_url": "https://app.example/"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "AUTH_TYPE_NOT_SUPPORTED")
    assert "GET /connectors/todo/auth-schema" in refused.json()["message"]


def test_a_second_account_of_the_same_name_is_refused_or_replaces(ada: User) -> None:
    first = _link(ada, "home", key="the first").json()["data"]["result"]
    _link(ada, "work")
    refused = _link(ada, "home", key="the second")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INTEGRATION_EXISTS")
    assert "replace_duplicate" in refused.json()["message"]
    assert _whoami(ada)["key"] == "the first"

    assert _link(ada, "home", key="the second", replace_duplicate=False).status_code == 409
    replaced = _link(ada, "home", key="the second", replace_duplicate=True)
    assert replaced.json()["data"]["result"] == first
    assert _accounts(ada) == {"home": True, "work": False}
    assert _whoami(ada)["key"] == "the second"


def test_an_account_without_a_name_is_called_like_its_connector(ada: User) -> None:
    assert _link(ada).json()["data"]["result"]["configuration_name"] == "todo"
    assert _link(ada).status_code == 409


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("identifier", ["nobody", "a%2Fb", "..%2F..%2Fusers%2Fme", "", "%F0%9F%A6%8A"])
def test_an_unknown_account_is_a_success_that_failed_or_not_found(ada: User, method: str, identifier: str) -> None:
    path = f"/connectors/todo/integrations/{identifier}"
    answer = ada.request(method, path)
    assert answer.status_code == 200
    assert answer.json()["meta"] is None
    assert answer.json()["data"]["success"] is False
    assert answer.json()["data"]["error"].startswith("Integration does not exist: there is no account")

    answer = ada.request(method, path, headers=CONTRACT_2)
    assert answer.status_code == 404
    assert answer.headers["X-GL-Error-Contract"] == "2"
    assert answer.json()["error"]["code"] == "INTEGRATION_NOT_FOUND"
    assert answer.json()["error"]["recovery"]["retryable"] is False


@pytest.mark.parametrize(
    ("configuration", "loc"),
    [
        ({}, ["api_key"]),
        ({"api_key": 5}, ["api_key"]),
        ({"api_key": "hu"}, ["api_key"]),
        ({"api_key": "hunter2", "lists": ["hunter2"]}, ["lists", 0]),
        ({"api_key": "hunter2", "colour": "hunter2"}, ["colour"]),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_by_field_and_not_sent_back(
    ada: User, configuration: Json, loc: list[object]
) -> None:
    refused = ada.post("/connectors/todo/integrations", json={"auth_type": "custom", "configuration": configuration})
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["body", "configuration", *loc]
    assert problem["input"] is None
    assert str(loc[0]) in refused.json()["message"]
    assert "hunter2" not in refused.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"api_key": "hunter2"},
        {"auth_type": "custom"},
        {"auth_type": "other"},
        {"configuration": "hunter2"},
        {"auth_type": "custom", "configuration": [{"hunter2": 1}]},
        {"configuration": {"api_key": "s3cret"}, "replace_duplicate": "maybe"},
    ],
)
def test_a_body_that_links_nothing_is_refused(ada: User, body: Json) -> None:
    refused = ada.post("/connectors/todo/integrations", json=body)
    assert refused.status_code == 422
    assert "hunter2" not in refused.text
    assert _accounts(ada) == {}


def test_a_configuration_may_be_checked_by_its_connector(ada: User) -> None:
    refused = _link(ada, key="rejected")
    assert (refused.status_code, refused.json()["message"]) == (403, "The key does not work. Copy it again.")
    assert _accounts(ada) == {}


def test_a_configuration_has_its_limit(ada: User) -> None:
    refused = _link(ada, key="x" * (1 << 16))
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize("name", ["a/b", "..", ".", " a", "a ", "a\nb", "Büro", "x" * 201])
def test_a_name_that_fits_no_path_or_header_is_refused(ada: User, name: str) -> None:
    refused = _link(ada, name)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BAD_ACCOUNT_NAME")


@pytest.mark.parametrize("name", ["ada@example.com", "my list", "100%", "a?b#c&d", "...a", "x" * 200])
def test_any_other_name_leads_to_its_account(ada: User, name: str) -> None:
    assert _link(ada, name).status_code == 200
    path = httpx.URL(ada.base_url).join("/connectors/todo/integrations/")
    raw_path = path.raw_path + "".join(f"%{ord(character):02X}" for character in name).encode()
    shown = ada.get(path.copy_with(raw_path=raw_path)).json()["data"]
    assert shown["user_identifier"] == name
    assert _whoami(ada, X_Integration=name)["account"] == name


def test_a_credential_is_never_shown_where_nobody_asked(ada: User) -> None:
    _link(ada, "home", key="hunter2")
    assert "hunter2" not in _whoami(ada)["shown"]
    assert "hunter2" not in ada.get("/users/me").text
    assert "hunter2" not in _link(ada, "home", key="hunter2").text


def test_accounts_are_their_users_own(ada: User, bob: User) -> None:
    _link(ada, "shared", key="of ada")
    _link(bob, "shared", key="of bob")
    _link(bob, "only his")
    assert (_whoami(ada)["key"], _whoami(bob)["key"]) == ("of ada", "of bob")
    stolen = ada.post("/connectors/todo/whoami", json={}, headers={"X-Integration": "only his"})
    assert stolen.status_code == 404
    assert ada.get("/connectors/todo/integrations/only his").json()["data"]["success"] is False
    ada.delete("/connectors/todo/integrations/shared")
    assert _accounts(bob) == {"shared": True, "only his": False}


def test_accounts_are_their_connectors_own(ada: User) -> None:
    for connector, name in (
        ("optional", "shared"),
        ("optional", "other"),
        ("todo", "shared"),
        ("todo", "mine"),
        ("optional", "last"),
    ):
        ada.post(f"/connectors/{connector}/integrations", json=_body(name, key=f"of {connector}"))
    assert _whoami(ada) == _whoami(ada, X_Integration="shared")
    assert _whoami(ada)["key"] == "of todo"
    stolen = ada.post("/connectors/todo/whoami", json={}, headers={"X-Integration": "other"})
    assert stolen.status_code == 404
    assert ada.post("/connectors/todo/integrations/other").json()["data"]["success"] is False
    ada.delete("/connectors/todo/integrations")
    assert _whoami(ada)["account"] == "mine"
    assert ada.post("/connectors/optional/whoami", json={}).json()["data"] == "shared"


def test_accounts_need_their_user(hub: RunningHub) -> None:
    with httpx.Client(base_url=f"{hub.url}/connectors/todo", headers={"X-API-Key": hub.client_key}) as client:
        assert client.get("/integration-exists").status_code == 401
        assert client.post("/integrations", json=_body()).status_code == 401
        for method in ("GET", "POST", "DELETE"):
            assert client.request(method, "/integrations/home").status_code == 401


def test_accounts_linked_at_once_have_one_selected(new_user: Callable[[], User]) -> None:
    names = [f"number {number % 6}" for number in range(12)]
    with new_user() as user, ThreadPoolExecutor(8) as threads:

        def link(name: str) -> int:
            return _link(user, name).status_code

        def act(name: str) -> str:
            return _whoami(user, X_Integration=name)["account"]

        assert sorted(threads.map(link, names)) == [200] * 6 + [409] * 6
        assert sorted(_accounts(user).values()) == [False] * 5 + [True]
        assert list(threads.map(act, names)) == names


_names = st.sampled_from(["a", "b", "c"])
_steps = st.lists(st.tuples(st.sampled_from(["link", "select", "remove", "remove selected"]), _names), max_size=12)


@settings(max_examples=25, deadline=None)
@given(_steps)
def test_whatever_happens_one_account_is_selected_where_there_is_any(
    new_user: Callable[[], User], steps: list[tuple[str, str]]
) -> None:
    expected: list[str] = []
    selected: str | None = None
    with new_user() as user:
        for step, name in steps:
            gone = name if step == "remove" else selected if step == "remove selected" else None
            if step == "link":
                _link(user, name)
                expected += [name] * (name not in expected)
                selected = selected or name
            elif step == "select":
                user.post(f"/connectors/todo/integrations/{name}")
                selected = name if name in expected else selected
            else:
                user.delete(f"/connectors/todo/integrations{'/' + name if step == 'remove' else ''}")
            if gone in expected:
                expected.remove(gone)
                selected = (expected[-1] if expected else None) if gone == selected else selected
        assert _accounts(user) == {name: name == selected for name in expected}
