"""Keeps a run's output within its cap: the middle that has been read is given back to the disk."""

from __future__ import annotations

from backprop_tui.model.run import Gap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.engines.base import Engine
    from backprop_tui.supervisor.recorder import Recorder

BLOCK = 64 * 1024
"""Of every filesystem's blocks a whole number: a part of one would be overwritten with zeros instead."""


class LogCap:
    """The beginning of the output is kept (a quarter of the cap), and its end (half of it and more)."""

    def __init__(self, engine: Engine, recorder: Recorder, cap_bytes: float | None) -> None:
        """`cap_bytes` None keeps everything."""
        self._engine = engine
        self._recorder = recorder
        self._cap = cap_bytes
        self._can_free = True

    def keep(self) -> None:
        """Free what is too much by now."""
        if self._cap is None or not self._can_free:
            return
        run = self._recorder.run
        gap = run.log_gap
        freed = gap.end - gap.start if gap else 0
        if run.output_bytes - freed <= self._cap:
            return
        start = gap.start if gap else -(-int(self._cap / 4) // BLOCK) * BLOCK
        end = int(run.output_bytes - self._cap / 2) // BLOCK * BLOCK
        if end <= (gap.end if gap else start):
            return
        # Said before it is done: readers must never take the zeros for output.
        self._recorder.amend(log_gap=Gap(start=start, end=end))
        self._recorder.flush(force=True)
        if self._engine.free(gap.end if gap else start, end):
            if gap is None:
                self._recorder.event("log_freed", start=start, cap=int(self._cap))
            return
        self._can_free = False
        self._recorder.amend(log_gap=gap)
        size = f"{run.output_bytes / 1024**2:,.0f} MB, more than maxLogMB"
        self._recorder.warn(f"output.log has grown to {size}: this filesystem cannot free its middle")
