"""Keeps a copy of a checkpoint that the script writes over, before a slice goes on from it."""

from __future__ import annotations

import os

from backprop_tui.artifacts.verdict import judge
from backprop_tui.errors import EngineError
from backprop_tui.model.ordering import numbers_in
from backprop_tui.model.spec import RERUN
from backprop_tui.scripts.template import says_where
from backprop_tui.text import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.model.run import Checkpoint
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.case import Case

FOLDER = "kept"
LOOK_BACK = 1000
LONG_BYTES = 1 << 30


def keep_copy(case: Case, say: Callable[[str], None]) -> None:
    """Copy what a slice begins from, if the run saved it and may write over it; a request to stop ends the copying.

    What hinders it becomes a warning in the record. `say` tells the person who watches of a long copy.
    """
    spec, folder, recorder = case.spec, case.folder, case.recorder
    if spec.resume_from is None or not _is_wanted(spec):
        return
    saved = _begun_from(spec, folder)
    if saved is None or not _is_written_over(folder, saved):
        return
    from backprop_tui.artifacts.copies import Interrupted, copy_of  # most slices are not delayed by this

    name = short(os.path.basename(saved.path), 80)
    if (saved.size or 0) >= LONG_BYTES:
        say(f"keeping a copy of {name}, which the script writes over")
    try:
        path = copy_of(saved.path, folder.file(FOLDER), wanted=lambda: not case.signals.has_stop)
    except Interrupted:
        return
    except OSError as error:
        recorder.warn(
            f"{name}, from which this slice goes on, is not copied: {error.strerror}; the script writes over it"
        )
        return
    verdict = judge(path)
    # Just before its original: it is what to go back to when that one turns out to be cut.
    copy = saved.replace(path=path, t=saved.t - 0.001, found="copy", copy_of=saved.path)
    recorder.take_copy(copy.replace(size=verdict.size, good=verdict.good), saved.path)


def _begun_from(spec: SliceSpec, folder: RunFolder) -> Checkpoint | None:
    """What the slice begins from: a script that takes its own goes on from what it writes over."""
    saved = [c for c in reversed(folder.checkpoints(LOOK_BACK)) if c.found != "copy"]
    if takes_its_own(spec):
        own = next((c for c in saved if _is_written_over(folder, c)), None)
        if own is not None:
            return own if judge(own.path).good else None
    return next((c for c in saved if c.path == spec.resume_from), None)


def put_back(spec: SliceSpec, folder: RunFolder) -> str:
    """Put a copy in its original's place if the script takes what lies there, and that is not good.

    Where nothing lies there, a person may have moved it away: it is put back only if the slice was to go on from it.

    Returns what a person should know of it, which is nothing if it is the copy that the slice was to go on from.

    Raises:
        EngineError: it cannot be put back; nothing was changed.
    """
    if not takes_its_own(spec):
        return ""
    copies = [c for c in reversed(folder.checkpoints(LOOK_BACK)) if c.copy_of]
    asked = next((c for c in copies if c.path == spec.resume_from), None)
    copy = asked or next((c for c in copies if judge(c.path).good), None)
    if copy is None or (asked is None and not _is_broken(copy.copy_of)):
        return ""
    original = copy.copy_of
    from backprop_tui.artifacts.copies import restore

    try:
        restore(copy.path, original)
    except OSError as error:
        raise EngineError(
            f"{original} could not be put back from {copy.path}: {error.strerror or error}",
            hint="put it there by hand, or name another checkpoint with -r PATH",
        ) from None
    step = "" if copy.step is None else f" of step {copy.step:,}"
    return "" if asked else f"{original} was not whole: the copy{step} was put in its place"


def takes_its_own(spec: SliceSpec) -> bool:
    """Whether the script is not told which checkpoint is meant: it takes what lies in its own place."""
    return spec.resume_how == RERUN or (bool(spec.resume_args) and not says_where(spec.resume_template))


def _is_broken(path: str) -> bool:
    verdict = judge(path)
    return not verdict.good and verdict.kind != "missing"


def _is_wanted(spec: SliceSpec) -> bool:
    return bool(spec.setting_or("checkpoints.copy", True))


def _is_written_over(folder: RunFolder, saved: Checkpoint) -> bool:
    """Whether the next save is likely to go to the same place: no number tells them apart, or it has done so."""
    return not numbers_in(os.path.basename(saved.path))[1] or folder.saves(saved.path) > 1
