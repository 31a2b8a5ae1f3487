"""`bosa-mcp accounts`, `connect` and `disconnect`, by people and by programs."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from bosa_connectors.calls import Credentials
from bosa_mcp.access import Caller
from bosa_mcp.cli.connect import awaited
from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.tickets import LASTING

from ..bosa_hub.oauth_bench import Things, hub_with  # noqa: TID252  test folders are no packages
from ..bosa_hub.oauth_provider import providing  # noqa: TID252  likewise
from .conftest import KEY, TOKEN
from .linkable import GOOD_KEY, Clock, linkable
from .processes import COMMAND, environment, in_terminal, started
from .scripted_api import WAIT, ScriptedApi, says
from .test_acting_accounts import accounts_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SHOP = {"BOSA_HUB_CONNECTORS": "shop_of_the_test:Shop"}
MODULE = f'''
from typing import Annotated, Literal
from pydantic import BaseModel, Field, SecretStr
from bosa_hub import Connector, Context, Forbidden, action


class Account(BaseModel):
    name: Annotated[str, Field(description="How to call it.")] | None = None
    api_key: SecretStr = Field(description="From the settings page.")
    region: Literal["eu", "us"]


class Shop(Connector):
    configuration = Account

    async def account_identifier(self, configuration: Account, context: Context) -> str:
        if configuration.api_key.get_secret_value() != "{GOOD_KEY}":
            raise Forbidden("The shop does not know this key.")
        return configuration.name or "shop"

    @action(effect="read")
    async def get_name(self, context: Context) -> str:
        """Whose it is."""
        return context.account.identifier
'''


STEERING = "\\u202e\\x1b[2J"
STEERING_MODULE = f'''
from typing import Literal
from pydantic import BaseModel, Field
from bosa_hub import Connector, Context, action


class Account(BaseModel):
    region: Literal["eu", "u{STEERING}s"] = Field(description="Whe{STEERING}re.", title="Re{STEERING}gion")
    name: str = Field("ho{STEERING}me", title="Name")


class Shop(Connector):
    configuration = Account

    async def account_identifier(self, configuration: Account, context: Context) -> str:
        return configuration.name

    @action(effect="read")
    async def get_name(self, context: Context) -> str:
        """Whose it is."""
        return context.account.identifier
'''


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "shop_of_the_test.py").write_text(MODULE)
    return {**SHOP, "PYTHONPATH": str(tmp_path / "modules")}


@pytest.fixture
def bosa(tmp_path: Path, settings: dict[str, str]) -> Run:
    """The command, with what comes on standard input."""

    def bosa(*arguments: str, given: object = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            input="" if given is None else json.dumps(given),
            capture_output=True,
            env=environment(tmp_path, **settings),
            cwd=tmp_path,
            timeout=2 * WAIT,
            check=False,
            text=True,
            encoding="utf-8",
        )

    return bosa


def test_a_program_links_shows_and_removes_an_account(bosa: Run) -> None:
    assert json.loads(bosa("accounts", "--json").stdout) == {"shop": [], "sql": []}
    known = {"name": "home", "api_key": GOOD_KEY, "region": "eu"}
    linked = bosa("connect", "shop", "--json", given=known)
    assert json.loads(linked.stdout) == {"connector": "shop", "account": "home"}
    again = bosa("connect", "shop", given=known)
    assert (again.returncode, "--replace" in again.stderr) == (1, True)
    assert bosa("connect", "shop", "--replace", given=known).returncode == 0
    [account] = json.loads(bosa("accounts", "shop", "--json").stdout)["shop"]
    assert (account["account"], account["acts"]) == ("home", True)
    assert "home" in bosa("accounts").stdout
    called = json.loads(bosa("call", "shop_get_name").stdout)
    assert called["notes"] == ["Account 'home' acted, the selected one."]
    wrong = bosa("disconnect", "shop", "hoome")
    assert (wrong.returncode, "Linked are: home." in wrong.stderr) == (1, True)
    assert json.loads(bosa("disconnect", "shop", "--json").stdout)["removed"] is True
    none = bosa("disconnect", "shop")
    assert [none.returncode, none.stderr] == [
        1,
        "bosa-mcp: There is no account that acts on shop. Nothing is linked there.\n",
    ]


def test_whoever_has_several_accounts_selects_the_one_that_acts(bosa: Run) -> None:
    for name in ("home", "work"):
        assert bosa("connect", "shop", given={"name": name, "api_key": GOOD_KEY, "region": "eu"}).returncode == 0
    selected = json.loads(bosa("accounts", "shop", "--select", "work", "--json").stdout)["shop"]
    assert {each["account"]: each["acts"] for each in selected} == {"home": False, "work": True}
    assert json.loads(bosa("call", "shop_get_name").stdout)["data"] == "work"
    wrong = bosa("accounts", "shop", "--select", "wrok")
    assert (wrong.returncode, "wrok" in wrong.stderr, len(wrong.stderr.splitlines())) == (1, True, 1)
    assert bosa("accounts", "--select", "work").returncode == 2


def test_what_is_wrong_with_a_configuration_is_said_in_a_line_without_its_secrets(bosa: Run) -> None:
    for given, said in (
        ({"api_key": "planted-3d71", "region": "eu"}, "The shop does not know this key."),
        ({"api_key": GOOD_KEY, "region": "moon"}, "region"),
        ({"api_key": GOOD_KEY, "regoin": "eu"}, "regoin: Unknown field; region: Field required"),
    ):
        done = bosa("connect", "shop", given=given)
        assert (done.returncode, said in done.stderr, len(done.stderr.splitlines())) == (1, True, 1)
        assert "planted" not in done.stderr
        assert GOOD_KEY not in done.stderr
    assert bosa("connect", "shop", given=[1]).returncode == 2


def test_people_are_told_commands_and_not_requests(bosa: Run) -> None:
    known = {"name": "home", "api_key": GOOD_KEY, "region": "eu"}
    bosa("connect", "shop", given=known)
    for command, said in (
        (("accounts", "notes"), "`bosa-mcp accounts` lists all."),
        (("accounts", "shop", "--select", "wrok"), "There is no account 'wrok' on shop. Linked are: home."),
        (("connect", "shop"), "give the new one another name, or use --replace."),
    ):
        done = bosa(*command, given=known)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert done.stderr.endswith(f"{said}\n")
        assert done.stderr.count("--replace") <= 1


def test_a_connector_that_there_is_not_is_said_to_be_the_trouble_with_the_nearest(bosa: Run) -> None:
    for command in (
        ("connect", "shpo"),
        ("accounts", "shpo"),
        ("accounts", "shpo", "--select", "home"),
        ("disconnect", "shpo"),
        ("disconnect", "shpo", "home"),
    ):
        done = bosa(*command, given={})
        assert [done.returncode, done.stdout] == [1, ""]
        assert done.stderr == "bosa-mcp: There is no connector 'shpo' here. Did you mean shop?\n"
    assert bosa("connect", "zzz", given={}).stderr.endswith("There are files, notes, shop, sql.\n")


def test_a_call_that_lacks_an_account_says_what_to_type(bosa: Run) -> None:
    done = bosa("call", "shop_get_name")
    assert done.stderr == ""
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], "`bosa-mcp connect CONNECTOR`" in error["hint"]) == ("not_connected", True)


def test_what_cannot_be_linked_says_so(bosa: Run) -> None:
    for connector, said in (("notes", "its tools work without one"), ("nothing", "There is no connector")):
        done = bosa("connect", connector, given={})
        assert (done.returncode, said in done.stderr, done.stdout) == (1, True, "")


def test_a_person_is_asked_and_asked_again_without_a_secret_being_shown(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    with in_terminal(tmp_path, "connect", "shop", **settings) as terminal:
        shown = ""
        for prompt, typed in (
            ("Name: ", "home"),
            ("Api Key: ", "a typo"),
            ("Region: ", "moon"),
            ("Region: ", "eu"),
            ("Name: ", "home"),
            ("Api Key: ", GOOD_KEY),
            ("Region: ", "eu"),
        ):
            shown += terminal.until(prompt)
            terminal.type(f"{typed}\n")
        shown += terminal.until("was linked.")
        assert terminal.end()[0] == 0
    assert "From the settings page." in shown
    assert "Expected one of eu, us." in shown
    assert "The shop does not know this key." in shown
    assert GOOD_KEY not in shown
    assert "a typo" not in shown


def test_nothing_that_an_api_asks_steers_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "steering_of_the_test.py").write_text(STEERING_MODULE)
    known = {"BOSA_HUB_CONNECTORS": "steering_of_the_test:Shop", "PYTHONPATH": str(tmp_path)}
    with in_terminal(tmp_path, "connect", "shop", **known) as terminal:
        shown = terminal.until("Re[2Jgion: ")
        terminal.type("moon\n")
        shown += terminal.until("Expected one of eu, u[2Js.")
        shown += terminal.until("Re[2Jgion: ")
        terminal.type("eu\n")
        shown += terminal.until("Name [ho[2Jme]: ")
        terminal.type("\n")
        shown += terminal.until("was linked.")
        assert terminal.end()[0] == 0
    assert "Whe[2Jre." in shown
    assert not [each for each in ("\u202e", "\x1b[2J") if each in shown]


def test_an_address_that_an_api_gives_does_not_steer_the_terminal(tmp_path: Path, api: ScriptedApi) -> None:
    who = str(uuid4())
    person = {"id": who, "client_id": who, "identifier": "ada", "secret_preview": "", "is_active": True}
    api.offer("shop", "find_goods")
    api.odd["/users/me"] = says({**person, "integrations": []})
    api.odd["/connectors/shop/auth-schema"] = says([{"type": "oauth2"}])
    api.odd["/connectors/shop/integrations"] = says({"url": "https://service.example/\u202e\x1b[2Jagree"})
    known = {"BOSA_API_BASE_URL": api.url, "BOSA_USER_TOKEN": "token-of-ada"}
    with started(tmp_path, "connect", "shop", **known) as command:
        assert command.log_line("https://") == "https://service.example/[2Jagree\n"


@pytest.mark.parametrize(("command", "prompt"), [("connect shop", "Name: "), ("login ada", "Secret of ada: ")])
def test_whoever_leaves_at_a_prompt_sees_no_traceback(
    tmp_path: Path, settings: dict[str, str], command: str, prompt: str
) -> None:
    with in_terminal(tmp_path, *command.split(), **settings) as terminal:
        terminal.until(prompt)
        terminal.type("\x03\n")  # readline may see a signal only once it has something to read
        code, shown = terminal.end()
    assert (code, shown.replace("^C", "").strip()) == (130, "")


def test_the_command_waits_while_a_person_agrees_at_the_service(tmp_path: Path) -> None:
    with providing() as provider, hub_with(tmp_path / "hub", Things(provider)) as hub:
        known = {"BOSA_API_BASE_URL": hub.url, "BOSA_API_KEY": hub.client_key, "BOSA_USER_TOKEN": hub.user_token("ada")}
        with started(tmp_path, "connect", "things", "--json", **known) as command:
            url = command.log_line("http").strip()
            with httpx.Client(follow_redirects=True, timeout=WAIT) as browser:
                assert "things is connected" in browser.get(url).text
            assert command.wait() == 0
            said, _ = command.rest()
        assert json.loads(said) == {"connector": "things", "account": "ada@service.example"}


async def test_an_account_that_nobody_came_back_to_link_anew_is_not_said_to_be(api: ScriptedApi) -> None:
    api.offer("shop", "find_goods")
    accounts_of(api, "home")
    api.odd["/connectors/shop/integrations"] = says({"url": "https://service.example/agree"})
    clock = Clock()
    async with linkable(api.url, Credentials(KEY, TOKEN), "auto", clock=clock) as it:
        ticket = await it.linking.link(Caller("local", Credentials(KEY, TOKEN)), "shop", replaces=True)
        clock.now += LASTING
        with pytest.raises(CommandFailed, match="nothing was linked"):
            await awaited(it.linking, ticket)
