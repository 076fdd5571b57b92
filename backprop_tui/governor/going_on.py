"""Whether a run goes on by itself once a slice of it has ended, and for how long. Pure."""

from __future__ import annotations

import math
from itertools import pairwise

from backprop_tui.frozen import Frozen
from backprop_tui.governor.progress import (
    LEFT_FOR_OTHERS,
    counted,
    has_progressed,
    is_blind,
    losses,
    since_asked,
    slices_in_vain,
    without_better,
)
from backprop_tui.model.goals import NO_IMPROVE, goal_from
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.goals import Goal
    from backprop_tui.model.run import Run, Slice
    from backprop_tui.model.spec import SliceSpec

REST_S, REST_SHARE = 10.0, 0.05
"""Less than this of a time, and of a short one less than this share, is as good as used up."""
LOSSES = 3
"""So many losses in a row without progress are no accident."""
LOSSES_AT_ALL = 10
"""Nor are so many in a row, however far it came each time."""
IN_VAIN = 3
"""After so many slices in a row without progress a chain ends."""


class Following(Frozen):
    """What follows a slice that has ended."""

    goes_on: bool
    why: str
    """In words; "" where nothing was ever to follow."""
    box_minutes: float | None = None
    """The next slice's box, where it is not the setting maxRunMinutes."""
    is_done: bool = False
    """Nothing follows as the run is where it was to go."""
    is_early: bool = False
    """Nothing follows, and its state does not say why: it is not where it was to go, or has got there with a slice
    that ended for another reason.
    """


def goals_of(spec: SliceSpec) -> tuple[Goal, ...]:
    """The conditions at which a run is done; a text that is none is passed over."""
    goals = []
    for text in spec.setting_or("until", ()) or ():
        try:
            goals.append(goal_from(str(text)))
        except ValueError:
            continue
    return tuple(goals)


def following(run: Run, spec: SliceSpec) -> Following:
    """What follows the newest slice of `run`, which has ended; `spec` is that slice's."""
    newest = run.slice
    if newest is None:
        return Following(goes_on=False, why="")
    code = newest.reason.code if newest.reason is not None else ""
    match newest.state:
        case RunState.STOPPED if code in LEFT_FOR_OTHERS:
            return _rest(run, spec, "it comes back by itself")
        case RunState.FAILED:
            return _after_failure(run, spec)
        case RunState.TIMEBOXED:
            return _in_chain(run, spec)
        case RunState.LOST:
            return _in_chain(run, spec)
    if not spec.is_chain:
        return Following(goes_on=False, why="")
    return Following(goes_on=False, why=_why_ended(newest), is_done=newest.state is RunState.COMPLETED)


def goes_on_after(run: Run, spec: SliceSpec) -> bool:
    """Whether a next slice would follow if the newest, which has not ended, used its time box up."""
    if not spec.is_chain or run.slice is None:
        return False
    newest = run.slice.replace(state=RunState.TIMEBOXED, used_s=max(run.slice.used_s, run.slice.box_s))
    return not (_used_up(run.replace(slices=(*run.slices[:-1], newest)), spec) or goal_reached(run, spec))


def reached(run: Run, spec: SliceSpec) -> str:
    """What a run, whose slices have ended, was to go on to, in words; "" where it is not there yet."""
    return _used_up(run, spec) or goal_reached(run, spec)


def _used_up(run: Run, spec: SliceSpec) -> str:
    total_s = total_s_of(spec)
    if total_s is not None and total_s - trained_s(run) < rest_s(total_s):
        trained, whole = span(trained_s(run)), span(total_s)
        is_rest_left = trained_s(run) < total_s and trained != whole
        return f"{'its total is as good as used up: ' if is_rest_left else ''}it has trained for {trained} of {whole}"
    most = spec.setting_or("slices", None)
    if most is not None and (had := len(counted(run.slices))) >= int(most):
        return f"it has had {had} of {int(most)} slice{'s' if int(most) != 1 else ''}"
    return ""


def goal_reached(run: Run, spec: SliceSpec) -> str:
    """Which condition on its figures a run meets now, in words; "" for none."""
    for goal in goals_of(spec):
        if goal.metric == NO_IMPROVE:
            if (idle := without_better(run)) >= goal.value:
                return f"{goal.text}: {idle} slices in a row without a better {run.main[0] if run.main else 'metric'}"
            continue
        value = value_of(run, goal.metric)
        if value is not None and goal.is_met_by(value):
            return met_text(goal, value)
    return ""


def met_text(goal: Goal, value: float) -> str:
    """The condition that a value meets, in words."""
    return f"{goal.text} is reached: {goal.metric} is {value:,.6g}"


def value_of(run: Run, name: str) -> float | None:
    """A run's newest value of what a condition names."""
    if name in run.last:
        return run.last[name]
    if name == "step":
        return None if run.step is None else float(run.step)
    if name == "epoch":
        return run.epoch
    return run.loss if name == "loss" else None


def total_s_of(spec: SliceSpec) -> float | None:
    """How long a run is to train in all, seconds."""
    total = spec.setting_or("totalMinutes", None)
    return None if total is None else float(total) * 60


def trained_s(run: Run) -> float:
    """How long a run has trained in all its slices, without pauses, seconds."""
    return sum(piece.used_s for piece in run.slices)


def next_box_minutes(run: Run, spec: SliceSpec) -> float | None:
    """The next slice's time box where less of the total is left than the usual box; None where it is the usual.

    Args:
        run: a run before its next slice.
        spec: of that slice.
    """
    total_s = total_s_of(spec)
    if total_s is None:
        return None
    left_s = total_s - trained_s(run)
    return left_s / 60 if rest_s(total_s) <= left_s < float(spec.setting("maxRunMinutes")) * 60 else None


def has_gone_on_unaided(run: Run) -> bool:
    """Whether a slice that was handed no checkpoint began behind the start of the one before it."""
    return any(
        piece.resumed_from is None
        and piece.first_step is not None
        and before.first_step is not None
        and piece.first_step > before.first_step
        for before, piece in pairwise(run.slices)
    )


def rest_s(whole_s: float) -> float:
    """What of a time is too little to go on for: a training would only load and save in it."""
    return min(REST_S, whole_s * REST_SHARE)


def span(seconds: float) -> str:
    """A length of time in words: 40 s, 5 min, 1h20."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = math.floor(seconds / 60 + 0.05)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}"


def _in_chain(run: Run, spec: SliceSpec) -> Following:
    if not spec.is_chain:
        return Following(goes_on=False, why="")
    if done := reached(run, spec):
        return Following(goes_on=False, why=done, is_done=True)
    if why := _began_again(run, spec) or _in_vain(run, spec):
        return Following(goes_on=False, why=why, is_early=True)
    return Following(goes_on=True, why=_so_far(run, spec), box_minutes=next_box_minutes(run, spec))


def _after_failure(run: Run, spec: SliceSpec) -> Following:
    retries = int(spec.setting_or("retries", 0) or 0)
    if not retries:
        return Following(goes_on=False, why="it crashed" if spec.is_chain else "")
    crashes = sum(piece.state is RunState.FAILED for piece in since_asked(run))
    if crashes > retries:
        why = f"it has crashed {crashes} times, and --retries allows {retries}"
        return Following(goes_on=False, why=why, is_early=True)
    if not has_progressed(run):
        return Following(goes_on=False, why="it crashed without having come further", is_early=True)
    return _rest(run, spec, f"started again after a crash ({crashes} of {retries})")


def _rest(run: Run, spec: SliceSpec, why: str) -> Following:
    """On with what is left: of the total in a chain, else of the time box."""
    if spec.is_chain:
        if done := reached(run, spec):
            return Following(goes_on=False, why=done, is_done=True, is_early=True)
        return Following(goes_on=True, why=why, box_minutes=next_box_minutes(run, spec))
    newest = run.slices[-1]
    left_s = newest.box_s - newest.used_s
    if left_s < rest_s(newest.box_s):
        return Following(goes_on=False, why="its time box was all but used up", is_early=True)
    return Following(goes_on=True, why=why, box_minutes=left_s / 60)


def _why_ended(newest: Slice) -> str:
    match newest.state:
        case RunState.COMPLETED if newest.reason is not None and newest.reason.code == "goal":
            return newest.reason.text
        case RunState.COMPLETED:
            return "the training has ended by itself"
        case RunState.DIVERGED:
            return "it diverged"
    return newest.reason.text if newest.reason is not None else f"it is {newest.state}"


def _began_again(run: Run, spec: SliceSpec) -> str:
    """A training that starts over in each slice only wears the box out."""
    *earlier, newest = run.slices
    if newest.resumed_from is not None or newest.first_step is None or spec.fresh:
        return ""
    if any(found.slice == newest.n and found.good for found in run.checkpoints):
        return ""  # the one before had not come to save any; the next goes on from here
    firsts = [piece.first_step for piece in earlier if piece.first_step is not None]
    if not firsts or newest.first_step > min(firsts):
        return ""
    return f"slice {newest.n} began at step {newest.first_step:,} again, for want of a checkpoint"


def _in_vain(run: Run, spec: SliceSpec) -> str:
    """A run that never comes further would go on for ever."""
    if (lost := losses(run)) >= LOSSES_AT_ALL:
        return f"it was lost {lost} times in a row"
    has_end = any(spec.setting_or(key, None) for key in ("totalMinutes", "slices"))
    if (count := slices_in_vain(run, saving_counts=has_end)) < IN_VAIN:
        return ""
    if not is_blind(run):
        return f"{count} slices in a row came no further than those before"
    if has_end:
        return ""  # it may well come further without a word
    return f"{count} slices in a row told nothing of how far they came: no steps, no metrics, no checkpoints"


def _so_far(run: Run, spec: SliceSpec) -> str:
    parts = []
    if (most := spec.setting_or("slices", None)) is not None:
        parts.append(f"{len(counted(run.slices))} of {int(most)} slices done")
    if (total_s := total_s_of(spec)) is not None:
        parts.append(f"{span(trained_s(run))} of {span(total_s)} trained")
    if goals := goals_of(spec):
        parts.append(f"until {' or '.join(goal.text for goal in goals)}")
    return ", ".join(parts)
