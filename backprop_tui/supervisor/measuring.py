"""Measures, each at its own cadence, what the rules of a running slice are about."""

from __future__ import annotations

import os
import time

from backprop_tui.governor.load import Residue, own_load
from backprop_tui.governor.pressure import Pressure
from backprop_tui.governor.running import Reading
from backprop_tui.model.samples import DiskSample
from backprop_tui.probes import host as box
from backprop_tui.probes.smaps import proportional_bytes
from backprop_tui.supervisor.gpuledger import shared_gpus
from backprop_tui.supervisor.neighbours import neighbours, younger_short_of_ram
from backprop_tui.supervisor.steering import OrderBook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.samples import HostSample, Lease
    from backprop_tui.supervisor.case import Case
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.gpuwatch import GpuWatch
    from backprop_tui.supervisor.tree import TrainingTree

TASKS_EVERY_S = 2.0
LOAD_EVERY_S = 10.0
_MOST_TASKS = 1e6
NEAR = 0.8
"""From this part of its limit on RAM is measured exactly: until then processes' sizes are simply added."""


class Measuring:
    """Of one slice and its box."""

    def __init__(
        self, case: Case, tree: TrainingTree, gpu: GpuWatch | None, clock: Clock, *, max_ram_bytes: int | None
    ) -> None:
        self._case = case
        self._tree = tree
        self._gpu = gpu
        self._clock = clock
        self._ram = ExactRam(max_ram_bytes)
        self._orders = OrderBook(os.path.dirname(os.path.dirname(case.lease.path)))
        self._tasks_due = self._load_due = float("-inf")
        self._load_at: float | None = None
        self._cpu_s = 0.0
        self._waiting_s = 0.0
        self._pressure: Pressure | None = None
        self._host: HostSample | None = None
        self._load_t: float | None = None
        self._others: list[Lease] = []
        self._shared: frozenset[str] = frozenset()
        """Indices of our GPUs that others have used at any time in this slice."""

    def read(self, now: float, *, stands_still: bool) -> Reading:
        """What is known now; `now` is monotonic seconds, `stands_still` says that the training is paused."""
        t = self._clock.epoch()
        self._host = box.sample_host(t)
        if now >= self._tasks_due:
            self._count_tasks(now, t, stands_still=stands_still)
        if now >= self._load_due:
            self._look_at_load(now, t)
        ram = self._ram.measure(self._tree, now, t)
        book = self._case.recorder.book
        pressure, order = self._pressure, self._orders.yielding(t)
        reading = Reading(
            t=t,
            host=self._host,
            others_load=pressure.load if pressure else None,
            others_cores=pressure.cores if pressure else None,
            load_t=self._load_t,
            ram_bytes=ram[0] if ram else None,
            ram_t=ram[1] if ram else None,
            disks=disks_of(self._case.folder.path, book.paths),
            disks_t=t,
            checkpoint_bytes=next((c.size for c in reversed(book.newest) if c.size), 0),
            is_saving=book.is_writing(t),
            younger=younger_short_of_ram(self._case.lease.lease, self._others, self._host.ram_free_bytes),
            yield_to=order.who if order else "",
        )
        return self._with_gpus(reading)

    def _with_gpus(self, reading: Reading) -> Reading:
        if self._gpu is None or self._gpu.sample is None:
            return reading
        snapshot = self._gpu.sample
        self._shared |= shared_gpus(snapshot.gpus, self._gpu.baseline, self._others)
        return reading.replace(
            gpus=snapshot.gpus,
            gpus_t=snapshot.t or None,
            gpus_every_s=snapshot.every_s,
            gpu_trouble=snapshot.error,
            gpu_tree=snapshot.tree_bytes,
            is_whole_gpu=snapshot.is_device,
            shared_gpus=self._shared,
        )

    def _count_tasks(self, now: float, t: float, *, stands_still: bool) -> None:
        self._tasks_due = now + TASKS_EVERY_S
        self._others = neighbours(self._case.lease.path)
        waiting = sum(min(max(0.0, other.runnable), _MOST_TASKS) for other in self._others)
        self._waiting_s += waiting * TASKS_EVERY_S
        if self._pressure is None:
            own = self._case.lease.lease.replace(runnable=self._tree.runnable)
            self._pressure = Pressure(own_load([own, *self._others], Residue(load=0.0, t=t), t, 0), now)
        self._pressure.note_tasks(now, waiting + (0.0 if stands_still else self._tree.runnable))

    def _look_at_load(self, now: float, t: float) -> None:
        self._load_due = now + LOAD_EVERY_S
        ticks = box.cpu_ticks()
        if self._pressure is not None:
            self._pressure.measure(
                0.0 if self._load_at is None else now - self._load_at,
                load1=self._host.load1 if self._host else None,
                busy_s=None if ticks is None else ticks[0] / os.sysconf("SC_CLK_TCK"),
                # A task that wants a core has at most one.
                own_cpu_s=self._tree.cpu_s - self._cpu_s + self._waiting_s,
            )
        self._load_at, self._load_t = now, t
        self._cpu_s, self._waiting_s = self._tree.cpu_s, 0.0


class ExactRam:
    """The RAM of a tree: near its limit without counting twice what its processes share."""

    REST = 20
    """A measurement is followed by a rest of so many times its length: it costs the training next to nothing."""
    MOST_REST_S = 5.0
    """And never by a longer one: what was measured must not be too old to decide before it is measured again."""
    AT_ONCE_S = 0.03
    """A look takes about this long; what is left of the processes is for the next."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._pids: list[int] = []
        self._sum = 0
        self._cost_s = 0.0
        self._due = float("-inf")
        self._exact: tuple[int, float] | None = None

    def measure(self, tree: TrainingTree, now: float, t: float) -> tuple[int, float] | None:
        """Bytes, and when they were measured (epoch seconds); None where no limit is set, and before that."""
        if self._limit is None or tree.measured_at is None:
            return None
        added = tree.resources.rss_bytes
        if added < NEAR * self._limit:
            self._pids, self._exact = [], None
            return added, t - (now - tree.measured_at)
        if not self._pids and now >= self._due:
            self._pids, self._sum, self._cost_s = list(tree.pids), 0, 0.0
        if self._pids:
            self._walk(now, t)
        return self._exact

    def _walk(self, now: float, t: float) -> None:
        begun = time.perf_counter()
        spent_s = 0.0
        while self._pids and spent_s < self.AT_ONCE_S:
            self._sum += proportional_bytes((self._pids.pop(),)) or 0
            spent_s = time.perf_counter() - begun
        self._cost_s += spent_s
        if not self._pids:
            self._exact = (self._sum, t) if self._sum else None
            self._due = now + max(TASKS_EVERY_S, min(self.REST * self._cost_s, self.MOST_REST_S))


def disks_of(records: str, checkpoints: tuple[str, ...]) -> tuple[DiskSample, ...]:
    """The filesystems that the records and the newest checkpoints lie on, each once."""
    whats: dict[int, list[str]] = {}
    places: dict[int, str] = {}
    folders = [(records, "records"), *((os.path.dirname(path), "checkpoints") for path in checkpoints)]
    for folder, what in folders:
        try:
            device = os.stat(folder).st_dev
        except (OSError, ValueError):
            continue
        places.setdefault(device, folder)
        if what not in whats.setdefault(device, []):
            whats[device].append(what)
    samples = []
    for device, folder in places.items():
        room = box.disk_bytes(folder)
        if room is not None and room[1] > 0:
            what = " and ".join(whats[device])
            samples.append(DiskSample(path=folder, what=what, free_bytes=room[0], total_bytes=room[1]))
    return tuple(samples)
