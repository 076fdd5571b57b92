"""Words in time: what a person should know of a running slice while something can still be done about it. Pure."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.supervisor.habits import OTHER, Habit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_S = 20.0
"""Nothing is said earlier."""
NO_METRICS_S, NO_METRICS_SHARE = 60.0, 0.2
"""So long, or this share of the time box, a script may go without a metric."""
FILES_S = 150.0
"""Metric files are written late: TensorBoard's writers keep two minutes back."""
HALF_S = 3600.0
"""Half of a longer box is too late."""
EARLY_SHARE = 0.1
"""Of the box: from then on the pace tells when the first checkpoint comes."""
IN_TIME = 0.9
"""A first checkpoint that comes before this share of the box comes in time."""
RARE_SHARE, LOST_SHARE, LOST_S = 0.25, 0.2, 15.0
"""Saves are rare if they come less than four times a box, and a fifth of it and 15 s would be lost at its end."""


class Look(Frozen):
    """How a slice stands; times are running time since its start, seconds."""

    used_s: float
    box_s: float
    has_printed: bool = True
    reads_metrics: bool = True
    """A person may have switched that off."""
    has_metrics: bool = False
    has_files: bool = False
    """It writes metric files, in which nothing has been found yet."""
    step: int | None = None
    """Its newest step."""
    speed: float | None = None
    """Steps a second, once that is settled."""
    saved_s: tuple[float, ...] = ()
    """When its checkpoints were saved, oldest first."""
    saves_when_stopped: bool | None = None
    """Whether it saves when it is asked to stop, where that is known."""
    habit: Habit = OTHER


class Adviser:
    """Says each thing once a slice, and takes it back if it is not so any more."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        """What holds now, by its kind."""
        self._was_said: set[str] = set()

    def look(self, look: Look, *, is_last: bool = False) -> tuple[list[str], list[str]]:
        """What is to be said now, and what is to be taken back; at the end of a slice nothing new is said."""
        new, gone = [], []
        for kind, advice in _KINDS.items():
            text = advice(look, kind in self._said)
            if kind in self._said and not text:
                gone.append(self._said.pop(kind))
            elif text and kind not in self._was_said and not is_last:
                self._was_said.add(kind)
                self._said[kind] = text
                new.append(text)
        return new, gone


def no_metrics(look: Look, _holds: bool = False) -> str:
    """Nothing that it prints tells how it does."""
    limit = max(LEAST_S, min(NO_METRICS_S, NO_METRICS_SHARE * look.box_s))
    if look.has_files:
        limit = max(limit, FILES_S)
    if look.has_metrics or not look.reads_metrics or look.used_s < limit:
        return ""
    if not look.has_printed:
        what = "it has printed nothing so far, so there is no step, no loss and no curve"
    elif look.step is not None:
        what = "its steps are seen, but nothing that it prints was understood as a loss or another metric"
    else:
        what = "nothing that it prints was understood as a metric, so there is no step, no loss and no curve"
    return f'{what}: print JSON lines such as {{"step": 10, "loss": 0.5}}, or describe its lines with --metric-pattern'


def no_checkpoint(look: Look, _holds: bool = False) -> str:
    """There is nothing yet to go on from, and the box does not last for ever."""
    if look.saved_s or look.saves_when_stopped:
        return ""
    habit, half = look.habit, max(LEAST_S, min(look.box_s / 2, HALF_S))
    first = _first_save(look)
    if first is not None and habit.steps:
        is_known = look.used_s >= max(LEAST_S, min(EARLY_SHARE * look.box_s, HALF_S))
        if first <= IN_TIME * look.box_s or not is_known:
            return ""
        default = " by default" if habit.is_default else ""
        what = (
            f"the first checkpoint comes after {_about(first)}, the time box ends after {_about(look.box_s)}: "
            f"{habit.name} saves every {habit.steps:,} steps{default}, and it makes {look.speed:.3g} a second"
        )
        return f"{what}; {habit.todo}, or give it more time: -m {_minutes(1.2 * first)}"
    if look.used_s < half:
        return ""
    what = f"no checkpoint was seen in {_about(look.used_s)} of a time box of {_about(look.box_s)}"
    if habit.usually:
        what += f": {habit.name} {habit.usually}"
    rest = "" if look.saves_when_stopped is False else ", unless it saves when it is asked to stop"
    return f"{what}; what it does is lost when the box ends{rest}: {habit.todo}, or say where it saves: --watch PATTERN"


def rare_checkpoints(look: Look, holds: bool = False) -> str:
    """It saves so seldom that much of the box is lost at its end; `holds`: that was said, and must be clearly untrue
    to be taken back."""
    if not look.saved_s or look.saves_when_stopped:
        return ""
    interval, lost = _interval_and_lost(look)
    most = max(LOST_S, LOST_SHARE * look.box_s) / (2 if holds else 1)
    if interval <= RARE_SHARE * look.box_s or lost < most:
        return ""
    rest = "" if look.saves_when_stopped is False else ", unless it saves when it is asked to stop"
    what = f"it saves about every {_about(interval)}: the last {_about(lost)} of the time box would be lost{rest}"
    return f"{what}; {look.habit.todo}"


def not_a_number(loss: float, step: int | None) -> str:
    """The loss has stopped being a number, and all that follows is lost time."""
    where = "" if step is None else f" (seen at step {step:,})"
    return (
        f"its loss is {loss:g}{where}: stop it, go on from a checkpoint before it became so, and try a lower "
        "learning rate, gradient clipping or full precision"
    )


_KINDS: dict[str, Callable[[Look, bool], str]] = {
    "metrics": no_metrics,
    "checkpoint": no_checkpoint,
    "rare": rare_checkpoints,
}


def _first_save(look: Look) -> float | None:
    """When the first checkpoint is to be expected, by what is known of the library."""
    steps = look.habit.steps
    if not steps or look.step is None or not look.speed:
        return None
    return look.used_s + (steps - look.step % steps) / look.speed


def _interval_and_lost(look: Look) -> tuple[float, float]:
    """How long it takes from one checkpoint to the next, and what lies behind the last one when the box ends."""
    last = look.saved_s[-1]
    interval = max(last / len(look.saved_s), 1.0)
    left = max(0.0, look.box_s - last)
    return interval, left % interval


def _about(seconds: float) -> str:
    """A length of time, no more exactly than it is known."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _minutes(seconds: float) -> int:
    return max(1, int(seconds // 60) + 1)
