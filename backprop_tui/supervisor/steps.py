"""When a training was at which step, as far as its output was read. Pure."""

from __future__ import annotations

_KEPT = 1024
_LATE_S = 0.05
"""By so much, on average, what is printed is known later than it was printed."""


class StepTimes:
    """The newest moments at which the step was known to have moved on."""

    def __init__(self) -> None:
        self._known: list[tuple[float, int]] = []

    def note(self, epoch: float, step: int | None) -> None:
        """The step is this one now, epoch seconds."""
        if step is None or (self._known and self._known[-1][1] == step):
            return
        self._known.append((epoch, step))
        if len(self._known) > _KEPT:
            del self._known[: _KEPT // 2]

    def at(self, epoch: float) -> int | None:
        """The step at a time; None for a time before the first that is remembered."""
        return next((step for t, step in reversed(self._known) if t <= epoch + _LATE_S), None)
