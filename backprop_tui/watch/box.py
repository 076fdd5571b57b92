"""The box's gauges: GPUs, CPU, RAM and disk, sampled again and again."""

from __future__ import annotations

import os

from backprop_tui.frozen import Frozen
from backprop_tui.model.samples import GpuReport, HostSample
from backprop_tui.probes import host
from backprop_tui.probes.gpu import GpuSampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.model.samples import GpuProcess

PROCESSES_EVERY_S = 10.0


class BoxSample(Frozen):
    """The box at one moment; what cannot be measured is None."""

    t: float
    """Epoch seconds."""
    name: str
    host: HostSample
    gpus: GpuReport
    """Who uses each GPU is up to `PROCESSES_EVERY_S` older."""
    cpu_percent: float | None = None
    """Of all cores, since the last sample."""
    disk_free_bytes: int | None = None
    """On the filesystem of the records."""
    disk_total_bytes: int | None = None
    last_gpus: GpuReport | None = None
    """The GPUs when they could last be read, if they cannot now: to be shown with its age, and as old."""

    @property
    def gpus_t(self) -> float | None:
        """When the GPUs could last be read, epoch seconds; None if never."""
        return self.gpus.t if self.gpus.gpus else self.gpus.last_good


class BoxMeter:
    """Samples the box. For one thread; a driver that hangs costs it the probe's time-out."""

    def __init__(self, folder: str, probe: str, env: Mapping[str, str] = os.environ) -> None:
        """`folder` lies on the disk that is watched; `probe` is the setting gpu.probe."""
        self._folder = folder
        self._sampler = GpuSampler(probe, env=env)
        self._ticks: tuple[int, int] | None = None
        self._good: GpuReport | None = None
        self._listed_t = float("-inf")

    def sample(self, t: float) -> BoxSample:
        """The box now; `t` is epoch seconds for the record."""
        ticks, before = host.cpu_ticks(), self._ticks
        self._ticks = ticks
        percent = None
        if ticks is not None and before is not None and ticks[1] > before[1]:
            percent = 100.0 * (ticks[0] - before[0]) / (ticks[1] - before[1])
        disk = host.disk_bytes(self._folder)
        gpus = self._gpus(t)
        return BoxSample(
            t=t,
            name=host.hostname(),
            host=host.sample_host(t),
            gpus=gpus,
            cpu_percent=None if percent is None else min(100.0, max(0.0, percent)),
            disk_free_bytes=disk[0] if disk else None,
            disk_total_bytes=disk[1] if disk else None,
            last_gpus=None if gpus.gpus or not gpus.failed else self._good,
        )

    def close(self) -> None:
        """Let go of the driver."""
        self._sampler.close()

    def _gpus(self, t: float) -> GpuReport:
        """The GPUs now, with the processes as they were last listed: asking for those at every look is dear."""
        is_due = not 0 <= t - self._listed_t < PROCESSES_EVERY_S
        report = self._sampler.sample(t, processes=is_due)
        if not report.gpus:
            return report
        if is_due:
            from backprop_tui.watch.users import with_runs

            self._listed_t = t
            report = report.replace(gpus=with_runs(report.gpus))
        elif self._good is not None:
            known: dict[str, tuple[GpuProcess, ...] | None] = {
                gpu.uuid or gpu.index: gpu.processes for gpu in self._good.gpus
            }
            report = report.replace(
                gpus=tuple(gpu.replace(processes=known.get(gpu.uuid or gpu.index)) for gpu in report.gpus)
            )
        self._good = report
        return report
