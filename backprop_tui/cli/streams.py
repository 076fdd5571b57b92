"""The three standard streams, as they were given to us."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import TextIOWrapper


def mend() -> None:
    """Make all three usable: whoever starts us may have closed them, or want an encoding that lacks our signs."""
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        stream: TextIOWrapper | None = getattr(sys, name)
        if stream is None:
            _open_null(fd)
            mode = "r" if fd == 0 else "w"
            setattr(sys, name, open(fd, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # for good
        elif fd:
            stream.reconfigure(errors="backslashreplace")


def _open_null(fd: int) -> None:
    """Else the next file that is opened gets this number, and our output."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != fd:
        os.dup2(null, fd)
        os.close(null)
