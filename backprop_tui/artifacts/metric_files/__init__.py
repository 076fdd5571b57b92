"""Metrics from the files that a training writes beside its output, followed while they grow."""

from __future__ import annotations

import os

from backprop_tui.artifacts.metric_files.birth import birth_time
from backprop_tui.artifacts.metric_files.budget import Budget
from backprop_tui.artifacts.metric_files.kinds import CSV, JSON_LINES, TENSORBOARD, TRAINER_STATE, follow, place_of
from backprop_tui.artifacts.metric_files.points import Points, merged
from backprop_tui.artifacts.seen import Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from backprop_tui.artifacts.metric_files.kinds import Followed, Place
    from backprop_tui.artifacts.metric_files.points import Row
    from backprop_tui.model.events import Metric

    Found: TypeAlias = dict[str, list[tuple[str, list[Row]]]]
    """New rows with the folder that they belong to, by kind."""


MAX_FILES = 64
MAX_OLD = 32
"""Files of earlier trainings among them."""
MAX_BYTES = 4 * 1024 * 1024
"""That are read in one look."""
MAX_ALIEN = 1024
CLOCK_S = 0.05
"""Filesystems' clocks lag behind by so much."""
_RANK = (CSV, JSON_LINES, TENSORBOARD, TRAINER_STATE)
"""The better first, where several kinds have equally many points at the same moment."""


class MetricFiles:
    """The metric files of one slice. One kind of them counts, the first that has points. Nothing here raises."""

    def __init__(self, since: float, beyond: int | float | None = None) -> None:
        """What a slice writes.

        Args:
            since: its start, epoch seconds. What was there before is of an earlier training.
            beyond: steps up to this one are known already.
        """
        self._since = since
        self._followed: dict[str, Followed] = {}
        self._due: dict[str, None] = {}
        """Keys of those that have something to read."""
        self._alien: set[str] = set()
        self._by_batch: set[str] = set()
        self._points = Points(beyond)
        self._kind = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The kind of files that gave points: csv, json_lines, tensorboard or trainer_state; () before any did."""
        return (self._kind,) if self._kind else ()

    @property
    def is_following(self) -> bool:
        """Whether this slice writes a metric file, whatever is in it by now."""
        return any(not followed.is_old for followed in self._followed.values())

    def take(self, seen: Iterable[Seen], budget_s: float) -> list[Metric]:
        """The points that are new in these files, in the order of steps; each comes once.

        Args:
            seen: what a walk of the training's folders has found; what was seen before may be left out.
            budget_s: at most about this long; what is left comes with the next look.
        """
        budget = Budget(budget_s, MAX_BYTES)
        found = {one.path: one for one in (*self._followed_now(), *seen) if not one.is_folder}
        for one in sorted(found.values(), key=lambda one: one.mtime_ns):
            place = place_of(one.path)
            if place is not None and self._kind in ("", place.kind) and one.path not in self._alien:
                self._note(place, one, budget)
        new: Found = {}
        for key in sorted(self._due, key=lambda key: self._followed[key].order):
            followed = self._followed[key]
            if budget.is_spent:
                break
            if followed.kind == TRAINER_STATE and self._has_finer():
                continue
            rows = self._read(key, budget)
            if rows:
                new.setdefault(followed.kind, []).append((followed.folder, rows))
        return merged(self._chosen(new))

    def _followed_now(self) -> Iterator[Seen]:
        """What is followed, as it is now."""
        for followed in self._followed.values():
            path = followed.reader.path
            try:
                info = os.stat(path)
            except (OSError, ValueError):
                continue
            yield Seen(path=path, size=info.st_size, mtime_ns=info.st_mtime_ns)

    def _note(self, place: Place, one: Seen, budget: Budget) -> None:
        """Take notice of a file: if it has changed, it is due to be read."""
        mark = (one.path, one.size, one.mtime_ns)
        known = self._followed.get(place.key) or self._begin(place, one, budget)
        if known is None or known.mark == mark:
            return
        if known.reader.path != one.path:
            if place.kind != TRAINER_STATE:
                return  # another copy of what is followed
            known.reader.path = one.path
        known.mark = mark
        if not self._is_old(one):
            known.is_old = False
            self._due[place.key] = None
        else:
            self._read(place.key, budget)  # to know it again, whatever is written there from now on

    def _is_old(self, one: Seen) -> bool:
        return one.mtime_ns < (self._since - CLOCK_S) * 1e9

    def _begin(self, place: Place, one: Seen, budget: Budget) -> Followed | None:
        """Follow a file that was not seen before, if there is room for it."""
        is_old = self._is_old(one)
        if is_old and place.kind == TENSORBOARD:
            return None  # events know when they were written
        old = sum(followed.is_old for followed in self._followed.values())
        if len(self._followed) >= MAX_FILES or (is_old and old >= MAX_OLD):
            return None
        old_bytes = one.size if is_old or self._was_there(place, one.path) else 0
        followed = follow(place, one.path, old_bytes, self._since, self._by_batch, is_old=is_old)
        self._followed[place.key] = followed
        return followed

    def _was_there(self, place: Place, path: str) -> bool:
        """Whether a file that was written to before it was first seen is older than the slice: what is in it by now
        may be of an earlier training."""
        if place.kind not in (CSV, JSON_LINES):
            return False  # others tell themselves
        born = birth_time(path)
        return born is not None and born < self._since - CLOCK_S

    def _read(self, key: str, budget: Budget) -> list[Row]:
        reader = self._followed[key].reader
        self._due.pop(key, None)
        try:
            rows = reader.read(budget)
        except (OSError, ValueError):  # it is gone
            del self._followed[key]
            return []
        if reader.is_alien:
            del self._followed[key]
            if len(self._alien) < MAX_ALIEN:
                self._alien.add(reader.path)
            return []
        if reader.has_more:
            self._due[key] = None
        return rows

    def _has_finer(self) -> bool:
        """Whether a file of this training is followed that is written more often than with each checkpoint."""
        return any(followed.kind != TRAINER_STATE and not followed.is_old for followed in self._followed.values())

    def _chosen(self, found: Found) -> list[Row]:
        """What is new of the kind that counts, under the names that it is to have."""
        if self._kind:
            found = {kind: parts for kind, parts in found.items() if kind == self._kind}
        if not found:
            return []
        kind = max(found, key=lambda kind: (sum(len(rows) for _folder, rows in found[kind]), -_RANK.index(kind)))
        taken = [row for folder, rows in found[kind] for row in self._points.take(folder, rows)]
        if taken:
            self._kind = kind
            for key, followed in list(self._followed.items()):
                if followed.kind != kind:
                    del self._followed[key]
                    self._due.pop(key, None)
        return taken
