"""What a training holds on its GPUs: by the driver's lists of processes, or else by what the devices have in use."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backprop_tui.model.samples import GpuProcess, GpuSample, Lease

_MOVED_BYTES = 128 << 20
"""When the memory in use has changed by this, the list of processes is old before its time."""
ALONE = 0.05
"""With less than this part of a GPU in use before the start, what it has in use later counts as the run's."""
_HOST_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO of the kernel


class Ledger:
    """Bytes that the training holds on each GPU, from one look to the next."""

    def __init__(self, is_host: bool | None = None) -> None:
        """`is_host`: the driver's process numbers are also ours, as they are outside of containers."""
        self._is_host = _is_host() if is_host is None else is_host
        self._has_seen_own = False
        self._listed: dict[str, int] = {}
        self._used: dict[str, int | None] = {}
        """In use on the whole device when the processes were last listed."""
        self.t = 0.0
        """Of the figures, epoch seconds; 0 before the first."""
        self.tree_bytes: dict[str, int] = {}
        """By index; a GPU that is missing could not be told."""
        self.is_device = False
        """Some of them are what the device has in use beyond the baseline."""

    def take(
        self, t: float, gpus: tuple[GpuSample, ...], pids: Iterable[int] | None, baseline: Mapping[str, int]
    ) -> None:
        """Judge fresh samples.

        Args:
            t: when they were taken.
            gpus: the leased ones.
            pids: the training's own processes; None if the samples were taken without processes.
            baseline: bytes in use on each GPU before the training started, by index.
        """
        if pids is not None:
            self._read_lists(gpus, frozenset(pids))
        self.tree_bytes, self.is_device = {}, False
        for gpu in gpus:
            if gpu.index in self._listed:
                self.tree_bytes[gpu.index] = self._listed[gpu.index]
            elif not gpu.is_unified and gpu.used_bytes is not None and gpu.index in baseline:
                self.tree_bytes[gpu.index] = max(0, gpu.used_bytes - baseline[gpu.index])
                self.is_device = True
        if pids is not None or self.is_device:
            self.t = t

    def has_moved(self, gpus: Iterable[GpuSample]) -> bool:
        """Whether a device's memory in use is now quite another than when its processes were last listed."""
        for gpu in gpus:
            before, now = self._used.get(gpu.index), gpu.used_bytes
            if before is not None and now is not None and abs(now - before) >= _MOVED_BYTES:
                return True
        return False

    def _read_lists(self, gpus: tuple[GpuSample, ...], own: frozenset[int]) -> None:
        if any(process.pid in own for gpu in gpus for process in gpu.processes or ()):
            self._has_seen_own = True
        self._listed = {}
        self._used = {gpu.index: gpu.used_bytes for gpu in gpus}
        for gpu in gpus:
            held = self._sum(gpu.processes, own)
            if held is not None:
                self._listed[gpu.index] = held

    def _sum(self, processes: tuple[GpuProcess, ...] | None, own: frozenset[int]) -> int | None:
        """What our processes hold; None where the list does not tell it."""
        if processes is None:
            return None
        used = [process.used_bytes for process in processes if process.pid in own]
        if not used:
            # Who is not listed holds nothing. But in a container the list may be empty whatever runs, or its
            # numbers are those of another namespace.
            return 0 if self._has_seen_own or (processes and self._is_host) else None
        known = [value for value in used if value is not None]
        return sum(known) if len(known) == len(used) else None


def shared_gpus(gpus: Iterable[GpuSample], baseline: Mapping[str, int], others: Iterable[Lease]) -> frozenset[str]:
    """Indices of those GPUs that others use as well, as their leases or what was in use before the start tell.

    Args:
        gpus: the leased ones.
        baseline: bytes in use on each GPU before the training started, by index.
        others: leases of other runs.
    """
    leased = {index for lease in others for index in lease.gpus}
    return frozenset(
        gpu.index
        for gpu in gpus
        if gpu.index in leased
        or gpu.total_bytes is None
        or baseline.get(gpu.index, gpu.total_bytes) > ALONE * gpu.total_bytes
    )


def _is_host() -> bool:
    try:
        return os.readlink("/proc/self/ns/pid") == _HOST_NAMESPACE
    except OSError:
        return False
