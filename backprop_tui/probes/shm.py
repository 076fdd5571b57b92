"""Shared memory that lies about without anybody using it: files in /dev/shm that a killed process left behind."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SHM = "/dev/shm"  # noqa: S108  # looked at, never written to
_PROC = "/proc"
_MOST = 10_000
_MAX_MAPS_BYTES = 16 << 20


def forgotten(since: float, at_least: int, folder: str = _SHM) -> dict[str, int]:
    """This user's files in shared memory that were made after `since` and that no process has open or mapped.

    Args:
        since: epoch seconds.
        at_least: bytes of all together; what is less is not looked into, as that takes a while.
        folder: where shared memory is mounted.

    Returns:
        Bytes in memory by path.
    """
    found = dict(_made_after(since, folder))
    if sum(found.values()) < at_least:
        return {}
    for pid in _own_processes():
        for path in _used_by(pid):
            found.pop(path, None)
        if not found:
            break
    return found if sum(found.values()) >= at_least else {}


def _made_after(since: float, folder: str) -> Iterator[tuple[str, int]]:
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for count, entry in enumerate(entries):
            if count >= _MOST:
                return
            try:
                info = entry.stat(follow_symlinks=False)
                if info.st_uid == os.getuid() and info.st_ctime >= since and entry.is_file(follow_symlinks=False):
                    yield entry.path, info.st_blocks * 512
            except OSError:
                continue


def _own_processes() -> list[str]:
    try:
        return [name for name in os.listdir(_PROC) if name.isdecimal()]
    except OSError:
        return []


def _used_by(pid: str) -> Iterator[str]:
    """The paths that a process has mapped or open; none of a process that is another user's."""
    try:
        with open(f"{_PROC}/{pid}/maps", "rb") as file:
            for line in file.read(_MAX_MAPS_BYTES).splitlines():
                start = line.find(b"/")
                if start >= 0:
                    yield os.fsdecode(line[start:])
        for name in os.listdir(f"{_PROC}/{pid}/fd"):
            yield os.readlink(f"{_PROC}/{pid}/fd/{name}")
    except OSError:
        return
