"""Which GPUs there are, by the first probe that can tell."""

from __future__ import annotations

import os

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuReport, GpuSample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

AUTO = ("nvml", "nvidia-smi", "rocm")
_NVML = "libnvidia-ml.so.1"
_NVIDIA_SIGNS = ("/dev/nvidiactl", "/proc/driver/nvidia", "/sys/module/nvidia", "/dev/dxg")


def sample_gpus(probe: str, *, t: float, env: Mapping[str, str], timeout_s: float = 5.0) -> GpuReport:
    """What a probe finds at epoch second `t`; `auto` asks each that has a sign of its driver.

    Never raises: a probe that cannot answer is named in the report with the reason.
    """
    if probe == "none":
        return GpuReport(t=t, probe="none")
    probes = [name for name in AUTO if is_likely(name, env)] if probe == "auto" else [probe]
    tried: list[tuple[str, str]] = []
    for name in probes:
        try:
            gpus, notes = _ask(name, env, timeout_s)
        except ProbeUnavailable as error:
            tried.append((name, error.message))
            continue
        tried += [(name, note) for note in notes]
        if gpus or probe != "auto":
            return GpuReport(t=t, probe=name, gpus=gpus, tried=tuple(tried))
        tried.append((name, "it found no GPU"))
    return GpuReport(t=t, probe="none", failed=_is_alarming(tried), tried=tuple(tried))


def _is_alarming(tried: list[tuple[str, str]]) -> bool:
    return any(why not in ("it found no GPU", NO_LIBRARY) for _name, why in tried)


NO_LIBRARY = "the NVIDIA driver library is not installed"


def _ask(name: str, env: Mapping[str, str], timeout_s: float) -> tuple[tuple[GpuSample, ...], list[str]]:
    if name == "nvml":
        from backprop_tui.probes.nvml import sample_nvml

        return sample_nvml(timeout_s)
    if name == "nvidia-smi":
        from backprop_tui.probes.nvidia_smi import sample_nvidia_smi

        return sample_nvidia_smi(env, timeout_s), []
    from backprop_tui.probes.rocm import sample_rocm

    return sample_rocm(env, timeout_s), []


def is_likely(name: str, env: Mapping[str, str]) -> bool:
    """Whether there is a sign of the driver that a probe needs; reads a few names, loads nothing."""
    if name == "nvml":
        return any(map(os.path.exists, _NVIDIA_SIGNS)) or _library_is_known(env)
    if name == "nvidia-smi":
        return find_command("nvidia-smi", env) is not None
    return os.path.exists("/dev/kfd") or find_command("rocm-smi", env) is not None


def _library_is_known(env: Mapping[str, str]) -> bool:
    folders = env.get("LD_LIBRARY_PATH", "").split(":")
    if any(folder and os.path.exists(os.path.join(folder, _NVML)) for folder in folders):
        return True
    try:
        with open("/etc/ld.so.cache", "rb") as file:
            return _NVML.encode() in file.read()
    except OSError:
        return False


def find_command(name: str, env: Mapping[str, str]) -> str | None:
    """A program on PATH."""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
