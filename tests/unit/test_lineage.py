"""Points at steps that a later slice did again are kept, and not drawn."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from backprop_tui.control.exporting import export_csv
from backprop_tui.model.lineage import ceilings
from backprop_tui.store import metriclines
from backprop_tui.tui.draw.plot import points_of
from backprop_tui.watch import curves as curves_module
from backprop_tui.watch.comparing import Comparison
from backprop_tui.watch.curves import BUCKETS, CurveReader
from tests.unit.made_slices import History

INF = math.inf


@pytest.mark.parametrize(
    ("firsts", "until"),
    [
        ([], []),
        ([1], [INF]),
        ([1, 501], [501, INF]),
        ([1, 501, 401], [401, 401, INF]),
        ([1, 501, 1], [1, 1, INF]),
        ([1, None, 501], [501, 501, INF]),
        ([1, 501, None], [501, INF, INF]),
        ([1, 501, 801], [501, 801, INF]),
    ],
)
def test_what_holds_of_each_slice(firsts: list[int | None], until: list[float]) -> None:
    assert ceilings(firsts) == until


def read(history: History, reader: CurveReader | None = None) -> CurveReader:
    """All that there is, by a new reader or by one that has read before."""
    reader = reader or CurveReader(history.home, "r")
    while reader.read(history.slices):
        pass
    return reader


def expected(*slices: range) -> list[tuple[int, int]]:
    """Step and number of the slice, by the plainest rule: a slice takes away what lies from its first step on."""
    kept: list[tuple[int, int]] = []
    for n, steps in enumerate(slices, 1):
        if steps:
            kept = [point for point in kept if point[0] < steps[0]]
            kept += [(step, n) for step in steps]
    return kept


HISTORIES = [
    (range(1, 538), range(501, 700)),
    (range(1, 538), range(501, 700), range(650, 900)),
    (range(1, 538), range(501, 700), range(401, 900)),
    (range(1, 538), range(1, 50)),
    (range(300), range(301, 302), range(10), range(5, 30)),
    (range(1, 538), range(0), range(501, 700)),
    (range(0), range(1, 20)),
    (range(1, 538), range(600, 700)),
    tuple(range(190 * k, 190 * k + 200) for k in range(50)),
]


@pytest.mark.parametrize("slices", HISTORIES)
def test_a_curve_holds_what_no_later_slice_did_again(tmp_path: Path, slices: tuple[range, ...]) -> None:
    history = History(tmp_path, *slices)
    found = read(history).curves["loss"]
    wanted = expected(*slices)
    if found.size == 1:
        assert [(b.step, b.last) for b in found.buckets()] == wanted
    assert found.points == len(wanted)
    assert found.is_ordered
    assert found.last_step == wanted[-1][0]
    steps = points_of(found, history.slices).steps
    assert list(steps) == sorted(set(steps)), "the x axis never goes back"


@pytest.mark.parametrize("is_recorded", [True, False])
@pytest.mark.parametrize("slices", HISTORIES)
def test_it_is_the_same_for_who_looks_all_the_time(
    tmp_path: Path, slices: tuple[range, ...], is_recorded: bool
) -> None:
    history = History(tmp_path)
    reader = CurveReader(history.home, "r")
    for steps in slices:
        history.add(steps, is_recorded=is_recorded)
        read(history, reader)
        if not is_recorded:  # its state.json is written a moment later than its lines
            piece = history.slices[-1]
            history.slices[-1] = piece.replace(first_step=steps[0], last_step=steps[-1]) if steps else piece
            read(history, reader)
    fresh = read(history)
    for name, curve in fresh.curves.items():
        assert list(reader.curves[name].buckets()) == list(curve.buckets())
    assert (reader.lines, reader.superseded) == (fresh.lines, fresh.superseded)
    assert reader.lines == sum(len(steps) for steps in slices)


def test_superseded_points_are_in_no_bucket(tmp_path: Path) -> None:
    history = History(tmp_path, range(BUCKETS * 4), range(1000, BUCKETS * 4))
    curve = read(history).curves["loss"]
    assert curve.size > 1
    assert {(b.low, b.high) for b in curve.buckets() if b.step + curve.size <= 1000} == {(1.0, 1.0)}
    assert {(b.low, b.high) for b in curve.buckets() if b.step >= 1000} == {(2.0, 2.0)}
    assert curve.points == BUCKETS * 4


def test_a_whole_history_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record says beforehand what holds: fifty slices cost no more than one."""
    history = History(tmp_path, *(range(90 * k, 90 * k + 100) for k in range(50)))
    count = 0
    real = metriclines.decoded

    def decoded(line: bytes) -> object:
        nonlocal count
        count += 1
        return real(line)

    monkeypatch.setattr(curves_module, "decoded", decoded)
    read(history)
    assert count == 5000


def test_a_curve_that_was_printed_out_of_order_is_drawn_in_order(tmp_path: Path) -> None:
    history = History(tmp_path, range(10))
    with history.path.open("a") as file:
        file.write('{"t": 1, "step": 4, "loss": 7.0}\n{"t": 2, "step": 12, "loss": 8.0}\n')
    curve = read(history).curves["loss"]
    assert not curve.is_ordered
    assert list(points_of(curve, ()).steps) == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 12]
    assert (curve.value_at(3), curve.value_at(12), curve.value_at(-1)) == (1.0, 8.0, None)
    assert curve.furthest == 12


def test_an_export_keeps_all_and_says_what_was_done_again(tmp_path: Path) -> None:
    history = History(tmp_path, range(1, 6), range(4, 8), range(7, 9))
    history.write_record()
    lines = Path(export_csv(history.home, ["r"], str(tmp_path))).read_text().splitlines()
    assert lines[0] == "run,step,t,slice,superseded,loss"
    rows = [line.split(",") for line in lines[1:]]
    assert [(int(row[1]), row[3], row[4]) for row in rows] == [
        (1, "1", "no"), (2, "1", "no"), (3, "1", "no"), (4, "1", "yes"), (5, "1", "yes"),
        (4, "2", "no"), (5, "2", "no"), (6, "2", "no"), (7, "2", "yes"), (7, "3", "no"), (8, "3", "no"),
    ]  # fmt: skip
    held = {(int(row[1]), row[3]) for row in rows if row[4] == "no"}
    assert held == {(step, str(int(n))) for step, n in expected(range(1, 6), range(4, 8), range(7, 9))}


def test_a_comparison_goes_by_what_holds_and_reads_only_what_is_new(tmp_path: Path) -> None:
    history = History(tmp_path, range(1, 538), range(501, 700))
    history.write_record()
    comparison = Comparison(history.home, ["r", "gone"])
    (first,) = comparison.read()
    assert [first.value_at("loss", step) for step in (1, 500, 501, 537, 699)] == [1.0, 1.0, 2.0, 2.0, 2.0]
    history.add(range(601, 640))
    history.write_record()
    (second,) = comparison.read()
    assert [second.value_at("loss", step) for step in (600, 601, 699)] == [2.0, 3.0, 3.0]
    assert first.value_at("loss", 699) == 2.0, "what was handed over does not change"
