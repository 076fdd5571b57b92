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


class BoxSample(Frozen):
    """The box at one moment; what cannot be measured is None."""

    t: float
    """Epoch seconds."""
    name: str
    host: HostSample
    gpus: GpuReport
    cpu_percent: float | None = None
    """Of all cores, since the last sample."""
    disk_free_bytes: int | None = None
    """On the filesystem of the records."""
    disk_total_bytes: int | None = None


class BoxMeter:
    """Samples the box. For one thread; a driver that hangs costs it the probe's time-out."""

    def __init__(self, folder: str, probe: str, env: Mapping[str, str] = os.environ) -> None:
        """`folder` lies on the disk that is watched; `probe` is the setting gpu.probe."""
        self._folder = folder
        self._sampler = GpuSampler(probe, env=env)
        self._ticks: tuple[int, int] | None = None

    def sample(self, t: float) -> BoxSample:
        """The box now; `t` is epoch seconds for the record."""
        ticks, before = host.cpu_ticks(), self._ticks
        self._ticks = ticks
        percent = None
        if ticks is not None and before is not None and ticks[1] > before[1]:
            percent = 100.0 * (ticks[0] - before[0]) / (ticks[1] - before[1])
        disk = host.disk_bytes(self._folder)
        return BoxSample(
            t=t,
            name=host.hostname(),
            host=host.sample_host(t),
            gpus=self._sampler.sample(t),
            cpu_percent=None if percent is None else min(100.0, max(0.0, percent)),
            disk_free_bytes=disk[0] if disk else None,
            disk_total_bytes=disk[1] if disk else None,
        )

    def close(self) -> None:
        """Let go of the driver."""
        self._sampler.close()
