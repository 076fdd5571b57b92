"""Numbers the reports of a training that prints no counter: where in all the slices of the run each belongs."""

from __future__ import annotations

from backprop_tui.protocol.fields import MAX_STEP


class Uncounted:
    """Gives such reports their steps.

    The first of a slice follows the last one of the slice before. The step of the checkpoint is no help, for that
    counts something else, unless what was printed before was counted. Where the reports tell the share of the
    epochs that is done, it says where a slice stands among those before it, also if it began anew.
    """

    def __init__(self, reached: float | None, share: float | None, start: int | None) -> None:
        """
        Args:
            reached: the last step that the slices before told.
            share: how many epochs were done there, if that was told.
            start: the step of the checkpoint, where the slices before counted steps; else None.
        """
        self._reached = reached or 0
        self._share = share or 0
        self._start = self._reached if start is None else start

    def number(self, step: float | None, share: float | None) -> float:
        """The step of the next report.

        Args:
            step: where the training stands; None at the slice's beginning.
            share: how many epochs are done, as the report tells.
        """
        following = (self._start if step is None else step) + 1
        if share is None or self._share <= 0 or not 0 <= share / self._share <= MAX_STEP:
            return following
        placed = max(1, round(self._reached * share / self._share))
        return placed if step is None else max(placed, following)
