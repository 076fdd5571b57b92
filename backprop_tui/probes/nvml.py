"""Asks NVIDIA's management library, through pynvml; a driver that hangs is reported, never waited for."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.errands import Errands, TooLong
from backprop_tui.probes.nvml_fields import GPU_WHY, Fields, Unusable
from backprop_tui.probes.text import clean, within
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_LIBRARY_NOT_FOUND = 12
_WHY = {
    4: "no permission to ask the NVIDIA driver",
    9: "the NVIDIA driver is not loaded",
    _LIBRARY_NOT_FOUND: "the library libnvidia-ml.so.1 was not found",
    13: "the library libnvidia-ml.so.1 is too old",
    17: "the system blocks access to the GPU",
    18: "the library and the loaded driver are of different versions: the driver was updated; reboot",
}
_MAX_GPUS = 1024

_stuck: list[Errands] = []
"""Whose thread waits inside the driver; while it does, nobody else is sent after it."""


class NvmlProbe:
    """NVML, opened at the first sample and kept open until `close`."""

    def __init__(self, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._errands = Errands("nvml")
        self._api: Any = None
        self._fields: Fields
        self._known: dict[int, tuple[Any, str, str]] = {}
        """Handle, name and UUID by index: they do not change while the driver is open."""
        self._at = ""
        """The GPU that is being asked, for a driver that hangs."""

    def sample(self, processes: bool = False, only: Sequence[str] = ()) -> Answer:
        """Every GPU, or MIG slice, that can be used.

        Args:
            processes: also who uses each of them, by number.
            only: the `index` of those that are wanted; the others are left in peace. All if there are none.

        Raises:
            NotInstalled: there is no library.
            NoAnswer: the driver hangs.
            ProbeUnavailable: the driver refuses.
        """
        return self._in_time(lambda: self._sample(processes, frozenset(only)))

    def close(self) -> bool:
        """Shut NVML down, unless it hangs, and let the thread end: whether it has."""
        if self._api is not None and not _is_stuck():
            try:
                self._in_time(self._shut_down)
            except ProbeUnavailable:
                pass
        return self._errands.end()

    def _in_time(self, work: Callable[[], Answer]) -> Answer:
        if _is_stuck():
            raise NoAnswer("the NVIDIA driver still does not answer an earlier question")
        _stuck.clear()
        self._at = ""
        try:
            return self._errands.run(work, self._timeout_s)
        except TooLong:
            _stuck.append(self._errands)
            raise NoAnswer(f"the NVIDIA driver did not answer within {self._timeout_s:g} s{self._at}")
        except ProbeUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # somebody else's library
            what = clean(f"{type(error).__name__}: {error}", 160)
            raise ProbeUnavailable(f"the Python package nvidia-ml-py failed: {what}")

    def _sample(self, processes: bool, only: frozenset[str]) -> Answer:
        api = self._open()
        try:
            count = int(api.nvmlDeviceGetCount())
        except api.NVMLError as error:
            self._shut_down()
            raise _unavailable(error)
        wanted = {index.partition(":")[0] for index in only}
        gpus: list[GpuSample] = []
        notes: list[tuple[str, str]] = []
        unread = 0
        for index in range(min(count, _MAX_GPUS)):
            if wanted and str(index) not in wanted:
                continue
            self._at = f", asked for GPU {index}"
            try:
                read = self._read(index, processes)
            except Unusable as verdict:
                self._known.pop(index, None)
                notes.append((f"GPU {index}", str(verdict)))
                unread += 1
                continue
            if not read:
                notes.append((f"GPU {index}", "is in MIG mode but has no slices"))
            gpus += [gpu for gpu in read if not only or gpu.index in only]
        return Answer(gpus=tuple(gpus), notes=tuple(notes), unread=unread)

    def _open(self) -> Any:
        if self._api is None:
            try:
                import pynvml as api
            except ImportError:
                raise NotInstalled("the Python package nvidia-ml-py is not installed")
            try:
                api.nvmlInit()
            except api.NVMLError as error:
                raise _unavailable(error)
            self._api, self._fields = api, Fields(api)
        return self._api

    def _shut_down(self) -> Answer:
        api, self._api = self._api, None
        self._known.clear()
        try:
            api.nvmlShutdown()
        except api.NVMLError:
            pass
        return Answer()

    def _read(self, index: int, processes: bool) -> list[GpuSample]:
        """One GPU as a whole, or its slices in MIG mode.

        Raises:
            Unusable: it is lost, or not ours to see.
        """
        fields = self._fields
        handle, name, uuid = self._identity(index)
        temp_c = fields.temperature(handle)
        gpu = GpuSample(
            index=str(index),
            mask=str(index),
            uuid=uuid,
            name=name,
            temp_c=temp_c,
            slowdown_c=fields.slowdown(handle, temp_c),
            is_slowed=fields.is_slowed(handle),
        )
        mode = fields.ask("nvmlDeviceGetMigMode", handle)
        if mode is not None and mode[0] == 1:
            return self._slices(gpu, handle, processes)
        rates = fields.ask("nvmlDeviceGetUtilizationRates", handle)
        gpu = gpu.replace(
            util_percent=None if rates is None else within(rates.gpu, 0, 100),
            power_w=fields.watts("nvmlDeviceGetPowerUsage", handle),
            power_limit_w=fields.watts("nvmlDeviceGetEnforcedPowerLimit", handle),
        )
        return [self._with_memory(gpu, handle, processes)]

    def _slices(self, parent: GpuSample, parent_handle: Any, processes: bool) -> list[GpuSample]:
        """They share the parent's heat; what they compute and hold is their own."""
        ask = self._fields.ask
        found = []
        for n in range(int(ask("nvmlDeviceGetMaxMigDeviceCount", parent_handle) or 0)):
            handle = ask("nvmlDeviceGetMigDeviceHandleByIndex", parent_handle, n)
            uuid = None if handle is None else ask("nvmlDeviceGetUUID", handle)
            if uuid is None:
                continue
            name = ask("nvmlDeviceGetName", handle)
            gpu = parent.replace(
                index=f"{parent.index}:{n}",
                mask=clean(uuid),
                uuid=clean(uuid),
                name=clean(name) if name else f"{parent.name} MIG slice",
            )
            found.append(self._with_memory(gpu, handle, processes))
        return found

    def _with_memory(self, gpu: GpuSample, handle: Any, processes: bool) -> GpuSample:
        total, free, has_none = self._fields.memory(handle)
        gpu = gpu.replace(total_bytes=total, free_bytes=free)
        if processes:
            gpu = gpu.replace(processes=self._fields.processes(handle))
        if not has_none:
            return gpu
        from backprop_tui.probes import unified

        return unified.completed(gpu) if unified.is_unified(gpu.name) else gpu

    def _identity(self, index: int) -> tuple[Any, str, str]:
        if index not in self._known:
            try:
                handle = self._api.nvmlDeviceGetHandleByIndex(index)
            except self._api.NVMLError as error:
                raise Unusable(GPU_WHY.get(error.value) or f"cannot be opened: {clean(error)}")
            name = self._fields.ask("nvmlDeviceGetName", handle) or "NVIDIA GPU"
            uuid = self._fields.ask("nvmlDeviceGetUUID", handle) or ""
            self._known[index] = handle, clean(name), clean(uuid)
        return self._known[index]


def _unavailable(error: Any) -> ProbeUnavailable:
    why = _WHY.get(error.value) or f"NVML says: {clean(error)}"
    return NotInstalled(why) if error.value == _LIBRARY_NOT_FOUND else ProbeUnavailable(why)


def _is_stuck() -> bool:
    return any(errands.is_stuck for errands in _stuck)
