"""GPUs that share the box's own memory (GB10, Jetson): what NVML leaves out is read from the system."""

from __future__ import annotations

import os

from backprop_tui.probes import host
from backprop_tui.probes.cgroup import read
from backprop_tui.probes.text import number, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.samples import GpuSample

_NAMES = ("GB10", "Thor", "Orin", "Xavier", "Tegra", "nvgpu")
_LOADS = ("sys/devices/platform/gpu.0/load", "sys/devices/gpu.0/load", "sys/devices/platform/17000000.gpu/load")
_ZONES = "sys/class/thermal"
_MAX_ZONES = 64


def is_unified(name: str) -> bool:
    """Whether a GPU for which NVML knows no memory of its own uses the box's."""
    return any(mark in name for mark in _NAMES) or _is_arm()


def completed(gpu: GpuSample, root: str = "/") -> GpuSample:
    """A unified GPU with the box's memory, and a Jetson's load and temperature where NVML has none."""
    box = host.sample_host(0.0)
    return gpu.replace(
        is_unified=True,
        total_bytes=box.ram_total_bytes,
        free_bytes=box.ram_free_bytes,
        util_percent=_load(root) if gpu.util_percent is None else gpu.util_percent,
        temp_c=_temperature(root) if gpu.temp_c is None else gpu.temp_c,
    )


def _load(root: str) -> int | None:
    for path in _LOADS:
        per_mille = number(read(root + path).strip())
        if per_mille is not None:
            return within(per_mille / 10, 0, 100)
    return None


def _temperature(root: str) -> int | None:
    for n in range(_MAX_ZONES):
        kind = read(f"{root}{_ZONES}/thermal_zone{n}/type").strip().lower()
        if not kind:
            return None
        if kind.startswith(b"gpu"):
            millidegrees = number(read(f"{root}{_ZONES}/thermal_zone{n}/temp").strip())
            return None if millidegrees is None else within(millidegrees / 1000, 1, 200)
    return None


def _is_arm() -> bool:
    return os.uname().machine == "aarch64"
