"""What a person is told when a command fails."""

import errno
from io import UnsupportedOperation
from typing import Final, cast

import typer
from pydantic import ValidationError

from bosa_hub.errors import CannotListen, SetupError
from bosa_mcp.settings import InvalidSettings

_TYPED: Final = {
    "bosa_accounts without arguments": "`bosa-mcp accounts`",
    "GET /users/me": "`bosa-mcp accounts`",
    "GET /connectors/names": "`bosa-mcp tools`",
    "send replace_duplicate: true": "use --replace",
    "The person has to log in": "Log in",
}
"""What a model or an HTTP client is told to do, and what a person types for the same."""


class CommandFailed(Exception):
    """A command could not do what it was asked for; the message is one line that says why."""


def for_people(text: str) -> str:
    """The text with commands in place of what is said to models and HTTP clients."""
    for said, typed in _TYPED.items():
        text = text.replace(said, typed)
    return text


def first(failure: BaseException) -> BaseException:
    """What went wrong first, where a group of tasks went down together."""
    if isinstance(failure, BaseExceptionGroup):
        return first(cast("BaseExceptionGroup[BaseException]", failure).exceptions[0])
    return failure


def told(failure: BaseException) -> tuple[int, str]:
    """The exit code for a failure, and one line that says what to change; any other failure is a fault of ours."""
    if isinstance(failure, typer.TyperException):
        return 2, _with_value(failure.format_message(), failure.__cause__).removeprefix("Invalid value: ")
    if isinstance(failure, typer.Abort):
        if isinstance(failure.__context__, KeyboardInterrupt):
            raise failure.__context__
        return 1, "The input ended before the question was answered: nothing was done."
    if isinstance(failure, (InvalidSettings, SetupError)):
        return 2, str(failure)
    if isinstance(failure, CannotListen):
        return 1, failure.strerror or str(failure)
    if isinstance(failure, UnsupportedOperation) or getattr(failure, "errno", None) == errno.EBADF:
        return 1, "Standard output is closed, so that the result cannot be written."
    if isinstance(failure, (OSError, CommandFailed)):
        return 1, str(failure)
    raise failure


def _with_value(message: str, odd: BaseException | None) -> str:
    """The message with the value that a flag was given and cannot have, which typer leaves out of some."""
    if not isinstance(odd, ValidationError):
        return message
    given, said = repr(str(odd.errors()[0]["input"])[:80]), message.replace("Value error, ", "")
    return said if given in said else f"{said}, got {given}"
