"""Connectors that a setting names and that packages bring: each in a process of its own, as a hub loads them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import pytest

from bosa_hub.connectors import built_in
from bosa_hub.loading import load

WEATHER = '''
from pydantic import BaseModel
from bosa_hub import Connector, Context, action

class ForecastRequest(BaseModel):
    city: str

class Forecast(BaseModel):
    sky: str

class Weather(Connector):
    """Forecasts."""
    @action(effect="read")
    async def forecast(self, request: ForecastRequest, context: Context) -> Forecast:
        """The forecast for a city."""
        return Forecast(sky="clear")
'''
ODD = """
from typing import Any, Callable
from pydantic import BaseModel
from bosa_hub import Connector, action
from bosa_hub.connectors.notes import Notes as Original

class Vague(BaseModel):
    things: list[Any] | None = None

class Unreadable(Connector):
    @action(effect="read")
    async def look(self, request: Vague) -> None:
        "Look."

class Empty(Connector):
    "Nothing."

class Notes(Connector):
    @action(effect="read")
    async def look(self) -> None:
        "Look."

class Acting(Connector):
    @action(effect="read")
    async def look(self) -> None:
        "Look."

class Confused(Acting):
    configuration = Vague(things=[])

class Opaque(Acting):
    class configuration(BaseModel):
        check: Callable[[], None]

class Trusting(Acting):
    oauth2 = "https://example.com/authorize"

class Hasty(Acting):
    configuration = Vague
    def account_identifier(self, configuration, context):
        return "me"

class Moody(Connector):
    def __init__(self):
        raise RuntimeError("not\\ntoday")

class Choosy(Connector):
    def __init__(self, choice):
        pass

class Same(Original):
    name = "other_notes"

instance = Empty()
text = "text"
"""
PROGRAM = """
import json, sys
from pathlib import Path
from bosa_hub.connectors import built_in
from bosa_hub.loading import load

names, folder = json.loads(sys.argv[1])
loaded = load(names, built_in(), folder and Path(folder))
print(json.dumps({"names": [each.name for each in loaded.connectors], "failures": loaded.failures}))
"""


class Outcome(TypedDict):
    names: list[str]
    failures: list[str]


def loaded(*names: str, path: Path | None = None, folder: Path | None = None, **variables: str) -> Outcome:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([names, folder and str(folder)])],
        env=os.environ | {"PYTHONPATH": str(path or "")} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "my_module.py").write_text(WEATHER)
    (tmp_path / "odd.py").write_text(ODD)
    return tmp_path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An installed package that offers connectors."""
    info = tmp_path / "forecasts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: forecasts\nVersion: 1.0\n")
    entries = ["weather = my_module:Weather", "gone = no_such_module:Gone", "odd = my_module:nothing"]
    (info / "entry_points.txt").write_text("\n".join(["[bosa_hub.connectors]", *entries]))
    (tmp_path / "my_module.py").write_text(WEATHER)
    return tmp_path


def test_a_named_connector_joins_the_given_ones(code: Path) -> None:
    assert loaded("my_module:Weather", path=code) == {"names": ["files", "notes", "sql", "weather"], "failures": []}


def test_nothing_named_loads_what_was_given() -> None:
    given = built_in()
    assert list(load([], given).connectors) == list(given)


def test_one_that_fails_is_explained_and_costs_no_other(code: Path) -> None:
    (code / "broken.py").write_text("import json\nnonsense\n")
    (code / "torn.py").write_text("class\n")
    (code / "quitter.py").write_text("import sys\nsys.exit('bye')\n")
    expected = {
        "my_module": "write it as module:Class, for example my_module:Weather.",
        "my_module:": "write it as module:Class, for example my_module:Weather.",
        "a b:C d": "invalid format",
        "gone:Gone": "No module named 'gone'. Install its package, or put its folder on PYTHONPATH.",
        "my_module:Gone": "AttributeError: module 'my_module' has no attribute 'Gone'",
        "odd:text": "it is no class that inherits from bosa_hub.Connector.",
        "odd:instance": "it is no class that inherits from bosa_hub.Connector.",
        "odd:Vague": "it is no class that inherits from bosa_hub.Connector.",
        "odd:Unreadable": "Vague.things: published clients need one JSON type for the items of a list.",
        "odd:Empty": "it has no action: mark its functions with @action.",
        "odd:Notes": "there is a connector 'notes' already: give this one another `name`.",
        "odd:Confused": "confused.configuration is no class of a pydantic model: name the class itself.",
        "odd:Opaque": "PydanticInvalidForJsonSchema: Cannot generate a JsonSchema for ",
        "odd:Trusting": "trusting.oauth2 is no bosa_hub.OAuth2.",
        "odd:Hasty": "hasty.account_identifier is no `async def`.",
        "odd:Moody": "RuntimeError: not today (odd.py, line ",
        "odd:Choosy": "Choosy.__init__() missing 1 required positional argument: 'choice'",
        "broken:Weather": "NameError: name 'nonsense' is not defined (broken.py, line 2)",
        "torn:Weather": "SyntaxError: ",
        "quitter:Weather": "SystemExit: bye (quitter.py, line 2)",
    }
    outcome = loaded(*expected, "odd:Same", "my_module:Weather", path=code)
    assert outcome["names"] == ["files", "notes", "sql", "other_notes", "weather"]
    assert len(outcome["failures"]) == len(expected)
    for failure, (name, said) in zip(outcome["failures"], expected.items(), strict=True):
        assert failure.startswith(f"The connector {name!r} was left out: ")
        assert said in failure
        assert "\n" not in failure


def test_a_package_brings_its_connectors_and_a_bad_entry_costs_no_other(package: Path) -> None:
    outcome = loaded(path=package)
    assert outcome["names"] == ["files", "notes", "sql", "weather"]
    gone, odd = outcome["failures"]
    assert gone.startswith("The connector 'gone = no_such_module:Gone' was left out: No module named 'no_such_module'")
    assert odd.startswith("The connector 'odd = my_module:nothing' was left out: AttributeError")


def test_one_that_is_named_and_installed_is_there_once(package: Path) -> None:
    outcome = loaded("my_module:Weather", "my_module:Weather", path=package)
    assert outcome["names"] == ["files", "notes", "sql", "weather"]
    assert len(outcome["failures"]) == 2


def test_a_folder_is_looked_in_only_where_it_is_given(code: Path, tmp_path: Path) -> None:
    assert "weather" in loaded("my_module:Weather", folder=code)["names"]
    (failure,) = loaded("my_module:Weather")["failures"]
    assert "No module named 'my_module'" in failure
    assert "weather" not in loaded("my_module:Weather", folder=tmp_path, PYTHONSAFEPATH="1")["names"]


def test_nothing_in_the_folder_stands_in_for_what_is_installed(code: Path) -> None:
    for name in ("httpx.py", "colorsys.py", "bosa_hub.py"):
        (code / name).write_text("raise SystemExit('taken over')")
    (code / "late.py").write_text("import colorsys\nimport httpx\n" + WEATHER)
    assert loaded("late:Weather", folder=code)["failures"] == []
