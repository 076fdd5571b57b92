"""What names of metrics say, how fast a run goes on, and where it will get to."""

from __future__ import annotations

import math

import pytest

from backprop_tui.watch import figures, metrics, pace
from backprop_tui.watch.metrics import families, is_higher_better
from tests.unit import made_details as made


@pytest.mark.parametrize(
    ("name", "is_so"),
    [
        ("accuracy", True), ("test_accuracy", True), ("eval/f1", True), ("val.auc", True), ("episode_reward", True),
        ("evalAccuracy", True), ("r2", True), ("rouge1", False), ("loss", False), ("reward_loss", False), ("accum", False),
        ("lr", False), ("map_error", False), ("mAP", True), ("metrics/mAP50(B)", True), ("", False),
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
    ("total_steps", "last", "step", "total"),
    [
        (3500, {}, 1204, 3500),
        (None, {"total_steps": 3500.0}, 1204, 3500),
        (None, {"max_steps": 3500.0}, 1204, 3500),
        (4000, {"total_steps": 3500.0}, 1204, 4000),
        (1000, {"total_steps": 3500.0}, 1204, 3500),
        (1000, {}, 1204, None),
        (1204, {}, 1204, 1204),
        (3500, {}, None, 3500),
        (0, {"total_steps": math.nan}, None, None),
        (None, {"total_steps": math.inf}, 3, None),
        (None, {"total_steps": -5.0}, None, None),
        (None, {"loss": 1.0}, 3, None),
    ],
)
def test_how_many_steps_there_are(
    total_steps: int | None, last: dict[str, float], step: int | None, total: int | None
) -> None:
    run = made.record().run.replace(total_steps=total_steps, last=last, step=step)
    assert metrics.total_steps(run) == total


@pytest.mark.parametrize(
    ("epoch", "epochs", "said"),
    [
        (None, None, ""), (None, 3.0, ""), (2.0, 3.0, "epoch 2/3"), (2.0, None, "epoch 2"), (0.015, 3.0, "epoch 0.01/3"),
        (1.5, 3.0, "epoch 1.50/3"), (4.0, 3.0, "epoch 4"), (math.nan, 3.0, ""), (math.inf, math.inf, ""), (1e300, 2.0, ""),
    ],
)  # fmt: skip
def test_the_epoch_in_words(epoch: float | None, epochs: float | None, said: str) -> None:
    assert figures.epoch_words(made.record().run.replace(epoch=epoch, epochs=epochs)) == said


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


@pytest.mark.parametrize(
    ("value", "said"),
    [(3.2142, "3.21"), (0.00421, "0.00421"), (152.6, "153"), (999.4, "999"), (999.6, "1,000"), (1552.0, "1,552"), (2.5e6, "2.5M")],
)  # fmt: skip
def test_a_rate(value: float, said: str) -> None:
    assert figures.rate(value) == said


def test_a_plain_name_beside_one_of_the_training_keeps_its_own():
    (found,) = families(["loss", "train_loss", "val_loss"])
    assert found.labels == ("loss", "train", "val")
