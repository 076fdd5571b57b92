"""Tables of two columns between lines of dashes, as reinforcement learning prints: `|    total_timesteps | 512 |`."""

from __future__ import annotations

from backprop_tui.protocol.fields import MAX_VALUES
from backprop_tui.protocol.names import EPOCH, STEP, canonical, kind_of, step_rank
from backprop_tui.protocol.recognise.report import Counters, Report

_MAX_ROWS = 128
_MIN_DASHES = 5


class Table:
    """Gathers the rows of a table until it is closed."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []
        self._group = ""
        self._is_open = False

    @property
    def is_open(self) -> bool:
        return self._is_open

    def border(self) -> Report | None:
        """A line of dashes: the end of a table, or the beginning of one."""
        rows, self._rows, self._group = self._rows, [], ""
        self._is_open = not rows
        return _report(rows) if rows else None

    def row(self, text: str) -> bool:
        """Take up a line within the table; False if it belongs to none."""
        cells = text.strip().split("|")
        if len(cells) != 4 or cells[0] or cells[3] or len(self._rows) == _MAX_ROWS:
            self.drop()
            return False
        key, value = cells[1], cells[2].strip()
        name = key.strip()
        if not value:
            self._group = name if name.endswith("/") else ""
        else:
            is_under = key.startswith("    ")
            self._rows.append(((self._group if is_under else "") + name, value))
        return True

    def drop(self) -> None:
        self._rows, self._group, self._is_open = [], "", False


def is_border(text: str) -> bool:
    return text.startswith("-----") and not text.strip("- \t")


def _report(rows: list[tuple[str, str]]) -> Report | None:
    counters, rank = Counters(), 100
    values: dict[str, float] = {}
    for name, printed in rows:
        try:
            number = float(printed)
        except ValueError:
            continue
        last = name.rpartition("/")[2]
        kind = kind_of(last)
        if kind == STEP:
            if step_rank(last) < rank and number.is_integer():
                counters.step, rank = int(number), step_rank(last)
        elif kind == EPOCH:
            counters.epoch = int(number) if number.is_integer() else number
        elif not name.startswith("time/") and last not in ("n_updates", "iterations") and len(values) < MAX_VALUES:
            values[canonical(name)] = number
    if counters.step is None or not values:
        return None
    return Report("table", values, counters)
