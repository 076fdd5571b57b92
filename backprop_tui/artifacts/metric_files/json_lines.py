"""Follows a file of JSON lines: MMEngine's vis_data, Detectron2's metrics.json and files like them."""

from __future__ import annotations

from backprop_tui import files
from backprop_tui.artifacts.metric_files.columns import counter_of, newest_training, step_of, value_of
from backprop_tui.artifacts.metric_files.growing import GrowingLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.artifacts.metric_files.budget import Budget
    from backprop_tui.artifacts.metric_files.points import Row

_MAX_LINE = 64 * 1024
_TRIES = 8
"""Lines among which there must be metrics."""


class JsonLines:
    """One file of JSON objects, one a line."""

    def __init__(self, path: str, old_bytes: int = 0) -> None:
        """What lies within the first `old_bytes` is of an earlier training."""
        self.path = path
        self._lines = GrowingLines(path)
        self._old_bytes = old_bytes
        self._unknown = 0
        """Lines without metrics that were read before the first with some."""
        self._is_known = False
        self._iteration: int | float | None = None
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
        is_first = self._lines.at == 0
        while not self.is_alien and not budget.is_spent:
            has_begun = self._lines.at > 0
            lines = self._lines.read(budget)
            if self._lines.is_anew and has_begun:
                self._old_bytes = 0
            rows += [row for end, text in lines if (row := self._row_of(text)) is not None and end > self._old_bytes]
            if not self.has_more:
                break
        return newest_training(rows) if is_first else rows

    def _row_of(self, text: str) -> Row | None:
        one = _object(text)
        counter = counter_of(one) if one else None
        if not self._is_known:
            self._is_known = counter is not None
            self._unknown += not self._is_known
            self.is_alien = self._unknown >= _TRIES
        if counter is None:
            return None
        step = step_of(value_of(one[counter]))
        if step is None:
            return None
        found = {name: value_of(value) for name, value in one.items() if name != counter}
        values = {name: value for name, value in found.items() if value is not None}
        return (self._on_axis(one, step), values) if values else None

    def _on_axis(self, one: dict[str, Any], step: int | float) -> int | float:
        """MMEngine's lines of an evaluation count epochs, those of the training iterations: one axis for both."""
        if value_of(one.get("iter")) is not None:
            self._iteration = step
        elif self._iteration is not None and step < self._iteration:
            return self._iteration
        return step


def _object(text: str) -> dict[str, Any]:
    if not text.startswith("{") or len(text) > _MAX_LINE:
        return {}
    try:
        one = files.from_json(text)
    except (ValueError, RecursionError):
        return {}
    return one if isinstance(one, dict) else {}
