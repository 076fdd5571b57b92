"""How much a look at metric files may cost."""

from __future__ import annotations

import time

CHUNK = 256 * 1024
"""Bytes that are read of a file at once."""


class Budget:
    """Time and bytes of one look."""

    def __init__(self, seconds: float, size: int) -> None:
        self._end = time.monotonic() + seconds
        self._bytes = size

    @property
    def is_spent(self) -> bool:
        return self._bytes <= 0 or time.monotonic() >= self._end

    def spend(self, size: int) -> None:
        """So many bytes were read."""
        self._bytes -= size
