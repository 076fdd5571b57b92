"""How much of the load average is backprop's own.

The kernel's 1-minute load average is a smoothed count of runnable tasks, brought up to date every 5 s:
load = load * e^(-5/60) + runnable * (1 - e^(-5/60)).
"""

from __future__ import annotations

import math

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import Lease

MINUTE_S = 60.0
TICK_S = 5.0
STARTING_S = 10.0
"""While this young, a run's supervisor wants a processor as well."""


class Residue(Frozen):
    """What ended runs left in the load average."""

    load: float
    t: float
    """As of this epoch second; it fades from there."""

    def at(self, now: float) -> float:
        """What is left of it."""
        return self.load * math.exp(-max(0.0, now - self.t) / MINUTE_S)


def own_load(leases: Sequence[Lease], residue: Residue, now: float, starting: int) -> float:
    """What backprop's own processes add to the 1-minute load average, rather too much than too little.

    Args:
        leases: the living runs.
        residue: of those that ended.
        now: epoch seconds.
        starting: how many backprop processes without a lease there are.
    """
    return (
        sum(contribution(lease, now) for lease in leases)
        + residue.at(now)
        + starting * _share(TICK_S)
    )


def contribution(lease: Lease, now: float) -> float:
    """What one run has added to the load average since it started."""
    age_s = max(0.0, now - lease.since)
    tasks = lease.runnable + (1.0 if age_s < STARTING_S else 0.0)
    # One tick more than its age: the kernel may have counted it a moment ago for the whole tick.
    return tasks * _share(age_s + TICK_S)


def after_end(residue: Residue, lease: Lease, now: float) -> Residue:
    """The residue once this run has ended."""
    return Residue(load=residue.at(now) + contribution(lease, now), t=now)


def _share(age_s: float) -> float:
    return 1.0 - math.exp(-age_s / MINUTE_S)
