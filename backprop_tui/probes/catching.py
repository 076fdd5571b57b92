"""Which processes handle a signal themselves (Linux)."""

from __future__ import annotations

import os

_MAX_BYTES = 64 * 1024
_OF_MULTIPROCESSING = (b"multiprocessing.spawn", b"multiprocessing.forkserver", b"multiprocessing.resource_tracker")

_LAUNCHERS = frozenset({b"torchrun", b"accelerate", b"accelerate-launch"})
_LAUNCHING_MODULES = frozenset({b"torch.distributed.run", b"torch.distributed.launch", b"accelerate.commands.launch"})


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for this signal; False where that cannot be seen."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        name, _, mask = line.partition(b":")
        if name == b"SigCgt":
            try:
                return bool(int(mask, 16) >> (number - 1) & 1)
            except ValueError:
                return False
    return False


def is_helper(pid: int, parent: int) -> bool:
    """Whether a process is a worker of its parent: a fork that went on, or one that multiprocessing started."""
    words = _read(f"/proc/{pid}/cmdline")
    return any(mark in words for mark in _OF_MULTIPROCESSING) or (
        bool(words) and words == _read(f"/proc/{parent}/cmdline")
    )


def is_launcher(pid: int) -> bool:
    """Whether a process is torchrun or accelerate, which start trainings and pass on the signals that they know."""
    return names_launcher(_read(f"/proc/{pid}/cmdline").split(b"\0"))


def names_launcher(words: list[bytes]) -> bool:
    """Whether a command line starts one of them, by its name or as a module or script of Python."""
    if os.path.basename(words[0]) in _LAUNCHERS:
        return True
    if not os.path.basename(words[0]).startswith(b"python"):
        return False
    for at, word in enumerate(words[1:], 1):
        if word == b"-m":
            return words[at + 1 : at + 2] != [] and words[at + 1] in _LAUNCHING_MODULES
        if word[:1] != b"-":
            return os.path.basename(word) in _LAUNCHERS
    return False


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, _MAX_BYTES)
    except OSError:
        return b""
    finally:
        os.close(fd)
