"""When a file was made, where the system and the filesystem tell."""

from __future__ import annotations

import os
import struct
import sys

_AT_FDCWD = -100
_STATX_BTIME = 0x800
_BUFFER = 256
_BTIME_AT = 80
"""Where it lies in the answer: seconds and nanoseconds."""


def birth_time(path: str) -> float | None:
    """Epoch seconds; None where it cannot be told."""
    try:
        if sys.platform != "linux":
            found: float | None = getattr(os.stat(path), "st_birthtime", None)
            return found
        import ctypes

        statx = ctypes.CDLL(None, use_errno=True).statx
        buffer = ctypes.create_string_buffer(_BUFFER)
        failed = statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, buffer)
    except (OSError, AttributeError, ValueError):
        return None
    if failed or not struct.unpack_from("=I", buffer)[0] & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, _BTIME_AT)
    return float(seconds + nanoseconds / 1e9)
