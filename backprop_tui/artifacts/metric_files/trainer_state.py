"""Reads the history in a trainer_state.json of the Hugging Face trainer, which it writes with each checkpoint."""

from __future__ import annotations

from backprop_tui import files
from backprop_tui.artifacts.metric_files.columns import step_of, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.artifacts.metric_files.budget import Budget
    from backprop_tui.artifacts.metric_files.points import Row

MAX_BYTES = 8 * 1024 * 1024
MAX_ENTRIES = 100_000
_ONCE = "train_runtime"
"""In the last entry only, which sums the whole training up."""


class TrainerState:
    """The states of one output folder: each has the history of the ones before, and more."""

    has_more = False
    is_alien = False

    def __init__(self, path: str) -> None:
        self.path = path
        """The state to be read next."""
        self._known: list[Row] = []

    def read(self, budget: Budget) -> list[Row]:
        """The entries of its history that the state which was read before had not.

        Raises:
            OSError: it cannot be read.
        """
        history = self._history(budget)
        if not history:
            return []
        same = _common(history, self._known)
        if same < len(self._known) and same == len(history):
            return []  # an older state was written again
        self._known = history
        return history[same:]

    def _history(self, budget: Budget) -> list[Row]:
        data = files.read_bytes(self.path, MAX_BYTES)
        budget.spend(len(data))
        try:
            state = files.from_json(data)
        except (ValueError, RecursionError):
            return []  # it is just being written
        entries = state.get("log_history") if isinstance(state, dict) else None
        if not isinstance(entries, list):
            return []
        return [row for entry in entries[-MAX_ENTRIES:] if (row := _row(entry)) is not None]


def _row(entry: Any) -> Row | None:
    if not isinstance(entry, dict) or _ONCE in entry:
        return None
    step = step_of(value_of(entry.get("step")))
    found = {name: value_of(value) for name, value in entry.items() if name != "step"}
    values = {name: value for name, value in found.items() if value is not None}
    return (step, values) if step is not None and values else None


def _common(one: list[Row], other: list[Row]) -> int:
    """How many entries both begin with."""
    count = 0
    for mine, known in zip(one, other, strict=False):
        if repr(mine) != repr(known):
            break
        count += 1
    return count
