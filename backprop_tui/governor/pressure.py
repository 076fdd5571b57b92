"""How much other programs weigh on the box, followed for as long as a run goes on. Pure.

Two witnesses, as a pause for load that the run causes itself would never end well: of the load average is taken
away what all of backprop's trainings put into it, followed as the kernel follows it; and of the cores that are
busy, those that the trainings keep busy.
"""

from __future__ import annotations

import math

from backprop_tui.governor.load import WINDOW_S


class Pressure:
    """Follows both from one measurement to the next; times are monotonic seconds."""

    def __init__(self, own_load: float, now: float) -> None:
        """`own_load` is backprop's part of the load average now."""
        self._own = own_load
        self._now = now
        self._busy_s: float | None = None
        self.load: float | None = None
        """Others' part of the 1-minute load average; None where that cannot be read."""
        self.cores: float | None = None
        """How many cores others have kept busy since the measurement before; None at the first."""

    def note_tasks(self, now: float, tasks: float) -> None:
        """Take up how many tasks of all trainings want a core; more often than `measure`, as they come and go."""
        kept = math.exp(-max(0.0, now - self._now) / WINDOW_S)
        self._own = self._own * kept + tasks * (1.0 - kept)
        self._now = now

    def measure(self, seconds: float, *, load1: float | None, busy_s: float | None, own_cpu_s: float) -> None:
        """Take up a measurement of the whole box.

        Args:
            seconds: time since the measurement before.
            load1: its 1-minute load average.
            busy_s: how long all cores together have been busy since boot.
            own_cpu_s: CPU time that all trainings together have used since the measurement before.
        """
        self.load = None if load1 is None else max(0.0, load1 - self._own)
        if busy_s is None or self._busy_s is None or seconds <= 0:
            self.cores = None
        else:
            self.cores = max(0.0, (busy_s - self._busy_s - own_cpu_s) / seconds)
        self._busy_s = busy_s
