"""Follows a CSV file of metrics: Lightning's metrics.csv, Ultralytics' results.csv, those of Keras, timm and SB3."""

from __future__ import annotations

from backprop_tui.artifacts.metric_files.columns import MAX_COLUMNS, counter_of, newest_training, number, step_of
from backprop_tui.artifacts.metric_files.growing import GrowingLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.artifacts.metric_files.budget import Budget
    from backprop_tui.artifacts.metric_files.points import Row

_SEPARATORS = (",", ";", "\t")


class Table:
    """One table: its header may change, its cells may be empty, and several rows may be about one step."""

    def __init__(self, path: str, old_bytes: int = 0) -> None:
        """What lies within the first `old_bytes` is of an earlier training."""
        self.path = path
        self._lines = GrowingLines(path)
        self._old_bytes = old_bytes
        self._old_first: Row | None = None
        self._old_count = 0
        """The first row of an earlier training and how many it has, by which they are known in a file written anew."""
        self._names: list[str] = []
        self._counter = ""
        self._separator = ","
        self.is_alien = False

    @property
    def has_more(self) -> bool:
        return self._lines.has_more

    def read(self, budget: Budget) -> list[Row]:
        """The rows that are new; all of them again where the file was written anew.

        Raises:
            OSError: it cannot be read.
        """
        rows: list[Row] = []
        is_first, is_anew = self._lines.at == 0, False
        while not self.is_alien and not budget.is_spent:
            has_begun = self._lines.at > 0
            lines = self._lines.read(budget)
            if self._lines.is_anew and lines:
                if has_begun:
                    self._old_bytes, is_anew = 0, True
                self._begin(lines.pop(0)[1])
            for end, text in lines:
                self._take(end, text, rows)
            if not self.has_more:
                break
        if is_first:
            return newest_training(rows)
        return self._without_old(rows) if is_anew and self._old_count else rows

    def _begin(self, header: str) -> None:
        header = header.lstrip("\ufeff")
        self._separator = next((mark for mark in _SEPARATORS if mark in header), ",")
        self._names = [name.strip().strip('"') for name in header.split(self._separator)[:MAX_COLUMNS]]
        self._counter = counter_of(self._names) or ""
        self.is_alien = not self._counter

    def _take(self, end: int, text: str, rows: list[Row]) -> None:
        row = self._row_of(text)
        if row is None:
            return
        if end > self._old_bytes:
            rows.append(row)
            return
        self._old_count += 1
        if self._old_first is None:
            self._old_first = row

    def _without_old(self, rows: list[Row]) -> list[Row]:
        """A file that was written anew, with another header, begins with the rows that it had; a new training's has
        fewer at first."""
        first, count = self._old_first, self._old_count
        if first is not None and len(rows) >= count and rows[0][0] == first[0]:
            now = rows[0][1]
            if all(repr(now.get(name)) == repr(value) for name, value in first[1].items()):
                return rows[count:]
        self._old_count = 0
        return rows

    def _row_of(self, text: str) -> Row | None:
        cells = text.split(self._separator)
        if len(cells) != len(self._names):
            return None
        step = None
        values = {}
        for name, cell in zip(self._names, cells, strict=True):
            value = number(cell)
            if name == self._counter:
                step = step_of(value)
            elif value is not None and name:
                values[name] = value
        return (step, values) if step is not None and values else None
