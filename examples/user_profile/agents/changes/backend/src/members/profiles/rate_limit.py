"""A limit on how often one member may do something."""

import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable


class RateLimit:
    """At most ``limit`` uses in any ``seconds`` for each member, counted in this process.

    Args:
        limit: Uses allowed in the window.
        seconds: Length of the sliding window.
        clock: Monotonic seconds.
    """

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: dict[uuid.UUID, deque[float]] = {}

    def seconds_to_wait(self, member: uuid.UUID) -> int:
        """Count a use and return 0, or return after how many whole seconds (1 or more) the next one is allowed."""
        with self._lock:
            now = self._clock()
            uses = self._uses.setdefault(member, deque())
            while uses and uses[0] <= now - self.seconds:
                uses.popleft()
            if len(uses) >= self.limit:
                return max(1, math.ceil(uses[0] + self.seconds - now))
            uses.append(now)
            return 0
