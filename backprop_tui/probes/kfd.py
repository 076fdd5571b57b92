"""Which processes compute on AMD's GPUs, as the kernel's compute driver shows them to everybody."""

from __future__ import annotations

import os

from backprop_tui.model.samples import GpuProcess
from backprop_tui.probes.cgroup import read

KFD = "/sys/class/kfd/kfd"
_MAX_PROCESSES = 4096


def processes_by_minor(root: str = KFD) -> dict[str, tuple[GpuProcess, ...]] | None:
    """The processes of each GPU, by the number of its render device ("128" of renderD128).

    None where the driver shows none of this.
    """
    try:
        pids = sorted(int(name) for name in os.listdir(f"{root}/proc") if name.isdecimal())[:_MAX_PROCESSES]
        nodes = os.listdir(f"{root}/topology/nodes")
    except OSError:
        return None
    found = {}
    for node in nodes:
        number = read(f"{root}/topology/nodes/{node}/gpu_id").strip().decode("ascii", "replace")
        minor = _render_minor(f"{root}/topology/nodes/{node}")
        if number.isdecimal() and number != "0" and minor:  # a CPU's is 0
            found[minor] = tuple(_processes(root, pids, number))
    return found


def _processes(root: str, pids: list[int], number: str) -> list[GpuProcess]:
    listed = []
    for pid in pids:
        used = read(f"{root}/proc/{pid}/vram_{number}").strip()
        # Each process is listed for each GPU; one that holds nothing does not use it.
        if used.isdigit() and int(used):
            listed.append(GpuProcess(pid=pid, used_bytes=int(used)))
    return listed


def _render_minor(node: str) -> str:
    for line in read(f"{node}/properties").splitlines():
        key, _, value = line.partition(b" ")
        if key == b"drm_render_minor":
            return value.strip().decode("ascii", "replace")
    return ""
