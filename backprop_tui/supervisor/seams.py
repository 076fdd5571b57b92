"""Where a slice takes a training up: does it go on from where the one before it stood? Pure: values in, Seam out.

The loss behind the seam is held against the loss before it, and how far apart they are against how far the same figure
wanders within the old slices, where there is no seam.
"""

from __future__ import annotations

import math
from itertools import pairwise

from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Seam

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Point: TypeAlias = tuple[float, float]
    """A step and the loss there."""

FAITHFUL, SUSPICIOUS, UNCLEAR = "faithful", "suspicious", "unclear"
ENOUGH = 5
"""So many values behind the seam are judged where they leave no doubt."""
MOST = 20
"""Where there is doubt, this many are waited for: a loss that rises at first may come back."""
LEAST = 3
LEVEL = 10
"""So many values before the seam are where the loss was."""
REMEMBERED = 1000
"""Values before the seam that tell how far the loss wanders by itself."""
SIGMAS = 4.0
WANDERED = 1.3
"""It may rise so many times as far as it did where there was no seam."""
RELATIVE = 0.02
"""A rise by less than this share of the loss is none, however quiet it is."""
STARK = 10.0
"""A rise of so many times what is allowed needs no second look."""
DOUBTFUL = 0.5
"""A rise of more than this share of what is allowed needs more values."""
SAME = 1e-4
"""Losses that differ by less than this share are the same."""
NEAR_START = 0.25
"""So near to where the run began, as a share of what it has learned, it has learned nothing."""
_TO_SIGMA = 1.4826
"""A median deviation as a standard deviation."""


class Evidence(Frozen):
    """What is known of both sides of a seam; points are (step, loss) in the order of their steps."""

    first: int
    """The slice's first step."""
    saved: int | None
    """Step of the checkpoint that it was handed."""
    origin: int | None
    """The first step of all that holds of the old slices."""
    reached: int | None
    """The last step before the seam."""
    old: Sequence[Point]
    """What holds of the old slices, around the seam."""
    new: Sequence[Point]
    """The slice that is judged, from its first value on."""
    begun: float | None
    """The loss with which the run began."""

    @property
    def target(self) -> int | None:
        """The step from which it should go on."""
        return self.saved if self.saved is not None else self.reached

    @property
    def is_restart(self) -> bool:
        """It counts its steps from about where the run began, far before what it was handed."""
        if self.target is None or self.origin is None:
            return False
        return self.first < self.target and self.first <= self.origin + (self.target - self.origin) / 10

    @property
    def pivot(self) -> float:
        """Up to this step the old slices say where the loss was."""
        return float(self.first) if not self.is_restart or self.target is None else self.target + 1.0

    @property
    def redone(self) -> int:
        """How many steps are done again."""
        if self.reached is None:
            return 0
        # What lies between the checkpoint and the first value was done again, too.
        is_behind = self.saved is not None and self.saved < self.first
        return max(0, self.reached - (self.saved if is_behind and self.saved is not None else self.first - 1))


class Sides(Frozen):
    """The loss on both sides of a seam."""

    before: float
    after: float
    noise: float
    """How far one value lies from the next by itself."""
    limit: float
    """It does not rise further by itself."""
    is_same: bool = False
    """Step for step the same values."""

    @property
    def rise(self) -> float:
        return self.after - self.before


class Judgement(Frozen):
    """A verdict, and whether more values of the slice could not change it."""

    seam: Seam
    is_final: bool


def judge(evidence: Evidence) -> Judgement:
    """The verdict on a seam, with its reasons in one sentence."""
    sides = compare(evidence)
    verdict, why, is_sure = _verdict(evidence, sides)
    seam = Seam(
        step=evidence.first,
        redone=evidence.redone,
        before=sides.before if sides else None,
        after=sides.after if sides else None,
        noise=sides.noise if sides else None,
        verdict=verdict,
        text=f"{_place(evidence)}: {why}",
    )
    return Judgement(seam=seam, is_final=len(evidence.new) >= (ENOUGH if is_sure else MOST))


def compare(evidence: Evidence) -> Sides | None:
    """The loss on both sides, at the same steps where both have them; None where there are too few numbers."""
    points = [point for point in evidence.new if math.isfinite(point[1])][:MOST]
    new = [value for _step, value in points]
    old = [point for point in evidence.old if math.isfinite(point[1])]
    before = [value for step, value in old if step < evidence.pivot][-REMEMBERED:]
    there = {} if evidence.is_restart else dict(old)
    pairs = [(there[step], value) for step, value in points if step in there]
    noise = max(noise_of([value for _step, value in old][-REMEMBERED:]), noise_of(new))
    wandered = WANDERED * wandering(before)
    if len(pairs) >= LEAST:
        one, two = median(one for one, _two in pairs), median(two for _one, two in pairs)
        is_same = all(abs(one - two) <= SAME * max(abs(one), abs(two)) for one, two in pairs)
        spread = SIGMAS * noise * math.sqrt(2.0 / len(pairs))
        limit = max(spread, wandered, RELATIVE * abs(one))
        return Sides(before=one, after=two, noise=noise, limit=limit, is_same=is_same)
    if len(new) < LEAST or len(before) < LEAST:
        return None
    one, two = median(before[-LEVEL:]), median(new)
    spread = SIGMAS * noise * math.sqrt(1.0 / min(LEVEL, len(before)) + 1.0 / len(new))
    return Sides(before=one, after=two, noise=noise, limit=max(spread, wandered, RELATIVE * abs(one)))


def noise_of(values: Sequence[float]) -> float:
    """How far a value lies from the next by itself, as the standard deviation of one value; a trend does not count,
    nor do single outliers."""
    differences = [two - one for one, two in pairwise(values)]
    if len(differences) < LEAST:
        return 0.0
    middle = median(differences)
    return median(abs(difference - middle) for difference in differences) * _TO_SIGMA / math.sqrt(2.0)


def wandering(values: Sequence[float]) -> float:
    """How far the loss rises from one stretch to the next where there is no seam: as a running mean does that begins
    anew with each epoch."""
    rises = [
        median(values[n : n + ENOUGH]) - median(values[max(0, n - LEVEL) : n])
        for n in range(LEAST, len(values) - ENOUGH + 1)
    ]
    return max([0.0, *rises])


def median(values: Iterable[float]) -> float:
    """The middle one, of an even number the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else ordered[half - 1] / 2 + ordered[half] / 2


def _verdict(evidence: Evidence, sides: Sides | None) -> tuple[str, str, bool]:
    """Verdict, reason, and whether it is beyond doubt."""
    if evidence.is_restart:
        return SUSPICIOUS, _restarted(evidence, sides), True
    bad = next((step for step, value in evidence.new if not math.isfinite(value)), None)
    was = next((value for step, value in reversed(evidence.old) if step < evidence.pivot), math.nan)
    if bad is not None and math.isfinite(was):
        return SUSPICIOUS, f"the loss is not a number from step {bad:,.0f} on ({_number(was)} before)", True
    if sides is None:
        counts = sum(step < evidence.pivot for step, _value in evidence.old), len(evidence.new)
        if not any(counts):
            return UNCLEAR, "there is no loss to compare", False
        return UNCLEAR, "too few values of the loss to compare ({} before, {} after)".format(*counts), False
    if sides.is_same:
        return FAITHFUL, f"the same loss at the steps done again ({_number(sides.after)}): faithful", True
    if sides.rise > sides.limit:
        return _jumped(evidence, sides)
    said = f"loss {_number(sides.before)} before, {_number(sides.after)} after, noise {_number(sides.noise)}"
    if evidence.begun is not None and evidence.begun - sides.before < 2 * sides.limit:
        learned = f"it had not fallen far enough to tell ({_number(evidence.begun)} at first)"
        return UNCLEAR, f"{said}: {learned}", False
    if -sides.rise > max(5 * sides.limit, abs(sides.before) / 2):
        return UNCLEAR, f"{said}: it fell at once; is it the same data?", False
    if sides.rise > DOUBTFUL * sides.limit:
        return UNCLEAR, f"{said}: higher, though it wanders as far by itself", False
    return FAITHFUL, f"{said}: faithful", True


def _jumped(evidence: Evidence, sides: Sides) -> tuple[str, str, bool]:
    jump = f"loss jumped from {_number(sides.before)} to {_number(sides.after)} (noise {_number(sides.noise)})"
    newest = [value for _step, value in evidence.new if math.isfinite(value)][ENOUGH:MOST][-ENOUGH:]
    if len(newest) >= LEAST and median(newest) - sides.before <= sides.limit:
        back = f"{jump} and came back to {_number(median(newest))}"
        return UNCLEAR, f"{back}: is the optimizer's state missing?", False
    is_sure = sides.rise > STARK * sides.limit
    if evidence.begun is not None and _is_back(sides.after, evidence.begun, sides.before):
        began = f"about where the run began ({_number(evidence.begun)})"
        return SUSPICIOUS, f"{jump}, {began}: suspicious: was the model's state taken up?", is_sure
    return SUSPICIOUS, f"{jump}: suspicious: is the optimizer or model state missing?", is_sure


def _restarted(evidence: Evidence, sides: Sides | None) -> str:
    if sides is None:
        return "the script did not take up the checkpoint"
    levels = f"loss {_number(sides.before)} before, {_number(sides.after)} after"
    is_back = evidence.begun is not None and _is_back(sides.after, evidence.begun, sides.before)
    if sides.rise <= sides.limit and evidence.begun is not None and not is_back:
        return f"the script took up the model, but not the count of steps ({levels})"
    return f"the script did not take up the checkpoint ({levels})"


def _is_back(after: float, begun: float, before: float) -> bool:
    """Whether the loss is about where the run began, which is not where it was."""
    return abs(after - begun) <= NEAR_START * (begun - before)


def _place(evidence: Evidence) -> str:
    first, saved = evidence.first, evidence.saved
    if evidence.is_restart:
        where = f"began at step {first:,}" + (f", not at {saved:,}" if saved is not None else " again")
    elif saved is None:
        where = f"went on at step {first:,}"
    elif first == saved:
        where = f"went on at step {first:,}, that of its checkpoint"
    elif first < saved:
        where = f"went on at step {first:,}, before step {saved:,} of its checkpoint"
    else:
        where = f"went on at step {first:,} from checkpoint step {saved:,}"
    count = evidence.redone
    return where + (f", redone {count:,} step{'' if count == 1 else 's'}" if count else "")


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "NaN"
