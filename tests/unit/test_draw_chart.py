"""Charts: what of a curve is drawn, and what stands on the axes."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from backprop_tui.tui.draw import axes, chart
from backprop_tui.tui.draw.glyphs import ASCII, UNICODE
from backprop_tui.tui.draw.line import cells, texts
from backprop_tui.tui.draw.plot import NOTHING, Points, points_of, smoothed, trace
from tests.unit import made_details as made


def points(values: list[float], *, first: float = 0.0) -> Points:
    steps = tuple(first + n for n in range(len(values)))
    return Points(steps=steps, times=steps, means=tuple(values), lows=tuple(values), highs=tuple(values))


def plan(*curves: Points, **more: object) -> chart.Chart:
    series = tuple(chart.Series(label="", points=curve) for curve in curves)
    return chart.Chart(series=series, **more)  # type: ignore[arg-type]


def drawn(of: chart.Chart, width: int = 60, height: int = 12) -> list[str]:
    return texts(chart.lines(of, width, height, UNICODE, empty="nothing"))


def test_a_noisy_curve_is_a_line_and_no_block() -> None:
    dice = random.Random(1)
    curve = made.curve("loss", [(n, n, 2 + 2 * math.exp(-n / 4000) + dice.gauss(0, 0.4)) for n in range(20_000)])
    lines = drawn(plan(points_of(curve, ())), 80, 16)
    filled = [
        sum(sign not in " │▴" for sign in column)
        for column in zip(*(f"{line:<80}"[8:] for line in lines[:-1]), strict=True)
    ]
    assert max(filled[5:]) <= 4
    everything = drawn(plan(points_of(curve, ()), shows_all=True), 80, 16)
    assert max(sum(line[40:41] not in ("", " ") for line in everything[:-1]), 0) > 4


def test_smoothing_leaves_what_is_smooth_and_keeps_ends_and_gaps() -> None:
    smooth = [math.exp(-n / 20) for n in range(100)]
    assert smoothed(smooth) == smooth
    dice = random.Random(2)
    rough = [dice.random() for _ in range(100)]
    rough[40] = math.nan
    result = smoothed(rough)
    assert (result[0], result[-1]) == (rough[0], rough[-1])
    assert math.isnan(result[40])
    jumps = [abs(a - b) for a, b in itertools.pairwise(result) if math.isfinite(a - b)]
    before = [abs(a - b) for a, b in itertools.pairwise(rough) if math.isfinite(a - b)]
    assert sum(jumps) < sum(before) / 3


def test_a_column_is_the_mean_and_with_outliers_the_extremes() -> None:
    curve = points([1.0, 3.0] * 50)
    narrow = trace(curve, curve.steps, (0, 99), 10, shows_all=False)
    assert list(narrow.lows) == pytest.approx([2.0] * 10, abs=0.2)
    wide = trace(curve, curve.steps, (0, 99), 10, shows_all=True)
    assert (set(wide.lows), set(wide.highs)) == ({1.0}, {3.0})


@pytest.mark.parametrize(
    ("values", "shows_all", "low", "high", "is_cut"),
    [
        ([9.0] + [2.0 - n / 100 for n in range(40)], False, 1.61, 1.97, True),
        ([9.0] + [2.0 - n / 100 for n in range(40)], True, 1.61, 9.0, False),
        ([1.0] * 30 + [5.0], False, 1.0, 5.0, False),  # the newest is never cut off
        ([3.0, 1.0], False, 1.0, 3.0, False),
        ([math.nan, math.inf, 2.0, 2.0], False, 2.0, 2.0, False),
        ([], False, 0.0, 1.0, False),
    ],
)
def test_the_range(values: list[float], shows_all: bool, low: float, high: float, is_cut: bool) -> None:
    (bottom, top), cut = axes.y_range([values], shows_all=shows_all)
    assert cut is is_cut
    assert bottom <= low <= bottom + (top - bottom) * 0.6
    assert high <= top
    if high > low:
        assert top - high < (high - low) * 0.2 + 0.05


@pytest.mark.parametrize(
    ("y", "is_log", "labels"),
    [
        ((1.9, 4.1), False, ["2.0", "3.0", "4.0"]),
        ((0.0, 1.1), False, ["0.0", "0.5", "1.0"]),
        ((1.4e-4, 1.8e-4), False, ["1.4e-4", "1.6e-4", "1.8e-4"]),
        ((0.0, 400_000_000.0), False, ["0", "2.0e8", "4.0e8"]),
        ((-3.1, 1.1), True, ["0.01", "1"]),
        ((-1.05, 0.1), True, ["0.1", "0.3", "1"]),
        ((0.0, 0.9), True, ["1", "2", "5"]),
    ],
)
def test_the_numbers_on_the_axis(y: tuple[float, float], is_log: bool, labels: list[str]) -> None:
    found = [label for _row, label in sorted(axes.y_labels(y, 7, is_log=is_log).items(), reverse=True)]
    assert found == labels
    assert all(len(label) <= axes.LABEL for label in found)


@pytest.mark.parametrize("y", [(0, 1e308), (-1e308, 1e308), (1e-320, 2e-320), (5, 5), (math.nan, 1.0), (-1e-9, 1e-9)])
def test_no_range_breaks_the_axis(y: tuple[float, float]) -> None:
    for is_log in (False, True):
        assert all(len(label) <= axes.LABEL + 2 for label in axes.y_labels(y, 10, is_log=is_log).values())


def test_seams_checkpoints_and_the_end_of_the_slice() -> None:
    of = plan(
        points([4 - n / 100 for n in range(300)]), x_end=600.0, seams=(chart.SeamMark(step=150.0, label="slice 2"),), saved=(100.0, 290.0),
        bad=299.0,
    )  # fmt: skip
    lines = drawn(of, 68, 12)
    seam = 8 + round(150 / 600 * 59)
    assert lines[0][seam:].startswith("┊ slice 2")
    assert lines[-2].startswith(" saved")
    assert lines[-2].count("▲") == 2
    assert "600" in lines[-1]
    assert all(len(line) <= 68 for line in lines)
    assert not any(line[40:].strip("┊ ") for line in lines[1:-2]), "what is still to come is empty"


def test_by_time_counts_only_what_was_trained() -> None:
    detail = made.detail()
    loss = detail.curves["loss"].points
    assert loss.times[0] == 0.0
    assert 730 < loss.times[-1] < 739, "600 s in the first slice and 138 s in the second one"
    of = detail.chart(("loss",)).replace(by_time=True)
    lines = drawn(of, 80, 12)
    assert "5:00" in lines[-1]
    assert "┊ slice 2" in lines[0]
    assert lines[-2].count("▲") == 3


def test_what_a_later_slice_did_again_is_not_drawn() -> None:
    steps = made.detail().curves["loss"].points.steps
    assert list(steps) == sorted(steps)
    assert len(set(steps)) == len(steps)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize(
    "curves",
    [
        [NOTHING], [], [points([1.0])], [points([math.nan] * 9)], [points([math.inf, 1.0, -math.inf, 2.0])],
        [points([1e308, -1e308, 0.0])], [points([3.0] * 500)], [points([1.0, 2.0], first=math.inf)],
        [points([1.0, 2.0, 3.0]), NOTHING, points([5.0, 6.0])],
    ],
)  # fmt: skip
def test_nothing_breaks_a_chart(curves: list[Points], glyphs: object) -> None:
    for more in ({}, {"is_log": True}, {"by_time": True, "t_end": 9.0}, {"shows_all": True, "saved": (1.0, math.nan)}):
        of = plan(
            *curves,
            bad=math.nan,
            dotted=2.0,
            seams=(chart.SeamMark(step=math.inf, label="slice 2", is_suspicious=True),),
            **more,
        )
        for width, height in ((20, 1), (20, 6), (8, 8), (80, 3), (81, 20), (220, 50)):
            lines = chart.lines(of, width, height, glyphs, empty="There is nothing yet.")  # type: ignore[arg-type]
            assert len(lines) == height
            assert all(cells(line.text) <= width for line in lines)
            title = chart.legend(of, width, glyphs, title="LOSS", note="by step")  # type: ignore[arg-type]
            assert cells(title.text) <= width


@pytest.mark.parametrize(("is_higher_better", "word", "style"), [
    (False, "falling", "ok"), (False, "rising", "hold"), (True, "falling", "hold"), (True, "rising", "ok"), (True, "flat", "muted"),
])  # fmt: skip
def test_where_more_is_better_the_colours_change_places(is_higher_better: bool, word: str, style: str) -> None:
    series = chart.Series(label="", points=NOTHING, trend=word, is_higher_better=is_higher_better)
    assert chart.trend(series, UNICODE)[1] == style
