"""One run in full: its record, curves and newest output, followed while somebody looks at it."""

from __future__ import annotations

import math
import os
import time
from collections import deque

from backprop_tui.errors import BackpropError
from backprop_tui.frozen import Frozen
from backprop_tui.model.lineage import ceilings
from backprop_tui.tui import messages
from backprop_tui.tui.draw.chart import Chart, SeamMark, Series
from backprop_tui.tui.draw.plot import points_of
from backprop_tui.tui.feeds import FIGURES_EVERY_S, LookFeed, until_look
from backprop_tui.tui.rows import trend_of
from backprop_tui.watch import failures, pace
from backprop_tui.watch.curves import CurveReader
from backprop_tui.watch.metrics import is_higher_better, label, main_first, total_steps
from backprop_tui.watch.record import Record, RecordReader, read_events
from backprop_tui.watch.tail import LogTail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from textual.message import Message

    from backprop_tui.model.pace import Steps
    from backprop_tui.model.run import Failure, Resources, Slice
    from backprop_tui.store.home import Home
    from backprop_tui.watch.curves import Curve

EVENTS = 200
LINES = 200
SETTLE_S = 0.12
"""The cursor may be on its way: only where it rests is something read."""
USED_KEPT = 240
"""Samples of what a run uses, for the lines of the last minutes."""


class Detail(Frozen):
    """What is known of one run."""

    run_id: str
    record: Record | None
    """None where it cannot be read."""
    curves: dict[str, Series]
    """By name, the metric that speaks for the run first."""
    bad: dict[str, float]
    """Where a metric was not finite for the first time: its step, by name."""
    lines: tuple[str, ...]
    events: tuple[dict[str, Any], ...] = ()
    is_loading: bool = False
    """The curves are not all read yet."""
    total: int | None = None
    """How many steps there are, where the script says so."""
    speed: float | None = None
    """Steps a second of a running slice while it trains; None while it cannot be told."""
    mean_speed: float | None = None
    """The same with evaluation and saving: what is to come goes by this."""
    used: tuple[Resources, ...] = ()
    """What it used while it was looked at, oldest first."""
    trace: tuple[str, ...] = ()
    """The last traceback of a run that failed."""
    failure: Failure | None = None
    divergence: str = ""
    """How its loss went wrong, in a sentence."""
    rise: float | None = None
    """The step where the loss of a diverged run was lowest."""
    why: str = ""
    """Why the record cannot be read."""
    gone: frozenset[str] = frozenset()
    """Paths of checkpoints where nothing is any more."""

    def chart(self, names: tuple[str, ...], labels: tuple[str, ...] = ()) -> Chart:
        """These metrics in one chart, under these labels, with those of the run's slices and checkpoints that no later
        slice went back behind."""
        run = self.record.run if self.record else None
        slices = run.slices if run else ()
        until = dict(zip((s.n for s in slices), ceilings(s.first_step for s in slices), strict=True))
        labels = labels or ("",) * len(names)
        return Chart(
            series=tuple(
                self.curves[name].replace(label=label)
                for name, label in zip(names, labels, strict=True)
                if name in self.curves
            ),
            seams=tuple(seam_of(s) for s in slices[1:] if s.first_step is not None and s.first_step < until[s.n]),
            saved=tuple(
                float(c.step)
                for c in (run.checkpoints if run else ())
                if c.step is not None and c.good and c.step <= until.get(c.slice, math.inf)
            ),
            bad=next((self.bad[name] for name in names if name in self.bad), None),
        )


class DetailFeed(LookFeed):
    """Follows the one run that is looked at."""

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        super().__init__("detail", home, post)

    def work(self) -> None:
        while not self._is_stopping.is_set():
            self._changed.clear()
            run_id = self._wanted
            if run_id is None:
                self._changed.wait()
                continue
            if self._changed.wait(SETTLE_S):
                continue
            self._follow(run_id)

    def _follow(self, run_id: str) -> None:
        curves, tail = CurveReader(self._home, run_id), LogTail(self._home, run_id)
        records = RecordReader(self._home, run_id)
        shown: tuple[object, ...] | None = None
        used: deque[Resources] = deque(maxlen=USED_KEPT)
        try:
            while not self._changed.is_set():
                try:
                    record: Record | None = records.read()
                    why = ""
                except (BackpropError, OSError) as error:
                    record, why = None, str(error)
                run = record.run if record else None
                has_more = curves.read(run.slices if run else ())
                tail.read()
                lines = tuple(tail.shown(LINES))
                if run is not None and run.resources.processes and (not used or used[-1] != run.resources):
                    used.append(run.resources)
                known = record.notes if record else None
                mark = (curves.lines, has_more, lines, why, run and (run.state, run.updated), known)
                if mark != shown:
                    shown = mark
                    events = tuple(read_events(self._home, run_id, EVENTS)) if record else ()
                    found = made(run_id, record, curves.curves, lines, events, curves.steps)
                    self._post(messages.DetailSeen(found.replace(used=tuple(used), is_loading=has_more, why=why)))
                if not has_more:
                    self._changed.wait(until_look(FIGURES_EVERY_S))
                else:
                    time.sleep(0)
        finally:
            tail.close()


def made(
    run_id: str,
    record: Record | None,
    curves: dict[str, Curve],
    lines: tuple[str, ...],
    events: tuple[dict[str, Any], ...] = (),
    steps: Steps | None = None,
) -> Detail:
    """All that follows from a run's record, curves, output, events, and when it was at which step."""
    run = record.run if record is not None else None
    slices = run.slices if run is not None else ()
    shown = {name: curves[name] for name in main_first(curves)}
    known = Detail(
        run_id=run_id,
        record=record,
        curves={name: series_of(curve, slices) for name, curve in shown.items()},
        bad={name: curve.first_bad_step for name, curve in shown.items() if curve.first_bad_step is not None},
        lines=lines,
        events=events,
    )
    if record is None or run is None:
        return known
    if steps is not None and str(run.state) == "running":
        found = steps.pace(pace.running_since(events, run.slice))
        if found is not None and found.is_settled:
            known = known.replace(speed=found.speed, mean_speed=found.mean)
    paths = {found.path for found in run.checkpoints}
    known = known.replace(total=total_steps(run), gone=frozenset(_missing(paths)))
    return _with_ending(known, record, next(iter(shown.values()), None))


def seam_of(piece: Slice) -> SeamMark:
    """Where a slice began, as a chart shows it."""
    seam = piece.seam
    return SeamMark(
        step=float(piece.first_step or 0),
        label=f"slice {piece.n}",
        is_suspicious=seam is not None and seam.verdict == "suspicious",
    )


def series_of(curve: Curve, slices: Sequence[Slice]) -> Series:
    """A curve as a chart takes it."""
    return Series(
        label="",
        points=points_of(curve, slices),
        last=curve.last,
        trend=trend_of(curve),
        is_higher_better=is_higher_better(curve.name),
    )


def _with_ending(known: Detail, record: Record, curve: Curve | None) -> Detail:
    run = record.run
    if str(run.state) == "failed":
        failure = failures.failure_of(record, known.lines)
        return known.replace(failure=failure, trace=tuple(failures.traceback_of(known.lines)))
    if str(run.state) == "diverged" and curve is not None:
        return known.replace(
            divergence=failures.divergence(label(curve.name), curve.steps, curve.means, curve.first_bad_step),
            rise=failures.rise_began(curve.steps, curve.means, curve.first_bad_step),
        )
    return known


def _missing(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if not os.path.lexists(path)]
