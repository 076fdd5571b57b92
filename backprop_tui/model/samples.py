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


class GpuProcess(Frozen):
    """A process that a GPU's driver knows of."""

    pid: int
    """As the driver tells it: within a container it may be the host's number."""
    used_bytes: int | None = None
    """None where the driver does not tell."""
    name: str = ""
    user: str = ""
    run: str = ""
    """The run of this user that it belongs to, by its name, else its id; "" for none."""


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
    slowdown_c: int | None = None
    """From this temperature on the driver slows it down."""
    is_slowed: bool | None = None
    """The driver slows it down for heat now."""
    is_unified: bool = False
    """Its memory is the box's own RAM: total and free are those of the box."""
    processes: tuple[GpuProcess, ...] | None = None
    """Who uses it; None where that was not asked or is not told."""

    @property
    def used_bytes(self) -> int | None:
        if self.total_bytes is None or self.free_bytes is None:
            return None
        return self.total_bytes - self.free_bytes


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
    last_good: float | None = None
    """When the GPUs could last be read, if they cannot now; epoch seconds."""

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """(index, why) of each GPU that the probe knows of and cannot read, such as ("1", "is lost")."""
        start = f"{self.probe} GPU "
        return tuple((name[len(start) :], why) for name, why in self.tried if name.startswith(start))


class DiskSample(Frozen):
    """A filesystem at one moment."""

    path: str
    """A folder on it that matters."""
    what: str
    """What is kept there: records, checkpoints."""
    free_bytes: int
    """That this user may still write."""
    total_bytes: int


class Lease(Frozen):
    """What a local run that has started holds, as its supervisor last wrote it."""

    run_id: str
    pid: int
    since: float
    gpus: tuple[str, ...] = ()
    """Their `index`."""
    gpu_bytes: int = 0
    """Reserved on each GPU."""
    gpu_used: dict[str, int] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """What its tree uses on each GPU, by index; a GPU that is missing could not be told."""
    used_t: float = 0.0
    """When that was measured, epoch seconds."""
    ram_used: int = 0
    """RAM of its tree, at the last sample."""
    runnable: float = 1.0
    """Mean number of runnable tasks of its tree, at the last sample."""
    ends: float | None = None
    """When its time box ends, epoch seconds; None while it stands still."""
    name: str = ""
    priority: int = 0
    home: str = ""
    min_free_ram_bytes: int | None = None
    """Its setting; 0 if it does not end when memory runs out, None if it does not tell."""
