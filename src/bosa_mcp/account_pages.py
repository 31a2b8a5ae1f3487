"""The web pages on which a person links an account: the form for a configuration, and where a service leads back to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bosa_connectors.errors import BosaError
from bosa_mcp import connect_page, questions
from bosa_mcp.linking import CONNECT, CONNECTED, Linking, Wrong
from bosa_mcp.questions import Question
from bosa_mcp.results import Refusal
from bosa_mcp.tickets import BadTicket, Ticket

LARGEST: Final = 256 * 1024
"""Bytes of a form that is sent."""
_FORM: Final = "application/x-www-form-urlencoded"
_CONSENT: Final = "consent"
"""In the query: the person would rather agree at the service."""


class _BadForm(Exception):
    """What was sent is not the page's form."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The pages of a server."""

    linking: Linking

    def routes(self) -> Sequence[Route]:
        """Where they are."""
        return [
            Route(f"/{CONNECT}/{{ticket}}", self.connect, methods=["GET", "POST"]),
            Route(f"/{CONNECTED}/{{ticket}}", self.connected, methods=["GET"]),
        ]

    async def connect(self, request: Request) -> Response:
        """The form, or what came of it."""
        try:
            ticket = self.linking.tickets.find(request.path_params["ticket"])
            if ticket.purpose.schema is None or _CONSENT in request.query_params:
                return await self._to_service(ticket)
            asked = questions.questions(ticket.purpose.schema)
            if request.method != "POST":
                return self._form(ticket, asked)
            return await self._filled_in(ticket, asked, await _sent(request))
        except BadTicket as bad:
            return _of_no_use(bad)
        except _BadForm as bad:
            return _page(connect_page.notice("This is not the form", str(bad), tone="bad"), 400)

    async def connected(self, request: Request) -> Response:
        """What the person is told who comes back from the service."""
        try:
            ticket = self.linking.tickets.find(request.path_params["ticket"])
        except BadTicket as bad:
            return _of_no_use(bad)
        landing = await self.linking.landed(ticket, request.query_params)
        connector = ticket.purpose.connector
        if landing.is_linked:
            return _page(connect_page.notice(f"{connector} is connected", landing.message, _BACK, tone="good"))
        return _page(connect_page.notice(f"{connector} is not connected", landing.message, tone="bad"))

    async def _to_service(self, ticket: Ticket) -> Response:
        try:
            url = await self.linking.consent(ticket)
        except (BosaError, Refusal) as failure:
            return _page(connect_page.notice("The service cannot be asked", str(failure), tone="bad"), 502)
        return RedirectResponse(url, 303, connect_page.HEADERS)

    def _form(
        self,
        ticket: Ticket,
        asked: list[Question],
        given: Mapping[str, str] | None = None,
        wrong: Wrong | None = None,
    ) -> Response:
        it, problem = ticket.purpose, wrong or Wrong()
        page = connect_page.form(
            it.connector,
            it.who,
            urlsplit(self.linking.connector.api_base_url).netloc,
            asked,
            given=given or {},
            by_question=problem.by_question,
            others=problem.others,
            instead=f"?{_CONSENT}" if it.by_consent else None,
            may_replace=problem.is_duplicate,
        )
        return _page(page, 422 if wrong else 200)

    async def _filled_in(self, ticket: Ticket, asked: list[Question], sent: Mapping[str, str]) -> Response:
        names = {connect_page.field_name(number): question.name for number, question in enumerate(asked)}
        given = {question.name: "" for question in asked} | {
            names[key]: sent[key] for key in names.keys() & sent.keys()
        }
        replaces = ticket.purpose.replaces or connect_page.REPLACE in sent
        linked = await self.linking.fill_in(ticket, asked, given, replaces=replaces)
        if isinstance(linked, Wrong):
            if ticket.state == "used":
                return _page(connect_page.notice("It is not known what happened", *linked.others, tone="bad"), 502)
            return self._form(ticket, asked, given, linked)
        title = f"{ticket.purpose.connector} is connected"
        return _page(connect_page.notice(title, linked.message, _BACK, tone="good"))


_BACK: Final = "Go back to where you came from: it can be used there now."


def _of_no_use(bad: BadTicket) -> Response:
    return _page(connect_page.notice("This link is of no use", str(bad), tone="bad"), bad.status)


async def _sent(request: Request) -> dict[str, str]:
    """What a form sends; its names are never those of a connector's."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise _BadForm("Open the link in a browser, and send the form that is there.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise _BadForm(f"It holds more than {LARGEST:,} bytes.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise _BadForm("It cannot be read.") from None
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, connect_page.HEADERS)
