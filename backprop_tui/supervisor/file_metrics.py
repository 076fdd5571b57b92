"""Follows the metric files of one slice, as far as they are its own."""

from __future__ import annotations

import os
import re

from backprop_tui.artifacts.metric_files import MetricFiles
from backprop_tui.artifacts.metric_files.kinds import is_metric_name
from backprop_tui.probes.open_files import open_for_writing
from backprop_tui.supervisor.metric_source import FILE_KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backprop_tui.artifacts.seen import Seen
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.intake import Intake

LOOK_S = 0.02
LAST_LOOK_S = 1.0
_EVENTS_OF = r"tfevents\.\d+\.[^/]*?\.(\d+)\.\d+(?:\.v2)?$"
"""The name of an event file says which process writes it."""
_MAX_PIDS = 100_000


class FileMetrics:
    """What its metric files say goes the way of what it prints."""

    def __init__(self, intake: Intake, files: MetricFiles, is_ours: Callable[[str], bool]) -> None:
        """`is_ours` tells of a path whether this training can have written there."""
        self._intake = intake
        self._files = files
        self._is_ours = is_ours
        self._opened: set[str] = set()
        """Files that the training was seen to hold open."""
        self._pids: set[int] = set()

    def learn(self, pids: Iterable[int], opened: Iterable[str]) -> None:
        """These are the training's processes, and the files that they hold open for writing."""
        if len(self._pids) < _MAX_PIDS:
            self._pids.update(pids)
        self._opened.update(path for path in opened if is_metric_name(os.path.basename(path)))

    def look(self, seen: Iterable[Seen], seconds: float) -> None:
        """Take up what is new in what a walk has seen, for so long at most; the rest comes with the next look."""
        if not self._intake.wants_files:
            return
        own = [one for one in seen if is_metric_name(os.path.basename(one.path)) and self._can_count(one.path)]
        self._intake.take_files(self._files.take(own, seconds), self._files.sources)
        self._intake.has_files = self._files.is_following

    def _can_count(self, path: str) -> bool:
        if path in self._opened:
            return True
        writer = re.search(_EVENTS_OF, path)
        if writer is not None:
            pid = int(writer.group(1)[:10])
            if pid in self._pids:
                return True
            if path in open_for_writing((pid,)):
                return False  # another process writes it
        return self._is_ours(path)


def files_of(run: Run, spec: SliceSpec) -> MetricFiles:
    """The metric files of a run's newest slice."""
    *earlier, newest = run.slices
    beyond: int | None = None
    if not FILE_KINDS.isdisjoint(run.metric_sources):
        beyond = newest.last_step  # of a slice that was being read: what was taken already is known
        reached = max((piece.last_step for piece in earlier if piece.last_step is not None), default=None)
        if beyond is None and reached is not None and spec.resume_step is not None and spec.resume_step <= reached:
            # It goes on behind its checkpoint, whatever else the files still hold. A checkpoint that is said to lie
            # beyond all steps was counted otherwise.
            beyond = spec.resume_step
    return MetricFiles(newest.started, beyond)
