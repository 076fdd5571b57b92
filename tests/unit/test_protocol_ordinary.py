"""Output that tells no metric: installations, settings, errors, downloads, programs, prose."""

from __future__ import annotations

import pytest

from backprop_tui.model.events import Progress
from backprop_tui.protocol.reading import Reading
from tests.captures.table import ORDINARY, lines_of, read

STEPS = [f"step {n} loss {1 / n:.4f}" for n in range(1, 20)]
BAR = [f" {n}%|█  | {n}/100 [00:01<00:01,  4.08it/s]" for n in range(20)]


@pytest.mark.parametrize("path", ORDINARY, ids=lambda path: path.stem)
def test_it_gives_none(path):
    assert read(lines_of(path)) == []


@pytest.mark.parametrize("before", [STEPS, BAR], ids=["steps", "bar"])
@pytest.mark.parametrize("path", ORDINARY, ids=lambda path: path.stem)
def test_it_gives_none_while_a_training_goes_on(path, before):
    reading = Reading()
    reading.feed(before)
    reading.rest()
    found = [*reading.feed(lines_of(path)), *reading.rest()]
    assert [one for one in found if not isinstance(one, Progress)] == []


def test_there_is_enough_of_it():
    assert len(ORDINARY) >= 40
    assert sum(len(lines_of(path)) for path in ORDINARY) >= 1500
