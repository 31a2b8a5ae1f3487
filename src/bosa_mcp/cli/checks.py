"""The checks that `bosa-mcp doctor` makes: of the API, the disk and the store."""

import os
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx
import obstore
from anyio import to_thread

from bosa_connectors import transport
from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.errors import ApiError, BosaError, Unauthenticated, Unreachable
from bosa_hub.connectors import built_in
from bosa_hub.errors import SetupError
from bosa_hub.loading import load
from bosa_mcp import logins
from bosa_mcp.cli import findings
from bosa_mcp.cli.api import Api, open_api
from bosa_mcp.cli.findings import Finding
from bosa_mcp.filters import Filter
from bosa_mcp.refresh import FIRST_BUDGET, Tools
from bosa_mcp.saved_catalogue import Shelf
from bosa_mcp.settings import DEFAULT_API, InvalidSettings, Settings, check_bind, reveal
from bosa_mcp.store import Store, StoreError

PATIENCE: Final = 10.0
"""Seconds for one look."""
_BROUGHT: Final = Finding("token", "ok", "each client brings its own, for BOSA_AUTH is user-token")
_CREDENTIALS: Final = (
    "Check BOSA_API_KEY and BOSA_USER_TOKEN, for the API takes a token with the key of its own client."
)


async def findings_of(chosen: Settings) -> AsyncIterator[Finding]:
    """One finding after another, as each is made; what ends the look early is the last."""
    try:
        async for finding in _found(chosen):
            yield finding
    except (InvalidSettings, SetupError, OSError) as odd:
        yield Finding("start", "fail", str(odd), "A server with these settings does not start before that is right.")


async def _found(chosen: Settings) -> AsyncIterator[Finding]:
    check_bind(chosen, "127.0.0.1")
    asks_who = chosen.auth == "user-token"
    yield _data_folder(chosen.data_dir)
    yield await _store(chosen)
    if chosen.is_embedded:
        yield Finding("api", "ok", "none is set: the server brings a hub of its own")
        for failure in load(chosen.hub_connectors, built_in()).failures:
            yield Finding("connectors", "warn", failure, "Look at BOSA_HUB_CONNECTORS: the others are served.")
    else:
        address = chosen.api_base_url or DEFAULT_API
        expires = await _certificate(address)
        tls = expires if isinstance(expires, Finding) else findings.tls(address, expires, datetime.now(UTC))
        yield tls
        if tls.state == "fail":
            return
        yield findings.key(reveal(chosen.api_key))
        yield _BROUGHT if asks_who else findings.token(_token(chosen), datetime.now(UTC))
    with open_api(chosen, has_user=not asks_who) as api:
        async for finding in _asked(chosen, api):
            yield finding


def _token(chosen: Settings) -> str | None:
    """The token that counts, whether it is good or not."""
    if chosen.user_token:
        return reveal(chosen.user_token)
    login = logins.load(chosen)
    return login.token if login else None


async def _asked(chosen: Settings, api: Api) -> AsyncIterator[Finding]:
    """What the API itself says."""
    async with AsyncBosaConnector(api.url, api.credentials.api_key or "bosa", error_contract=2) as connector:
        reached = await _reached(connector)
        yield reached
        if reached.state == "fail":
            return
        yield await _catalogue(chosen, connector)
        if api.credentials.user_token:
            for finding in await _user(connector, api.credentials.user_token, chosen.account):
                yield finding


async def _reached(connector: AsyncBosaConnector) -> Finding:
    began = time.monotonic()
    try:
        with anyio.fail_after(PATIENCE):
            names = await connector.get_available_modules()
    except (BosaError, TimeoutError) as failure:
        said = str(failure) or f"{connector.api_base_url} did not answer within {PATIENCE:g} s"
        return Finding("address", "fail", said, await _remedy(failure, connector.api_base_url))
    took = f"{1_000 * (time.monotonic() - began):.0f} ms"
    return Finding("address", "ok", f"{connector.api_base_url} lists {len(names)} connectors in {took}")


async def _remedy(failure: Exception, url: str) -> str:
    if isinstance(failure, Unauthenticated):
        return "Check BOSA_API_KEY."
    if proxy := transport.proxy_for(url):
        return (
            f"Does the proxy that the variables name, {proxy}, let this through? NO_PROXY may name hosts to do without."
        )
    if isinstance(failure, Unreachable) and url.startswith("http:") and await _speaks_tls(url):
        return "TLS is spoken there: use https:// in BOSA_API_BASE_URL."
    return "Is BOSA_API_BASE_URL right, and the API running?"


async def _user(connector: AsyncBosaConnector, token: str, account: str | None) -> list[Finding]:
    try:
        with anyio.fail_after(PATIENCE):
            user = await connector.get_user_info(token)
    except (BosaError, TimeoutError) as failure:
        remedy = _CREDENTIALS if isinstance(failure, ApiError) else await _remedy(failure, connector.api_base_url)
        return [Finding("user", "fail", str(failure) or "the API did not answer in time", remedy)]
    named = Finding("user", "ok", f"the API takes key and token, for {user.identifier[:100]!r}")
    if not user.is_active:
        named = Finding("user", "fail", f"{user.identifier[:100]!r} is not active", "Ask whoever runs the API.")
    return [named, findings.accounts(user, account)]


async def _catalogue(chosen: Settings, connector: AsyncBosaConnector) -> Finding:
    shelf = None if chosen.is_embedded else Shelf.of(chosen.data_dir, connector.api_base_url)
    kept = await to_thread.run_sync(shelf.load) if shelf else {}
    ages = [timedelta(seconds=time.time() - each.at) for each in kept.values()]
    wanted = Filter(frozenset(chosen.connectors), chosen.include, chosen.exclude, read_only=chosen.read_only)
    tools = Tools(connector, wanted)
    await tools.refresh(FIRST_BUDGET)
    table = tools.table
    missing = [f"{'the API' if name == '*' else name} ({reason})" for name, reason in table.missing.items()]
    there = {*table.offers, *table.barred, *table.filtered}
    if idle := [] if missing else list(wanted.idle(there, {*table.listed, *table.unwanted})):
        told = (f"{what} {text[:100]!r}{f' (did you mean {near}?)' if near else ''}" for what, text, near in idle)
        said = f"{len(table.offers)} tools; nothing matches {'; '.join(told)[:500]}"
        return Finding("catalogue", "warn", said, "`bosa-mcp tools` lists what there is.")
    return findings.catalogue(
        len(table.offers), len(table.listed), missing, len(table.odd), max(ages) if ages else None
    )


def _data_folder(path: Path) -> Finding:
    if path.exists():
        there = path.stat()
        is_writable = path.is_dir() and os.access(path, os.W_OK | os.X_OK)
        return findings.folder(str(path), there.st_mode, shutil.disk_usage(path).free, is_writable=is_writable)
    parent = next(each for each in path.absolute().parents if each.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
        said = f"{path} is not there and cannot be made"
        return Finding("data folder", "fail", said, "Make it, or set BOSA_DATA_DIR.")
    return Finding("data folder", "ok", f"{path} is made when it is needed")


async def _store(chosen: Settings) -> Finding:
    """Whether something can be kept, found and removed."""
    if chosen.store is None and not chosen.data_dir.exists():
        return Finding("store", "ok", "in the data folder, made when it is needed")
    place = str(chosen.store or chosen.data_dir / "files")
    remedy = "Look at BOSA_STORE, and at the rights and credentials that it needs."
    try:
        with anyio.fail_after(PATIENCE):
            await _kept_and_removed(Store.at(chosen.store or chosen.data_dir / "files"))
    except (StoreError, OSError, obstore.exceptions.BaseError) as failure:
        return Finding("store", "fail", f"{place}: {_reason(failure) or 'it did not answer in time'}", remedy)
    return Finding("store", "ok", f"{place} keeps what it is given")


def _reason(failure: Exception) -> str:
    """What went wrong, with what stands in the log of a server that serves."""
    said, cause = (next(iter(str(each or "").splitlines()), "")[:300] for each in (failure, failure.__cause__))
    return said if cause in said else f"{said} {cause}"


async def _kept_and_removed(store: Store) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"{}"

    kept = await store.keep("doctor", "results", content(), name="doctor.json", mime_type="application/json")
    found = await store.find("doctor", "results", kept.id)
    if found is None or await store.read(found, 0, found.size) != b"{}":
        raise StoreError("what was written does not come back")
    await obstore.delete_async(store.objects, [kept.place, f"{kept.place}.json"])


async def _certificate(url: str) -> datetime | Finding | None:
    """Until when the API's certificate is valid; None without one; what is wrong where there is no connection."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    if transport.proxy_for(url):
        return Finding("tls", "ok", "behind a proxy: the certificate is not looked at")
    try:
        return await to_thread.run_sync(_valid_until, parts.hostname or "", parts.port or 443)
    except ssl.SSLCertVerificationError as odd:
        remedy = "Is this the right host? For a certificate authority of your own set SSL_CERT_FILE."
        return Finding("tls", "fail", f"{url}: {odd.verify_message}", remedy)
    except ssl.SSLError as odd:
        said = f"{url} does not answer in TLS as it should ({odd.reason or odd})"
        remedy = "Where it speaks http, use http:// in BOSA_API_BASE_URL, or else the port that speaks https."
        return Finding("tls", "fail", said, remedy)
    except OSError as odd:
        remedy = "Is BOSA_API_BASE_URL right, and the network there?"
        return Finding("address", "fail", f"{url} cannot be reached: {odd}", remedy)


async def _speaks_tls(url: str) -> bool:
    """Whether TLS is what is spoken at an address that is said to speak http."""
    parts = urlsplit(url)
    try:
        await to_thread.run_sync(_valid_until, parts.hostname or "", parts.port or 80)
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False
    return True


def _valid_until(host: str, port: int) -> datetime | None:
    context = httpx.create_ssl_context()  # the one that calls are made with
    with (
        socket.create_connection((host, port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        said = (secure.getpeercert() or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(said)), UTC) if said else None
