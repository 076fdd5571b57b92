"""How a resumed slice goes on from the ones before it: the seam, and what of the old values still holds.

Every look reads a bounded part of metrics.jsonl, however long that is.
"""

from __future__ import annotations

from backprop_tui.model.lineage import stretches
from backprop_tui.model.naming import loss_metric, main_metric
from backprop_tui.model.spec import RERUN
from backprop_tui.store.metriclines import MetricFile, points
from backprop_tui.supervisor.seams import ENOUGH, LEAST, MOST, REMEMBERED, SUSPICIOUS, Evidence, judge, median
from backprop_tui.supervisor.tally import with_best

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.lineage import Stretch
    from backprop_tui.model.run import Run, Slice
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.seams import Point

WINDOW = 64 * 1024
"""Bytes before the seam that are read of each slice, and of the new one."""
BEHIND = 16 * 1024
SLICES = 8
"""So many old slices are gone back through for values."""
PORTION = 512 * 1024
"""Read at each look for the best value."""
FURTHEST = 64 * 1024 * 1024
"""The best value is looked for in this much of what was printed last."""


class Lookback:
    """Of the newest slice of a run, which is not its first one."""

    def __init__(self, recorder: Recorder, path: str, spec: SliceSpec) -> None:
        """`path` is the run's metrics.jsonl."""
        self._recorder, self._path, self._spec = recorder, path, spec
        self._evidence: Evidence | None = None
        self._has_seam = spec.resume_from is None and spec.resume_how != RERUN  # nothing to go on from
        self._best: _Best | None = None

    def look(self, *, final: bool = False) -> None:
        """Judge the seam once there is enough to judge by; at the end of the slice by what there is."""
        run, newest = self._recorder.run, self._recorder.run.slice
        if newest is None or newest.first_step is None or len(run.slices) < 2:
            return
        try:
            with MetricFile(self._path) as file:
                if not self._has_seam and (final or newest.metric_lines >= ENOUGH):
                    self._judge(file, run, newest, final=final)
                self._look_for_best(file, run, newest, final=final)
        except OSError:
            return  # what cannot be read now is tried again with the next look

    def _judge(self, file: MetricFile, run: Run, newest: Slice, *, final: bool) -> None:
        name = loss_metric(run.last) or ""
        if self._evidence is None:
            self._evidence = gathered(file, run, self._spec.resume_step, name)
        data = file.read(newest.metrics_start, newest.metrics_start + WINDOW)
        new = list(points(data, name))[:MOST]
        found = judge(self._evidence.replace(first=newest.first_step, new=new))
        if not (found.is_final or final or len(data) > WINDOW * 3 // 4):
            return
        self._has_seam = True
        seam = found.seam
        self._recorder.amend_slice(seam=seam)
        self._recorder.event("seam", slice=newest.n, verdict=seam.verdict, text=f"slice {newest.n} {seam.text}")
        if seam.verdict == SUSPICIOUS:
            self._recorder.warn(f"slice {newest.n} {seam.text}")

    def _look_for_best(self, file: MetricFile, run: Run, newest: Slice, *, final: bool) -> None:
        """What was best before may lie at steps that are done again: among the others it is looked for anew."""
        name = main_metric(run.last)
        if name is None:
            return
        if self._best is None or self._best.name != name:
            self._best = _Best(name, stretches(run.slices), newest.metrics_start)
        values = self._best.read(file, FURTHEST if final else PORTION)
        if values:
            best = with_best(run, name, values)
            self._recorder.amend(best_loss=best.best_loss, best_score=best.best_score)


class _Best:
    """The values of a metric that hold, from the newest part of the old slices back to the oldest."""

    def __init__(self, name: str, parts: list[Stretch], end: int) -> None:
        self.name = name
        self._parts = parts
        self._end = end
        self._least = max(0, end - FURTHEST)

    def read(self, file: MetricFile, most: int) -> list[float]:
        """Those of so many bytes more."""
        values: list[float] = []
        stop = max(self._least, self._end - most)
        while self._end > stop:
            part = next(part for part in reversed(self._parts) if part.start < self._end)  # the first begins at 0
            start = max(stop, part.start, self._end - PORTION)
            data = file.read(start, self._end)
            values += [value for step, value in points(data, self.name) if step < part.until]
            self._end = start if start == part.start or not data else self._end - len(data)
        return values


def gathered(file: MetricFile, run: Run, saved: int | None, name: str) -> Evidence:
    """What the old slices say about the seam before the newest one, which has begun; `name` is the metric."""
    *earlier, newest = run.slices
    firsts = [piece.first_step for piece in earlier if piece.first_step is not None]
    reached = next((piece.last_step for piece in reversed(earlier) if piece.last_step is not None), None)
    evidence = Evidence(
        first=newest.first_step or 0,
        saved=saved,
        origin=min(firsts, default=None),
        reached=reached,
        old=(),
        new=(),
        begun=None,
    )
    parts = stretches(earlier)
    ends = [*(part.start for part in parts[1:]), newest.metrics_start]
    old: list[Point] = []
    for part, end in list(zip(parts, ends, strict=True))[: -SLICES - 1 : -1]:
        if part.start < end:
            at = file.find(part.start, end, min(evidence.pivot, part.until))
            data = file.read(max(part.start, at - WINDOW), min(end, at + BEHIND))
            old += [point for point in points(data, name) if point[0] < part.until]
        if sum(step < evidence.pivot for step, _value in old) >= REMEMBERED:
            break
    return evidence.replace(old=sorted(old, key=lambda point: point[0]), begun=_begun(file, run, evidence.origin, name))


def _begun(file: MetricFile, run: Run, origin: int | None, name: str) -> float | None:
    """The loss with which what holds began."""
    first = next((piece for piece in reversed(run.slices[:-1]) if piece.first_step == origin), None)
    if first is None:
        return None
    data = file.read(first.metrics_start, min(first.metrics_start + BEHIND, run.slices[-1].metrics_start))
    values = [value for _step, value in points(data, name) if value - value == 0.0][:LEAST]
    return median(values) if values else None
