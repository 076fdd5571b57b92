"""Whether the process that a record names as its writer lives."""

from __future__ import annotations

from backprop_tui.probes import host
from backprop_tui.probes.tree import is_alive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run


def is_here(run: Run) -> bool:
    """Whether the run is of this host: only here can be told who lives."""
    return run.owner is not None and run.owner.host == host.hostname()


def has_supervisor(run: Run) -> bool:
    """Whether the process that wrote this state lives; for runs of other hosts there is no telling: True."""
    owner = run.owner
    if owner is None:
        return False
    if owner.host != host.hostname():
        return True
    return owner.boot_id == host.boot_id() and is_alive(owner.process)
