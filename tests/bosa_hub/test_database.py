import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bosa_hub.database import Schema, close_idle, connect, connected, transaction
from bosa_hub.envelope import failure
from bosa_hub.errors import Busy
from bosa_hub.private import create_once

_SCHEMA = Schema(1, "CREATE TABLE t (x)")


def test_a_database_is_in_wal_mode_and_synced_at_every_commit(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "t.db", _SCHEMA)) as connection:
        assert [tuple(connection.execute(f"PRAGMA {name}").fetchone()) for name in ("journal_mode", "synchronous")] == [
            ("wal",),
            (2,),
        ]


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "t.db", _SCHEMA)) as connection:
        with pytest.raises(sqlite3.ProgrammingError), transaction(connection):
            connection.executemany("INSERT INTO t VALUES (?)", iter([(1,), (1, 2)]))
        assert connection.execute("SELECT * FROM t").fetchall() == []


def test_a_database_that_others_keep_writing_is_busy_and_may_be_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(connect(path, _SCHEMA)) as one, closing(connect(path, _SCHEMA, patience=0)) as other:
        with transaction(one), pytest.raises(Busy) as refused, transaction(other):
            pass
        assert failure(refused.value, "id")["error"] == {
            "message": "Nothing can be written now (database is locked). Try again in a second.",
            "type": "Busy",
            "code": "BUSY",
            "source": "bosa_hub",
            "reference_id": "id",
            "request_id": "id",
            "recovery": {"retryable": True, "retry_after_seconds": 1},
            "details": None,
        }
        with transaction(other):
            other.execute("INSERT INTO t VALUES (1)")


def test_whoever_is_second_keeps_what_the_first_made(tmp_path: Path) -> None:
    path = tmp_path / "once"

    def fill(new: Path) -> None:
        path.write_text("the first")
        new.write_text("the second")

    create_once(path, fill)
    assert path.read_text() == "the first"
    assert [each.name for each in tmp_path.iterdir()] == ["once"]


def test_what_could_not_be_made_is_not_there(tmp_path: Path) -> None:
    def fill(new: Path) -> None:
        new.write_text("half")
        raise LookupError

    with pytest.raises(LookupError):
        create_once(tmp_path / "once", fill)
    assert list(tmp_path.iterdir()) == []


def test_a_database_stays_open_for_the_next_one_who_asks(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with connected(path, _SCHEMA) as first:
        with connected(path, _SCHEMA) as second:
            assert second is not first
        first.execute("INSERT INTO t VALUES (1)")
    with connected(path, _SCHEMA) as again:
        assert again in (first, second)
        assert again.execute("SELECT x FROM t").fetchone()[0] == 1
    close_idle(tmp_path)
    with pytest.raises(sqlite3.ProgrammingError):
        again.execute("SELECT 1")
    assert [each.name for each in tmp_path.iterdir()] == ["t.db"]


def test_a_database_that_was_replaced_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    for number in range(2):
        with connected(path, _SCHEMA) as connection:
            connection.execute("INSERT INTO t VALUES (?)", (number,))
            assert [tuple(row) for row in connection.execute("SELECT x FROM t")] == [(number,)]
        for part in tmp_path.iterdir():
            part.unlink()
    close_idle(tmp_path)


def test_what_failed_half_way_is_not_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with pytest.raises(sqlite3.IntegrityError), connected(path, _SCHEMA) as connection:
        connection.executescript("BEGIN; INSERT INTO t VALUES (1); INSERT INTO t (rowid) VALUES (1)")
    with connected(path, _SCHEMA) as connection:
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0
    close_idle(tmp_path)


def test_only_so_many_databases_stay_open(tmp_path: Path) -> None:
    for number in range(80):
        with connected(tmp_path / f"{number}.db", _SCHEMA) as connection:
            connection.execute("INSERT INTO t VALUES (1)")
    assert 0 < len(list(tmp_path.glob("*-wal"))) <= 64
    close_idle(tmp_path)
    assert list(tmp_path.glob("*-wal")) == []
