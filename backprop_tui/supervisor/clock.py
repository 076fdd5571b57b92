"""The two clocks a supervisor reads: one for limits, one for records."""

from __future__ import annotations

import time


class Clock:
    """The machine's clocks; tests put a manual one in this place."""

    def monotonic(self) -> float:
        """Seconds that never go back: for limits and durations."""
        return time.monotonic()

    def epoch(self) -> float:
        """Seconds since 1970: for records."""
        return time.time()
