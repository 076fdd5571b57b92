"""What processes were started with in their environment."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_PROC = "/proc"
_MAX_BYTES = 1 << 20


def variables_of(pids: Iterable[int], names: Collection[str], proc: str = _PROC) -> dict[str, str]:
    """Those of the named variables that any of the processes has; of several values the last one found.

    Processes that end meanwhile, or that are not ours to read, are passed over.
    """
    found: dict[str, str] = {}
    for pid in pids:
        try:
            with open(f"{proc}/{pid}/environ", "rb", buffering=0) as file:
                data = file.read(_MAX_BYTES) or b""
        except OSError:
            continue
        for item in data.split(b"\0"):
            name, _, value = os.fsdecode(item).partition("=")
            if name in names:
                found[name] = value
    return found
