"""What processes write: the files that they hold open for it, and how much they have written altogether."""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = "/proc"
_MAX_FILES = 512
"""Open files looked at in one go."""
_DELETED = " (deleted)"


def open_for_writing(pids: Iterable[int]) -> list[str]:
    """Paths of the regular files that these processes hold open for writing; none where the system does not tell."""
    if sys.platform != "linux":
        return []
    found: dict[str, None] = {}
    left = _MAX_FILES
    for pid in pids:
        folder = f"{_PROC}/{pid}/fd"
        try:
            numbers = os.listdir(folder)
        except OSError:
            continue
        for number in numbers[:left]:
            path = _regular(f"{folder}/{number}")
            if path and path not in found and _is_writable(f"{_PROC}/{pid}/fdinfo/{number}"):
                found[path] = None
        left -= len(numbers)
        if left <= 0:
            break
    return list(found)


def _regular(link: str) -> str:
    try:
        path = os.readlink(link)
        if not path.startswith("/") or path.startswith(("/dev/", "/proc/", "/memfd:")) or path.endswith(_DELETED):
            return ""
        return path if stat.S_ISREG(os.stat(link).st_mode) else ""
    except OSError:
        return ""


def _is_writable(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        text = os.read(fd, 256)
    except OSError:
        return False
    finally:
        os.close(fd)
    _, _, rest = text.partition(b"flags:")
    try:
        return int(rest.split(maxsplit=1)[0], 8) & os.O_ACCMODE != os.O_RDONLY
    except (ValueError, IndexError):
        return False


def written_by(pids: Iterable[int]) -> int | None:
    """Bytes that these processes, and those of their children that were waited for, have written so far.

    None where the system does not tell.
    """
    total: int | None = None
    for pid in pids:
        try:
            with open(f"{_PROC}/{pid}/io", "rb") as file:
                lines = dict(line.split(b": ") for line in file.read(1024).splitlines())
            # What is written through a memory map is not in wchar, what stays in memory not in write_bytes.
            total = (total or 0) + max(int(lines[b"wchar"]), int(lines[b"write_bytes"]))
        except (OSError, ValueError, KeyError):
            continue
    return total
