"""What the columns of a table of metrics, or the keys of its lines, are: a counter of steps, or values."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.artifacts.metric_files.points import Row

STEPS = (
    "step",
    "global_step",
    "iter",
    "iteration",
    "time/total_timesteps",
    "total_timesteps",
    "current_steps",
    "epoch",
    "epochs",
)
"""Counters, the one that counts finest first."""
_SIGNS = (
    "loss",
    "acc",
    "rew",
    "map",
    "auc",
    "f1",
    "iou",
    "bleu",
    "rouge",
    "perplexity",
    "ppl",
    "psnr",
    "precision",
    "recall",
    "score",
    "mse",
    "mae",
    "nll",
)
"""Parts of names that stand for how good a training is."""
MAX_COLUMNS = 512
_LARGEST = 10**300


def counter_of(names: Iterable[str]) -> str | None:
    """The name that counts steps, None where these are not the names of a training's metrics."""
    lower = {name.lower(): name for name in names}
    counter = next((lower[name] for name in STEPS if name in lower), None)
    others = [name for name in lower if name not in STEPS]
    return counter if any(sign in name for name in others for sign in _SIGNS) else None


def value_of(one: object) -> float | None:
    """A value that JSON has for a number; None for anything else."""
    if type(one) is int:
        return float(one) if abs(one) < _LARGEST else None
    return one if type(one) is float else None


def number(text: str) -> float | None:
    """The number in a cell; None where it holds none."""
    try:
        return float(text) if len(text) <= 64 and "_" not in text else None
    except ValueError:
        return None


def step_of(value: float | None) -> int | float | None:
    """A counter's value as a step: whole where it is."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else value


def newest_training(rows: list[Row]) -> list[Row]:
    """The rows of the last training in a file to which several have added: each began where the first one did."""
    starts = [n for n in range(1, len(rows)) if rows[n][0] < rows[n - 1][0] and rows[n][0] <= rows[0][0]]
    return rows[starts[-1] :] if starts else rows
