"""What is kept for a while."""

import hashlib
import os
import stat
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from bosa_connectors.errors import TooLarge
from bosa_mcp.store import Store, StoreError


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store.at(tmp_path / "files" if request.param == "folder" else "memory://")


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() or path.name == "files"}


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_is_kept_is_found_and_read_by_its_owner(store: Store) -> None:
    kept = await store.keep("me", "files", chunks(b"some ", b"bytes"), name="a.txt", mime_type="text/plain")
    assert await store.find("me", "files", kept.id) == kept
    assert (kept.size, kept.sha256, kept.uri) == (
        10,
        hashlib.sha256(b"some bytes").hexdigest(),
        f"bosa://files/{kept.id}",
    )
    assert await store.read(kept, 0, 100) == b"some bytes"
    assert await store.read(kept, 5, 3) == b"byt"
    assert await store.read(kept, 10, 3) == b""
    assert b"".join([chunk async for chunk in store.stream(kept, 2, 4)]) == b"me b"


async def test_nobody_else_finds_it_nor_is_it_of_another_kind(store: Store) -> None:
    kept = await store.keep("me", "files", chunks(b"mine"), name="a", mime_type="text/plain")
    assert await store.find("you", "files", kept.id) is None
    assert await store.find("me", "results", kept.id) is None
    assert await store.all("you", "files") == []
    assert await store.all("me", "files") == [kept]


@pytest.mark.parametrize("identifier", ["", "..", "../x", "a/b", "0" * 31, "0" * 33, "G" * 32, "0" * 32, "%2e%2e"])
async def test_an_id_that_is_none_finds_nothing(store: Store, identifier: str) -> None:
    assert await store.find("me", "files", identifier) is None


async def test_content_that_is_too_large_or_breaks_leaves_nothing(store: Store, tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * 6_000_000
        raise OSError("The connection broke.")

    with pytest.raises(TooLarge, match="larger than 9 bytes"):
        await store.keep("me", "files", chunks(b"12345", b"67890"), name="a", mime_type="text/plain", limit=9)
    with pytest.raises(OSError, match="broke"):
        await store.keep("me", "files", breaking(), name="a", mime_type="text/plain")
    assert await store.all("me", "files") == []
    assert names_in(tmp_path) <= {"files"}


async def test_an_empty_file_is_a_file(store: Store) -> None:
    kept = await store.keep("me", "files", chunks(), name="empty", mime_type="text/plain")
    assert (kept.size, await store.read(kept, 0, 10)) == (0, b"")


async def test_a_sweep_leaves_what_is_young(store: Store) -> None:
    kept = await store.keep("me", "results", chunks(b"{}"), name="a.json", mime_type="application/json")
    await store.sweep()
    assert await store.find("me", "results", kept.id) == kept


def test_a_sweep_removes_what_the_store_wrote_and_nothing_else(tmp_path: Path) -> None:
    store = Store.at(tmp_path)
    keep = partial(store.keep, "me", "files", name="a", mime_type="text/plain")
    kept = anyio.run(keep, chunks(b"x"))
    theirs = [tmp_path / name for name in ("files/report.pdf", "results/2024/a.json", "notes/#draft#", "files/a/b#1")]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    (tmp_path / f"{kept.place}#1").write_text("unfinished")
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    anyio.run(store.sweep)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(theirs)


def test_the_folder_is_made_with_its_parents_for_nobody_else(tmp_path: Path) -> None:
    Store.at(tmp_path / "data" / "files")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data", tmp_path / "data" / "files")] == [
        0o700
    ] * 2


async def test_no_name_from_outside_becomes_a_path(tmp_path: Path) -> None:
    store = Store.at(tmp_path / "files")
    await store.keep("../../me", "files", chunks(b"x"), name="../../a.txt", mime_type="text/plain")
    assert not names_in(tmp_path) & {"me", "a.txt", ".."}


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/x", "s3:///"])
def test_an_address_that_is_no_store_is_refused_in_a_line(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Store.at(url)
    assert "\n" not in str(refused.value)
    assert url in str(refused.value)
