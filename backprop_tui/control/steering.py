"""Orders for the whole box: drain and yield, and whom they concern."""

from __future__ import annotations

import time

from backprop_tui import paths
from backprop_tui.control.requesting import who_asks
from backprop_tui.errors import BackpropError
from backprop_tui.frozen import Frozen
from backprop_tui.store.home import Home
from backprop_tui.supervisor.desk import open_desk
from backprop_tui.supervisor.steering import OrderBook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.samples import Lease

YIELD_S = 30 * 60.0


class Concerned(Frozen):
    """A run that has started, on this box, in any home of this user."""

    run_id: str
    name: str
    home: str
    gpus: tuple[str, ...]
    saved_t: float | None
    """When its newest good checkpoint was saved, epoch seconds; None without one."""
    is_known: bool = True
    """Its record could be read: without one there is no telling what it has saved."""


class Steered(Frozen):
    """What was ordered, or would be."""

    verb: str
    """drain or yield."""
    is_on: bool
    was_on: bool
    until: float | None
    """Of a yield, epoch seconds."""
    runs: tuple[Concerned, ...]
    """Those that have started."""
    waiting: int
    """Runs in the queue."""


def drain(*, on: bool, is_dry: bool = False) -> Steered:
    """Let slices finish and none start on this box, or with on=False let them start again.

    Args:
        on: give the order, or take it back.
        is_dry: only say what would be.

    Raises:
        StoreError: the admission folder cannot be used.
    """
    orders = OrderBook(paths.admission_dir())
    told = _steered("drain", on=on, was_on=orders.drain is not None, until=None)
    if not is_dry:
        if on:
            orders.set_drain(who_asks())
        else:
            orders.end_drain()
    return told


def yield_(*, on: bool, seconds: float = YIELD_S, is_dry: bool = False) -> Steered:
    """Let all runs save, stop and come back by themselves in so many seconds, or with on=False now; as `drain`."""
    orders, now = OrderBook(paths.admission_dir()), time.time()
    until = now + seconds if on else None
    told = _steered("yield", on=on, was_on=orders.yielding(now) is not None, until=until)
    if not is_dry:
        if until is not None:
            orders.set_yield(who_asks(), until)
        else:
            orders.end_yield()
    return told


def still_held(told: Steered) -> tuple[Concerned, ...]:
    """Those of the runs that have not given back what they hold."""
    desk = open_desk("none")
    held = {(lease.run_id, lease.home) for lease in desk.leases()}
    return tuple(run for run in told.runs if (run.run_id, run.home) in held)


def is_in_force(told: Steered) -> bool:
    """Whether the order still holds, that is nobody has taken it back."""
    orders = OrderBook(paths.admission_dir())
    return (orders.drain if told.verb == "drain" else orders.yielding(time.time())) is not None


def _steered(verb: str, *, on: bool, was_on: bool, until: float | None) -> Steered:
    desk = open_desk("none")
    desk.open()
    return Steered(
        verb=verb,
        is_on=on,
        was_on=was_on,
        until=until,
        runs=tuple(map(_concerned, desk.leases())),
        waiting=len(desk.tickets()),
    )


def _concerned(lease: Lease) -> Concerned:
    saved, is_known = None, True
    try:
        saved = Home(lease.home or paths.home()).run(lease.run_id).read_run().good_checkpoint
    except (BackpropError, OSError):
        is_known = False
    return Concerned(
        run_id=lease.run_id,
        name=lease.name,
        home=lease.home,
        gpus=lease.gpus,
        saved_t=None if saved is None else saved.t,
        is_known=is_known,
    )
