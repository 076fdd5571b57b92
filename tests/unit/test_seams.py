"""Does a resumed slice go on from where the one before it stood? Recorded histories of every kind."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

import pytest

from backprop_tui.model.run import Seam
from backprop_tui.supervisor.seams import ENOUGH, Evidence, Judgement, judge, median, noise_of, wandering

START, FLOOR, TAU = 7.0, 2.0, 300.0


def loss(step: float) -> float:
    """A training that goes well, without its noise."""
    return FLOOR + (START - FLOOR) * math.exp(-step / TAU)


New = Callable[[int, int, random.Random, float], float]
"""The loss of the new slice: from its n-th value, its step, dice and noise."""


def history(
    new: New, *, noise: float = 0.05, seed: int = 1, every: int = 1, saved: int | None = 500, first: int | None = None,
    reached: int = 537, count: int = 30,
) -> Evidence:  # fmt: skip
    dice = random.Random(seed)
    old = [(float(step), loss(step) + dice.gauss(0, noise)) for step in range(1, reached + 1, every)]
    first = (saved or 0) + every if first is None else first
    fresh = [(float(first + n * every), new(n, first + n * every, dice, noise)) for n in range(count)]
    return Evidence(
        first=first, saved=saved, origin=1, reached=reached, old=old, new=fresh, begun=median(value for _step, value in old[:3])
    )  # fmt: skip


def watched(evidence: Evidence) -> tuple[int, Seam]:
    """How many values it took, and the verdict."""
    found: Judgement | None = None
    for count in range(ENOUGH, len(evidence.new) + 1):
        found = judge(evidence.replace(new=evidence.new[:count]))
        if found.is_final:
            return count, found.seam
    assert found is not None
    return len(evidence.new), found.seam


def goes_on(n: int, step: int, dice: random.Random, noise: float) -> float:
    return loss(step) + dice.gauss(0, noise)


def from_scratch(n: int, step: int, dice: random.Random, noise: float) -> float:
    return loss(n) + dice.gauss(0, noise)


def counts_from_zero(n: int, step: int, dice: random.Random, noise: float) -> float:
    return loss(500 + n) + dice.gauss(0, noise)


def without_optimizer(n: int, step: int, dice: random.Random, noise: float) -> float:
    return loss(step) + math.exp(-n / 200) + dice.gauss(0, noise)


def warms_up(n: int, step: int, dice: random.Random, noise: float) -> float:
    return loss(step) + 1.5 * math.exp(-n / 2) + dice.gauss(0, noise)


def outlier(n: int, step: int, dice: random.Random, noise: float) -> float:
    return loss(step) + (4.0 if n == 1 else 0.0) + dice.gauss(0, noise)


def explodes(n: int, step: int, dice: random.Random, noise: float) -> float:
    return 9.4 + dice.gauss(0, noise)


def is_nan(n: int, step: int, dice: random.Random, noise: float) -> float:
    return math.nan if n >= 2 else loss(step)


def drops(n: int, step: int, dice: random.Random, noise: float) -> float:
    return 0.3 + dice.gauss(0, noise)


SEEDS = 40
TABLE = [
    # the new slice, noise, interval, verdicts that may be (and how often the first of them at least), what is said
    (goes_on, 0.0, 1, {"faithful": SEEDS}, "the same loss at the steps done again (2.93): faithful"),
    (goes_on, 0.01, 1, {"faithful": SEEDS}, "redone 37 steps: loss "),
    (goes_on, 0.05, 1, {"faithful": SEEDS}, "went on at step 501 from checkpoint step 500"),
    (goes_on, 0.3, 1, {"faithful": SEEDS - 4, "unclear": 0}, "noise 0."),
    (goes_on, 0.05, 10, {"faithful": SEEDS}, "went on at step 510 from checkpoint step 500"),
    (outlier, 0.05, 1, {"faithful": SEEDS}, "faithful"),
    (from_scratch, 0.05, 1, {"suspicious": SEEDS}, "about where the run began ("),
    (from_scratch, 0.3, 10, {"suspicious": SEEDS}, "about where the run began"),
    (explodes, 0.05, 1, {"suspicious": SEEDS}, "loss jumped from 2."),
    (without_optimizer, 0.05, 1, {"suspicious": SEEDS}, "suspicious: is the optimizer or model state missing?"),
    (warms_up, 0.05, 1, {"unclear": 0, "faithful": 0}, ""),
    (is_nan, 0.05, 1, {"suspicious": SEEDS}, "the loss is not a number from step 503 on"),
    (drops, 0.05, 1, {"unclear": SEEDS}, "it fell at once; is it the same data?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("new", "noise", "every", "verdicts", "said"),
    TABLE,
    ids=[f"{new.__name__}-{noise}-{every}" for new, noise, every, _verdicts, _said in TABLE],
)
def test_histories(new: New, noise: float, every: int, verdicts: dict[str, int], said: str) -> None:
    found: Counter[str] = Counter()
    for seed in range(SEEDS):
        count, seam = watched(history(new, noise=noise, every=every, seed=seed))
        found[seam.verdict] += 1
        assert said in seam.text or seam.verdict != next(iter(verdicts))
        assert seam.redone == 37
        assert count <= 20
    assert set(found) <= set(verdicts)
    for verdict, least in verdicts.items():
        assert found[verdict] >= least


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (from_scratch, "began at step 1, not at 500, redone 537 steps: the script did not take up the checkpoint (loss 2.8"),
        (counts_from_zero, "the script took up the model, but not the count of steps (loss 2."),
    ],
)  # fmt: skip
def test_a_script_that_begins_at_its_first_step_again(new: New, said: str) -> None:
    for seed in range(SEEDS):
        count, seam = watched(history(new, first=1, seed=seed))
        assert (count, seam.verdict) == (ENOUGH, "suspicious")
        assert said[:60] in seam.text
        assert seam.redone == 537


@pytest.mark.parametrize(
    ("saved", "first", "reached", "place", "redone"),
    [
        (500, 501, 537, "went on at step 501 from checkpoint step 500, redone 37 steps: ", 37),
        (500, 510, 537, "went on at step 510 from checkpoint step 500, redone 37 steps: ", 37),
        (500, 501, 500, "went on at step 501 from checkpoint step 500: ", 0),
        (500, 501, 501, "went on at step 501 from checkpoint step 500, redone 1 step: ", 1),
        (500, 401, 537, "went on at step 401, before step 500 of its checkpoint, redone 137 steps: ", 137),
        (None, 501, 537, "went on at step 501, redone 37 steps: ", 37),
        (None, 538, 537, "went on at step 538: ", 0),
        (None, 1, 537, "began at step 1 again, redone 537 steps: ", 537),
        (500, 0, 537, "began at step 0, not at 500, redone 538 steps: ", 538),
        (500, 50, 537, "began at step 50, not at 500, redone 488 steps: ", 488),
        (3, 4, 9, "went on at step 4 from checkpoint step 3, redone 6 steps: ", 6),
        (500, 12_000, 537, "went on at step 12,000 from checkpoint step 500, redone 37 steps: ", 37),
    ],
)  # fmt: skip
def test_where_it_takes_up_the_run(saved: int | None, first: int, reached: int, place: str, redone: int) -> None:
    seam = judge(history(goes_on, saved=saved, first=first, reached=reached)).seam
    assert seam.text.startswith(place)
    assert (seam.step, seam.redone) == (first, redone)


def epochs(first: int, last: int, base: int, dice: random.Random, noise: float) -> list[tuple[float, float]]:
    """A running mean that begins anew with each hundredth step, as bars show it."""
    points: list[tuple[float, float]] = []
    seen: list[float] = []
    for step in range(first, last):
        if (step - base) % 100 == 0:
            seen.clear()
        seen.append(loss(step) + dice.gauss(0, noise))
        points.append((float(step), sum(seen) / len(seen)))
    return points


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.2])
def test_a_running_mean_that_begins_anew_at_the_seam_is_no_jump(noise: float) -> None:
    found: Counter[str] = Counter()
    for seed in range(SEEDS):
        dice = random.Random(seed)
        old, new = epochs(1, 1838, 0, dice, noise), epochs(1751, 1781, 1751, dice, noise)
        evidence = Evidence(first=1751, saved=1750, origin=1, reached=1837, old=old, new=new, begun=7.0)
        found[watched(evidence)[1].verdict] += 1
    assert found["suspicious"] <= 1
    assert found["faithful"] >= SEEDS * 3 // 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([], [], "there is no loss to compare"),
        ([1.0] * 50, [], "too few values of the loss to compare (50 before, 0 after)"),
        ([], [1.0] * 9, "too few values of the loss to compare (0 before, 9 after)"),
        ([2.0, 1.0], [1.0] * 9, "too few values of the loss to compare (2 before, 9 after)"),
        ([2.0] * 50, [1.0, 1.0], "too few values of the loss to compare (50 before, 2 after)"),
        ([math.nan] * 50, [math.nan] * 9, "too few values of the loss to compare (50 before, 9 after)"),
        ([2.0, 1.99, 2.01] * 16, [2.0, 1.99, 2.01] * 3, "it had not fallen far enough to tell (2 at first)"),
    ],
    ids=["accuracy only", "ended at once", "nothing before", "two before", "two after", "never a number", "flat"],
)  # fmt: skip
def test_what_cannot_be_told(old: list[float], new: list[float], said: str) -> None:
    evidence = Evidence(
        first=501, saved=500, origin=1, reached=500, old=[(450.0 + n, value) for n, value in enumerate(old)],
        new=[(501.0 + n, value) for n, value in enumerate(new)], begun=old[0] if old else None,
    )  # fmt: skip
    found = judge(evidence)
    assert found.seam.verdict == "unclear"
    assert found.seam.text == f"went on at step 501 from checkpoint step 500: {found.seam.text.partition(': ')[2]}"
    assert said in found.seam.text


@pytest.mark.parametrize("value", [0.0, 1e300, -1e300, 1e-300, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("count", [0, 1, 3, 7, 30])
def test_no_values_break_it(value: float, count: int) -> None:
    for other in (value, 1.0):
        for step in (1.0, -5.0, 1e18):
            evidence = Evidence(
                first=501, saved=500, origin=None, reached=None, old=[(step, value)] * count, new=[(step, other)] * count,
                begun=value,
            )  # fmt: skip
            assert judge(evidence).seam.verdict in ("faithful", "suspicious", "unclear")


def test_noise_is_that_of_single_values_whatever_the_trend() -> None:
    dice = random.Random(3)
    steady = [dice.gauss(0, 0.1) for _ in range(1000)]
    assert noise_of(steady) == pytest.approx(0.1, rel=0.15)
    assert noise_of([value - n for n, value in enumerate(steady)]) == pytest.approx(0.1, rel=0.15)
    steady[500] = 1e9
    assert noise_of(steady) == pytest.approx(0.1, rel=0.15)
    assert noise_of([]) == noise_of([1.0, 2.0]) == 0.0
    assert wandering([]) == wandering([3.0, 2.0, 1.0] * 2) == 0.0
    assert wandering([1.0] * 20 + [2.0] * 20) == 1.0
