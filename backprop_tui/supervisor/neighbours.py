"""The other runs of this user on this box, as their leases tell, read without waiting for anybody."""

from __future__ import annotations

import fcntl
import os

from backprop_tui.governor.running import least_free_ram
from backprop_tui.probes import tree as processes
from backprop_tui.supervisor.slips import content_of, lease_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.model.samples import Lease


def neighbours(lease_path: str) -> list[Lease]:
    """Those whose supervisors live, besides the one with this lease.

    The admission desk's lock is not taken: whoever holds it may be waiting for a driver. Whoever runs keeps its own
    lease locked; its number alone may be another process's by now.
    """
    folder, own = os.path.split(lease_path)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = []
    for path in (os.path.join(folder, name) for name in names if name != own):
        content = content_of(path)
        if not content:
            continue  # not locked yet
        lease = lease_from(content)
        if _is_alive(lease.pid) and _is_held(path):
            found.append(lease)
    return found


def younger_short_of_ram(lease: Lease, others: Iterable[Lease], free_bytes: int | None) -> int:
    """How many of the others were admitted later and end as well with so much RAM free; one that does not tell does."""
    return sum(
        (other.since, other.pid) > (lease.since, lease.pid)
        and (other.min_free_ram_bytes is None or (free_bytes or 0) < least_free_ram(other.min_free_ram_bytes))
        for other in others
    )


def _is_held(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _is_alive(pid: int) -> bool:
    process = processes.read_process(pid) if pid > 0 else None
    return process is not None and not process.is_dead
