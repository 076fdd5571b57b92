"""What a script's output means."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

RECOGNISERS = ("dict", "bar", "keras", "rounds", "table", "columns", "pairs", "phrase")
"""Forms of plain output that are read: Python dicts, progress bars, Keras lines, boosting rounds, tables of two
columns, tables with a header, pairs such as loss=2.3, and phrases that name a checkpoint."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Metric:
    """Values at a step. A slotted class: there can be a million of them."""

    __slots__ = ("raw", "step", "values")

    def __init__(self, step: int | float, values: dict[str, float], raw: str | None = None) -> None:
        self.step = step
        self.values = values
        """By metric name; NaN and infinities are kept."""
        self.raw = raw
        """The line itself when it is a JSON object of finite numbers only, fit to be copied as it is."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Metric) and (self.step, self.values) == (other.step, other.values)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Metric({self.step!r}, {self.values!r})"


class CheckpointReport(Frozen):
    """The script says that it saved a checkpoint."""

    path: str
    """As printed: relative to the script's working directory, or absolute."""
    step: int | None = None
    found: str = "event"
    """event (the script's JSON), phrase (a sentence of its output), folder (seen on disk)."""


class Progress(Frozen):
    """Where a training stands by its own counters."""

    step: int | float | None = None
    """On the run's one step axis."""
    total: int | None = None
    """Steps in all."""
    epoch: float | None = None
    """As printed."""
    epochs: float | None = None


class ScriptEvent(Frozen):
    """Any other event that the script reports as JSON."""

    name: str
    fields: dict[str, Any]
