"""Finds checkpoints that nobody reported among the files that changed in a run's folders.

A candidate is told once it is whole by its kind and did not change between two looks. Its name says how sure it is;
where the name alone does not do, it has to have been written by a training that runs (before that it may be a
download), or its content has to prove it.
"""

from __future__ import annotations

import os

from backprop_tui.artifacts.belonging import Belonging, is_checkpoint_folder
from backprop_tui.artifacts.candidate import QUIET_S, Candidate, Found, is_due, later, quiet_s_of, step_when
from backprop_tui.artifacts.content import look
from backprop_tui.artifacts.kinds import proves_itself
from backprop_tui.artifacts.names import Name, read_file_name, read_folder_name
from backprop_tui.artifacts.siblings import family_of, missing_part
from backprop_tui.artifacts.stepping import step_of
from backprop_tui.artifacts.verdict import FORMLESS, judge, stamp_of
from backprop_tui.model.ordering import numbers_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backprop_tui.artifacts.candidate import Moment, Stamp
    from backprop_tui.artifacts.content import Content
    from backprop_tui.artifacts.places import Places
    from backprop_tui.artifacts.seen import Seen
    from backprop_tui.artifacts.verdict import Verdict
    from backprop_tui.artifacts.watching import Watch

FORMLESS_QUIET_S = 10.0
"""Where nothing in it shows that a checkpoint is whole, that it stays as it is has to."""
SERIES, SERIES_NS = 3, 2_000_000_000
"""So many files that differ in their number, written at different times, are no downloads."""
SETTLED_S = 30.0
"""Where no metric shows when training began, it has this long after the start."""
ANNOUNCED_S = 600.0
"""So long after its path was printed a checkpoint may begin to appear."""
MAX_PENDING = 128
MAX_KNOWN = 1000
_PROVEN = frozenset(("torch", "torch-legacy", "lightning", "ultralytics", "sb3", "keras", "xgboost", "lightgbm"))
_CUT = "it was still being written when the training ended, and nothing in it shows that it is whole"


class Finder:
    """Follows the candidates of one slice."""

    def __init__(self, places: Places, watch: Watch | None, owns: Callable[[str, int, float], bool]) -> None:
        """`owns` answers whether the run's own processes can have written so many bytes at a path at that time."""
        self._places = places
        self._watch = watch
        self._owns = owns
        self._pending: dict[str, Candidate] = {}
        self._done: dict[str, Stamp] = {}
        self._families: set[tuple[str, str]] = set()
        self._sure: dict[str, None] = {}

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Where something is written that may become a checkpoint."""
        return tuple(
            c.path
            for c in self._pending.values()
            if (c.refused is None or c.refused != c.stamp)
            and (c.is_asked or c.name.level != "proof" or proves_itself(c.path))
        )

    def expect(self, path: str) -> None:
        """A checkpoint was or will be at this path: a person or the run's own past says so."""
        self._sure[path] = None
        self._families.add(family_of(path))

    def announce(self, path: str, step: int | None, now: float, *, run_step: int | None = None) -> None:
        """A sentence of the output names this path: a checkpoint, or the folder in which they are.

        Args:
            path: absolute.
            step: the one that the sentence tells, if it does.
            now: monotonic seconds.
            run_step: where the training stood when it printed the sentence.
        """
        base = os.path.basename(path)
        name = read_folder_name(base) or read_file_name(base) or Name(name=base, level="sure")
        name = name.replace(name=base, level="sure", step=name.step if step is None else step)
        self._sure[path] = None
        self._put(Candidate(path, name, announced=now, told_at=run_step))

    def settled(self, path: str, stamp: Stamp) -> None:
        """What lies at this path with this stamp is known already."""
        self._done.pop(path, None)
        self._done[path] = stamp
        if len(self._done) > MAX_KNOWN:
            del self._done[next(iter(self._done))]

    def take(self, seen: Iterable[Seen]) -> None:
        """Take up what changed."""
        belonging = Belonging(self._places, self._watch)
        for entry in seen:
            part = belonging.of(entry.path)
            if part is None or part.path in self._pending:
                continue
            if self._done.get(part.path) != (entry.size, entry.mtime_ns):
                self._put(Candidate(part.path, part.name, is_watched=part.is_watched))

    def _put(self, candidate: Candidate) -> None:
        inside = candidate.path + "/"
        for inner in [path for path in self._pending if path.startswith(inside)]:
            del self._pending[inner]
        self._pending[candidate.path] = candidate
        if len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]

    def settle(self, moment: Moment) -> list[Found]:
        """Judge what has come to rest; each checkpoint is told once for each content."""
        found = [told for c in tuple(self._pending.values()) if (told := self._settle(c, moment)) is not None]
        return sorted(found, key=lambda told: (told.verdict.stamp[1], numbers_in(os.path.basename(told.path))[1]))

    def _settle(self, c: Candidate, moment: Moment) -> Found | None:
        content = self._look(c, moment)
        if content is None:
            return None
        stamp = content.stamp
        if c.stamp is None:
            c.since = moment.now
        if stamp != c.stamp:
            c.stamp, c.changed, c.step = stamp, moment.now, step_when(stamp, moment)
        if not is_due(c, moment):
            return None
        verdict = self._judge(c, content, moment)
        if verdict is not None and verdict.good and quiet_s_of(c, moment) < _needed_s(verdict):
            verdict = self._doubt(c, content, verdict, moment)
            if verdict is None:
                return None
        if verdict is None or not (verdict.good or moment.is_final):
            c.refused = stamp if moment.now - c.changed >= QUIET_S else None
            return None
        self._drop(c, stamp)
        step = step_of(c.path, c.name, verdict.kind, later(c.step, c.told_at))
        return Found(path=c.path, step=step, verdict=verdict, found="phrase" if c.is_announced else "folder")

    def _doubt(self, c: Candidate, content: Content, verdict: Verdict, moment: Moment) -> Verdict | None:
        """What is to be said of one that is whole by its kind and was written a moment ago; None: nothing yet."""
        if moment.is_final:
            missing = missing_part(c.path, content, (*self._sure, *self._done)) if moment.is_cut else ""
            if missing:
                return verdict.replace(good=False, why=f"{missing} is not in it, which the one before it holds")
            if moment.is_cut and verdict.kind in FORMLESS:
                return verdict.replace(good=False, why=_CUT)
            return verdict
        return verdict if verdict.kind not in FORMLESS and stamp_of(c.path) == verdict.stamp else None

    def _look(self, c: Candidate, moment: Moment) -> Content | None:
        """What lies there now; None if that is nothing, nothing new, or no checkpoint."""
        try:
            content = look(c.path)
        except OSError:
            content = None
        if content is None:
            if not c.is_announced or moment.is_final or moment.now - c.changed > ANNOUNCED_S:
                del self._pending[c.path]
            return None
        if content.stamp == self._done.get(c.path):
            del self._pending[c.path]
            return None
        if c.is_announced and content.stamp[1] / 1e9 < moment.began and moment.now - c.changed <= ANNOUNCED_S:
            return None  # what is announced is not written yet: an earlier slice's lies there
        if c.is_announced and content.form == "folder" and not is_checkpoint_folder(c.path):
            self._places.add(c.path)  # the output named the folder in which they are
            del self._pending[c.path]
            return None
        return content

    def _judge(self, c: Candidate, content: Content, moment: Moment) -> Verdict | None:
        """The verdict on what is a checkpoint of this run; None for what is not, or not yet."""
        if not c.is_asked and moment.is_told:
            return None
        verdict = judge(c.path) if self._is_worth_judging(c, content.stamp) else None
        if verdict is not None and not c.is_asked and not self._is_time(c, content.stamp, moment):
            c.whole = content.stamp if verdict.good else c.whole
            return None
        if verdict is None or not (c.is_asked or _is_fit(c, content, verdict, moment)):
            self._drop(c, content.stamp)
            return None
        return verdict

    def _is_worth_judging(self, c: Candidate, stamp: Stamp) -> bool:
        if c.name.level == "proof" and not c.is_asked and not proves_itself(c.path):
            return False
        return self._is_ours(c, stamp)

    def _is_ours(self, c: Candidate, stamp: Stamp) -> bool:
        if c.is_asked or c.path in self._sure or self._places.is_named(c.path):
            return True
        return self._owns(c.path, stamp[0], stamp[1] / 1e9)

    def _is_time(self, c: Candidate, stamp: Stamp, moment: Moment) -> bool:
        """Whether it was written by the training, not before it."""
        if c.name.level == "sure" or c.path in self._sure or family_of(c.path) in self._families:
            return True
        if c.whole not in (None, stamp) or c.path in self._done:  # written over: no download is
            return True
        if self._is_of_series(c, stamp):
            return True
        since = moment.began + SETTLED_S if moment.trains_since is None else moment.trains_since
        return stamp[1] / 1e9 >= since

    def _is_of_series(self, c: Candidate, stamp: Stamp) -> bool:
        """Whether it is one of several that differ in their number and were written at different times."""
        if c.name.number is None or "-of-" in c.name.name:
            return False
        family = family_of(c.path)
        others = [other for other in self._pending.values() if family_of(other.path) == family]
        times = (stamp[1], *(other.stamp[1] for other in others if other.stamp is not None))
        if len({time // SERIES_NS for time in times}) < SERIES:
            return False
        self._families.add(family)
        for other in others:
            other.refused = None
        return True

    def _drop(self, c: Candidate, stamp: Stamp) -> None:
        """Nothing more is to be found out about it while it stays as it is."""
        self._pending.pop(c.path, None)
        self.settled(c.path, stamp)


def _is_fit(c: Candidate, content: Content, verdict: Verdict, moment: Moment) -> bool:
    """Whether it is a model at all, and no worse to go on from than what the run has."""
    is_proven = verdict.kind in _PROVEN or c.name.level != "proof"
    has_weights = verdict.kind != "folder" or _holds_weights(content)
    return is_proven and has_weights and (moment.best_rank is None or c.name.rank <= moment.best_rank)


def _holds_weights(content: Content) -> bool:
    return any(read_file_name(os.path.basename(entry.name)) is not None for entry in content.entries)


def _needed_s(verdict: Verdict) -> float:
    return FORMLESS_QUIET_S if verdict.kind in FORMLESS else QUIET_S
