"""A run's checkpoints: those reported are noted at once and judged as time allows, the newest kept at hand."""

from __future__ import annotations

import os

from backprop_tui.artifacts.verdict import judge, stamp_of
from backprop_tui.artifacts.writing import WriteWatch
from backprop_tui.model.run import Checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.artifacts.candidate import Found
    from backprop_tui.model.events import CheckpointReport

KEPT = 20
SECOND_LOOK_S = 2.0
"""A checkpoint that is not whole when reported is looked at again after this long: it may still be written."""
JUDGING_S = 0.05
"""At most this much of one turn of the supervisor's loop goes into judging."""


class CheckpointBook:
    """The newest checkpoints of a run and the judgements still owed."""

    def __init__(self, cwd: str, known: tuple[Checkpoint, ...], count: int) -> None:
        self._cwd = cwd
        self._newest = list(known)
        self.count = count
        self._owed: dict[str, float] = {}
        """When to judge, monotonic seconds, by path."""
        self._finished: dict[str, tuple[int, int]] = {}
        self._looked_twice: set[str] = set()
        self._watch = WriteWatch()
        self._unfinished: tuple[str, ...] = ()
        self._announced: dict[str, tuple[int | None, int | None]] = {}

    @property
    def newest(self) -> tuple[Checkpoint, ...]:
        return tuple(self._newest)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the last few were written, or are being written now."""
        return (*[c.path for c in self._newest[-3:]], *self._unfinished[-3:])

    @property
    def is_told(self) -> bool:
        """The script reports its checkpoints itself."""
        return any(c.found == "event" for c in self._newest)

    @property
    def best_rank(self) -> int | None:
        """How fit for going on from the best of the good ones is; None if there is none."""
        from backprop_tui.artifacts.names import WHOLE, rank_of

        ranks = [WHOLE if c.found == "event" else rank_of(os.path.basename(c.path)) for c in self._newest if c.good]
        return min(ranks, default=None)

    def finished(self, path: str) -> tuple[int, int] | None:
        """The stamp with which what lies at a path was found good."""
        return self._finished.get(path)

    def announce(self, report: CheckpointReport, run_step: int | None) -> None:
        """A sentence of the output names a path: what is or will be there has yet to be seen."""
        path = os.path.normpath(os.path.join(self._cwd, report.path))
        self._watch.learn(path)
        self._announced = {**self._announced, path: (report.step, run_step)}
        if len(self._announced) > KEPT:
            del self._announced[next(iter(self._announced))]

    def take_announced(self) -> dict[str, tuple[int | None, int | None]]:
        """The paths named since the last time; the steps that were said of them, and the run's at that moment."""
        announced, self._announced = self._announced, {}
        return announced

    def note(self, report: CheckpointReport, *, t: float, now: float, slice_n: int, step: int | None) -> Checkpoint:
        """Take up what the script reported; `step` stands in where it named none."""
        path = os.path.normpath(os.path.join(self._cwd, report.path))
        self._watch.learn(path)
        seen = self._seen(path)
        if seen is not None:
            told = seen.replace(step=seen.step if report.step is None else report.step, found=report.found)
            self._newest = [told if c is seen else c for c in self._newest]
            return told
        found = Checkpoint(
            path=path,
            step=report.step if report.step is not None else step,
            t=t,
            slice=slice_n,
            found=report.found,
        )
        self._put(found)
        self._finished.pop(path, None)
        self._looked_twice &= {c.path for c in self._newest} - {path}
        self._owed[path] = now
        if len(self._owed) > KEPT:
            kept = {c.path for c in self._newest}
            self._owed = {owed: when for owed, when in self._owed.items() if owed in kept}
        return found

    def _seen(self, path: str) -> Checkpoint | None:
        """The checkpoint at this path if it was seen on disk, just as it is, before anything was said of it."""
        before = next((c for c in self._newest if c.path == path and c.found == "folder" and c.good), None)
        return before if before is not None and stamp_of(path) == self._finished.get(path) else None

    def note_found(self, found: Found, *, began: float, t: float, slice_n: int) -> Checkpoint:
        """Take up one that was seen on disk, with its verdict; its own time counts, between `began` and now, `t`."""
        verdict = found.verdict
        written = verdict.stamp[1] / 1e9
        before = next((c for c in self._newest if c.path == found.path), None)
        is_told = before is not None and before.slice == slice_n and not before.good
        seen = Checkpoint(
            path=found.path,
            step=before.step if before is not None and is_told else found.step,
            t=round(written, 3) if began <= written <= t else t,
            slice=slice_n,
            kind=verdict.kind,
            size=verdict.size,
            good=verdict.good,
            why=verdict.why,
            found=before.found if before is not None and is_told else found.found,
        )
        self._put(seen)
        self._watch.learn(found.path)
        self._owed.pop(found.path, None)
        if verdict.good:
            self._finish(found.path, verdict.stamp)
        return seen

    def note_copy(self, copy: Checkpoint, original: str) -> None:
        """Take up a copy of one that was saved before: it stands before its original."""
        place = next((n for n, c in enumerate(self._newest) if c.path == original), 0)
        self._newest = [*self._newest[:place], copy, *self._newest[place:]][-KEPT:]

    def expect(self, paths: tuple[str, ...]) -> None:
        """Something is being written at these paths that may become a checkpoint."""
        for path in paths:
            if path not in self._unfinished:
                self._watch.learn(path)
        self._unfinished = paths

    def _put(self, found: Checkpoint) -> None:
        if all(c.path != found.path for c in self._newest):  # else one that was written over, or told again
            self.count += 1
        self._newest = [*[c for c in self._newest if c.path != found.path][-(KEPT - 1) :], found]

    def _finish(self, path: str, stamp: tuple[int, int]) -> None:
        self._finished[path] = stamp
        for old in list(self._finished)[: -2 * KEPT]:
            del self._finished[old]

    def judge_due(self, now: float, clock: Callable[[], float], *, final: bool = False) -> list[Checkpoint]:
        """Judge what is owed, newest first; at the end of a slice all of it, and the bad once more."""
        if final:
            for c in self._newest:
                if c.good is not True:
                    self._owed.setdefault(c.path, now)
        due = [c for c in reversed(self._newest) if final or self._owed.get(c.path, now + 1) <= now]
        judged = []
        for c in due:
            if c.path not in self._owed:
                continue
            judged.append(self._judge(c, now, final=final))
            if not final and clock() - now > JUDGING_S:
                break
        return judged

    def _judge(self, c: Checkpoint, now: float, *, final: bool) -> Checkpoint:
        verdict = judge(c.path)
        del self._owed[c.path]
        if not verdict.good and not final and c.path not in self._looked_twice:
            self._looked_twice.add(c.path)
            self._owed[c.path] = now + SECOND_LOOK_S
        if verdict.good:
            self._finish(c.path, verdict.stamp)
        seen = c.replace(kind=verdict.kind, size=verdict.size, good=verdict.good, why=verdict.why)
        self._newest = [seen if other.path == c.path else other for other in self._newest]
        return seen

    def is_writing(self, epoch: float) -> bool:
        """Whether one is being written right now."""
        return self._watch.is_writing(epoch, self._finished)
