"""A running slice and its box, measured from outside as its supervisor measures them."""

from __future__ import annotations

import os
import time

from backprop_tui import paths
from backprop_tui.governor.load import own_load
from backprop_tui.governor.running import Reading, limits_of
from backprop_tui.model.states import RunState
from backprop_tui.probes import host
from backprop_tui.supervisor.desk import open_desk
from backprop_tui.supervisor.gpuwatch import why_unreadable
from backprop_tui.supervisor.measuring import disks_of
from backprop_tui.supervisor.neighbours import younger_short_of_ram
from backprop_tui.supervisor.residue import ResidueFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run
    from backprop_tui.model.samples import HostSample, Lease
    from backprop_tui.store.home import Home
    from backprop_tui.watch.box import BoxSample
    from backprop_tui.watch.record import Record

GLANCE_S = 0.3
"""So long other programs are watched, where the load average speaks against a run."""


def reading_of(home: Home, record: Record, box: BoxSample) -> Reading:
    """What is known of a running or paused slice now.

    Args:
        home: of the record.
        record: the run's.
        box: a fresh sample.

    Raises:
        StoreError: the leases cannot be read.
    """
    run = record.run
    desk = open_desk("none")
    desk.open()
    leases = desk.leases()
    own = next((lease for lease in leases if (lease.run_id, lease.home) == (run.id, home.path)), None)
    yielding = desk.orders.yielding(box.t)
    reading = Reading(
        t=box.t,
        host=box.host,
        others_load=_others_load(box.host, leases),
        load_t=box.t,
        ram_bytes=run.resources.rss_bytes or None,
        ram_t=run.updated,
        disks=disks_of(record.folder, tuple(c.path for c in run.checkpoints)),
        disks_t=box.t,
        checkpoint_bytes=next((c.size for c in reversed(run.checkpoints) if c.size), 0),
        younger=0 if own is None else younger_short_of_ram(own, leases, box.host.ram_free_bytes),
        paused_s=_paused_s(home, run),
        yield_to="" if yielding is None else yielding.who,
    )
    reading = _with_gpus(reading, run, box, own)
    return reading.replace(others_cores=_others_cores(record, reading, leases))


def _with_gpus(reading: Reading, run: Run, box: BoxSample, own: Lease | None) -> Reading:
    indices = run.slice.gpus if run.slice is not None else ()
    if not indices:
        return reading
    report = box.gpus if box.gpus.gpus or box.last_gpus is None else box.last_gpus
    gpus = tuple(gpu for gpu in report.gpus if gpu.index in indices)
    return reading.replace(
        gpus=gpus,
        gpus_t=report.t if gpus else None,
        gpu_trouble=why_unreadable(box.gpus, indices),
        gpu_tree={} if own is None else own.gpu_used,
    )


def _others_load(box: HostSample, leases: tuple[Lease, ...]) -> float | None:
    if box.load1 is None:
        return None
    residue = ResidueFile(os.path.join(paths.admission_dir(), "residue")).read()
    return max(0.0, box.load1 - own_load(leases, residue, box.t, 0))


def _others_cores(record: Record, reading: Reading, leases: tuple[Lease, ...]) -> float | None:
    """Cores that others keep busy; looked at only where it decides, as it takes a moment."""
    spec, load = record.spec, reading.others_load
    if spec is None or load is None or reading.host is None:
        return None
    if load / max(1, reading.host.cores) <= limits_of(spec).max_load_per_core:
        return None
    before, began = host.cpu_ticks(), time.monotonic()
    time.sleep(GLANCE_S)
    after, seconds = host.cpu_ticks(), time.monotonic() - began
    if before is None or after is None:
        return None
    busy = (after[0] - before[0]) / os.sysconf("SC_CLK_TCK") / seconds
    return max(0.0, busy - sum(lease.runnable for lease in leases))


def _paused_s(home: Home, run: Run) -> float:
    """How long the Governor has had it paused this time; 0 if it has not."""
    if run.state is not RunState.PAUSED or run.reason is None or run.reason.by != "governor":
        return 0.0
    for event in reversed(home.run(run.id).events(200)):
        t = event.get("t")
        if event.get("event") == "state" and event.get("state") == "paused" and isinstance(t, (int, float)):
            return max(0.0, time.time() - t)
    return 0.0
