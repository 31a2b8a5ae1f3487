"""The store in a bucket: the same tests as for a folder, against moto, which speaks S3 on loopback."""

import os
import re
import subprocess
from collections.abc import Iterator
from threading import Timer

import httpx
import pytest

from bosa_mcp.store import Store

from ..bosa_mcp.test_store import (  # noqa: TID252  the tests themselves
    chunks,
    test_an_empty_file_is_a_file,
    test_an_id_that_is_none_finds_nothing,
    test_nobody_else_finds_it_nor_is_it_of_another_kind,
    test_what_is_kept_is_found_and_read_by_its_owner,
)
from .installs import python_with

__all__ = [
    "test_an_empty_file_is_a_file",
    "test_an_id_that_is_none_finds_nothing",
    "test_nobody_else_finds_it_nor_is_it_of_another_kind",
    "test_what_is_kept_is_found_and_read_by_its_owner",
]
SERVE = "from moto.server import main; main(['--host', '127.0.0.1', '--port', '0'])"
WAIT = 60


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Where S3 is."""
    python = python_with("moto[server]")
    with subprocess.Popen(
        [python, "-u", "-c", SERVE],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.defpath},
    ) as process:
        watchdog = Timer(10 * WAIT, process.kill)
        watchdog.start()
        try:
            assert process.stderr
            yield next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:[0-9]+", line)))
        finally:
            watchdog.cancel()
            process.kill()


@pytest.fixture
def store(s3: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A bucket of this test alone, with settings as its owners give them."""
    bucket = f"bucket-{abs(hash(request.node.nodeid))}"
    httpx.put(f"{s3}/{bucket}", timeout=WAIT).raise_for_status()
    settings = {
        "AWS_ENDPOINT": s3,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "planted-secret",
        "AWS_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Store.at(f"s3://{bucket}/kept")


async def test_a_large_object_comes_back_whole_in_its_owners_hands_alone(store: Store) -> None:
    parts = [os.urandom(300_000) for _ in range(60)]
    kept = await store.keep("me", "files", chunks(*parts), name="a", mime_type="text/plain")
    assert b"".join([chunk async for chunk in store.stream(kept)]) == b"".join(parts)
    assert b"".join(store.blocks(kept)) == b"".join(parts)
    assert await store.find("you", "files", kept.id) is None
    await store.sweep()
    assert await store.find("me", "files", kept.id) == kept
