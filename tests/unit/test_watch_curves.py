"""Curves of any length in bounded memory."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from backprop_tui.store.home import Home
from backprop_tui.watch.curves import BLOCK, BUCKETS, MAX_CURVES, Curve, CurveReader


def test_few_points_are_kept_as_they_are() -> None:
    curve = Curve("loss")
    for step in range(5):
        curve.add(step, 100.0 + step, 1.0 / (step + 1))
    assert [(b.step, b.low, b.high, b.last) for b in curve.buckets()][:2] == [(0, 1.0, 1.0, 1.0), (1, 0.5, 0.5, 0.5)]
    assert (len(curve), curve.size, curve.points, curve.last, curve.last_step) == (5, 1, 5, 0.2, 4)


@pytest.mark.parametrize("count", [BUCKETS, BUCKETS + 1, BUCKETS * 2, 100_003])
def test_many_points_keep_their_extremes_and_order(count: int) -> None:
    curve = Curve("loss")
    for step in range(count):
        curve.add(step, step, -7.0 if step == 1234 else 99.0 if step == 2000 else 1.0 + step % 3)
    assert len(curve) <= BUCKETS
    assert curve.points == count
    buckets = list(curve.buckets())
    assert min(b.low for b in buckets) == -7.0
    assert max(b.high for b in buckets) == 99.0
    assert [b.step for b in buckets] == sorted(b.step for b in buckets)
    assert all(b.step == n * curve.size for n, b in enumerate(buckets))
    assert buckets[-1].last == curve.last


def test_values_that_are_not_finite_are_marked_and_stay_out_of_the_extremes() -> None:
    curve = Curve("loss")
    for step in range(BUCKETS * 4):
        curve.add(step, step, math.nan if step % 2 else float(step))
    curve.add(BUCKETS * 4, 0, math.inf)
    assert curve.first_bad_step == 1
    assert all(math.isfinite(b.low) and math.isfinite(b.high) for b in list(curve.buckets())[:-1])
    assert math.isinf(curve.last)
    silent = Curve("x")
    silent.add(1, 1, math.nan)
    silent.add(2, 2, 3.0)
    assert math.isnan(next(silent.buckets()).low)


@pytest.fixture
def reader(tmp_path: Path) -> tuple[CurveReader, Path]:
    home = Home(str(tmp_path / "home"))
    home.ensure()
    folder = home.new_run("r")
    return CurveReader(home, "r"), Path(folder.file("metrics.jsonl"))


def test_reads_what_is_new(reader: tuple[CurveReader, Path]) -> None:
    curves, path = reader
    assert not curves.read()
    path.write_text('{"t":1,"step":1,"lr":0.1,"loss":2.5}\n{"t":2,"step":2,"loss":')
    curves.read()
    assert curves.main is curves.curves["loss"]
    assert curves.curves["loss"].points == 1
    with path.open("a") as file:
        file.write(
            '"NaN"}\n{"t":3,"step":3,"loss":NaN}\nrubbish\n[]\n{"t":4,"loss":1}\n{"step":4,"loss":true,"x":"y"}\n'
        )
    curves.read()
    assert curves.lines == 4
    loss = curves.curves["loss"]
    assert (loss.points, loss.first_bad_step) == (3, 2)


def test_a_million_values_in_portions(reader: tuple[CurveReader, Path]) -> None:
    curves, path = reader
    with path.open("w") as file:
        for step in range(60_000):
            file.write(json.dumps({"t": step, "step": step, "loss": 1.0}) + "\n")
    portions = 1
    while curves.read():
        portions += 1
    assert portions == path.stat().st_size // BLOCK + 1
    assert curves.lines == curves.curves["loss"].points == 60_000


def test_a_file_that_was_replaced_is_read_anew(reader: tuple[CurveReader, Path]) -> None:
    curves, path = reader
    path.write_text('{"step":1,"loss":1}\n{"step":2,"loss":1}\n')
    curves.read()
    path.unlink()
    path.write_text('{"step":7,"loss":1}\n')
    curves.read()
    assert [b.step for b in curves.curves["loss"].buckets()] == [7]


def test_hostile_content_is_bounded(reader: tuple[CurveReader, Path]) -> None:
    curves, path = reader
    names = {f"m{n}": n for n in range(1000)}
    huge = b'{"step":1,"loss":' + b"9" * 5000 + b"}\n"
    deep = b"[" * 100_000 + b"\n"
    path.write_bytes(b"x" * (BLOCK + 10) + b"\n" + huge + deep + json.dumps({"step": 2, **names}).encode() + b"\n")
    while curves.read():
        pass
    assert len(curves.curves) <= MAX_CURVES
    assert curves.curves["m0"].points == 1
