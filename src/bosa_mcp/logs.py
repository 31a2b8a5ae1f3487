"""What the server says about itself, on standard error: standard output belongs to the protocol."""

import logging
import os
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Literal

from bosa_mcp import redaction
from bosa_mcp.imports import without_rich
from bosa_mcp.invisible import plain
from bosa_mcp.log_writer import Backlog

if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

_QUIET: Final = ("httpx", "httpcore", "mcp", "uvicorn", "anyio", "asyncio")
"""Libraries of which only warnings are wanted: httpx logs every address at info."""

_READER: Final = "mcp.server.sse"
"""Whose tracebacks hold what clients send."""


def configure(style: Literal["pretty", "json"], level: str, secrets: Collection[str] = ()) -> None:
    """Sends the log, that of libraries included, to standard error, without `secrets` and whatever looks like one."""
    with without_rich():
        import structlog  # noqa: PLC0415  it takes a while to import

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # plain text: rich tracebacks would print local variables
                _redacting(secrets),
                _renderer(structlog, style),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    reader = logging.getLogger(_READER)
    reader.removeFilter(_no_content)
    reader.addFilter(_no_content)
    sys.excepthook = _told


def _handler() -> logging.Handler:
    """Where lines go: to standard error, and not by way of the thread that logs where that could have to wait."""
    try:
        return Backlog(sys.stderr.fileno())
    except (OSError, ValueError):  # a text in memory, as tests of commands have it
        return logging.StreamHandler(sys.stderr)


def _redacting(secrets: Collection[str]) -> "Processor":
    """Cleans each event, whoever wrote it, right before it is rendered."""

    def redact(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
        cleaned = {name: redaction.clean_named(name, value, secrets) for name, value in event.items()}
        return {name: _plain(value) for name, value in cleaned.items()}

    return redact


def _plain(value: object) -> object:
    """The value without what would steer a terminal; in lists and objects it is escaped anyway."""
    return plain(value) if isinstance(value, str) else value


def _no_content(record: logging.LogRecord) -> bool:
    """Lets a line of the MCP library through without its traceback, which quotes the message that it could not read."""
    record.exc_info = record.exc_text = None
    return True


def _renderer(structlog: "ModuleType", style: Literal["pretty", "json"]) -> "Processor":
    if style == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=True)
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and not is_colourless(), exception_formatter=plain)


def is_colourless() -> bool:
    """Whether whoever looks wants no colours: https://no-color.org, or a terminal without any."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def _told(kind: type[BaseException], failure: BaseException, trace: "TracebackType | None") -> None:
    """A fault of ours that ends the process goes through the log as well."""
    logging.getLogger("bosa_mcp").critical("bosa-mcp failed", exc_info=(kind, failure, trace))
