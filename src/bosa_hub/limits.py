"""How often a client may ask: a bucket of tokens each, which fills up with time."""

import math
import time
from dataclasses import dataclass, field

from bosa_hub.errors import RateLimited

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens left at a moment; each request takes one."""

    tokens: float
    at: float


def take(bucket: Bucket | None, per_minute: int, now: float) -> tuple[Bucket, float]:
    """The bucket after a request, and the seconds to wait before it may be made: 0 when it was.

    A bucket holds a minute's worth, and is full at first: None.
    """
    known = bucket or Bucket(per_minute, now)
    gained = max(0.0, now - known.at) * per_minute / _MINUTE
    tokens = min(float(per_minute), known.tokens + gained)
    if tokens >= 1:
        return Bucket(tokens - 1, now), 0
    return Bucket(tokens, now), (1 - tokens) * _MINUTE / per_minute


@dataclass(frozen=True, slots=True)
class Limits:
    """The clients of one process, each with so many requests a minute; None for as many as they like."""

    per_minute: int | None
    _buckets: dict[str, Bucket] = field(default_factory=dict[str, Bucket], init=False, repr=False)

    def count(self, client_id: str) -> None:
        """One more request of this client.

        Raises:
            RateLimited: It has to wait.

        """
        if self.per_minute is None:
            return
        self._buckets[client_id], wait = take(self._buckets.get(client_id), self.per_minute, time.monotonic())
        if wait:
            seconds = math.ceil(wait)
            message = f"This client may make {self.per_minute} requests a minute. Try again in {seconds} s."
            raise RateLimited(message, seconds)
