"""The checkpoints that a run's script reports: noted at once, judged as time allows, the newest kept at hand."""

from __future__ import annotations

import os

from backprop_tui.artifacts.verdict import judge
from backprop_tui.artifacts.writing import WriteWatch
from backprop_tui.model.run import Checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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

    @property
    def newest(self) -> tuple[Checkpoint, ...]:
        return tuple(self._newest)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the last few were written."""
        return tuple(c.path for c in self._newest[-3:])

    def note(self, report: CheckpointReport, *, t: float, now: float, slice_n: int, step: int | None) -> Checkpoint:
        """Take up what the script reported; `step` stands in where it named none."""
        path = os.path.normpath(os.path.join(self._cwd, report.path))
        found = Checkpoint(path=path, step=report.step if report.step is not None else step, t=t, slice=slice_n)
        self._newest = [*[c for c in self._newest if c.path != path][-(KEPT - 1) :], found]
        self.count += 1
        self._watch.learn(path)
        self._finished.pop(path, None)
        self._looked_twice &= {c.path for c in self._newest} - {path}
        self._owed[path] = now
        if len(self._owed) > KEPT:
            kept = {c.path for c in self._newest}
            self._owed = {owed: when for owed, when in self._owed.items() if owed in kept}
        return found

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
            self._finished[c.path] = verdict.stamp
            for old in list(self._finished)[: -2 * KEPT]:
                del self._finished[old]
        seen = c.replace(kind=verdict.kind, size=verdict.size, good=verdict.good, why=verdict.why)
        self._newest = [seen if other.path == c.path else other for other in self._newest]
        return seen

    def is_writing(self, epoch: float) -> bool:
        """Whether one is being written right now."""
        return self._watch.is_writing(epoch, self._finished)
