"""What may be a checkpoint, and what is known of it between two looks. Pure."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.artifacts.names import Name
    from backprop_tui.artifacts.verdict import Verdict

    Stamp = tuple[int, int]

QUIET_S = 1.9
"""Between two looks, which come every 2 s."""
FIRST_QUIET_S = 0.4
"""Of a run that has none: what is whole by its kind is told so soon, as far as looks come."""
RESTLESS_S = 6.0
"""What changed at every look for so long is told as it is, if its kind shows that it is whole."""


class Moment(Frozen):
    """What is so at the time of a look."""

    now: float
    """Monotonic seconds."""
    epoch: float
    """Epoch seconds; at the end when it was."""
    step: int | None = None
    """The run's newest."""
    step_at: Callable[[float], int | None] | None = None
    """The run's step at a time, epoch seconds, where that is known."""
    began: float
    """When the slice began, epoch seconds."""
    trains_since: float | None = None
    """When the first metric or counter of the slice was seen."""
    best_rank: int | None = None
    """Of the good checkpoints that the run has already; None if there is none."""
    is_told: bool = False
    """The script reports its checkpoints itself: others count only where a person asked to watch."""
    is_final: bool = False
    """Nothing of the training is left: what is not whole now never will be."""
    is_cut: bool = False
    """It did not end by itself and well."""


class Found(Frozen):
    """A checkpoint that was found, with its verdict."""

    path: str
    step: int | None
    verdict: Verdict
    found: str = "folder"
    """Or phrase, where a sentence of the output named the path."""


class Candidate:
    __slots__ = (
        "changed",
        "is_announced",
        "is_asked",
        "name",
        "path",
        "refused",
        "since",
        "stamp",
        "step",
        "told_at",
        "whole",
    )

    def __init__(
        self,
        path: str,
        name: Name,
        *,
        is_watched: bool = False,
        announced: float | None = None,
        told_at: int | None = None,
    ) -> None:
        self.path = path
        self.name = name
        self.is_announced = announced is not None
        self.is_asked = is_watched or self.is_announced
        """A person or the output says that it is one: neither its name nor its content has to."""
        self.stamp: Stamp | None = None
        self.since = self.changed = announced or 0.0
        """When it was taken up and when it changed last, monotonic seconds."""
        self.step: int | None = None
        """The run's when it changed last."""
        self.told_at = told_at
        """The run's when its output told of it: what is printed is read a moment later than it is written."""
        self.refused: Stamp | None = None
        """The stamp with which it was no checkpoint, or not a whole one."""
        self.whole: Stamp | None = None
        """The stamp with which it was whole when it was not yet time."""


def is_due(c: Candidate, moment: Moment) -> bool:
    """Whether it has come to rest; what never does, because it is written over all the time, is due in between."""
    if moment.is_final:
        return True
    quiet_s = FIRST_QUIET_S if moment.best_rank is None else QUIET_S
    has_rested = moment.now - c.changed >= quiet_s or moment.now - c.since >= RESTLESS_S
    return has_rested and c.refused != c.stamp


def quiet_s_of(c: Candidate, moment: Moment) -> float:
    """How long it has not changed; at the end also by the filesystem's word: the look before may be long ago."""
    quiet_s = moment.now - c.changed
    return max(quiet_s, moment.epoch - (c.stamp or (0, 0))[1] / 1e9) if moment.is_final else quiet_s


def step_when(stamp: Stamp, moment: Moment) -> int | None:
    """The run's step when something was last written; its newest where the filesystem's time says nothing."""
    step = None if moment.step_at is None else moment.step_at(stamp[1] / 1e9)
    return moment.step if step is None else step


def later(one: int | None, two: int | None) -> int | None:
    """The greater of two steps, as far as they are known."""
    return max((step for step in (one, two) if step is not None), default=None)
