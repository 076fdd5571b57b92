"""Bounds the time that a person's regular expression may take on one line."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

TICK_S = 0.1
"""Of the process's own CPU time: it wakes nothing that rests."""


class Impatience:
    """Interrupts a function that is still in the same call after one to two ticks; by a TimeoutError inside it.

    `re` looks for signals while it matches. Only the main thread gets them.
    """

    def __init__(self, code: CodeType) -> None:
        """`code` is the function that may be interrupted; it must change nothing."""
        self._code = code
        self._seen: FrameType | None = None
        self._before = signal.signal(signal.SIGVTALRM, self._tick)
        signal.setitimer(signal.ITIMER_VIRTUAL, TICK_S, TICK_S)

    def _tick(self, _number: int, frame: FrameType | None) -> None:
        is_there = frame is not None and frame.f_code is self._code
        if is_there and frame is self._seen:
            self._seen = None
            raise TimeoutError("the pattern takes too long on this line")
        self._seen = frame if is_there else None

    def close(self) -> None:
        """No more ticks."""
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, self._before)
        self._seen = None
