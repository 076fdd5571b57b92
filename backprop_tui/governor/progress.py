"""Whether a run's slices come further, seen from the last one that a person asked for. Pure."""

from __future__ import annotations

import math

from backprop_tui.model.naming import is_score
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.run import Run, Slice

LEFT_FOR_OTHERS = frozenset({"yield", "paused_too_long", "heat"})
"""Codes of stops after which a run comes back as soon as it may."""
MOST_OF_A_BOX = 0.5
"""A slice that was lost after this part of its box has had its turn."""


def since_asked(run: Run, n: int | None = None) -> tuple[Slice, ...]:
    """The first n slices (all), from the last one on that a person asked for."""
    slices = run.slices[: len(run.slices) if n is None else n]
    first = next((at for at in range(len(slices) - 1, 0, -1) if not slices[at].by_itself), 0)
    return slices[first:]


def counted(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """The slices that count towards a number of them: not those that never ran, crashed, were lost early, or gave way
    to others.
    """
    return tuple(
        piece
        for piece in slices
        if piece.used_s > (piece.box_s * MOST_OF_A_BOX if piece.state is RunState.LOST else 0)
        and piece.state is not RunState.FAILED
        and not (piece.reason is not None and piece.reason.code in LEFT_FOR_OTHERS)
    )


def has_progressed(run: Run, n: int | None = None) -> bool:
    """Whether the nth slice (counted from 1; the newest) came further than those before it, or saved a checkpoint.

    After a person has asked for a slice only what came since counts, and where that one began.
    """
    *earlier, newest = since_asked(run, n)
    first = (*earlier, newest)[0].first_step
    before = [piece.last_step for piece in earlier if piece.last_step is not None]
    furthest = max((first - 1 if first is not None else 0, *before))
    if newest.last_step is not None:
        return newest.last_step > furthest
    saved = (found for found in run.checkpoints if found.slice == newest.n and found.good is not False)
    return any(found.step is None or found.step > furthest for found in saved)


def slices_in_vain(run: Run, *, saving_counts: bool) -> int:
    """How many of the newest slices that count had no progress, in a row.

    Args:
        run: the run.
        saving_counts: a good checkpoint is progress, also of a step that was passed before: some count anew each time.
    """
    line = since_asked(run)
    numbers = {piece.n for piece in counted(line)}
    before, count = len(run.slices) - len(line), 0
    for at in range(len(line), 0, -1):
        if has_progressed(run, before + at) or _is_further_on(run, line[:at]):
            break
        if saving_counts and any(found.slice == line[at - 1].n and found.good for found in run.checkpoints):
            break
        count += line[at - 1].n in numbers
    return count


def is_blind(run: Run) -> bool:
    """Whether nothing at all is known of how far it is."""
    told = any(piece.last_step is not None or piece.best is not None for piece in run.slices)
    return not (told or run.checkpoints or run.last)


def losses_without_progress(run: Run) -> int:
    """How often in a row the newest slices were lost without having come further than those before.

    Those that were lost while they waited do not count.
    """
    count, at = 0, len(run.slices)
    for piece in reversed(since_asked(run)):
        if piece.state is not RunState.LOST:
            break
        if not _only_waited(piece):
            count += 1
            if has_progressed(run, at):
                break
        at -= 1
    return count


def losses(run: Run) -> int:
    """How often in a row the newest slices were lost, however far they came."""
    count = 0
    for piece in reversed(since_asked(run)):
        if piece.state is not RunState.LOST:
            break
        count += 1
    return count


def without_better(run: Run) -> int:
    """How many of the newest slices brought no better main metric."""
    count, best = 0, -math.inf
    for piece in counted(run.slices):
        if piece.best is not None and _way(run) * piece.best > best:
            count, best = 0, _way(run) * piece.best
        else:
            count += 1
    return count


def _is_further_on(run: Run, slices: Sequence[Slice]) -> bool:
    """Whether the last of them began further on than those before, or brought a better value."""
    *earlier, newest = slices
    begun = [piece.first_step for piece in earlier if piece.first_step is not None]
    if newest.first_step is not None and begun and newest.first_step > max(begun):
        return True
    if newest.best is None:
        return False
    return all(piece.best is None or _way(run) * newest.best > _way(run) * piece.best for piece in earlier)


def _only_waited(piece: Slice) -> bool:
    has_printed = piece.log_end is not None and piece.log_end > piece.log_start
    return piece.used_s == 0 and piece.last_step is None and not has_printed


def _way(run: Run) -> int:
    """1 where more is better, else -1."""
    return 1 if run.main is not None and is_score(run.main[0]) else -1
