"""Signs of a GPU driver, found by looking at files alone: a box without one pays microseconds, no import."""

from __future__ import annotations

import os

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NVIDIA = (
    "/proc/driver/nvidia",
    "/sys/module/nvidia",
    "/dev/dxg",  # under WSL the driver is Windows', with the library alone on this side
)
_LIBRARY = "libnvidia-ml.so.1"
_MAX_CACHE_BYTES = 16 << 20


class Signs(Frozen):
    """Which probes are worth asking."""

    nvml: bool
    nvidia_smi: bool
    rocm: bool
    nvidia_device: bool
    """The driver's device file is here, so a GPU can be used although no probe may be able to read it."""
    amd_device: bool


def look(env: Mapping[str, str], root: str = "") -> Signs:
    """Look for drivers; `root` stands before every absolute path."""
    nvidia_device = os.path.exists(f"{root}/dev/nvidiactl")
    amd_device = os.path.exists(f"{root}/dev/kfd")
    nvml = (
        nvidia_device
        or any(os.path.exists(root + path) for path in _NVIDIA)
        or _is_in_library_path(env)
        or _is_in_loader_cache(f"{root}/etc/ld.so.cache")
    )
    return Signs(
        nvml=nvml,
        nvidia_smi=find_program("nvidia-smi", env) is not None,
        rocm=amd_device or find_program("rocm-smi", env) is not None,
        nvidia_device=nvidia_device,
        amd_device=amd_device,
    )


def find_program(name: str, env: Mapping[str, str]) -> str | None:
    """The full path of a program in an absolute folder of PATH."""
    for folder in env.get("PATH", "").split(os.pathsep):
        if folder.startswith("/"):
            path = f"{folder}/{name}"
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    return None


def _is_in_library_path(env: Mapping[str, str]) -> bool:
    folders = env.get("LD_LIBRARY_PATH", "").split(":")
    return any(os.path.exists(f"{folder}/{_LIBRARY}") for folder in folders if folder)


def _is_in_loader_cache(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return _LIBRARY.encode() in os.read(fd, min(os.fstat(fd).st_size, _MAX_CACHE_BYTES))
    except OSError:
        return False
    finally:
        os.close(fd)
