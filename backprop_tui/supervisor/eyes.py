"""What the admission desk sees of this box, by its probes."""

from __future__ import annotations

import os

from backprop_tui.model.samples import DiskSample
from backprop_tui.probes import host, tree
from backprop_tui.probes.gpu import GpuSampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.governor.request import Request
    from backprop_tui.model.samples import GpuProcess, GpuReport, HostSample

USERS_EVERY_S = 10.0


class Eyes:
    """Looks when it is asked; the GPUs' driver stays open in between."""

    def __init__(self, gpu_probe: str) -> None:
        self._sampler = GpuSampler(gpu_probe, env=os.environ)
        self._users: dict[str, tuple[GpuProcess, ...] | None] = {}
        self._users_due = 0.0

    def host(self, t: float) -> HostSample:
        """Load and memory at `t`, epoch seconds."""
        return host.sample_host(t)

    def gpus(self, t: float) -> GpuReport:
        """The GPUs at `t`, epoch seconds."""
        return self._sampler.sample(t)

    def look_at_users(self, report: GpuReport) -> None:
        """Find out who uses each GPU, unless that was done a few seconds ago: it is dear, and asked of NVML only."""
        if _lacks_users(report) and report.t >= self._users_due:
            self._users_due = report.t + USERS_EVERY_S
            self._users = {gpu.index: gpu.processes for gpu in self._sampler.sample(report.t, processes=True).gpus}

    def with_users(self, report: GpuReport) -> GpuReport:
        """The same with the users that the last look at them found."""
        if not self._users or not _lacks_users(report):
            return report
        gpus = tuple(gpu.replace(processes=self._users.get(gpu.index)) for gpu in report.gpus)
        return report.replace(gpus=gpus)

    def disks(self, request: Request) -> tuple[DiskSample, ...]:
        """The filesystems that a slice will write to, each once; those that cannot be read are left out."""
        found: dict[int, DiskSample] = {}
        for what, folder in request.disks:
            path = _existing(folder)
            try:
                device = os.stat(path).st_dev
            except (OSError, ValueError):
                continue
            room = host.disk_bytes(path)
            if room is not None:
                found.setdefault(device, DiskSample(path=folder, what=what, free_bytes=room[0], total_bytes=room[1]))
        return tuple(found.values())

    def count_starting(self, known: set[int]) -> int:
        """How many backprop processes there are besides these pids, for the load they cause."""
        return tree.count_backprop(known)

    def close(self) -> None:
        """Let go of the driver, so that the process may fork; any look opens it again."""
        self._sampler.close()


def _lacks_users(report: GpuReport) -> bool:
    return report.probe == "nvml" and all(gpu.processes is None for gpu in report.gpus)


def _existing(path: str) -> str:
    """The deepest part of a path that is there."""
    while not os.path.lexists(path) and (parent := os.path.dirname(path)) != path:
        path = parent
    return path
