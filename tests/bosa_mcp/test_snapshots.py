"""Each tool of our own connectors, and of small schemas written for one oddity each, as clients are told of it.

A file of snapshots/ is one tool, so that a change of what models read is seen in review. To renew them, remove those
that are meant to change (or all) and run this test: what is missing is written, and the test fails once.
"""

import json
from pathlib import Path

import pytest

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub

from .conftest import Connect, tools
from .scripted_api import Json, ScriptedApi, takes

SNAPSHOTS = Path(__file__).parent / "snapshots"

TEXT: Json = {"type": "string"}
ODDITIES: dict[str, tuple[str, Json]] = {
    "list_nullable": (
        "Optional arguments.",
        takes(a={"anyOf": [TEXT, {"type": "null"}], "default": None, "title": "A"}),
    ),
    "list_referred": (
        "A reference.",
        {**takes(a={"$ref": "#/$defs/A", "type": "object"}), "$defs": {"A": takes("b", b=TEXT)}},
    ),
    "list_recursive": (
        "A tree.",
        {**takes(t={"$ref": "#/$defs/T"}), "$defs": {"T": takes(t={"$ref": "#/$defs/T"}, name=TEXT)}},
    ),
    "get_union": (
        "One of two.",
        takes(a={"oneOf": [takes(kind={"const": "x"}), takes(kind={"const": "y"})], "discriminator": {}}),
    ),
    "get_any": ("Whatever.", takes(a={"type": "any"}, b={})),
    "get_several_types": ("Text or number.", takes(a={"type": ["string", "integer", "null"]})),
    "search_pages": (
        "Pages.\n\n  Args:\n    page: which",
        takes(page={"type": "integer"}, per_page={"type": "integer", "maximum": 100}),
    ),
    "search_selecting": (
        "Selects.",
        takes(response_fields={"type": "array", "items": TEXT}, response_filters={"type": "array", "items": {}}),
    ),
    "search_own_names": ("Names of ours.", takes(response_fields=TEXT, max_items=TEXT, cursor=TEXT)),
    "create_limits": (
        "Limits.",
        takes(
            "n",
            n={"type": "integer", "minimum": 1, "maximum": 9},
            s={"type": "string", "pattern": "^a", "maxLength": 5},
        ),
    ),
    "upload_file": (
        "A file.",
        takes("file", file={"type": "string", "format": "binary", "description": "What to keep."}),
    ),
    "upload_several": (
        "Files.",
        takes(files={"type": "array", "items": {"type": "string", "format": "binary"}}, old={"type": "bytes"}),
    ),
    "update_root_union": ("A root without a type.", {"anyOf": [takes(a=TEXT), takes(b=TEXT)]}),
    "delete_nothing": ("", {}),
    "send_größe": ("Odd name.\u202e", takes(größe=TEXT)),
    "frobnicate": (
        "Nobody knows what it does.",
        takes(a={"type": "string", "x-mcp-header": "A", "examples": ["x"], "deprecated": True}),
    ),
}


def compare(tool: str, definition: Json) -> str | None:
    """What is wrong with this tool's snapshot; one that is missing is written."""
    file = SNAPSHOTS / f"{tool}.json"
    schema = definition["inputSchema"]
    in_order = {key: schema[key] for key in ("type", "properties", "required") if key in schema}  # differs by era
    text = json.dumps({**definition, "inputSchema": in_order | schema}, indent=2, ensure_ascii=False) + "\n"
    if not file.exists():
        file.write_text(text, "utf-8")
        return f"{file.name} was missing and has been written: look at it"
    return None if file.read_text("utf-8") == text else f"{tool} differs from {file.name}"


@pytest.fixture
def oddities(api: ScriptedApi) -> ScriptedApi:
    for action, (docstring, schema) in ODDITIES.items():
        api.offer("odd", action, schema, docstring=docstring)
    return api


async def test_the_tools_are_as_their_snapshots_show_them(
    hub: RunningHub, hub_user: Credentials, oddities: ScriptedApi, connect: Connect
) -> None:
    async with connect(hub.url, credentials=hub_user) as ours, connect(oddities.url) as odd:
        listed = await tools(ours) | await tools(odd)
    wire = {name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for name, tool in listed.items()}
    assert [wrong for name, tool in wire.items() if (wrong := compare(name, tool))] == []
    kept = {file.stem for file in SNAPSHOTS.iterdir()}
    assert kept == wire.keys(), "a snapshot of a tool that there is no more"
