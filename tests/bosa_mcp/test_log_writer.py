"""Lines of the log that nobody reads."""

import logging
import os

from bosa_mcp.log_writer import MOST, Backlog


def test_hold_up_nobody_and_those_that_are_dropped_are_counted() -> None:
    reading, writing = os.pipe()
    handler = Backlog(writing)
    line = logging.LogRecord("bosa_mcp", logging.INFO, "", 0, "x" * 100, None, None)
    for _ in range(2 * MOST):  # twenty times what a pipe holds
        handler.emit(line)
    said = b""
    while b"were dropped here" not in said:
        said += os.read(reading, 1 << 16)
    lines = said.splitlines()
    dropped = next(int(each.split()[0]) for each in lines if b"were dropped here" in each)
    assert 0 < dropped <= MOST
    os.close(reading)
    handler.flush()
    os.close(writing)


def test_are_all_there_in_order_once_they_are_read() -> None:
    reading, writing = os.pipe()
    handler = Backlog(writing)
    for number in range(100):
        handler.emit(logging.LogRecord("bosa_mcp", logging.INFO, "", 0, f"line {number}", None, None))
    handler.flush()
    assert os.read(reading, 1 << 16).decode().splitlines() == [f"line {number}" for number in range(100)]
    os.close(reading)
    os.close(writing)
