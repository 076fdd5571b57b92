"""Where a loss began to rise."""

from __future__ import annotations

import math
import random

import pytest

from backprop_tui.model.divergence import last_calm, rise_began
from backprop_tui.model.run import Checkpoint, Reason, Rise, Run, Slice
from backprop_tui.model.states import RunState

RANDOM = random.Random(7)
NOISE = [0.5 + 0.05 * RANDOM.uniform(-1, 1) for _ in range(200)]
FALLING = [4 * 0.97**n for n in range(100)]


@pytest.mark.parametrize(
    ("values", "calm"),
    [
        ([], None),
        ([3.0], 0),
        ([5.0, 4.0, 6.0, 8.0], 1),
        ([1.0, 2.0], 0),
        ([2.0, 2.0, 2.0], 2),
        (FALLING, 99),
        ([*FALLING, 0.3, 0.6, 2.0, 9.0], 99),
        (list(range(100, 0, -1)), 99),
        ([*range(100, 50, -1), *range(56, 200, 2)], 49),
        ([-3.0] * 20 + [-2.0, 5.0], 19),
        ([0.0] * 20 + [1.0, 5.0], 19),
    ],
)
def test_the_last_place_that_is_as_low_as_ever(values: list[float], calm: int | None) -> None:
    assert last_calm(values) == calm


def test_noise_is_no_rise() -> None:
    """The lowest of a noisy loss may lie far back; it is the end of the calm part that counts."""
    found = last_calm([*NOISE, 0.9, 1.5, 4.0, 30.0])
    assert found is not None
    assert 190 <= found < 200


def test_a_rise_in_jumps_ends_the_calm_at_its_beginning() -> None:
    assert last_calm([*FALLING[:50], 9.0, 0.9, 20.0, 1.0, 40.0, 60.0, 90.0]) in (48, 49)


def test_only_what_lies_before_the_first_bad_value_counts() -> None:
    values = [5.0, 4.0, math.nan, 1.0]
    assert rise_began(range(4), values, 2) == 1
    assert rise_began(range(4), values, None) is None
    assert rise_began(range(2), [math.nan, math.nan], 0) is None


def checkpoint(step: int | None, t: float, n: int = 1, *, good: bool = True) -> Checkpoint:
    return Checkpoint(path=f"/c{step}-{t:g}", step=step, t=t, slice=n, good=good)


@pytest.mark.parametrize(
    ("rise", "saved", "is_before"),
    [
        (Rise(step=10, t=100), checkpoint(10, 99), True),
        (Rise(step=10, t=100), checkpoint(11, 99), False),
        (Rise(step=10, t=100), checkpoint(10, 100.5), True),
        (Rise(step=10, t=100), checkpoint(3, 150), False),  # counts epochs: its time tells
        (Rise(step=10, t=100), checkpoint(None, 90), True),
        (Rise(step=10, t=100), checkpoint(None, 120), False),
        (Rise(step=None, t=100), checkpoint(1, 90, n=2), False),
        (Rise(step=None, t=100), checkpoint(50, 90, n=1), True),  # of a slice before
        (Rise(step=10, t=100), checkpoint(50, 90, n=0), True),  # its steps were counted before a roll-back
        (Rise(step=10, t=100), checkpoint(50, 120, n=0), False),  # the rise began in a slice before
    ],
)
def test_which_checkpoints_were_saved_before(rise: Rise, saved: Checkpoint, is_before: bool) -> None:
    assert rise.is_before(saved, 2 if rise.step is None else 1) is is_before


def test_what_a_run_offers() -> None:
    piece = Slice(n=1, state=RunState.DIVERGED, started=0, box_s=60, rise=Rise(step=20, t=50))
    saved = (checkpoint(10, 10), checkpoint(20, 20), checkpoint(30, 30), checkpoint(20, 21, good=False))
    run = Run(id="r", state=RunState.DIVERGED, created=0, updated=0, slices=(piece,), checkpoints=saved)
    assert run.sound_checkpoint == saved[1]
    assert run.good_checkpoint == saved[2]
    going = run.replace(state=RunState.RUNNING, reason=Reason(code="x", text="", by="box"))
    assert going.sound_checkpoint == saved[1]


@pytest.mark.parametrize("state", [RunState.TIMEBOXED, RunState.STOPPED, RunState.LOST, RunState.RUNNING])
def test_what_was_saved_after_a_rise_stays_unsound(state: RunState) -> None:
    slices = (
        Slice(n=1, state=RunState.TIMEBOXED, started=0, box_s=60),
        Slice(n=2, state=RunState.DIVERGED, started=0, box_s=60, rise=Rise(step=150, t=150)),
        Slice(n=3, state=state, started=0, box_s=60),
    )
    saved = (checkpoint(100, 100), checkpoint(190, 190, n=2))
    run = Run(id="r", state=state, created=0, updated=0, slices=slices, checkpoints=saved)
    assert run.sound_checkpoint == saved[0]
    since = checkpoint(120, 300, n=3)
    assert run.replace(checkpoints=(*saved, since)).sound_checkpoint == since
