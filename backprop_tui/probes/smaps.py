"""How much RAM processes really take: pages that several of them share are counted once."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_IS_LINUX = sys.platform == "linux"
_PROC = "/proc"


def proportional_bytes(pids: Iterable[int], proc: str = _PROC) -> int | None:
    """The sum of the processes' proportional sizes (PSS); None where none can be read.

    A process that tells only its resident size counts without the pages that it may share: too little rather
    than twice. The kernel walks the page tables for it: milliseconds for a GB.
    """
    if not _IS_LINUX:
        return _through_psutil(pids)
    sizes = [_size_of(f"{proc}/{pid}") for pid in pids]
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _size_of(folder: str) -> int | None:
    size = _kilobytes(f"{folder}/smaps_rollup", b"Pss:")
    if size is None:
        size = _kilobytes(f"{folder}/status", b"RssAnon:")
    return size


def _kilobytes(path: str, key: bytes) -> int | None:
    """The number behind `key`, in bytes; None where it is not told."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(16384) or b""
    except OSError:
        return None
    for line in data.splitlines():
        if line.startswith(key):
            try:
                return int(line[len(key) :].split(None, 1)[0]) * 1024
            except (ValueError, IndexError):
                return None
    return None


def _through_psutil(pids: Iterable[int]) -> int | None:
    import psutil

    sizes = []
    for pid in pids:
        try:
            sizes.append(int(psutil.Process(pid).memory_full_info().uss))
        except (psutil.Error, OSError, AttributeError):
            continue
    return sum(sizes) if sizes else None
