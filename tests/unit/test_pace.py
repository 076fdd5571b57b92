"""How fast a training goes on: by bars, bursts, with evaluation, pauses and slow steps."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from backprop_tui.model.pace import MEAN_S, SPACING_S, Pace, Steps


def measured(points: Iterable[tuple[float, float]], since: float = 0.0) -> Pace | None:
    steps = Steps()
    for t, step in points:
        steps.add(t, step)
    return steps.pace(since)


def even(
    rate: float, seconds: float, *, every: float = 1.0, t: float = 1000.0, step: float = 0.0
) -> list[tuple[float, float]]:
    """So many steps a second, a line every so many seconds."""
    count = int(seconds / every) + 1
    return [(t + n * every, step + round(n * every * rate)) for n in range(count)]


def bars(rate: float, seconds: float) -> list[tuple[float, float]]:
    """A bar is printed now and then, at whatever step it is."""
    dice = random.Random(5)
    t, points = 0.0, []
    while t < seconds:
        points.append((1000.0 + t, float(int(t * rate))))
        t += dice.choice([0.1, 0.1, 0.15, 0.3, 1.2])
    return points


def evaluating(rate: float, seconds: float) -> list[tuple[float, float]]:
    """20 s of evaluation after each minute."""
    points, t, step = [], 1000.0, 0.0
    for n in range(int(seconds)):
        points.append((t, step))
        t += 1.0 if n % 60 else 20.0
        step += rate
    return points


def bursts(rate: float, count: int, *, every: float = 120.0) -> list[tuple[float, float]]:
    """A file that is flushed every two minutes: its points arrive at once."""
    return [
        (1000.0 + every * n, step)
        for n in range(1, count + 1)
        for step in range(int((n - 1) * every * rate), int(n * every * rate))
    ]


def late(rate: float) -> list[tuple[float, float]]:
    """The first step takes a minute to compile."""
    return [(940.0, 0.0), *even(rate, 120, step=1)]


@pytest.mark.parametrize(
    ("points", "speed", "mean"),
    [
        (even(3.0, 120), 3.0, 3.0),
        (even(0.5, 200), 0.5, 0.5),
        (even(100.0, 200, every=0.01), 100.0, 100.0),
        (bars(8.0, 120), 8.0, 8.0),
        (evaluating(4.0, 300), 4.0, 4.0 * 299 / (299 + 5 * 19)),
        (bursts(10.0, 5), 10.0, 10.0),
        (late(5.0), 5.0, 5.0),
        (even(2.0, 100) + even(6.0, 100, t=1101, step=206), 6.0, 800 / 201),
        (even(0.02, 600, every=50.0), 0.02, 0.02),
    ],
    ids=["even", "slow", "fast", "bars", "evaluation", "bursts", "start-up", "faster", "a step in 50 s"],
)
def test_speed(points: list[tuple[float, float]], speed: float, mean: float) -> None:
    found = measured(points)
    assert found is not None
    assert found.is_settled
    assert found.speed == pytest.approx(speed, rel=0.05)
    assert found.mean == pytest.approx(mean, rel=0.05)


def test_what_was_before_a_pause_does_not_count() -> None:
    points = even(3.0, 100) + even(5.0, 60, t=5000.0, step=301)
    found = measured(points, since=4990.0)
    assert found is not None
    assert (found.speed, found.mean) == pytest.approx((5.0, 5.0))
    unaware = measured(points)
    assert unaware is not None
    assert unaware.speed == pytest.approx(5.0, rel=0.02), "a gap is a gap, whether or not anybody tells of it"


@pytest.mark.parametrize(
    ("points", "is_settled"),
    [
        ([], None), ([(1.0, 1.0)], None), (even(1.0, 29), False), (even(1.0, 30), True), (even(0.2, 90, every=5.0), False),
        (even(0.2, 100, every=5.0), True), (even(0.02, 100, every=50.0), False), (even(0.02, 150, every=50.0), True),
        (even(0.0, 100), None),
    ],
)  # fmt: skip
def test_when_it_can_be_told(points: list[tuple[float, float]], is_settled: bool | None) -> None:
    found = measured(points)
    assert (None if found is None else found.is_settled) is is_settled


def test_lines_without_a_step_forward_say_nothing() -> None:
    points = [point for t, step in even(3.0, 100) for point in ((t, step), (t + 0.1, step), (t + 0.2, step - 1))]
    found = measured(points)
    assert found is not None
    assert found.speed == pytest.approx(3.0, rel=0.02)


def test_a_clock_that_is_set_back_begins_anew() -> None:
    found = measured(even(3.0, 100, t=9000.0) + even(7.0, 100, t=1000.0, step=301))
    assert found is not None
    assert (found.speed, found.mean) == pytest.approx((7.0, 7.0))


def test_it_is_bounded() -> None:
    steps = Steps()
    for n in range(200_000):
        steps.add(n / 10, n)
    assert len(steps._times) <= 2 * (2 * MEAN_S / SPACING_S)
    found = steps.pace()
    assert found is not None
    assert found.speed == pytest.approx(10.0, rel=0.01)
