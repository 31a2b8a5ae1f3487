"""Further databases of one's own, linked as accounts of `sql`."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INTEGRATIONS = "/connectors/sql/integrations"


@pytest.fixture
def root(ada: httpx.Client, ada_root: Path) -> Path:
    """Her sql folder."""
    assert ada.post("/connectors/sql/list_tables").status_code == 200
    return ada_root / "sql"


@pytest.fixture
def outside(ada_root: Path) -> Iterator[Path]:
    """A database that lies beside her folders."""
    path = ada_root / "canary.db"
    _make(path, "canary")
    yield path
    path.unlink()


def _make(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE facts (said TEXT)")
        connection.execute("INSERT INTO facts VALUES (?)", (said,))


def _link(user: httpx.Client, file: str, name: str | None = None, **more: object) -> httpx.Response:
    body = {"auth_type": "custom", "configuration": {"file": file, "name": name}, **more}
    return user.post(INTEGRATIONS, json=body)


def _query(user: httpx.Client, query: str = "SELECT said FROM facts", account: str | None = None) -> httpx.Response:
    headers = {"X-Integration": account} if account else {}
    return user.post("/connectors/sql/query", json={"query": query}, headers=headers)


def _said(user: httpx.Client, account: str | None = None) -> str:
    answer = _query(user, account=account)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"][0]["said"]


def test_the_schema_of_a_configuration_is_told(anyone: httpx.Client) -> None:
    (way,) = anyone.get("/connectors/sql/auth-schema").json()["data"]["supported_auth_types"]
    assert way["type"] == "custom"
    assert list(way["config"]["properties"]) == ["name", "file"]
    assert way["config"]["required"] == ["file"]


def test_several_databases_are_chosen_by_account(ada: httpx.Client, root: Path) -> None:
    _make(root / "sales.db", "sold")
    _make(root / "archive/2024/sales.db", "sold long ago")
    assert _link(ada, "sales.db").json()["data"]["result"]["configuration_name"] == "sales.db"
    assert _link(ada, "./archive//2024/sales.db").status_code == 409
    assert _link(ada, "./archive//2024/sales.db", "old").json()["data"]["result"]["configuration_name"] == "old"
    assert (_said(ada), _said(ada, "old")) == ("sold", "sold long ago")
    ada.post(f"{INTEGRATIONS}/old")
    assert (_said(ada), _said(ada, "sales.db")) == ("sold long ago", "sold")
    tables = ada.post("/connectors/sql/list_tables").json()["data"]
    assert [table["name"] for table in tables] == ["facts"]
    described = ada.post("/connectors/sql/describe_table", json={"table": "facts"}).json()["data"]
    assert described["columns"][0]["name"] == "said"


def test_the_sample_acts_until_an_account_is_linked_and_may_be_one(ada: httpx.Client, root: Path) -> None:
    _make(root / "sales.db", "sold")
    books = "SELECT count(*) AS n FROM books"
    assert _query(ada, books).json()["data"] == [{"n": 40}]
    assert _query(ada, books, "sales.db").status_code == 404
    _link(ada, "sales.db")
    assert _query(ada, books).status_code == 400
    assert _link(ada, "sample.db", "books").status_code == 200
    assert _query(ada, books, "books").json()["data"] == [{"n": 40}]
    for name in ("sales.db", "books"):
        ada.delete(f"{INTEGRATIONS}/{name}")
    assert _query(ada, books).json()["data"] == [{"n": 40}]


def test_the_sample_may_be_linked_before_it_was_ever_used(ada: httpx.Client) -> None:
    assert _link(ada, "sample.db").status_code == 200


def test_a_database_in_wal_mode_is_read_while_others_write(ada: httpx.Client, root: Path) -> None:
    _make(root / "live.db", "first")
    with closing(sqlite3.connect(root / "live.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        _link(ada, "live.db")
        assert _said(ada) == "first"
        connection.execute("UPDATE facts SET said = 'second'")
        assert _said(ada) == "second"
    assert _said(ada) == "second"


@pytest.mark.parametrize(
    "file",
    [
        "../canary.db",
        "a/../../canary.db",
        "..",
        "/etc/passwd",
        "file:../canary.db",
        "file:canary.db?mode=rwc",
        "sample.db?mode=rwc",
        "sample.db?vfs=unix-none",
        "%2e%2e/canary.db",
        "..%2fcanary.db",
        "..\\canary.db",
        "C:canary.db",
        ":memory:",
        "sample.db\0",
        "sample.db/x",
        "",
        ".",
        "x" * 2000,
        "link.db",
        "folder/canary.db",
        "nothing.db",
        "pipe",
        "folder",
        "empty.db",
        "text.db",
        "\ud7ff",
    ],
)
def test_nothing_but_a_database_inside_is_linked(ada: httpx.Client, root: Path, outside: Path, file: str) -> None:
    (root / "link.db").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    os.mkfifo(root / "pipe")
    (root / "empty.db").touch()
    (root / "text.db").write_text("not a database" * 100, encoding="ascii")
    before = sorted(root.parent.rglob("*"))
    refused = _link(ada, file, "x")
    assert refused.status_code in {400, 404, 422}
    assert "list_files" not in refused.text
    assert str(root) not in refused.text
    assert ada.get("/users/me").json()["data"]["integrations"] == []
    assert sorted(root.parent.rglob("*")) == before


_part = st.sampled_from(["..", ".", "", "canary.db", "sample.db", "up", "link.db", "a", "~", "%2e%2e", "..."])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(_part, max_size=6).map("/".join), st.text(max_size=30)))
def test_no_path_leads_to_what_lies_outside(ada: httpx.Client, root: Path, outside: Path, file: str) -> None:
    for name, target in (("up", root.parent), ("link.db", outside)):
        if not (root / name).is_symlink():
            (root / name).symlink_to(target)
    answer = _link(ada, file, "x", replace_duplicate=True)
    if answer.status_code == 200:
        assert _query(ada, "SELECT count(*) AS n FROM books").json()["data"] == [{"n": 40}]


@pytest.mark.parametrize("swap", ["remove", "link", "text"])
def test_a_file_is_looked_at_again_at_every_call(ada: httpx.Client, root: Path, outside: Path, swap: str) -> None:
    _make(root / "sales.db", "sold")
    _link(ada, "sales.db")
    (root / "sales.db").unlink()
    if swap == "link":
        (root / "sales.db").symlink_to(outside)
    if swap == "text":
        (root / "sales.db").write_text("text", encoding="ascii")
    refused = _query(ada)
    assert refused.status_code == {"remove": 404, "link": 400, "text": 400}[swap]
    assert "sales.db" in refused.json()["message"]
    assert str(root) not in refused.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("DELETE FROM facts", "READ_ONLY"),
        ("ATTACH 'sample.db' AS other", "READ_ONLY"),
        ("PRAGMA writable_schema = ON", "READ_ONLY"),
        ("SELECT load_extension('x')", "READ_ONLY"),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n", "QUERY_TOO_LONG"),
        ("SELECT zeroblob(1000000000)", "SQL_ERROR"),
    ],
)
def test_the_guards_hold_for_a_linked_database(ada: httpx.Client, root: Path, query: str, code: str) -> None:
    _make(root / "sales.db", "sold")
    before = (root / "sales.db").read_bytes()
    _link(ada, "sales.db")
    assert _query(ada, query).json()["error"]["code"] == code
    assert (root / "sales.db").read_bytes() == before


def test_a_view_or_a_trigger_of_a_linked_database_cannot_do_more(ada: httpx.Client, root: Path) -> None:
    with closing(sqlite3.connect(root / "sly.db")) as connection, connection:
        connection.execute("CREATE VIEW v AS SELECT load_extension('x.so') AS x")
        connection.execute("CREATE VIEW w AS SELECT * FROM pragma_database_list")
    _link(ada, "sly.db")
    for view in ("v", "w"):
        assert _query(ada, f"SELECT * FROM {view}").status_code in {400, 403}  # noqa: S608  what is tested


def test_users_link_what_is_in_their_own_folder(ada: httpx.Client, bob: httpx.Client, root: Path) -> None:
    _make(root / "sales.db", "hers")
    assert _link(ada, "sales.db").status_code == 200
    assert _link(bob, "sales.db").status_code == 404
    assert _query(bob, "SELECT count(*) AS n FROM books").json()["data"] == [{"n": 40}]
