"""The demo's network really learns."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import backprop_tui

DEMO = Path(backprop_tui.__file__).parent / "demo"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DEMO))
    return importlib.import_module("digits"), importlib.import_module("network")


def test_pictures_are_always_the_same(modules: Any) -> None:
    digits, _network = modules
    pictures, labels = digits.load(50, seed=1)
    assert (pictures, labels) == digits.load(50, seed=1)
    assert set(labels) == set(range(10))
    assert all(len(picture) == 64 and min(picture) >= 0 and max(picture) <= 1 for picture in pictures)


def test_gradient_is_the_slope(modules: Any) -> None:
    digits, network = modules
    net = network.Network(64, 10, seed=3)
    pictures, labels = digits.load(8, seed=1)
    gradients, _loss, _accuracy = net.gradients(pictures, labels)
    for row, column in ((0, 10), (5, 64), (network.HIDDEN, 3), (network.HIDDEN + 9, network.HIDDEN)):
        weights = (*net.hidden, *net.output)[row]
        slopes = []
        for step in (1e-5, -1e-5):
            weights[column] += step
            slopes.append(net.gradients(pictures, labels)[1])
            weights[column] -= step
        assert gradients[row][column] == pytest.approx((slopes[0] - slopes[1]) / 2e-5, abs=1e-5)


def train(folder: Path, *words: str) -> list[dict[str, Any]]:
    argv = [sys.executable, str(DEMO / "train.py"), "--steps-per-second", "1e9", *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_loss_falls_and_a_resumed_training_is_the_uninterrupted_one(tmp_path: Path) -> None:
    whole = train(tmp_path, "--steps", "120", "--output", "a")
    losses = [line["loss"] for line in whole if "loss" in line]
    assert sum(losses[-10:]) < 0.6 * sum(losses[:10])
    first = train(tmp_path, "--steps", "70", "--output", "b")
    assert first[-1]["step"] == 70
    rest = train(tmp_path, "--steps", "120", "--output", "b", "--resume-from", first[-1]["path"])
    assert [line for line in rest if "loss" in line] == [
        line for line in whole if line.get("step", 0) > 70 and "loss" in line
    ]
