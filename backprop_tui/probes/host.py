"""The box: load, memory, disk, who it is."""

from __future__ import annotations

import os
import sys

from backprop_tui.model.samples import HostSample

_IS_LINUX = sys.platform == "linux"
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p", "fuse.sshfs"})


def sample_host(t: float) -> HostSample:
    """One measurement at epoch second `t`; what cannot be measured is None."""
    total, free = _memory() if _IS_LINUX else _memory_elsewhere()
    try:
        load1: float | None = os.getloadavg()[0]
    except OSError:
        load1 = None
    return HostSample(t=t, cores=cores(), load1=load1, ram_total_bytes=total, ram_free_bytes=free)


def cores() -> int:
    """Logical cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def boot_id() -> str:
    """Differs after every boot; "" where it is unknown."""
    if _IS_LINUX:
        return _text("/proc/sys/kernel/random/boot_id").strip()
    import psutil

    return str(int(psutil.boot_time()))


def hostname() -> str:
    """This host, as records name it."""
    return os.uname().nodename


def filesystem_kind(path: str) -> str:
    """The kind of filesystem that a path lies on, such as ext4 or nfs4; "" where it is unknown."""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in _text("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = fields[4].encode("ascii", "replace").decode("unicode_escape")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind


def is_network_filesystem(kind: str) -> bool:
    """Whether several hosts may write to such a filesystem."""
    return kind in _NETWORK or kind.startswith("nfs")


def disk_free_bytes(path: str) -> int | None:
    """Room for this user where a path lies; None where it is unknown."""
    try:
        info = os.statvfs(path)
    except OSError:
        return None
    return info.f_bavail * info.f_frsize


def _memory() -> tuple[int | None, int | None]:
    total = free = None
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            total = int(line.split()[1]) * 1024
        elif line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
            break
    for limit, used in _cgroup_limits():
        total = limit if total is None else min(total, limit)
        free = limit - used if free is None else min(free, max(0, limit - used))
    return total, free


def _cgroup_limits() -> list[tuple[int, int]]:
    """(limit, used without the page cache) of each memory limit that binds this process, bytes."""
    limits = []
    for line in _text("/proc/self/cgroup").splitlines():
        _number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            root, names = "/sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = "/sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        while True:
            found = _cgroup_limit(root + path.rstrip("/"), *names)
            if found is not None:
                limits.append(found)
            if path in ("", "/"):
                break
            path = os.path.dirname(path)
    return limits


def _cgroup_limit(folder: str, limit_name: str, used_name: str, cache_name: str) -> tuple[int, int] | None:
    limit, used = _text(f"{folder}/{limit_name}").strip(), _text(f"{folder}/{used_name}").strip()
    if not (limit.isdecimal() and used.isdecimal()) or int(limit) >= 1 << 60:
        return None
    cache = 0
    for line in _text(f"{folder}/memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == cache_name and value.isdecimal():
            cache = int(value)
    return int(limit), max(0, int(used) - cache)


def _memory_elsewhere() -> tuple[int | None, int | None]:
    import psutil

    memory = psutil.virtual_memory()
    return memory.total, memory.available


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
