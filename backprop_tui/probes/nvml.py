"""Asks NVIDIA's management library, through pynvml; a driver that hangs is reported, never waited for."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.text import clean, within
from backprop_tui.probes.unavailable import NoAnswer, NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Thread
    from typing import Any

_UNINITIALIZED, _DRIVER_NOT_LOADED, _LIBRARY_NOT_FOUND, _LOST, _RESET_REQUIRED = 1, 9, 12, 15, 16
_WHY = {
    4: "no permission to ask the NVIDIA driver",
    _DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded",
    _LIBRARY_NOT_FOUND: "the library libnvidia-ml.so.1 was not found",
    13: "the library libnvidia-ml.so.1 is too old",
    17: "the system blocks access to the GPU",
    18: "the library and the loaded driver are of different versions: the driver was updated; reboot",
}
_GPU_WHY = {_LOST: "is lost", _RESET_REQUIRED: "needs a reset"}
_SENSOR = 0  # NVML_TEMPERATURE_GPU

_stuck: list[Thread] = []
"""A thread that waits inside the driver; while it lives, nobody else is sent after it."""


class _Unusable(Exception):
    """This GPU cannot be used at all."""


class NvmlProbe:
    """NVML, opened at the first sample and kept open until `close`."""

    def __init__(self, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._api: Any = None
        self._known: dict[int, tuple[Any, str, str]] = {}
        """Handle, name and UUID by index: they do not change while the driver is open."""

    def sample(self) -> Answer:
        """Every GPU, or MIG slice, that can be used.

        Raises:
            NotInstalled: there is no library.
            NoAnswer: the driver hangs.
            ProbeUnavailable: the driver refuses.
        """
        return _in_time(self._sample, self._timeout_s)

    def close(self) -> None:
        """Shut NVML down, unless it hangs."""
        if self._api is not None and not _is_stuck():
            try:
                _in_time(self._shut_down, self._timeout_s)
            except ProbeUnavailable:
                pass

    def _sample(self) -> Answer:
        api = self._open()
        try:
            count = int(api.nvmlDeviceGetCount())
        except api.NVMLError as error:
            self._shut_down()
            raise _unavailable(error)
        gpus: list[GpuSample] = []
        notes: list[tuple[str, str]] = []
        unread = 0
        for index in range(min(count, 1024)):
            try:
                slices = self._read(index)
            except _Unusable as verdict:
                notes.append((f"GPU {index}", str(verdict)))
                unread += 1
                continue
            if not slices:
                notes.append((f"GPU {index}", "is in MIG mode but has no slices"))
            gpus += slices
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
            self._api = api
        return self._api

    def _shut_down(self) -> Answer:
        api, self._api = self._api, None
        self._known.clear()
        try:
            api.nvmlShutdown()
        except api.NVMLError:
            pass
        return Answer()

    def _read(self, index: int) -> list[GpuSample]:
        """One GPU as a whole, or its slices in MIG mode.

        Raises:
            _Unusable: it is lost, or not ours to see.
        """
        handle, name, uuid = self._identity(index)
        temp_c = self._temperature(handle)
        mode = self._ask("nvmlDeviceGetMigMode", handle)
        if mode is not None and mode[0] == 1:
            return self._slices(index, handle, name, temp_c)
        total, free = self._memory(handle)
        rates = self._ask("nvmlDeviceGetUtilizationRates", handle)
        power_mw = self._ask("nvmlDeviceGetPowerUsage", handle)
        limit_mw = self._ask("nvmlDeviceGetEnforcedPowerLimit", handle)
        return [
            GpuSample(
                index=str(index),
                mask=str(index),
                uuid=uuid,
                name=name,
                total_bytes=total,
                free_bytes=free,
                temp_c=temp_c,
                util_percent=None if rates is None else within(rates.gpu, 0, 100),
                power_w=None if power_mw is None else power_mw / 1000,
                power_limit_w=None if limit_mw is None else limit_mw / 1000,
            )
        ]

    def _slices(self, index: int, parent: Any, name: str, temp_c: int | None) -> list[GpuSample]:
        found = []
        for n in range(int(self._ask("nvmlDeviceGetMaxMigDeviceCount", parent) or 0)):
            handle = self._ask("nvmlDeviceGetMigDeviceHandleByIndex", parent, n)
            uuid = None if handle is None else self._ask("nvmlDeviceGetUUID", handle)
            if uuid is None:
                continue
            total, free = self._memory(handle)
            own_name = self._ask("nvmlDeviceGetName", handle)
            found.append(
                GpuSample(
                    index=f"{index}:{n}",
                    mask=clean(uuid),
                    uuid=clean(uuid),
                    name=clean(own_name) if own_name else f"{name} MIG slice",
                    total_bytes=total,
                    free_bytes=free,
                    temp_c=temp_c,
                )
            )
        return found

    def _identity(self, index: int) -> tuple[Any, str, str]:
        if index not in self._known:
            try:
                handle = self._api.nvmlDeviceGetHandleByIndex(index)
            except self._api.NVMLError as error:
                raise _Unusable(_GPU_WHY.get(error.value) or f"cannot be opened: {clean(error)}")
            name = self._ask("nvmlDeviceGetName", handle) or "NVIDIA GPU"
            uuid = self._ask("nvmlDeviceGetUUID", handle) or ""
            self._known[index] = handle, clean(name), clean(uuid)
        return self._known[index]

    def _memory(self, handle: Any) -> tuple[int | None, int | None]:
        """Total and free bytes; None where memory is not the GPU's own, or not told."""
        info = None
        # Version 2 does not count what the driver keeps to itself as free.
        if (version := getattr(self._api, "nvmlMemory_v2", None)) is not None:
            info = self._ask("nvmlDeviceGetMemoryInfo", handle, version)
        if info is None:
            info = self._ask("nvmlDeviceGetMemoryInfo", handle)
        if info is None or not info.total:  # some boards say "success" and zeros
            return None, None
        return int(info.total), int(info.free)

    def _temperature(self, handle: Any) -> int | None:
        for name in ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"):
            celsius = within(self._ask(name, handle, _SENSOR), 1, 200)
            if celsius is not None:
                return celsius
        return None

    def _ask(self, name: str, *args: Any) -> Any:
        """One value, None if this driver, GPU or pynvml does not tell it.

        Raises:
            _Unusable: the GPU is lost.
        """
        function = getattr(self._api, name, None)
        if function is None:
            return None
        try:
            return function(*args)
        except self._api.NVMLError as error:
            if error.value in _GPU_WHY:
                raise _Unusable(_GPU_WHY[error.value])
            return None
        except UnicodeDecodeError:
            return None


def _unavailable(error: Any) -> ProbeUnavailable:
    why = _WHY.get(error.value) or f"NVML says: {clean(error)}"
    return NotInstalled(why) if error.value == _LIBRARY_NOT_FOUND else ProbeUnavailable(why)


def _is_stuck() -> bool:
    return any(thread.is_alive() for thread in _stuck)


def _in_time(work: Callable[[], Answer], timeout_s: float) -> Answer:
    """Do the work in a thread of its own, which is left behind when it takes too long."""
    import threading

    if _is_stuck():
        raise NoAnswer("the NVIDIA driver still does not answer an earlier question")
    _stuck.clear()
    results: list[Answer] = []
    errors: list[ProbeUnavailable] = []

    def body() -> None:
        try:
            results.append(work())
        except ProbeUnavailable as error:
            errors.append(error)
        except Exception as error:  # noqa: BLE001  # somebody else's library, in a thread that nobody watches
            errors.append(ProbeUnavailable(f"the Python package nvidia-ml-py failed: {type(error).__name__}: {error}"))

    thread = threading.Thread(target=body, name="nvml", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        _stuck.append(thread)
        raise NoAnswer(f"the NVIDIA driver did not answer within {timeout_s:g} s")
    if errors:
        raise errors[0]
    if not results:
        raise ProbeUnavailable("the Python package nvidia-ml-py failed")
    return results[0]
