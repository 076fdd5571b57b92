"""What the probes measured."""

from __future__ import annotations

from backprop_tui.frozen import Frozen


class HostSample(Frozen):
    """The box at one moment; a field that cannot be measured is None."""

    t: float
    """Epoch seconds."""
    cores: int
    """Logical cores this process may use."""
    load1: float | None
    """1-minute load average of the whole box."""
    ram_total_bytes: int | None
    ram_free_bytes: int | None
    """Available without swapping; within a cgroup limit, what is left below it."""


class GpuSample(Frozen):
    """One GPU (or MIG slice) at one moment; a field that cannot be measured is None."""

    index: str
    """As nvidia-smi and CUDA_DEVICE_ORDER=PCI_BUS_ID number it, such as "0"; of a MIG slice "0:1"."""
    mask: str
    """What goes into CUDA_VISIBLE_DEVICES (or HIP_VISIBLE_DEVICES) to choose it: index, or UUID for MIG."""
    uuid: str
    name: str
    total_bytes: int | None = None
    free_bytes: int | None = None
    temp_c: int | None = None
    util_percent: int | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    vendor: str = "nvidia"


class GpuReport(Frozen):
    """What the GPU probes found at one moment."""

    t: float
    probe: str
    """The probe that answered: nvml, nvidia-smi, rocm, or none."""
    gpus: tuple[GpuSample, ...] = ()
    failed: bool = False
    """There should be a GPU (its driver is here), but no probe could read it."""
    tried: tuple[tuple[str, str], ...] = ()
    """(probe, why it did not answer) for each that did not."""


class Lease(Frozen):
    """What a local run that has started holds, as its supervisor last wrote it."""

    run_id: str
    pid: int
    since: float
    gpus: tuple[str, ...] = ()
    """Their `index`."""
    gpu_bytes: int = 0
    """Reserved on each GPU."""
    runnable: float = 1.0
    """Mean number of runnable tasks of its tree, at the last sample."""
    home: str = ""
