"""What a run's record says of its metrics and counters after more of them. Pure."""

from __future__ import annotations

import math

from backprop_tui import files
from backprop_tui.model.naming import is_loss_like, is_score, main_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from backprop_tui.model.events import Metric, Progress
    from backprop_tui.model.run import Run

MAX_NAMES = 256
"""Metric names kept in state.json; a script that invents a name a step fills metrics.jsonl only."""


def with_metrics(run: Run, batch: list[Metric], *, is_late: bool = False) -> Run:
    """The run after these metrics of its newest slice, which must not be none; `is_late`: it may be further on."""
    run = _begun(run, int(batch[0].step))
    newest = run.slices[-1]
    before, last, best = main_metric(run.last), dict(run.last), newest.best
    for metric in batch:
        last.update(metric.values)
        if len(last) > MAX_NAMES:
            last = dict(list(last.items())[:MAX_NAMES])
    main = main_metric(last)
    values = [metric.values[main] for metric in batch if main in metric.values] if main is not None else []
    last_loss = newest.last_loss
    if main != before:  # what was best of another metric says nothing of this one
        run, last_loss, best = run.replace(best_loss=None, best_score=None), None, None
    if main is not None:
        best = _better(main, best, values)
        run = with_best(run, main, values)
        last_loss = values[-1] if values and is_loss_like(main) else last_loss
    step = int(batch[-1].step)
    if is_late and newest.last_step is not None:
        step = max(step, newest.last_step)
    run = run.replace(step=step, last=last, metric_lines=run.metric_lines + len(batch))
    lines = newest.metric_lines + len(batch)
    return _with_slice(run, last_step=step, last_loss=last_loss, best=best, metric_lines=lines)


def with_best(run: Run, main: str, values: Iterable[float]) -> Run:
    """The run whose metric `main`, which speaks for it, had these values, too."""
    if is_loss_like(main):
        best = min((v for v in (run.best_loss, *values) if v is not None and math.isfinite(v)), default=None)
        return run if best == run.best_loss else run.replace(best_loss=best)
    if is_score(main):
        best = max((v for v in (run.best_score, *values) if v is not None and math.isfinite(v)), default=None)
        return run if best == run.best_score else run.replace(best_score=best)
    return run


def _better(main: str, best: float | None, values: Iterable[float]) -> float | None:
    """The best finite value of the metric `main`, of which less is better unless it is a score."""
    found = [value for value in (best, *values) if value is not None and math.isfinite(value)]
    return (max if is_score(main) else min)(found, default=None)


def with_progress(run: Run, progress: Progress) -> Run:
    """The run after counters alone: they are progress, but no point of a curve."""
    run = run.replace(
        total_steps=run.total_steps if progress.total is None else progress.total,
        epoch=run.epoch if progress.epoch is None else progress.epoch,
        epochs=run.epochs if progress.epochs is None else progress.epochs,
    )
    if progress.step is None:
        return run
    step = int(progress.step)
    # A bar shows 0 before it is told where the training goes on.
    run = _begun(run, step) if step > 0 else run
    return _with_slice(run.replace(step=step), last_step=step)


def _begun(run: Run, step: int) -> Run:
    """The newest slice has done this step; if it is its first one, what was best may not hold any more."""
    *earlier, newest = run.slices
    if newest.first_step is not None:
        return run
    run = _with_slice(run, first_step=step)
    if any(piece.last_step is not None and piece.last_step >= step for piece in earlier):
        run = run.replace(best_loss=None, best_score=None)
    return run


def as_of(run: Run, caught_up: Run) -> Run:
    """What may be said of a run whose newest lines are not on the disk: how it was when they were.

    Whoever reads the log on from there must find every line that is missing.
    """
    then, now = caught_up.slice, run.slice
    if then is None or now is None:
        return run
    run = run.replace(
        output_bytes=caught_up.output_bytes,
        metrics_bytes=caught_up.metrics_bytes,
        metric_lines=caught_up.metric_lines,
    )
    return _with_slice(run, metric_lines=then.metric_lines if then.n == now.n else 0)


def metric_line(metric: Metric, stamp: str) -> str:
    """A line of metrics.jsonl; `stamp` is the time, epoch seconds."""
    if metric.raw is not None:
        return f'{{"t":{stamp},{metric.raw[1:]}\n'
    values = {name: value for name, value in metric.values.items() if name != "t"}
    text = files.to_json({"step": metric.step, **values}).decode("ascii")
    return f'{{"t":{stamp},{text[1:]}\n'


def _with_slice(run: Run, **changes: Any) -> Run:
    return run.replace(slices=(*run.slices[:-1], run.slices[-1].replace(**changes)))
