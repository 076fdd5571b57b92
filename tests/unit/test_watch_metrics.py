"""What names of metrics say, how fast a run goes on, and where it will get to."""

from __future__ import annotations

import math

import pytest

from backprop_tui.watch import pace
from backprop_tui.watch.metrics import families, is_higher_better
from tests.unit import made_details as made


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        ("accuracy", True), ("test_accuracy", True), ("eval/f1", True), ("val.auc", True), ("episode_reward", True),
        ("evalAccuracy", True), ("r2", True), ("rouge1", False), ("loss", False), ("reward_loss", False), ("accum", False),
        ("lr", False), ("map_error", False), ("mAP", False), ("", False),
    ],
)  # fmt: skip
def test_where_more_is_better(name: str, is_so: bool) -> None:
    assert is_higher_better(name) is is_so


def test_the_same_thing_on_other_data_is_one_family() -> None:
    found = families(["loss", "val_loss", "accuracy", "eval/accuracy", "lr", "grad_norm", "train"])
    assert [(one.title, one.names, one.labels) for one in found] == [
        ("LOSS", ("loss", "val_loss"), ("train", "val")),
        ("ACCURACY", ("accuracy", "eval/accuracy"), ("train", "eval")),
        ("LR", ("lr",), ("",)),
        ("GRAD NORM", ("grad_norm",), ("",)),
        ("TRAIN", ("train",), ("",)),
    ]


@pytest.mark.parametrize(
    ("count", "every_s", "speed"),
    [(0, 1.0, None), (1, 1.0, None), (29, 1.0, None), (100, 1.0, 1.0), (19, 5.0, None), (400, 0.5, 2.0)],
)
def test_speed_is_told_after_half_a_minute_and_twenty_steps(count: int, every_s: float, speed: float | None) -> None:
    curve = made.curve("loss", [(float(n), made.BEGAN + n * every_s, 1.0) for n in range(count)])
    found = pace.speed(curve, made.BEGAN)
    assert found == (None if speed is None else pytest.approx(speed))
    assert pace.speed(curve, made.BEGAN + count * every_s) is None


def test_a_pause_does_not_count() -> None:
    events = [{"t": 1.0, "event": "state", "state": "running"}, {"t": 50.0, "event": "state", "state": "running"}]
    assert pace.running_since(events, None) == 50.0
    assert pace.running_since([], made.record().run.slice) == made.BEGAN


@pytest.mark.parametrize(
    ("total", "left", "end", "done", "is_within"),
    [(None, 100, 300, None, False), (250, 100, 250, 75, True), (1000, 100, 300, 450, False), (100, 10, 100, 0, True)],
)
def test_forecast(total: int | None, left: float, end: float, done: float | None, is_within: bool) -> None:
    found = pace.forecast(100, total, 2.0, left)
    assert (found.end_step, found.done_s, found.is_within) == (end, done, is_within)


def test_means_of_buckets_are_the_means_of_their_values() -> None:
    curve = made.curve("loss", [(float(n), float(n), math.nan if n % 5 == 0 else float(n % 7)) for n in range(10_000)])
    kept = [mean for mean in curve.means if math.isfinite(mean)]
    assert len(curve.means) == len(curve.steps)
    assert sum(kept) / len(kept) == pytest.approx(3.0, abs=0.05)
