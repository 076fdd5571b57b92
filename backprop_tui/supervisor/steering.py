"""What people order for the whole box: drain and yield, each a small file in the admission folder."""

from __future__ import annotations

import os
import time

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.governor.scene import Drain, Yield

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_BYTES = 4096
_MAX_WHO = 200


class OrderBook:
    """Reads the orders, a stat each time while nothing changes; gives and takes them back."""

    def __init__(self, folder: str) -> None:
        self._drain = _OrderFile(os.path.join(folder, "drain"))
        self._yield = _OrderFile(os.path.join(folder, "yield"))

    @property
    def drain(self) -> Drain | None:
        """The drain in force."""
        content = self._drain.content()
        return None if content is None else Drain(who=_who(content), since=_number(content, "since"))

    def yielding(self, now: float) -> Yield | None:
        """The yield in force at `now`, epoch seconds; it is over by itself."""
        content = self._yield.content()
        if content is None or not _number(content, "until") > now:  # not a number is never later
            return None
        return Yield(who=_who(content), since=_number(content, "since"), until=_number(content, "until"))

    def mark(self) -> tuple[int, ...]:
        """Differs after an order was given or taken back."""
        return (*self._drain.stamp(), *self._yield.stamp())

    def set_drain(self, who: str) -> None:
        """From now on no slice starts. Raises StoreError where the folder cannot be written to."""
        self._drain.write({"who": who[:_MAX_WHO], "since": round(time.time(), 3)})

    def end_drain(self) -> bool:
        """Slices may start again; whether there was a drain."""
        return self._drain.remove()

    def set_yield(self, who: str, until: float) -> None:
        """All slices save and end, and come back after `until` (epoch seconds); raises as `set_drain`."""
        self._yield.write({"who": who[:_MAX_WHO], "since": round(time.time(), 3), "until": round(until, 3)})

    def end_yield(self) -> bool:
        """Slices may come back now; whether there was a yield."""
        return self._yield.remove()


class _OrderFile:
    """One order; what is no order in it is none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, ...] = ()
        self._content: dict[str, Any] | None = None

    def stamp(self) -> tuple[int, ...]:
        try:
            info = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return ()
        return info.st_mtime_ns, info.st_ino

    def content(self) -> dict[str, Any] | None:
        stamp = self.stamp()
        if stamp != self._stamp:
            self._stamp, self._content = stamp, self._read() if stamp else None
        return self._content

    def write(self, content: dict[str, Any]) -> None:
        try:
            files.write_atomic(self._path, files.to_json(content))
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}", hint="is there room on the disk?")

    def remove(self) -> bool:
        was = self.content() is not None
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreError(f"cannot remove {self._path}: {error.strerror}")
        return was

    def _read(self) -> dict[str, Any] | None:
        try:
            content = files.from_json(files.read_bytes(self._path, _MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


def _who(content: dict[str, Any]) -> str:
    return str(content.get("who", "?"))[:_MAX_WHO]


def _number(content: dict[str, Any], key: str) -> float:
    value = content.get(key)
    try:
        return float(value) if isinstance(value, (int, float)) else 0.0
    except OverflowError:  # more digits than any float
        return 0.0
