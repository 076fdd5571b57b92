"""Whose processes use a GPU: the driver tells numbers, people want names."""

from __future__ import annotations

import os

from backprop_tui.probes.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.model.samples import GpuProcess, GpuSample

_PROC = "/proc"
_MAX_CHARS = 40
_RENAMED = {"pt_main_thread": "python"}
"""PyTorch gives its main thread, and with it the process, a name of its own."""
_users: dict[int, str] = {}
"""Names of users by number: a directory server may have to be asked for them."""


def with_owners(gpus: Iterable[GpuSample], proc: str = _PROC) -> tuple[GpuSample, ...]:
    """The same GPUs, their processes with names and users where these can be read."""
    return tuple(
        gpu.replace(processes=tuple(named(process, proc) for process in gpu.processes)) if gpu.processes else gpu
        for gpu in gpus
    )


def named(process: GpuProcess, proc: str = _PROC) -> GpuProcess:
    """The process with its name, such as "python3", and its user's; "" for what cannot be read.

    Not from its command line: reading that waits for as long as the process is stuck in the driver.
    """
    name = user = ""
    for line in _read(f"{proc}/{process.pid}/status").splitlines():
        key, _, value = line.partition(b":")
        if key == b"Name":
            name = clean(value, _MAX_CHARS)
        elif key == b"Uid":
            user = _user_of(value)
            break
    return process.replace(name=_RENAMED.get(name, name), user=user)


def _user_of(uids: bytes) -> str:
    """The user of the first of these numbers; the number itself if it has no name."""
    try:
        uid = int(uids.split()[0])
    except (ValueError, IndexError):
        return ""
    if uid not in _users:
        import pwd

        try:
            _users[uid] = clean(pwd.getpwuid(uid).pw_name, _MAX_CHARS)
        except (KeyError, OverflowError):
            _users[uid] = str(uid)
    return _users[uid]


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""
    finally:
        os.close(fd)
