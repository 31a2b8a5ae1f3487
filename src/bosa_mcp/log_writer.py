"""Lines of the log on their way out, in a thread of their own: whoever does not read them holds up nobody."""

import logging
import os
import time
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

MOST: Final = 10_000
"""Lines that wait at most. What comes after them is dropped, and counted."""
_GATHERING: Final = 0.01
"""Seconds in which further lines are gathered, so that one write takes them all."""
LAST: Final = 1.0
"""Seconds that the last lines get at the end of the process."""


class Backlog(logging.Handler):
    """Writes to a file descriptor, beneath every buffer: a lock on one, held by a write that hangs, outlives all else.

    A line is rendered by whoever logs it, for what it tells of may be another thing a moment later.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: SimpleQueue[bytes | Event] = SimpleQueue()
        self._is_begun = False
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Takes the line, or drops it where too many wait."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        except Exception:  # noqa: BLE001  as every handler does
            self.handleError(record)
            return
        if self._waiting.qsize() >= MOST:
            self._dropped += 1
            return
        self._waiting.put(line)
        if not self._is_begun:
            self._is_begun = True
            Thread(target=self._write_all, name="bosa-mcp log", daemon=True).start()

    def flush(self) -> None:
        """Returns once all lines are written, within a second."""
        if self._is_begun:
            written = Event()
            self._waiting.put(written)
            written.wait(LAST)

    def _write_all(self) -> None:
        told = 0
        while True:
            lines, events = self._taken()
            if dropped := self._dropped - told:
                lines.append(b"%d lines of the log were dropped here: they were not read in time\n" % dropped)
                told += dropped
            self._write(b"".join(lines))
            for written in events:
                written.set()

    def _taken(self) -> tuple[list[bytes], list[Event]]:
        """All that waits, and at least one thing."""
        taken = [self._waiting.get()]
        time.sleep(_GATHERING)  # to wake up for each line would hold up whoever logs
        try:
            while len(taken) < MOST:
                taken.append(self._waiting.get_nowait())
        except Empty:
            pass
        lines = [each for each in taken if isinstance(each, bytes)]
        return lines, [each for each in taken if isinstance(each, Event)]

    def _write(self, text: bytes) -> None:
        """Writes what can be written: where the reader is gone, there is nobody to tell."""
        try:
            while text:
                text = text[os.write(self._descriptor, text) :]
        except OSError:
            pass
