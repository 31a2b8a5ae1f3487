"""How each MCP client is told of a server: values, from what is known of the command and its settings."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Name: TypeAlias = Literal["claude-desktop", "claude-code", "vscode", "cursor", "copilot"]
SERVER: Final = "bosa"


@dataclass(frozen=True, slots=True)
class Server:
    """What a client starts."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    """Variables whose values are not written down."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client's way to say it."""

    places: Mapping[str, str]
    """Where its file lies, by `sys.platform`; `` for all others."""
    placeholder: Callable[[str], str]
    """What stands for the value of a variable."""
    advice: str
    """Where the value comes from."""
    type: str | None = "stdio"

    def place(self, platform: str) -> str:
        """Where its file lies on this system."""
        return self.places.get(platform, self.places[""])


CLIENTS: Final[Mapping[Name, Client]] = {
    "claude-desktop": Client(
        {
            "": "~/.config/Claude/claude_desktop_config.json",
            "darwin": "~/Library/Application Support/Claude/claude_desktop_config.json",
            "win32": r"%APPDATA%\Claude\claude_desktop_config.json",
        },
        "<your {}>".format,
        "write the value in place of <…> into that file; a key or token may be left out there, and stand in"
        " bosa-mcp.toml in the data folder (mode 0600)",
        type=None,
    ),
    "claude-code": Client(
        {"": ".mcp.json in a project"},
        "${{{}}}".format,
        "set the variable where Claude Code starts: it puts the value in",
    ),
    "vscode": Client(
        {
            "": "~/.config/Code/User/mcp.json, or .vscode/mcp.json in a folder",
            "darwin": "~/Library/Application Support/Code/User/mcp.json, or .vscode/mcp.json in a folder",
            "win32": r"%APPDATA%\Code\User\mcp.json, or .vscode\mcp.json in a folder",
        },
        lambda variable: f"${{input:{_input(variable)}}}",
        "VS Code asks for the value at the first start, and keeps it safe",
    ),
    "cursor": Client(
        {"": "~/.cursor/mcp.json", "win32": r"%USERPROFILE%\.cursor\mcp.json"},
        "${{env:{}}}".format,
        "set the variable where Cursor starts: it puts the value in",
    ),
    "copilot": Client(
        {"": "~/.copilot/mcp-config.json", "win32": r"%USERPROFILE%\.copilot\mcp-config.json"},
        "${{{}}}".format,
        "set the variable where Copilot starts: it puts the value in",
        type="local",
    ),
}


def configuration(name: Name, server: Server) -> dict[str, object]:
    """What belongs into the client's file."""
    client = CLIENTS[name]
    env = {**server.env, **{variable: client.placeholder(variable) for variable in server.secrets}}
    entry = {"command": server.command, "args": list(server.args), "env": env}
    if client.type:
        entry = {"type": client.type, **entry}
    if name == "vscode":
        asked = {"inputs": [_asks_for(variable) for variable in server.secrets]} if server.secrets else {}
        return {**asked, "servers": {SERVER: entry}}
    if name == "copilot":
        entry = {**entry, "tools": ["*"]}
    return {"mcpServers": {SERVER: entry}}


def claude_line(server: Server) -> str:
    """The line that adds the server to Claude Code; the shell puts in the values of secrets."""
    given = [shlex.quote(f"{name}={value}") for name, value in server.env.items()]
    given += [f'{variable}="${variable}"' for variable in server.secrets]
    env = "".join(f"--env {each} " for each in given)
    command = shlex.join([server.command, *server.args])
    # not the name right behind --env, which takes all that follows for variables
    return f"claude mcp add {env}--transport stdio {SERVER} -- {command}"


def _input(variable: str) -> str:
    return variable.lower().replace("_", "-")


def _asks_for(variable: str) -> dict[str, object]:
    return {"type": "promptString", "id": _input(variable), "description": variable, "password": True}
