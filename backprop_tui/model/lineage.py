"""Which points of a run still hold: steps that a later slice did again supersede the old ones. Pure."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backprop_tui.model.run import Slice


class Stretch:
    """The metric lines of one slice."""

    __slots__ = ("n", "start", "until")

    def __init__(self, n: int, start: int, until: float) -> None:
        self.n = n
        """Of the slice."""
        self.start = start
        """Offset in metrics.jsonl of its first line."""
        self.until = until
        """From this step on its points were done again; infinity where none were."""


WHOLE = Stretch(1, 0, math.inf)
"""All lines of a run whose slices are not known."""


def ceilings(firsts: Iterable[int | float | None]) -> list[float]:
    """For each slice the step from which on later ones did its steps again, by the first step of each; None for a slice
    that took none."""
    out: list[float] = []
    lowest = math.inf
    for first in reversed(list(firsts)):
        out.append(lowest)
        lowest = lowest if first is None else min(lowest, first)
    out.reverse()
    return out


def stretches(slices: Sequence[Slice]) -> list[Stretch]:
    """The slices of a run as parts of metrics.jsonl, in order."""
    until = ceilings(piece.first_step for piece in slices)
    return [Stretch(piece.n, piece.metrics_start, most) for piece, most in zip(slices, until, strict=True)]
