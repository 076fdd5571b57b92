"""How far a run is, how fast, and when it will be done, at one look: only the end of its metrics is read."""

from __future__ import annotations

from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.model.pace import Steps
from backprop_tui.store.metriclines import MetricFile, decoded, number
from backprop_tui.watch import pace
from backprop_tui.watch.metrics import total_steps
from backprop_tui.watch.record import read_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.store.home import Home
    from backprop_tui.watch.record import Record

TAIL, SAMPLE = 256 * 1024, 2048
BACK = (16 << 20, 4 << 20, 1 << 20)
EVENTS = 50


class Progress(Frozen):
    """What is not known is None."""

    total: int | None = None
    """Steps in all."""
    speed: float | None = None
    """Steps a second of a running slice while it trains."""
    eta_s: float | None = None
    """Seconds of training until the last step."""

    def plain(self) -> dict[str, Any]:
        """For JSON, no more exact than it is known."""
        return {
            "total": self.total,
            "speed": None if self.speed is None else round(self.speed, 3),
            "eta_s": None if self.eta_s is None else round(self.eta_s, 1),
        }


def progress_of(home: Home, record: Record) -> Progress:
    """How far the run of a record is."""
    run = record.run
    total = total_steps(run)
    if str(run.state) != "running" or run.slice is None or run.step is None:
        return Progress(total=total)
    try:
        since = pace.running_since(read_events(home, run.id, EVENTS), run.slice)
    except StoreError:
        since = run.slice.started
    found = _steps(home.folder(run.id).file("metrics.jsonl"), run.slice.metrics_start).pace(since)
    if found is None or not found.is_settled:
        return Progress(total=total)
    ahead = pace.forecast(run.step, total, found.mean, 0.0)
    return Progress(total=total, speed=found.speed, eta_s=ahead.done_s)


def _steps(path: str, start: int) -> Steps:
    """When the newest slice was where, as far as the end of its metrics tells."""
    steps = Steps()
    try:
        with MetricFile(path) as file:
            # A few lines from further back: where many are printed, the end alone is the work of seconds.
            parts = [file.read(max(start, file.size - back), file.size - back + SAMPLE) for back in BACK]
            parts.append(file.read(max(start, file.size - TAIL), file.size))
    except OSError:
        return steps
    for line in b"".join(parts).splitlines():
        entry = decoded(line)
        if entry is not None and (step := number(entry.get("step"))) is not None:
            steps.add(number(entry.get("t")) or 0.0, step)
    return steps
