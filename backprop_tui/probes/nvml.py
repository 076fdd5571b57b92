"""NVIDIA GPUs by the driver's own library, asked in a thread: a driver that hangs is not waited for."""

from __future__ import annotations

import functools
import threading

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.gpu import NO_LIBRARY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_REASONS = {
    9: "the NVIDIA driver is not loaded",
    12: NO_LIBRARY,
    4: "this user may not ask the NVIDIA driver",
    15: "a GPU is lost; the machine has to be restarted",
    18: "the NVIDIA driver was updated; restart the machine",
}


def sample_nvml(timeout_s: float) -> tuple[tuple[GpuSample, ...], list[str]]:
    """Every GPU, and a note for each that could not be read.

    Raises:
        ProbeUnavailable: the library cannot be used, or did not answer in time.
    """
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(_sample())
        except ProbeUnavailable as error:
            answer.append(error)

    thread = threading.Thread(target=ask, name="nvml", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not answer:
        raise ProbeUnavailable(f"the NVIDIA driver did not answer within {timeout_s:g} s")
    if isinstance(answer[0], ProbeUnavailable):
        raise answer[0]
    return answer[0]  # type: ignore[no-any-return]


def _sample() -> tuple[tuple[GpuSample, ...], list[str]]:
    import pynvml as nv

    try:
        nv.nvmlInit()
    except nv.NVMLError as error:
        raise ProbeUnavailable(_REASONS.get(error.value, f"NVML: {error}"))
    try:
        gpus: list[GpuSample] = []
        notes: list[str] = []
        for n in range(nv.nvmlDeviceGetCount()):
            try:
                gpus += _device(nv, n)
            except nv.NVMLError as error:
                notes.append(f"GPU {n}: {error}")
        return tuple(gpus), notes
    except nv.NVMLError as error:
        raise ProbeUnavailable(_REASONS.get(error.value, f"NVML: {error}"))
    finally:
        try:
            nv.nvmlShutdown()
        except nv.NVMLError:
            pass


def _device(nv: Any, n: int) -> list[GpuSample]:
    handle = nv.nvmlDeviceGetHandleByIndex(n)
    temp_c = _temperature(nv, handle)
    slices = _mig_slices(nv, handle)
    if slices:
        return [
            _reading(nv, mig, index=f"{n}:{k}", mask=_uuid(nv, mig), temp_c=temp_c)
            for k, mig in enumerate(slices)
        ]
    utilisation = _field(nv, lambda: nv.nvmlDeviceGetUtilizationRates(handle))
    power_mw = _field(nv, lambda: nv.nvmlDeviceGetPowerUsage(handle))
    whole = _reading(nv, handle, index=str(n), mask=str(n), temp_c=temp_c)
    return [
        whole.replace(
            util_percent=utilisation.gpu if utilisation else None,
            power_w=power_mw / 1000 if power_mw is not None else None,
        )
    ]


def _reading(nv: Any, handle: Any, *, index: str, mask: str, temp_c: int | None) -> GpuSample:
    memory = _field(nv, lambda: nv.nvmlDeviceGetMemoryInfo(handle, version=nv.nvmlMemory_v2))
    if memory is None:
        memory = _field(nv, lambda: nv.nvmlDeviceGetMemoryInfo(handle))
    name = _field(nv, lambda: nv.nvmlDeviceGetName(handle))
    return GpuSample(
        index=index,
        mask=mask,
        uuid=_uuid(nv, handle),
        name=_text(name) or "NVIDIA GPU",
        total_bytes=memory.total if memory else None,
        free_bytes=memory.free if memory else None,
        temp_c=temp_c,
    )


def _mig_slices(nv: Any, handle: Any) -> list[Any]:
    mode = _field(nv, lambda: nv.nvmlDeviceGetMigMode(handle))
    if not mode or not mode[0]:
        return []
    count = _field(nv, lambda: nv.nvmlDeviceGetMaxMigDeviceCount(handle)) or 0
    found = []
    for k in range(count):
        mig = _field(nv, functools.partial(nv.nvmlDeviceGetMigDeviceHandleByIndex, handle, k))
        if mig is not None:
            found.append(mig)
    return found


def _temperature(nv: Any, handle: Any) -> int | None:
    if hasattr(nv, "nvmlDeviceGetTemperatureV"):
        found = _field(nv, lambda: nv.nvmlDeviceGetTemperatureV(handle, nv.NVML_TEMPERATURE_GPU))
        if found is not None:
            return int(found)
    found = _field(nv, lambda: nv.nvmlDeviceGetTemperature(handle, nv.NVML_TEMPERATURE_GPU))
    return None if found is None else int(found)


def _uuid(nv: Any, handle: Any) -> str:
    return _text(_field(nv, lambda: nv.nvmlDeviceGetUUID(handle)))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _field(nv: Any, ask: Callable[[], Any]) -> Any:
    """One value; None where this GPU or driver does not have it. A lost GPU is no missing field."""
    try:
        return ask()
    except nv.NVMLError as error:
        if error.value in (nv.NVML_ERROR_GPU_IS_LOST, nv.NVML_ERROR_RESET_REQUIRED):
            raise
        return None
    except (AttributeError, TypeError):  # an older nvidia-ml-py does not know the call
        return None
