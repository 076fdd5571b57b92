"""Which of the processes on a GPU belong to runs of this user, in any home."""

from __future__ import annotations

import os

from backprop_tui import paths
from backprop_tui.probes.tree import read_process
from backprop_tui.supervisor.slips import content_of, lease_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.model.samples import GpuSample, Lease

DEEPEST = 64
"""So many generations lie between a supervisor and a process of its training at most."""


def with_runs(gpus: tuple[GpuSample, ...]) -> tuple[GpuSample, ...]:
    """The same GPUs; a process that a run's supervisor started, however indirectly, has the run's name."""
    if not any(gpu.processes for gpu in gpus):
        return gpus
    return attributed(gpus, leases_now())


def attributed(gpus: tuple[GpuSample, ...], leases: Iterable[Lease]) -> tuple[GpuSample, ...]:
    """As `with_runs`, for these leases."""
    runs = {lease.pid: lease.name or lease.run_id for lease in leases}
    if not runs:
        return gpus
    return tuple(
        gpu.replace(processes=tuple(process.replace(run=_run_of(process.pid, runs)) for process in gpu.processes))
        if gpu.processes
        else gpu
        for gpu in gpus
    )


def leases_now() -> tuple[Lease, ...]:
    """The leases as they are written; nobody waits for a lock, so that one whose holder is dead may be among them."""
    folder = os.path.join(paths.admission_dir(), "leases")
    try:
        names = os.listdir(folder)
    except OSError:
        return ()  # nothing was ever started here
    return tuple(lease_from(content_of(os.path.join(folder, name))) for name in names)


def _run_of(pid: int, runs: dict[int, str]) -> str:
    for _ in range(DEEPEST):
        if pid in runs:
            return runs[pid]
        process = read_process(pid)
        if process is None or process.ppid <= 1:
            return ""
        pid = process.ppid
    return ""
