"""The box itself: load, memory, names, disks. Nothing here raises; what cannot be read is None."""

from __future__ import annotations

import os
import sys

from backprop_tui.model.samples import HostSample
from backprop_tui.probes.cgroup import memory_room, read

_IS_LINUX = sys.platform == "linux"
_PROC = "/proc"
_NETWORK_KINDS = frozenset(
    {
        *(
            "9p",
            "afpfs",
            "afs",
            "beegfs",
            "ceph",
            "cifs",
            "glusterfs",
            "gpfs",
            "lustre",
            "ncpfs",
            "nfs",
            "nfs4",
        ),
        *("orangefs", "panfs", "pvfs2", "smb3", "smbfs", "webdav", "wekafs"),
    }
)
_NETWORK_FUSE = ("ceph", "davfs", "gcsfuse", "gluster", "goofys", "juicefs", "rclone", "s3", "smb", "sshfs")


def sample_host(t: float) -> HostSample:
    """The box now; `t` is epoch seconds for the record."""
    if not _IS_LINUX:
        return _sample_through_psutil(t)
    total, free = _memory()
    limit, room = memory_room(read(f"{_PROC}/self/cgroup"))
    return HostSample(
        t=t,
        cores=os.cpu_count() or 1,  # the load average is the whole box's too
        load1=_load1(),
        ram_total_bytes=_smaller(total, limit),
        ram_free_bytes=_smaller(free, room),
    )


def boot_id() -> str:
    """Differs after every boot of this box; "" if it cannot be told."""
    if _IS_LINUX:
        return read(f"{_PROC}/sys/kernel/random/boot_id").decode("ascii", "replace").strip()
    import psutil

    return f"boot-{round(psutil.boot_time())}"


def hostname() -> str:
    """This box's name, as other boxes on a shared disk see it."""
    return os.uname().nodename


def disk_bytes(path: str) -> tuple[int, int] | None:
    """What this user may still write to the filesystem of `path`, and all that it holds."""
    try:
        info = os.statvfs(path)
    except (OSError, ValueError):
        return None
    return info.f_bavail * info.f_frsize, info.f_blocks * info.f_frsize


def cpu_ticks() -> tuple[int, int] | None:
    """How long all cores together have been busy since boot, and how long in all; None where it cannot be told."""
    if not _IS_LINUX:
        import psutil

        times = psutil.cpu_times()
        total = sum(times)
        return int((total - times.idle) * 100), int(total * 100)
    fields = read(f"{_PROC}/stat").split(b"\n", 1)[0].split()[1:9]  # without guest time, which is user time too
    try:
        ticks = [int(field) for field in fields]
    except ValueError:
        return None
    if len(ticks) < 5:
        return None
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def filesystem_kind(path: str) -> str:
    """The filesystem that `path` lies on, such as ext4, nfs4 or tmpfs; "unknown" if it cannot be told."""
    try:
        real = os.path.realpath(path)
    except (OSError, ValueError):
        return "unknown"
    if _IS_LINUX:
        return kind_of_mount(real, read(f"{_PROC}/self/mountinfo").decode("utf-8", "surrogateescape"))
    import psutil

    return _deepest(real, [(disk.mountpoint, disk.fstype) for disk in psutil.disk_partitions(all=True)])


def is_network_filesystem(kind: str) -> bool:
    """Whether another box may be writing to the same files."""
    if kind.startswith("fuse."):
        return any(name in kind[5:] for name in _NETWORK_FUSE)
    return kind in _NETWORK_KINDS


def kind_of_mount(path: str, mountinfo: str) -> str:
    """The kind of the mount in /proc/self/mountinfo that an absolute path lies on."""
    mounts = []
    for line in mountinfo.split("\n"):
        before, _, after = line.partition(" - ")
        places, kinds = before.split(" "), after.split(" ")
        if len(places) > 4 and kinds[0]:
            mounts.append((_unescaped(places[4]), kinds[0]))
    return _deepest(path, mounts)


def _deepest(path: str, mounts: list[tuple[str, str]]) -> str:
    best, length = "unknown", -1
    for place, kind in mounts:
        # Of two mounts on one place, the later one covers the earlier.
        if len(place) >= length and (path + "/").startswith(place.rstrip("/") + "/"):
            best, length = kind, len(place)
    return best


def _unescaped(text: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, sign)
    return text


def _load1() -> float | None:
    try:
        return float(read(f"{_PROC}/loadavg").split(None, 1)[0])
    except (ValueError, IndexError):
        return None


def _memory() -> tuple[int | None, int | None]:
    """Total and available bytes."""
    data = read(f"{_PROC}/meminfo")
    return _kilobytes(data, b"MemTotal:"), _kilobytes(data, b"MemAvailable:")


def _kilobytes(data: bytes, key: bytes) -> int | None:
    start = data.find(key)
    try:
        return int(data[start + len(key) :].split(None, 1)[0]) * 1024 if start >= 0 else None
    except (ValueError, IndexError):
        return None


def _smaller(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return first if second is None else second
    return min(first, second)


def _sample_through_psutil(t: float) -> HostSample:
    import psutil

    total: int | None = None
    free: int | None = None
    load1: float | None = None
    try:
        load1 = os.getloadavg()[0]
        memory = psutil.virtual_memory()
        total, free = int(memory.total), int(memory.available)
    except (psutil.Error, OSError):
        pass
    return HostSample(t=t, cores=os.cpu_count() or 1, load1=load1, ram_total_bytes=total, ram_free_bytes=free)
