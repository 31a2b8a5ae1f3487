"""The page that people read: every action with its schemas, and a form to try it."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bosa_hub.plugin import Connector, about
from bosa_hub.schema import Schema


def docs_route(connectors: Iterable[Connector], listed: Mapping[str, Mapping[str, Schema]]) -> Route:
    """Where the page is. It is made once; keys and tokens never leave the browser but in the calls it makes."""
    style, script = _part("docs.css"), _part("docs.js")
    own = {connector.name: _shown(connector, listed[connector.name]) for connector in connectors}
    page = _filled(_part("docs.html"), {"style": style, "script": script, "listing": _in_html(own)})
    headers = {
        "Content-Security-Policy": _policy(style, script),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    async def docs(_request: Request) -> Response:
        return Response(page, headers=headers, media_type="text/html")

    return Route("/docs", docs, methods=["GET"])


def _shown(connector: Connector, items: Mapping[str, Schema]) -> Mapping[str, object]:
    has_accounts = bool(connector.configuration or connector.oauth2)
    return {"about": about(connector), "has_accounts": has_accounts, "actions": items}


def _part(name: str) -> str:
    return (files("bosa_hub") / "page" / name).read_text("utf-8")


def _filled(page: str, parts: Mapping[str, str]) -> str:
    """The page with its parts; what stands in a part is never taken for a gap."""
    head, *rest = page.split("{")
    gaps = (piece.split("}", 1) for piece in rest)
    return head + "".join(parts[name] + after for name, after in gaps)


def _in_html(value: object) -> str:
    """The value as JSON that no HTML parser takes for the end of its element."""
    return to_json(value, inf_nan_mode="null").decode().replace("<", "\\u003c")


def _policy(style: str, script: str) -> str:
    """Only this style and this script, no other host, no form that navigates, no frame around it."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
