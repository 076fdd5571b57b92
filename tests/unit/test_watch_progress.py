"""How far a run is, at one look."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.store.metriclines import MetricFile
from backprop_tui.watch.progress import Progress, progress_of
from backprop_tui.watch.record import read_record
from tests.tui.records import Records


def looked_at(records: Records) -> Progress:
    return progress_of(records.home, read_record(records.home, "r"))


def going(tmp_path: Path, steps: int, *, took: float = 100.0, **more: Any) -> Records:
    records = Records(tmp_path / "home", time.time())
    losses = [(step, 1.0) for step in range(1, steps + 1)]
    records.run("r", more.pop("state", "running"), ago=took + 20, took=took, losses=losses, **more)
    return records


@pytest.mark.parametrize(
    ("steps", "took", "total", "speed", "eta_s"),
    [(1000, 100.0, 3000, 10.0, 200.0), (1000, 100.0, None, 10.0, None), (1000, 20.0, 3000, None, None), (60, 120.0, 90, 0.5, 60.0)],
)  # fmt: skip
def test_speed_and_what_is_left(
    tmp_path: Path, steps: int, took: float, total: int | None, speed: float | None, eta_s: float | None
) -> None:
    found = looked_at(going(tmp_path, steps, took=took, **({"total": total} if total else {})))
    assert found.total == total
    assert found.speed == (None if speed is None else pytest.approx(speed, rel=0.05))
    assert found.eta_s == (None if eta_s is None else pytest.approx(eta_s, rel=0.05))


@pytest.mark.parametrize("state", ["completed", "paused", "queued", "stopping"])
def test_what_does_not_train_has_no_speed(tmp_path: Path, state: str) -> None:
    assert looked_at(going(tmp_path, 1000, state=state, total=3000)).plain() == {
        "total": 3000, "speed": None, "eta_s": None,
    }  # fmt: skip


def test_of_a_million_lines_only_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = going(tmp_path, 1)
    began = records.now - 100
    lines = [json.dumps({"t": began + n / 2000, "step": n, "loss": 1.0}) for n in range(200_000)]
    Path(records.home.run("r").file("metrics.jsonl")).write_text("\n".join(lines) + "\n")
    read = 0
    real = MetricFile.read

    def counted(self: MetricFile, start: int, end: int) -> bytes:
        nonlocal read
        data = real(self, start, end)
        read += len(data)
        return data

    monkeypatch.setattr(MetricFile, "read", counted)
    found = looked_at(records)
    assert found.speed == pytest.approx(2000, rel=0.05)
    assert read < 400_000


def test_without_metrics_there_is_nothing_to_say(tmp_path: Path) -> None:
    records = Records(tmp_path / "home", time.time())
    folder = records.run("r", "running")
    assert looked_at(records) == Progress()
    Path(folder.file("metrics.jsonl")).unlink()
    Path(folder.file("events.jsonl")).unlink()
    assert looked_at(records) == Progress()
