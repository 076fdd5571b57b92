"""What NVML tells of one GPU or MIG slice, value by value; any of them may be missing."""

from __future__ import annotations

from backprop_tui.model.samples import GpuProcess
from backprop_tui.probes.text import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOT_SUPPORTED, _FUNCTION_NOT_FOUND = 3, 13
GPU_WHY = {15: "is lost", 16: "needs a reset"}
_SENSOR = 0  # NVML_TEMPERATURE_GPU
_SLOWDOWN = 1  # NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
_HEAT = 0x20 | 0x40  # slowed by software, by hardware
_MAX_PROCESSES = 4096
_MAX_PID = (1 << 31) - 1


class Unusable(Exception):
    """This GPU cannot be used at all."""


class Fields:
    """Asks for single values; a handle is what NVML calls a GPU or a slice."""

    def __init__(self, api: Any) -> None:
        """`api` is the module pynvml, initialised."""
        self._api = api
        self._code = 0
        """The error of the last question, 0 if it was answered."""

    def ask(self, name: str, *args: Any) -> Any:
        """One value, None if this driver, GPU or pynvml does not tell it.

        Raises:
            Unusable: the GPU is lost.
        """
        function = getattr(self._api, name, None)
        self._code = _FUNCTION_NOT_FOUND
        if function is None:
            return None
        try:
            value = function(*args)
        except self._api.NVMLError as error:
            if error.value in GPU_WHY:
                raise Unusable(GPU_WHY[error.value])
            self._code = error.value
            return None
        except UnicodeDecodeError:
            return None
        self._code = 0
        return value

    def memory(self, handle: Any) -> tuple[int | None, int | None, bool]:
        """Total and free bytes, None where not told; and whether it seems to have no memory of its own."""
        info = None
        # Version 2 does not count what the driver keeps to itself as free.
        if (version := getattr(self._api, "nvmlMemory_v2", None)) is not None:
            info = self.ask("nvmlDeviceGetMemoryInfo", handle, version)
        if info is None:
            info = self.ask("nvmlDeviceGetMemoryInfo", handle)
        if info is None:
            return None, None, self._code == _NOT_SUPPORTED
        if not info.total:  # some boards say "success" and zeros
            return None, None, True
        return int(info.total), int(info.free), False

    def temperature(self, handle: Any) -> int | None:
        for name in ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"):
            celsius = within(self.ask(name, handle, _SENSOR), 1, 200)
            if celsius is not None:
                return celsius
        return None

    def slowdown(self, handle: Any, temp_c: int | None) -> int | None:
        """From which temperature on it slows down: newer GPUs tell the degrees that are left, older ones the point."""
        left = None if temp_c is None else self.ask("nvmlDeviceGetMarginTemperature", handle)
        point = None if left is None or temp_c is None else _credible(temp_c + left)
        return point or _credible(self.ask("nvmlDeviceGetTemperatureThreshold", handle, _SLOWDOWN))

    def is_slowed(self, handle: Any) -> bool | None:
        """Whether heat slows it down now."""
        for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
            reasons = self.ask(name, handle)
            if reasons is not None:
                return bool(reasons & _HEAT)
        return None

    def watts(self, name: str, handle: Any) -> float | None:
        """A power, which NVML tells in milliwatts."""
        value = self.ask(name, handle)
        return None if value is None else value / 1000

    def processes(self, handle: Any) -> tuple[GpuProcess, ...] | None:
        """Who computes or draws on it, by number; None where that is not told. Takes milliseconds."""
        found: dict[int, int | None] = {}
        is_told = False
        for kind in ("Compute", "Graphics", "MPSCompute"):
            listed = self._list(f"nvmlDeviceGet{kind}RunningProcesses", handle)
            is_told = is_told or listed is not None
            for entry in (listed or ())[:_MAX_PROCESSES]:
                pid, used = int(entry.pid), entry.usedGpuMemory
                if 0 < pid <= _MAX_PID:
                    # One that does both is listed twice, each time with all that it uses.
                    found[pid] = max((n for n in (used, found.get(pid)) if n is not None), default=None)
        if not is_told:
            return None
        return tuple(GpuProcess(pid=pid, used_bytes=found[pid]) for pid in sorted(found))

    def _list(self, name: str, handle: Any) -> Any:
        """A list of processes; by its numbered names, as pynvml's own choice raises errors of another kind."""
        for version in ("_v3", "_v2"):
            listed = self.ask(name + version, handle)
            if listed is not None or self._code != _FUNCTION_NOT_FOUND:
                return listed
        return None


def _credible(celsius: float | None) -> int | None:
    """A slowdown point that a GPU may have; some drivers fill in zeros."""
    return within(celsius, 60, 150)
