"""What the server says about itself, on standard error: standard output belongs to the protocol."""

import logging
import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from structlog.typing import Processor

_QUIET = ("httpx", "httpcore", "mcp", "uvicorn", "anyio", "asyncio")
"""Libraries of which only warnings are wanted: httpx logs every address at info."""


def configure(style: Literal["pretty", "json"], level: str) -> None:
    """Sends the log, that of libraries included, to standard error."""
    import structlog  # noqa: PLC0415  it brings rich, which takes a while to import

    shared: list[Processor] = [
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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(style)],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def _renderers(style: Literal["pretty", "json"]) -> "list[Processor]":
    import structlog  # noqa: PLC0415  as above

    if style == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # plain tracebacks: rich ones would print local variables, tokens among them
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
