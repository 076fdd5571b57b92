"""Follows an event file of TensorBoard while it grows."""

from __future__ import annotations

import os
import struct

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.metric_files.budget import CHUNK
from backprop_tui.artifacts.metric_files.scalars import VERSION, event_of
from backprop_tui.artifacts.metric_files.wire import Malformed, masked_crc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io

    from backprop_tui.artifacts.metric_files.budget import Budget
    from backprop_tui.artifacts.metric_files.points import Row
    from backprop_tui.artifacts.metric_files.scalars import Event

MAX_RECORD = 16 * 1024
"""Bytes of a record that is read; longer ones hold images, graphs and the like, and are passed over."""
MAX_TAGS = 1024
_HEAD, _FOOT = 12, 4
"""Bytes around a record: its length with a checksum before it, its own checksum behind it."""


class EventFile:
    """One event file: its scalars in the order in which they were written."""

    def __init__(self, path: str, since: float, by_batch: set[str]) -> None:
        """Only what was written at `since` (epoch seconds) or later counts.

        `by_batch` is shared by all event files: the folders in which Keras counts batches.
        """
        self.path = path
        self._since = since
        self._by_batch = by_batch
        self._at = 0
        self._is_known = False
        """Its first record was read."""
        self.is_alien = False
        """It is no event file, whatever its name says."""
        self.has_more = False
        """There was no time for the rest of it."""
        self._begin()

    def _begin(self) -> None:
        self._at, self._is_known = 0, False
        self._steps = _Steps(os.path.dirname(os.path.dirname(self.path)), self._by_batch)

    def read(self, budget: Budget) -> list[Row]:
        """What is new; up to the first record that is not whole, which is tried again at the next look.

        Raises:
            OSError: it cannot be read.
        """
        rows: list[Row] = []
        with open_file(self.path) as file:
            size = os.fstat(file.fileno()).st_size
            if size < self._at:
                self._begin()  # another file lies in its place
            while not self.is_alien and not budget.is_spent:
                before = self._at
                self._read_chunk(file, size, budget, rows)
                if self._at == before:
                    self.has_more = False
                    return rows
            self.has_more = self._at < size and not self.is_alien
        return rows

    def _read_chunk(self, file: io.FileIO, size: int, budget: Budget, rows: list[Row]) -> None:
        file.seek(self._at)
        data = file.read(CHUNK)
        budget.spend(len(data))
        at = 0
        while at + _HEAD <= len(data):
            length = _length(data[at : at + _HEAD])
            if length is None:
                break
            end = at + _HEAD + length + _FOOT
            if length > MAX_RECORD:
                if self._at + end > size:
                    break
            elif end > len(data) or not self._take(data[at + _HEAD : end - _FOOT], data[end - _FOOT : end], rows):
                break
            at = end
            if self.is_alien or budget.is_spent:
                break
        self._at += at

    def _take(self, record: bytes, crc: bytes, rows: list[Row]) -> bool:
        """Take up a record; False if it is not whole."""
        if masked_crc(record) != int.from_bytes(crc, "little"):
            return False
        try:
            event = event_of(record)
        except (Malformed, struct.error, OverflowError):
            return True  # whole, but of a kind that is not known
        if not self._is_known:
            self._is_known, self.is_alien = True, not event.version.startswith(VERSION)
        if not event.t or event.t >= self._since:
            self._steps.add(event, rows)
        return True


class _Steps:
    """Which step a scalar belongs to."""

    def __init__(self, folder: str, by_batch: set[str]) -> None:
        self._last: dict[str, int] = {}
        self._shift: dict[str, int] = {}
        self._folder, self._by_batch = folder, by_batch
        self._batch: int | None = None
        """The newest batch of what Keras writes for each batch or each evaluation."""

    def add(self, event: Event, rows: list[Row]) -> None:
        for tag, value in event.scalars:
            if tag.startswith("evaluation_") and tag.endswith("_vs_iterations"):
                self._batch = event.step
                continue  # Keras writes the value again as epoch_…
            step = self._step(tag, event.step)
            if not rows or rows[-1][0] != step or tag in rows[-1][1]:
                rows.append((step, {}))
            rows[-1][1][tag] = value

    def _step(self, tag: str, step: int) -> int:
        if tag.startswith("batch_"):
            self._batch = step
            self._by_batch.add(self._folder)
        elif tag.startswith("epoch_") and self._batch is not None and self._folder in self._by_batch:
            return self._batch  # epochs and batches have one axis
        last = self._last.get(tag)
        if last is not None and 0 <= step < last and step <= last // 2:
            # Counted anew in each epoch. What is only a little late keeps its step.
            self._shift[tag] = self._shift.get(tag, 0) + last - step + 1
        if last is not None or len(self._last) < MAX_TAGS:
            self._last[tag] = step
        return step + self._shift.get(tag, 0)


def _length(head: bytes) -> int | None:
    """The length of the record behind this head; None where the head is damaged or not yet written."""
    size, crc = struct.unpack("<QI", head)
    if masked_crc(head[:8]) != crc:
        return None
    return int(size)
