"""How much of the box's load average is backprop's own.

The kernel takes the number of runnable tasks every 5 s into an exponential average of one minute, so that a
task which began to run `a` seconds ago counts 1 - exp(-a/60) by now, and one that ended fades as exp(-a/60).
"""

from __future__ import annotations

import math

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import Lease

WINDOW_S = 60.0
TICK_S = 5.0
"""A task that starts just before the kernel looks counts as if it had run for a whole tick."""
SUPERVISOR_BUSY_S = 10.0
"""For so long after a start the supervisor itself counts as a task; later it sleeps."""
_MOST_TASKS = 1e6


class Residue(Frozen):
    """What ended runs had left in the load average at one moment."""

    load: float
    t: float
    """Epoch seconds."""


def own_load(leases: Sequence[Lease], residue: Residue, now: float, waiting: int) -> float:
    """backprop's part of the 1-minute load average.

    Args:
        leases: of the runs that are going.
        residue: of those that have ended.
        now: epoch seconds.
        waiting: other backprop processes that are starting, each taken to be a tick old.
    """
    going = sum(contribution(lease, now) for lease in leases)
    return going + faded(residue, now) + waiting * _risen(TICK_S)


def contribution(lease: Lease, now: float) -> float:
    """The part of one run that is going."""
    age_s = max(0.0, now - lease.since)
    tasks = lease.runnable if 0.0 <= lease.runnable <= _MOST_TASKS else 1.0
    if age_s < SUPERVISOR_BUSY_S:
        tasks += 1.0
    return tasks * _risen(age_s)


def after_end(residue: Residue, lease: Lease, now: float) -> Residue:
    """The residue once this run has ended as well."""
    return Residue(load=faded(residue, now) + contribution(lease, now), t=now)


def faded(residue: Residue, now: float) -> float:
    """What is still left of a residue."""
    if not 0.0 < residue.load <= _MOST_TASKS:
        return 0.0
    return residue.load * math.exp(-max(0.0, now - residue.t) / WINDOW_S)


def _risen(age_s: float) -> float:
    return 1.0 - math.exp(-(age_s + TICK_S) / WINDOW_S)
