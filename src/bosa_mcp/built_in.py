"""The built-in tools, which are no actions of the API: on linked accounts, and to read what is kept."""

from collections.abc import Mapping
from typing import Final, Literal

import mcp_types as types

from bosa_connectors import schema
from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, nearest
from bosa_connectors.signs import number
from bosa_mcp import resources
from bosa_mcp.access import Caller
from bosa_mcp.accounts import Account, acting
from bosa_mcp.arguments import repaired
from bosa_mcp.linking import Linking
from bosa_mcp.results import Refusal
from bosa_mcp.store import Store
from bosa_mcp.table import Table
from bosa_mcp.tickets import LASTING, Ticket
from bosa_mcp.tools import Offer, annotate

CONNECTOR: Final = "bosa"
"""What stands before the names of these tools."""
_HINT: Final = 500
_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 200}


def _offer(
    name: str,
    does: Literal["read", "create", "delete"],
    title: str,
    description: str,
    *required: str,
    **properties: object,
) -> Offer:
    takes = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    action = Action(CONNECTOR, name, "", description, takes, stated_effect=does)
    listed = {key: value for key, value in takes.items() if value != []}
    tool = types.Tool(
        name=f"{CONNECTOR}_{name}",
        title=title,
        description=description,
        input_schema=listed,
        annotations=annotate(action),
    )
    size = len(tool.model_dump_json(by_alias=True, exclude_none=True).encode())
    return Offer(tool, action, "", size=size, is_ours=True)


ACCOUNTS: Final = _offer(
    "accounts",
    "read",
    "Linked accounts",
    "List the accounts that the person has linked, by connector, and which of them acts where a call names none.",
    connector=_NAME,
)
CONNECT: Final = _offer(
    "connect",
    "create",
    "Link an account",
    "Get a link by which the person links an account to a connector. Give them the link; passwords and keys are entered"
    " there, never here. It is good once, for ten minutes. With replace, an account that is linked already is linked"
    " anew.",
    "connector",
    connector=_NAME,
    replace={"type": "boolean"},
)
DISCONNECT: Final = _offer(
    "disconnect",
    "delete",
    "Remove an account",
    "Remove a linked account: its tools can no longer act for it.",
    "connector",
    "account",
    connector=_NAME,
    account=_NAME,
)
READ: Final = _offer(
    "read",
    "read",
    "Read what is kept",
    "Read the text of a file (bosa://files/{id}), or of a result that was too large (bosa://results/{id}), from offset"
    " on, in bytes; next goes on.",
    "uri",
    uri={"type": "string", "maxLength": 200},
    offset={"type": "integer", "minimum": 0},
)
OURS: Final = (ACCOUNTS, CONNECT, DISCONNECT, READ)


async def read(store: Store, sent: Mapping[str, object], caller: Caller, room: int) -> dict[str, object]:
    """The content of the result that is a part of what is kept. Raises BosaError and Refusal."""
    sent = _checked(READ, sent)
    uri = str(sent["uri"])
    part = await resources.part(store, caller, uri, number(sent.get("offset")), room)
    following = {"next": {"arguments": {"uri": uri, "offset": part.ends}}} if part.ends < part.kept.size else {}
    data = {"name": part.kept.name, "size": part.kept.size, "offset": part.begins, "text": part.text}
    return {"data": data, "meta": None, **following}


async def carry_out(
    linking: Linking, offer: Offer, sent: Mapping[str, object], table: Table, caller: Caller
) -> dict[str, object]:
    """The content of the result. Raises BosaError and Refusal."""
    sent = _checked(offer, sent)
    connector = str(sent.get("connector", ""))
    if offer is ACCOUNTS:
        return {"data": await overview(linking, connector, table, caller), "meta": None}
    check_there(connector, table)
    if offer is CONNECT:
        ticket = await linking.link(caller, connector, replaces=sent.get("replace") is True)
        return {"data": told(ticket), "meta": None, "notes": [_NEXT]}
    return await _removed(linking, connector, str(sent["account"]), caller)


def _checked(offer: Offer, sent: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments, repaired where they are wrong. Raises InvalidArguments."""
    try:
        schema.check(offer.action, sent)
    except InvalidArguments as wrong:
        return repaired(offer.action, sent, wrong)
    return sent


def check_there(connector: str, table: Table) -> None:
    """Raises Refusal where the API is known to have no connector of this name."""
    if not table.listed or connector in {*table.listed, *table.missing, *table.unwanted}:
        return
    near = nearest(connector, table.listed)
    hint = f"Did you mean {near}?" if near else f"There are {', '.join(sorted(table.listed))}."
    raise Refusal("not_found", f"There is no connector {connector[:100]!r} here.", hint[:_HINT])


_NEXT: Final = "Give the person the link. When they are done, call the tool that needs the account again."


def told(ticket: Ticket) -> dict[str, object]:
    """A link, as a model gets it."""
    how = "at the service" if ticket.purpose.schema is None else "on a form"
    return {"connector": ticket.purpose.connector, "how": how, "url": ticket.url, "minutes": int(LASTING // 60)}


async def overview(
    linking: Linking, connector: str, table: Table, caller: Caller
) -> dict[str, list[dict[str, object]]]:
    """The accounts of one connector, or of each. Raises BosaError, and Refusal where there is no such connector."""
    person = await linking.accounts.person(caller)
    found: dict[str, list[Account]] = {name: [] for name, each in table.listed.items() if each.has_accounts}
    for account in person.accounts:
        if linking.wants(account.connector):
            found.setdefault(account.connector, []).append(account)
    if connector and connector not in found:
        check_there(connector, table)
        raise Refusal(
            "not_found", f"No accounts are linked to {connector[:100]!r}.", "bosa_accounts without arguments lists all."
        )
    wanted = {connector: found[connector]} if connector else dict(sorted(found.items()))
    named = caller.credentials.account
    return {name: [_told(each, acting(mine, named)) for each in mine] for name, mine in wanted.items()}


def _told(account: Account, acts: Account | None) -> dict[str, object]:
    status = {"status": account.status} if account.status else {}
    return {"account": account.name, "acts": account == acts, **status}


async def _removed(linking: Linking, connector: str, account: str, caller: Caller) -> dict[str, object]:
    trouble = await linking.remove(caller, connector, account)
    if trouble:
        raise Refusal("not_found", trouble, "bosa_accounts lists the accounts that are linked.")
    return {"data": {"connector": connector, "account": account, "removed": True}, "meta": None}
