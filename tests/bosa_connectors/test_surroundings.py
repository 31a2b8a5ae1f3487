"""What the package does to a fresh process, and what it lets the environment decide."""

from pathlib import Path

import pytest

from .certificates import vouched_for
from .fresh import said_by
from .raw import Connection, answer, answering, raw_api
from .scripted import Answer, ScriptedApi

OTHERS = ["anyio", "asyncio", "httpx", "jsonschema", "langchain", "mcp", "pydantic", "rich", "starlette", "structlog"]
LOADED = f"import sys; print([name for name in {OTHERS} if name in sys.modules])"
CALL_EACH = """
import asyncio, sys
from bosa_connectors import Action, AsyncBosaConnector, Call, Credentials

async def main():
    action = Action("notes", "do", "/do", "", {"type": "object"})
    for url in sys.argv[1:]:
        async with AsyncBosaConnector(url, "client-key") as connector:
            await connector.send(Call(action, {}))
            await connector.send(Call(action, {}, Credentials(user_token="jwt")))

asyncio.run(main())
"""


async def test_importing_the_package_prints_nothing() -> None:
    assert await said_by("import bosa_connectors") == ""


async def test_importing_the_package_loads_no_other() -> None:
    assert await said_by(f"import bosa_connectors; {LOADED}") == "[]"


async def test_the_pure_modules_load_no_other_library() -> None:
    modules = ["calls", "catalogue", "errors", "fields", "paging", "schema", "shapes", "wire"]
    imports = "; ".join(f"import bosa_connectors.{name}" for name in modules)
    assert await said_by(f"{imports}; {LOADED}") == "[]"


async def test_every_public_name_is_there_for_a_star_import() -> None:
    code = "from bosa_connectors import *; print(AsyncBosaConnector.__name__, Call.__name__)"
    assert await said_by(code) == "AsyncBosaConnector Call"


async def test_a_netrc_file_is_ignored(api: ScriptedApi, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hush\ndefault login someone password hush\n")
    netrc.chmod(0o600)
    api.answers["/do"] = Answer.of({"data": 1})
    await said_by(CALL_EACH, api.url, NETRC=str(netrc), HOME=str(tmp_path))
    assert [asked.said.get("authorization") for asked in api.asked] == [None, "Bearer jwt"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_a_proxy_is_used_for_other_hosts_and_never_for_loopback(variable: str, api: ScriptedApi) -> None:
    api.answers["/do"] = Answer.of({"data": 1})
    port = api.url.rpartition(":")[2]
    async with raw_api(answering(answer())) as proxy:
        urls = [api.url, f"http://localhost:{port}", "http://api.example:8090/v1"]
        assert await said_by(CALL_EACH, *urls, **{variable: proxy.url}) == ""
        assert api.lines == ["POST /do"] * 4
        lines = [request.partition(b"\r\n")[0].decode() for request in proxy.requests]
        assert lines == ["POST http://api.example:8090/v1/do HTTP/1.1"] * 2


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9"])
async def test_a_proxy_of_a_kind_that_cannot_be_used_counts_only_where_it_is_meant(
    proxy: str, api: ScriptedApi
) -> None:
    api.answers["/do"] = Answer.of({"data": 1})
    assert await said_by(CALL_EACH, api.url, ALL_PROXY=proxy, HTTPS_PROXY=proxy) == ""
    assert api.lines == ["POST /do"] * 2
    run = "asyncio.run(main())"
    code = CALL_EACH.replace(run, f"try: {run}\nexcept Exception as error: print(error)")
    said = await said_by(code, "http://api.example", ALL_PROXY=proxy)
    assert said.startswith("http://api.example cannot be reached by way of the proxy that the variables name: ")


async def test_a_proxy_that_is_down_is_unreachable() -> None:
    run = "asyncio.run(main())"
    code = CALL_EACH.replace(run, f"try: {run}\nexcept Exception as error: print(error)")
    said = await said_by(code, "http://api.example", HTTP_PROXY="http://127.0.0.1:9")
    assert said.startswith("http://api.example cannot be reached: ")


BOTH_CALL = """
import asyncio, sys
from bosa_connectors import Action, AsyncBosaConnector, BosaConnector, Call, Credentials
call = Call(Action("notes", "get_it", "/do", "", {}), {}, Credentials(user_token="jwt"))

async def main():
    async with AsyncBosaConnector(sys.argv[1], "client-key") as connector:
        return (await connector.send(call)).data

def blocking():
    with BosaConnector(sys.argv[1], "client-key") as connector:
        return connector.send(call).data

for way in (lambda: asyncio.run(main()), blocking):
    try: print(way())
    except Exception as error: print(type(error).__name__, error)
"""
NO_CERTIFICATES = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_an_authority_of_ones_own_is_trusted_where_a_variable_names_it(variable: str, tmp_path: Path) -> None:
    tls, authority = vouched_for(tmp_path, "localhost")
    async with raw_api(answering(answer()), tls=tls) as api:
        url = api.url.replace("127.0.0.1", "localhost")
        trusting = {**NO_CERTIFICATES, variable: str(authority)}
        assert (await said_by(BOTH_CALL, url, **trusting)).splitlines() == ["1", "1"]


async def test_a_server_that_nobody_vouches_for_hears_nothing(tmp_path: Path) -> None:
    tls, authority = vouched_for(tmp_path, "elsewhere.example")
    async with raw_api(answering(answer()), tls=tls) as api:
        url = api.url.replace("127.0.0.1", "localhost")
        for trusted in ("", str(authority)):  # an unknown authority, and then another name
            said = await said_by(BOTH_CALL, url, **NO_CERTIFICATES | {"SSL_CERT_FILE": trusted})
            assert said.count("Unreachable https://localhost") == 2
            assert said.count("certificate verify failed") == 2
        assert api.requests == []


async def test_through_a_proxy_a_secured_call_stays_secret(tmp_path: Path) -> None:
    tls, authority = vouched_for(tmp_path, "api.example")
    async with raw_api(answering(answer()), tls=tls) as api:
        port = int(api.url.rpartition(":")[2])

        async def tunnelling(connection: Connection) -> None:
            await connection.request()
            await connection.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await connection.tunnel(port)

        async with raw_api(tunnelling) as proxy:
            named = {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority)}
            assert (await said_by(BOTH_CALL, "https://api.example", **named)).splitlines() == ["1", "1"]
            heads = [request.partition(b"\r\n")[0] for request in proxy.requests]
            assert heads == [b"CONNECT api.example:443 HTTP/1.1"] * 2
            assert b"client-key" not in b"".join(proxy.requests)
            assert b"client-key" in api.requests[0]
            said = await said_by(BOTH_CALL, "https://api.invalid", NO_PROXY="api.invalid", **named)
            assert (said.count("Unreachable"), "Errno" in said) == (2, False)
            assert proxy.connections == 2


@pytest.mark.parametrize(
    ("networks", "is_within"),
    [
        ("example.com, 127.0.0.0/8", True),
        ("127.0.0.9/31", False),
        ("127.0.0.9/24", True),
        ("10.0.0.0/8,fd00::/8,127.0.0.0/99", False),
    ],
)
async def test_an_address_in_a_network_that_no_proxy_names_is_reached_without_one(
    networks: str, *, is_within: bool
) -> None:
    async with raw_api(answering(answer())) as proxy:
        said = await said_by(BOTH_CALL, "http://127.0.0.2:9", HTTP_PROXY=proxy.url, NO_PROXY=networks)
        assert said.count("Unreachable") == (2 if is_within else 0)
        assert proxy.connections == (0 if is_within else 2)


async def test_a_proxy_that_refuses_is_unreachable() -> None:
    refusing = answering(answer(b"No.", 407))
    async with raw_api(refusing) as proxy:
        said = await said_by(BOTH_CALL, "https://api.example", HTTPS_PROXY=proxy.url)
    assert said.count("Unreachable https://api.example cannot be reached: 407") == 2
