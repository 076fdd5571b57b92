"""Makes the rows of ACTIVE: the record of a run and its curve, in the few numbers that matter."""

from __future__ import annotations

import math

from backprop_tui.errors import BackpropError
from backprop_tui.tui.draw.active import ActiveRow
from backprop_tui.tui.draw.chain import mark
from backprop_tui.tui.reasons import SLOW_START_S, reasons
from backprop_tui.watch.curves import CurveReader
from backprop_tui.watch.figures import duration, epoch_words
from backprop_tui.watch.metrics import is_higher_better, label, total_steps
from backprop_tui.watch.objections import objections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.decisions import Decision
    from backprop_tui.store.home import Home
    from backprop_tui.watch.curves import Curve
    from backprop_tui.watch.record import Record
    from backprop_tui.watch.watcher import Snapshot

NEWEST_SHARE = 0.6
"""The trend line shows this part of the curve: the first fall would flatten the rest."""
SPARK_POINTS = 60
SPARK_EVERY_S = 2.0
"""A line that moves with every point is unrest, and most of what goes over the wire."""
TREND_SHARE = 0.2
TREND_POINTS = 20
TREND_SIGMAS = 2.0
SILENT_S = 60.0
UNSAVED_INTERVALS = 2.0
PORTIONS_A_LOOK = 4
GPU_ROOM = 3
OBJECTIONS_EVERY_S = 2.0


class ActiveRows:
    """Follows the curves of the runs in progress. For one thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._followed: dict[str, _Followed] = {}

    def of(self, snapshot: Snapshot) -> tuple[ActiveRow, ...]:
        """A row for each run in progress, in the snapshot's order."""
        ids = {record.run.id for record in snapshot.active}
        for gone in self._followed.keys() - ids:
            del self._followed[gone]
        return tuple(self._shown(record) for record in snapshot.active)

    def _shown(self, record: Record) -> ActiveRow:
        """A row, whatever is wrong with the record: one that is odd must not hide the others."""
        try:
            return self._row(record)
        except (BackpropError, OSError, TypeError, ValueError, LookupError) as error:
            run = record.run
            text = f"its record is odd: {error}"
            name = record.notes.name or run.id
            return ActiveRow(
                id=run.id, name=name, state=str(run.state), left_s=None, box_s=0.0, reason=text, trend=text
            )

    def _row(self, record: Record) -> ActiveRow:
        run_id = record.run.id
        if run_id not in self._followed:
            self._followed[run_id] = _Followed(CurveReader(self._home, run_id))
        followed = self._followed[run_id]
        followed.read(record)
        row = active_row(record, followed.curve, followed.speed(), followed.objections(self._home, record))
        return row.replace(values=followed.values(record.t))


class _Followed:
    """One run's curves, and since when it runs."""

    def __init__(self, reader: CurveReader) -> None:
        self._reader = reader
        self._since = 0.0
        self._values: tuple[float, ...] = ()
        self._values_at = -math.inf
        self._held_mark: tuple[object, ...] = ()
        self._objections: tuple[Decision, ...] = ()

    @property
    def curve(self) -> Curve | None:
        """Of the metric that speaks for the run."""
        return self._reader.main

    def read(self, record: Record) -> None:
        for _ in range(PORTIONS_A_LOOK):
            if not self._reader.read(record.run.slices):
                break
        if record.run.state != "running":
            self._since = record.t  # what stands still has no speed, and the gap must not count later

    def values(self, t: float) -> tuple[float, ...]:
        """The newest part of the curve as it was at most two seconds ago."""
        if not self._values or t // SPARK_EVERY_S != self._values_at // SPARK_EVERY_S:
            self._values, self._values_at = newest_values(self.curve), t
        return self._values

    def objections(self, home: Home, record: Record) -> tuple[Decision, ...]:
        """What the Governor objects to, of a run that it holds."""
        mark = record.run.reason, record.t // OBJECTIONS_EVERY_S
        if mark != self._held_mark:
            self._held_mark = mark
            is_held = str(record.run.state) in ("queued", "paused")
            self._objections = objections(home, record.run.id) if is_held else ()
        return self._objections

    def speed(self) -> float | None:
        """Steps a second in the last minute."""
        pace = self._reader.steps.pace(self._since)
        return None if pace is None else pace.speed


def active_row(
    record: Record, curve: Curve | None, speed: float | None, decisions: Sequence[Decision] = ()
) -> ActiveRow:
    """The row of one run; `decisions` are what the Governor objected to last, where it holds the run."""
    run, newest, state = record.run, record.run.slice, str(record.run.state)
    saved = run.good_checkpoint
    saved_s = None if saved is None else max(0.0, record.t - saved.t)
    short, long = reasons(record, decisions)
    name, value = run.main or ("", None)
    return ActiveRow(
        id=run.id,
        name=record.notes.name or run.id,
        state=state,
        left_s=record.left_s if state != "queued" else newest.box_s if newest else None,
        box_s=newest.box_s if newest else 0.0,
        star=record.notes.star,
        reason=short,
        reason_long=long,
        is_by_person=bool(run.held) or (run.reason is not None and run.reason.by == "person"),
        is_held=bool(run.held),
        is_slow=state == "starting" and newest is not None and record.t - newest.started > SLOW_START_S,
        series=mark(record),
        step=run.step,
        total=total_steps(run),
        epoch=epoch_words(run),
        speed=speed,
        metric=label(name),
        loss=value,
        is_higher_better=is_higher_better(name),
        trend=trend_of(curve) or _silence(record),
        values=newest_values(curve),
        saved_s=saved_s,
        is_unsaved_long=_is_unsaved_long(record, saved_s),
        gpu=_indices(newest.gpus) if newest and newest.gpus else "cpu",
        gpus=newest.gpus if newest else (),
    )


def newest_values(curve: Curve | None) -> tuple[float, ...]:
    """The newest part of a curve, for a line of one row."""
    if curve is None:
        return ()
    count = max(2, math.ceil(len(curve) * NEWEST_SHARE))
    return tuple(curve.lasts[-count:][-SPARK_POINTS:])


def trend_of(curve: Curve | None) -> str:
    """falling, flat or rising: the slope of the newest fifth against its own noise; "" where that is too little."""
    if curve is None:
        return ""
    if curve.points and not math.isfinite(curve.last):
        return "diverged"
    count = max(TREND_POINTS, math.ceil(len(curve) * TREND_SHARE))
    values = [value for value in curve.lasts[-count:] if math.isfinite(value)]
    if len(values) < TREND_POINTS:
        return ""
    n = len(values)
    middle, mean = (n - 1) / 2, sum(values) / n
    spread = sum((x - middle) ** 2 for x in range(n))
    slope = sum((x - middle) * (value - mean) for x, value in enumerate(values)) / spread
    noise = sum((value - mean - slope * (x - middle)) ** 2 for x, value in enumerate(values)) / (n - 2)
    sigma = math.sqrt(noise / spread)
    if abs(slope) <= TREND_SIGMAS * sigma:
        return "flat"
    return "falling" if slope < 0 else "rising"


def _silence(record: Record) -> str:
    run = record.run
    if run.state != "running" or run.slice is None:
        return ""
    quiet = record.t - max(run.updated, run.slice.started)
    return f"no step for {duration(quiet)}" if quiet > SILENT_S and run.step is not None else ""


def _is_unsaved_long(record: Record, saved_s: float | None) -> bool:
    newest = record.run.slice
    if newest is None:
        return False
    every = SLOW_START_S
    if record.spec is not None:
        setting = record.spec.settings.get("checkpointEveryMinutes")  # other versions may not have it
        every = float(setting.value) * 60 * UNSAVED_INTERVALS if setting is not None else every
    return (saved_s if saved_s is not None else record.t - newest.started) > every


def _indices(gpus: Sequence[str]) -> str:
    """GPUs in three columns: 0, 0-3, 0,2, or of many how many there are."""
    text = ",".join(gpus)
    if len(text) <= GPU_ROOM:
        return text
    numbers = [int(index) for index in gpus if index.isdecimal()]
    if len(numbers) == len(gpus) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{numbers[0]}-{numbers[-1]}"
    return f"{len(gpus)}x"
