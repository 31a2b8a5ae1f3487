"""Settings come from a flag, then a variable, then the file, and a mistake is one line that says what to change."""

import os
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from bosa_mcp.redaction import redact
from bosa_mcp.settings import InvalidSettings, Settings, check_api, load, reveal, secrets, strangers

SECRETS = ("BOSA_API_KEY", "BOSA_USER_TOKEN", "BOSA_HUB_MASTER_KEY", "BOSA_HUB_ENCRYPTION_KEY")


class Variables:
    """The variables of this process, which are put back after each test."""

    def set(self, name: str, value: str) -> None:
        os.environ[name] = value


@pytest.fixture
def variables() -> Iterator[Variables]:
    before = dict(os.environ)
    yield Variables()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, variables: Variables) -> Iterator[Path]:
    """A person who has set nothing, in a folder that is not their data folder."""
    for name in Settings.model_fields:
        os.environ.pop(f"BOSA_{name.upper()}", None)
    for name in ("HOME", "XDG_DATA_HOME"):
        variables.set(name, str(tmp_path / "home"))
    (tmp_path / "current").mkdir()
    with chdir(tmp_path / "current"):
        yield tmp_path / "home"


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def test_what_holds_when_nothing_is_set(home: Path) -> None:
    settings = load({})
    assert settings.is_embedded
    assert settings.data_dir.name == "bosa-mcp"
    assert home in settings.data_dir.parents
    assert (
        settings.model_dump().items()
        >= {
            "api_base_url": None,
            "api_key": None,
            "user_token": None,
            "account": None,
            "connectors": (),
            "mode": "tools",
            "call_budget": 45,
            "log": "pretty",
            "log_level": "info",
            "hub_master_key": None,
        }.items()
    )


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path, variables: Variables) -> None:
    write(tmp_path / "bosa-mcp.toml", 'account = "file"\ncall_budget = 1\nlog = "json"\n')
    variables.set("BOSA_ACCOUNT", "variable")
    variables.set("BOSA_CALL_BUDGET", "2")
    settings = load({"account": "flag", "call_budget": None, "data_dir": tmp_path})
    assert [settings.account, settings.call_budget, settings.log] == ["flag", 2, "json"]


def test_every_setting_is_a_variable(tmp_path: Path, variables: Variables) -> None:
    for name, value in {
        "API_BASE_URL": "https://api.example.com/bosa/",
        "API_KEY": "key",
        "USER_TOKEN": "token",
        "ACCOUNT": "work",
        "CONNECTORS": " notes, sql ,,",
        "CALL_BUDGET": "0.5",
        "DATA_DIR": str(tmp_path),
        "LOG": "json",
        "LOG_LEVEL": "DEBUG",
        "HUB_MASTER_KEY": "master",
    }.items():
        variables.set(f"BOSA_{name}", value)
    settings = load({})
    assert not settings.is_embedded
    assert settings.api_base_url == "https://api.example.com/bosa"
    assert [reveal(settings.api_key), reveal(settings.user_token)] == ["key", "token"]
    assert reveal(settings.hub_master_key) == "master"
    assert settings.connectors == ("notes", "sql")
    assert [settings.account, settings.call_budget, settings.data_dir] == ["work", 0.5, tmp_path]
    assert [settings.log, settings.log_level] == ["json", "debug"]


def test_every_setting_is_a_key_of_the_file_in_the_data_folder(tmp_path: Path, variables: Variables) -> None:
    variables.set("BOSA_DATA_DIR", str(tmp_path / "data"))
    write(
        tmp_path / "data" / "bosa-mcp.toml",
        'api_base_url = "http://localhost:8090"\napi_key = "key"\nuser_token = "token"\nconnectors = ["notes"]\n',
    )
    settings = load({})
    assert settings.api_base_url == "http://localhost:8090"
    assert [reveal(settings.api_key), reveal(settings.user_token)] == ["key", "token"]
    assert settings.connectors == ("notes",)


def test_another_file_takes_the_place_of_the_one_in_the_data_folder(tmp_path: Path) -> None:
    write(tmp_path / "data" / "bosa-mcp.toml", 'account = "data"\nlog = "json"\n')
    other = write(tmp_path / "other.toml", f'account = "work"\ndata_dir = "{tmp_path / "data"}"\n')
    settings = load({}, other)
    assert [settings.account, settings.log, settings.data_dir] == ["work", "pretty", tmp_path / "data"]


def test_nothing_in_the_current_folder_counts() -> None:
    write(Path("bosa-mcp.toml"), 'account = "current"\n')
    write(Path(".env"), "BOSA_ACCOUNT=current\nBOSA_API_KEY=current\n")
    assert load({}).account is None
    assert load({}).is_embedded


def test_empty_variables_count_as_unset(variables: Variables) -> None:
    for name in Settings.model_fields:
        variables.set(f"BOSA_{name.upper()}", "")
    assert load({}).is_embedded
    assert load({}).call_budget == 45


@pytest.mark.parametrize("name", ["BOSA_API_KEY", "BOSA_API_BASE_URL"])
def test_a_key_or_an_address_speaks_to_an_api(variables: Variables, name: str) -> None:
    variables.set(name, "https://api.example.com")
    variables.set("BOSA_USER_TOKEN", "token")
    assert not load({}).is_embedded


def test_a_user_token_alone_speaks_to_nobody(variables: Variables) -> None:
    variables.set("BOSA_USER_TOKEN", "token")
    with pytest.raises(InvalidSettings, match="set BOSA_API_BASE_URL or BOSA_API_KEY"):
        check_api(load({}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_BASE_URL", "api.example.com"),
        ("API_BASE_URL", "ftp://api.example.com"),
        ("API_BASE_URL", "https://"),
        ("API_BASE_URL", "https://api.example.com?x=1"),
        ("API_BASE_URL", "http://999.1.1.1"),
        ("API_BASE_URL", "http://xn--a"),
        ("API_BASE_URL", "http://a b"),
        ("CALL_BUDGET", "0"),
        ("CALL_BUDGET", "-1"),
        ("CALL_BUDGET", "nan"),
        ("CALL_BUDGET", "soon"),
        ("MODE", "search"),
        ("ACCOUNT", "größe"),
        ("ACCOUNT", "two\nlines"),
        ("STORE", "/var/files"),
        ("STORE", "~/files"),
        ("STORE", "file://files"),
        ("STORE", "file://./files"),
        ("LOG", "xml"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_variable_is_named_in_one_line(variables: Variables, name: str, value: str) -> None:
    variables.set(f"BOSA_{name}", value)
    with pytest.raises(InvalidSettings, match=f"^BOSA_{name}: ") as odd:
        load({})
    assert repr(value[:12])[1:-1] in str(odd.value)
    assert "\n" not in str(odd.value)


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_is_no_data_folder(below: str) -> None:
    place = write(Path("file"), "") / below
    with pytest.raises(InvalidSettings) as refused:
        load({"data_dir": place})
    assert str(refused.value).startswith("--data-dir: Expected a folder")
    assert str(refused.value).endswith(f"got '{place}'")


def test_the_folder_of_inputs_is_one_that_is_there(variables: Variables) -> None:
    for place in (Path("nowhere"), write(Path("file"), "")):
        variables.set("BOSA_FILES_ROOT", str(place))
        with pytest.raises(InvalidSettings) as refused:
            load({})
        assert str(refused.value) == f"BOSA_FILES_ROOT: Expected a folder that is there, got '{place}'"


def test_a_wrong_setting_is_named_as_it_was_given(tmp_path: Path, variables: Variables) -> None:
    file = write(tmp_path / "x.toml", "call_budget = -1\nconnectors = 5\n")
    with pytest.raises(InvalidSettings, match=f"^{file}: call_budget: .*greater than 0, got '-1'$"):
        load({"connectors": "notes"}, file)
    with pytest.raises(InvalidSettings, match=f"^{file}: connectors: Expected names, separated by commas, got '5'$"):
        load({"call_budget": 1}, file)
    variables.set("BOSA_CALL_BUDGET", "-2")
    with pytest.raises(InvalidSettings, match=r"^BOSA_CALL_BUDGET: .*, got '-2'$"):
        load({"connectors": "notes"}, file)
    with pytest.raises(InvalidSettings, match=r"^--call-budget: .*, got '-3.0'$"):
        load({"connectors": "notes", "call_budget": -3.0}, file)


def test_the_mark_that_some_editors_put_before_a_text_is_none_of_it(tmp_path: Path) -> None:
    assert load({}, write(tmp_path / "x.toml", '\ufeffaccount = "mine"\n')).account == "mine"


@pytest.mark.parametrize("name", SECRETS)
def test_a_wrong_secret_is_not_shown(tmp_path: Path, name: str) -> None:
    key = name.removeprefix("BOSA_").lower()
    file = write(tmp_path / "x.toml", f"{key} = 7291827\n")
    with pytest.raises(InvalidSettings, match=f"^{file}: {key} cannot be used: ") as odd:
        load({}, file)
    assert "7291827" not in str(odd.value)
    assert redact(str(odd.value)) == str(odd.value), "nothing of what is wrong is hidden where it is printed"


def test_a_secret_is_never_shown(variables: Variables) -> None:
    for name in SECRETS:
        variables.set(name, "7291827")
    settings = load({})
    assert "7291827" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('acount = "x"\n', "unknown key 'acount', did you mean 'account'"),
        ('BOSA_API_KEY = "x"\n', "unknown key 'BOSA_API_KEY', did you mean 'api_key'"),
        ("zzz = 1\n", "unknown key 'zzz'$"),
        ("[hub]\nmaster_key = 1\n", "unknown key 'hub'"),
        ("account = x\n", "cannot be read: "),
        ('account = "a"\naccount = "b"\n', "cannot be read: "),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path / "bosa-mcp.toml", text)
    with pytest.raises(InvalidSettings, match=said) as odd:
        load({"data_dir": tmp_path})
    assert str(file) in str(odd.value)
    assert "\n" not in str(odd.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bosa-mcp.toml").write_bytes(b'account = "\xff"')
    with pytest.raises(InvalidSettings, match=r"bosa-mcp\.toml cannot be read"):
        load({"data_dir": tmp_path})


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"none\.toml does not exist: --config takes a TOML file"):
        load({}, tmp_path / "none.toml")
    with pytest.raises(InvalidSettings, match="cannot be read"):
        load({}, tmp_path)


@pytest.mark.parametrize("name", ["BOSA_API_KEY", "BOSA_USER_TOKEN"])
def test_a_secret_that_cannot_be_sent_is_named_and_space_around_it_is_not_its_own(
    variables: Variables, name: str
) -> None:
    for value in ("eyJ7291827…", "7291827 x", "7291827\nx", "${7291827}"):
        variables.set(name, value)
        with pytest.raises(InvalidSettings, match=f"^{name} cannot be used: .*copy it whole$") as odd:
            load({})
        assert "7291827" not in str(odd.value)
    variables.set(name, " 7291827\n")
    assert reveal(getattr(load({}), name.removeprefix("BOSA_").lower())) == "7291827"


def test_a_variable_that_is_no_setting_is_told_with_the_one_that_was_meant() -> None:
    known = [f"BOSA_{name.upper()}" for name in Settings.model_fields]
    assert not list(strangers([*known, "bosa_log", "BOSA_HUB_OAUTH__DRIVE__CLIENT_ID", "PATH", "BOSA"]))
    assert list(strangers(["BOSA_READONLY", "BOSA_LISTINGS"])) == [
        "BOSA_LISTINGS is no setting, and counts for nothing",
        "BOSA_READONLY is no setting, and counts for nothing: did you mean BOSA_READ_ONLY?",
    ]


def test_a_path_may_begin_with_the_home_folder(home: Path, variables: Variables) -> None:
    file = write(home / "x.toml", 'account = "mine"\n')
    variables.set("BOSA_DATA_DIR", "~/data")
    settings = load({"files_root": Path("~")}, Path("~/x.toml"))
    assert [settings.account, settings.data_dir, settings.files_root] == ["mine", home / "data", file.parent]
    with pytest.raises(InvalidSettings, match="--config: "):
        load({}, Path("~nobody-of-this-name/x.toml"))


@pytest.mark.parametrize("address", ["https://me:7291827@api.example.com", "me:7291827@api.example.com"])
def test_a_password_in_an_address_is_not_shown(variables: Variables, address: str) -> None:
    variables.set("BOSA_API_BASE_URL", address)
    with pytest.raises(InvalidSettings) as odd:
        load({})
    assert "7291827" not in str(odd.value)


def test_empty_values_count_as_unset_wherever_they_stand(tmp_path: Path) -> None:
    assert load({"api_base_url": ""}).is_embedded
    assert load({}, write(tmp_path / "x.toml", 'api_key = ""\n')).is_embedded


def test_the_hubs_applications_come_from_json_from_parts_or_from_the_file(tmp_path: Path, variables: Variables) -> None:
    file = write(tmp_path / "x.toml", '[hub_oauth.photos]\nclient_id = "a"\nclient_secret = "planted-1"\n')
    assert load({}, file).hub_oauth["photos"].client_id == "a"
    variables.set("BOSA_HUB_OAUTH", '{"maps": {"client_id": "b", "client_secret": "planted-2"}}')
    variables.set("BOSA_HUB_OAUTH__DRIVE__CLIENT_ID", "c")
    variables.set("BOSA_HUB_OAUTH__DRIVE__CLIENT_SECRET", "planted-3")
    found = load({}, file)
    assert {name: each.client_id for name, each in found.hub_oauth.items()} == {
        "photos": "a",
        "maps": "b",
        "drive": "c",
    }
    assert {"planted-1", "planted-2", "planted-3"} <= set(secrets(found))
    assert "planted" not in repr(found)


@pytest.mark.parametrize(
    "value", ["planted", '["planted"]', '{"a": "planted"}', '{"a": {"client_id": "planted"}}', '{"a": {"planted": 1}}']
)
def test_applications_that_make_no_sense_are_not_shown(variables: Variables, value: str) -> None:
    variables.set("BOSA_HUB_OAUTH", value)
    with pytest.raises(InvalidSettings, match="BOSA_HUB_OAUTH") as odd:
        load({})
    assert "planted" not in str(odd.value)
    assert "\n" not in str(odd.value)
