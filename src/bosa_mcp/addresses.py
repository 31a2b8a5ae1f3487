"""Where the server may be reached over HTTP, and under which names: what keeps the web pages of others out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PLACE: Final = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?", re.IGNORECASE)
_USUAL_PORT: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Addresses:
    """The values of Host and Origin that mean this server."""

    hosts: frozenset[str]
    origins: frozenset[str]
    below: str = ""
    """The path under which the outside finds the server, and which the proxy in front of it takes away."""

    def refusal(self, hosts: Iterable[str], origins: Iterable[str]) -> tuple[int, str] | None:
        """The status and reason why a request with these headers is none of ours; None when it is.

        A page of somebody else names itself in Origin; one whose name was made to lead here, in Host.
        """
        named = [host.lower() for host in hosts]
        if len(named) != 1 or named[0] not in self.hosts:
            return 421, "This server does not go by that name: add it to BOSA_ALLOWED_HOSTS, or set BOSA_PUBLIC_URL."
        if any(origin.lower() not in self.origins for origin in origins):
            return 403, "Web pages of another origin may not call this server."
        return None


def ours(host: str, port: int, public_url: str | None, allowed_hosts: Iterable[str]) -> Addresses:
    """What the server goes by: where it listens, where the outside finds it, and what it was told besides."""
    bound = {_at("http", name, port) for name in {host.lower(), *_LOOPBACK}}
    places = {("http", place) for place in bound}
    places |= {(scheme, place.lower()) for place in allowed_hosts for scheme in ("http", "https")}
    if public_url:
        outside = urlsplit(public_url)
        port = outside.port or _USUAL_PORT[outside.scheme]
        places.add((outside.scheme, _at(outside.scheme, outside.hostname or "", port)))
    return Addresses(
        hosts=frozenset(spelled for scheme, place in places for spelled in _spellings(scheme, place)),
        origins=frozenset(f"{scheme}://{place}" for scheme, place in places),
        below=unquote(urlsplit(public_url or "").path.rstrip("/")),
    )


def bare(host: str) -> str:
    """The host without the brackets that an address of IPv6 has in a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on this host."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_everywhere(host: str) -> bool:
    """Whether this host stands for every address of the machine, and so is no name to call it by."""
    try:
        return not host or ip_address(host).is_unspecified
    except ValueError:
        return False


def url_of(host: str, port: int) -> str:
    """The address to tell people."""
    return f"http://{_in_url(host)}:{port}"


def outside(url: str, public_url: str | None, allowed_hosts: Sequence[str]) -> str:
    """Where people find the server that listens at `url`: by the name that it was given, where it has none itself."""
    if public_url or not is_everywhere(urlsplit(url).hostname or "") or not allowed_hosts:
        return public_url or url
    return f"http://{allowed_hosts[0]}"


def is_place(text: str) -> bool:
    """Whether this is a host, with or without a port, as it stands in the header Host."""
    return bool(_PLACE.fullmatch(text))


def is_url(text: str) -> bool:
    """Whether this is the address of a server."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    extras = parts.query or parts.fragment
    return parts.scheme in _USUAL_PORT and is_place(parts.netloc) and not extras and text.isprintable()


def _at(scheme: str, host: str, port: int) -> str:
    """The host as a browser spells it: without the usual port."""
    return _in_url(host) if port == _USUAL_PORT[scheme] else f"{_in_url(host)}:{port}"


def _spellings(scheme: str, place: str) -> Iterable[str]:
    """The host as other clients may spell it."""
    yield place
    if not urlsplit(f"//{place}").port:
        yield f"{place}:{_USUAL_PORT[scheme]}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
