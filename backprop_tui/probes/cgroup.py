"""What a control group leaves of the box's memory, in both versions of the kernel's interface."""

from __future__ import annotations

import os

from backprop_tui import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/sys/fs/cgroup"
_NO_LIMIT_BYTES = 1 << 60


def memory_room(membership: bytes, root: str = ROOT) -> tuple[int | None, int | None]:
    """The tightest limit on the own control group and its parents, and the least room below any of them.

    Args:
        membership: the content of /proc/self/cgroup.
        root: where the control groups are mounted.
    """
    limits: list[int] = []
    rooms: list[int] = []
    for folder, names in _folders(membership, root):
        limit = _number(f"{folder}/{names[0]}")
        if limit is None or limit >= _NO_LIMIT_BYTES:
            continue
        limits.append(limit)
        used = _number(f"{folder}/{names[1]}")
        if used is not None:
            # The page cache gives way before anything is refused.
            rooms.append(max(0, limit - max(0, used - _statistic(f"{folder}/memory.stat", names[2]))))
    return min(limits, default=None), min(rooms, default=None)


_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", b"total_inactive_file ")
_V2 = ("memory.max", "memory.current", b"inactive_file ")


def _folders(membership: bytes, root: str) -> Iterator[tuple[str, tuple[str, str, bytes]]]:
    """Each folder that may limit us, from the own control group upwards."""
    for line in membership.splitlines()[:64]:
        number, _, rest = line.partition(b":")
        controllers, _, raw = rest.partition(b":")
        if number == b"0" and not controllers:
            mounts, names = [root, f"{root}/unified"], _V2
        elif b"memory" in controllers.split(b","):
            mounts, names = [f"{root}/memory"], _V1
        else:
            continue
        path = os.fsdecode(raw).rstrip("/")
        if ".." in path.split("/") or path.count("/") > 64:
            path = ""  # outside of what this namespace shows
        while True:
            for mount in mounts:
                yield mount + path, names
            if not path:
                break
            path = path.rpartition("/")[0]


def _number(path: str) -> int | None:
    try:
        return int(read(path))
    except ValueError:  # absent, or "max"
        return None


def _statistic(path: str, key: bytes) -> int:
    for line in read(path).splitlines():
        if line.startswith(key):
            try:
                return int(line[len(key) :])
            except ValueError:
                return 0
    return 0


def read(path: str) -> bytes:
    """A file of the kernel's; nothing where it cannot be read."""
    try:
        return files.read_bytes(path)
    except OSError:
        return b""
