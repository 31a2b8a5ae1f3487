"""Which Host and Origin mean the server."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_mcp.addresses import is_loopback, is_place, is_url, ours, url_of

HERE = ours("127.0.0.1", 8080, None, ())
NAMES = st.text(string.ascii_letters + string.digits + ".-:[]", max_size=30)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"])
def test_every_name_of_this_machine_means_the_server(host: str) -> None:
    assert HERE.refusal([host], []) is None
    assert HERE.refusal([host], [f"http://{host}"]) is None


@pytest.mark.parametrize(
    "hosts",
    [
        *([], [""], ["127.0.0.1"], ["127.0.0.1:8081"], ["evil.example:8080"], ["localhost.evil.example:8080"]),
        *(["0.0.0.0:8080"], ["127.0.0.1:8080", "evil.example"], ["127.0.0.1:8080@evil.example"]),
    ],
)
def test_a_name_that_was_made_to_lead_here_is_refused(hosts: list[str]) -> None:
    status, reason = HERE.refusal(hosts, []) or (0, "")
    assert status == 421
    assert "BOSA_ALLOWED_HOSTS" in reason


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "http://localhost:3000", "https://localhost:8080", "http://127.0.0.1"),
        *("", "http://127.0.0.1:8080.evil.example", "file://"),
    ],
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert (HERE.refusal(["localhost:8080"], [origin]) or (0, ""))[0] == 403
    assert (HERE.refusal(["localhost:8080"], ["http://localhost:8080", origin]) or (0, ""))[0] == 403


@given(NAMES)
def test_only_the_names_it_was_given_mean_the_server(name: str) -> None:
    given_names = {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}
    assert (HERE.refusal([name], []) is None) == (name.lower() in given_names)


def test_what_a_proxy_goes_by_means_the_server_too() -> None:
    behind = ours("127.0.0.1", 8080, "https://mcp.example.com/bosa", ("Other.example", "third.example:9000"))
    for host in ("mcp.example.com", "mcp.example.com:443", "other.example", "third.example:9000", "localhost:8080"):
        assert behind.refusal([host], []) is None
    for host in ("mcp.example.com:80", "third.example", "other.example:9000"):
        assert behind.refusal([host], [])
    assert behind.refusal(["mcp.example.com"], ["https://mcp.example.com"]) is None
    assert behind.refusal(["mcp.example.com"], ["http://mcp.example.com"])


def test_a_usual_port_needs_no_mention() -> None:
    usual = ours("127.0.0.1", 80, None, ())
    assert usual.refusal(["localhost"], ["http://localhost"]) is None
    assert usual.refusal(["localhost:80"], []) is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_reaches_only_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "example.com", "127.0.0.1.example.com", "127.1"])  # noqa: S104  refused
def test_any_other_host_may_be_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


def test_addresses_are_told_so_that_they_can_be_opened() -> None:
    assert [url_of("127.0.0.1", 80), url_of("::1", 8080)] == ["http://127.0.0.1:80", "http://[::1]:8080"]


@pytest.mark.parametrize("text", ["a.example", "a.example:8443", "10.0.0.1", "[::1]:8080"])
def test_a_host_with_or_without_a_port_is_a_place(text: str) -> None:
    assert is_place(text)
    assert is_url(f"https://{text}/path")


@pytest.mark.parametrize(
    "text", ["", "https://a.example", "a.example/x", "a b", "u@a.example", "a:port", "a:0", "[::1"]
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_place(text)
    assert not is_url(f"https://{text}") or "/" in text


@pytest.mark.parametrize(
    "text", ["mcp.example.com", "ftp://a", "https://u:p@a", "https://a?x", "https://a\n", "https://["]
)
def test_an_address_of_a_server_has_a_scheme_and_nothing_secret(text: str) -> None:
    assert not is_url(text)
