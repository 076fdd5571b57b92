"""What one line says, before it is known where on the run's axis that is."""

from __future__ import annotations

NUMBER = (
    r"(?:[-+]?(?:\d{1,32}+(?!\d)(?:\.\d{0,40}+(?!\d))?|\.\d{1,40}+(?!\d))(?:[eE][-+]?\d{1,4}+)?"
    r"|[-+]?(?:nan|NaN|NAN|inf|Inf|INF|Infinity)\b)"
)
"""A number as programs print it; NaN and the infinities are numbers. Never backtracks far."""


class Counters:
    """The counters on a line, as printed; None for those that it does not tell."""

    __slots__ = ("batch", "batches", "epoch", "epochs", "restarts", "step", "steps")

    def __init__(
        self,
        *,
        step: float | None = None,
        steps: int | None = None,
        epoch: int | float | None = None,
        epochs: float | None = None,
        batch: int | None = None,
        batches: int | None = None,
    ) -> None:
        self.step = step
        self.steps = steps
        """Of how many."""
        self.epoch = epoch
        self.epochs = epochs
        self.batch = batch
        """Counted within the epoch, if there is one."""
        self.batches = batches
        self.restarts = False
        """The framework counts anew when it goes on from a checkpoint."""

    @property
    def is_exact(self) -> bool:
        """Whether one step of the training is told, not just an epoch."""
        return self.step is not None or self.batch is not None

    @property
    def is_empty(self) -> bool:
        return self.step is None and self.epoch is None and self.batch is None


class Report:
    """Values that a line tells, with its counters."""

    __slots__ = ("counters", "evaluation", "source", "spare_words", "values")

    def __init__(
        self, source: str, values: dict[str, float], counters: Counters | None = None, evaluation: str = ""
    ) -> None:
        self.source = source
        """The recogniser's name."""
        self.values = values
        """By canonical name."""
        self.counters = counters or Counters()
        self.evaluation = evaluation
        """`val_`, `test_`, …: measured outside the training, and what stands in front of names that do not say so."""
        self.spare_words = 0
        """Words of the line that belong to nothing that was read."""
