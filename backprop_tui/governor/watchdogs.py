"""What is wrong with a training that runs: a loss that is no number, no step any more, a GPU that idles. Pure."""

from __future__ import annotations

import math

from backprop_tui.frozen import Frozen
from backprop_tui.model.divergence import last_calm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NAN_REPORTS = 3
QUIET_S, QUIET_GAPS, QUIET_LONGEST = 60.0, 12.0, 2.0
"""A step is missed after so long, so many usual gaps, and so many times the longest gap that the slice has had."""
STILL_PRINTS_S, STILL_PRINTS = 30.0, 4.0
"""Who has printed something so lately may be evaluating: it gets so many times as long."""
MOST_S = 7200.0
"""One long gap does not excuse longer ones."""
LEAST_STEPS = 3
"""Of a slice that has made fewer nobody knows how long one takes."""
IDLE_S, IDLE_PERCENT = 300.0, 3
HELD_BYTES = 128 * 1024**2
"""A GPU of which a run has less is not in use."""
_TRAIL = 1024
_GAPS = 64
_MB, _GB = 1024**2, 1024**3


class LossWatch:
    """Follows the loss of one slice, report by report; bounded, finer the nearer to now."""

    def __init__(self) -> None:
        self._trail: list[tuple[int, float, float]] = []
        """(step, loss, when it was read) of finite losses; older ones are means of several."""
        self._last: tuple[int, float] | None = None
        self._bad_step: int | None = None
        self.first_bad: tuple[int, float] | None = None
        """Step and value of the first report of the streak."""
        self.streak = 0
        """So many reports in a row had no finite loss."""
        self.last_good: tuple[int | None, float] | None = None
        """While the streak lasts: the last step before the loss rose, None if it never was finite, and when the first
        report after it was read."""

    def take(self, step: int, value: float, t: float) -> None:
        """One report: a loss, read at `t`, epoch seconds; another of the same step, as a bar is redrawn, is none."""
        if math.isfinite(value):
            self.streak, self.first_bad, self.last_good, self._bad_step = 0, None, None, None
            self._last = step, value
            self._trail.append((step, value, t))
            if len(self._trail) > _TRAIL:
                self._thin_out()
            return
        if step == self._bad_step:
            return
        self._bad_step = step
        self.streak += 1
        if self.first_bad is None:
            self.first_bad = step, value
            self.last_good = self._calm(t)

    def said(self) -> str:
        """What is wrong, in one sentence; there must be a streak."""
        if self.first_bad is None:
            return ""
        step, value = self.first_bad
        now = "the loss has been no finite number" if self.streak > 1 else "the loss was no finite number"
        reports = f"{self.streak} reports in a row" if self.streak > 1 else "1 report"
        text = f"{now} for {reports}, from step {step:,} on ({value:g})"
        if self._last is None:
            return f"{text}; it was none from the first report on"
        return f"{text}; the last one was {self._last[1]:.4g} at step {self._last[0]:,}"

    def _calm(self, t: float) -> tuple[int | None, float]:
        at = last_calm([value for _, value, _ in self._trail])
        if at is None:
            return None, t
        return self._trail[at][0], self._trail[at + 1][2] if at + 1 < len(self._trail) else t

    def _thin_out(self) -> None:
        """The older half becomes half as fine; a mean stands for the first step of those it is made from."""
        half = _TRAIL // 2
        old, new = self._trail[:half], self._trail[half:]
        pairs = zip(old[::2], old[1::2], strict=True)
        self._trail = [*[(step, value / 2 + other / 2, t) for (step, value, t), (_, other, _) in pairs], *new]


class Life(Frozen):
    """The signs of life of a slice, as its record has them."""

    step: int | None
    reports: int
    """Lines of metrics, whatever they tell: an evaluation has names of its own."""
    checkpoints: int
    output_bytes: int
    is_saving: bool = False
    """A checkpoint is being written right now."""


class StallWatch:
    """Of one slice; times are running time since its start, seconds: a pause is no stall."""

    def __init__(self, stop_s: float | None) -> None:
        """`stop_s`: after so long without a step it is to be stopped; None to only say so."""
        self._stop_s = stop_s
        self._life: Life | None = None
        self._stepped = self._lived = self._printed = 0.0
        self._gaps: list[float] = []
        """How long a step took, at each look that saw one."""
        self._made = 0
        self._longest = 0.0
        self.said = ""
        """What holds now: it has stalled."""

    def look(self, t: float, life: Life) -> str:
        """Returns why it is to be stopped, "" if it is not."""
        before, self._life = self._life, life
        if before is None or life.step != before.step:
            if before is not None and before.step is not None:
                self._note_gap(t - self._stepped, (life.step or 0) - before.step)
            self._stepped = t
        if before is not None and life.output_bytes != before.output_bytes:
            self._printed = t
        if (
            life.is_saving
            or before is None
            or before.replace(step=0, output_bytes=0, is_saving=False)
            != life.replace(step=0, output_bytes=0, is_saving=False)
        ):
            self._lived = t
        quiet = self.quiet_s(t)
        if quiet < self._limit_s(t):
            self.said = ""
        elif not self.said:
            rest = "it still prints" if t - self._printed < STILL_PRINTS_S else "it prints nothing either"
            self.said = f"{self._text(quiet)}; {rest}"
        return self._text(quiet) if self._stop_s is not None and quiet >= self._stop_s else ""

    def quiet_s(self, t: float) -> float:
        """How long there has been no step, no metric and no checkpoint."""
        return t - max(self._stepped, self._lived)

    def _note_gap(self, gap: float, steps: int) -> None:
        steps = max(1, steps)  # it may have begun anew
        self._made += steps
        self._gaps = [*self._gaps[-(_GAPS - 1) :], gap / steps]
        self._longest = max(self._longest, gap)

    @property
    def _is_known(self) -> bool:
        return self._made >= LEAST_STEPS

    def _usual(self) -> float:
        return sorted(self._gaps)[len(self._gaps) // 2]

    def _limit_s(self, t: float) -> float:
        if not self._is_known:
            return math.inf
        most = max(QUIET_GAPS * self._usual(), min(QUIET_LONGEST * self._longest, MOST_S))
        return max(QUIET_S, most) * (STILL_PRINTS if t - self._printed < STILL_PRINTS_S else 1.0)

    def _text(self, quiet: float) -> str:
        life = self._life
        if life is None or life.step is None:
            return f"no step has been reported for {about(quiet)}, and none before"
        usual = f"; one usually takes {about(self._usual())}" if self._is_known else ""
        return f"no step for {about(quiet)}: step {life.step:,} was the last{usual}"


class Held(Frozen):
    """A leased GPU at one moment."""

    index: str
    util_percent: int | None
    run_bytes: int | None
    """What the run's tree uses on it; None where that cannot be told."""
    is_sure: bool = True
    """The driver says whose memory it is; else it is what has come to be used since the run started."""


class IdleWatch:
    """The GPUs of one slice: held, and not used."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[bool, float]] = {}
        """(whether it has memory there, since when it idles) by index."""
        self._used: set[str] = set()
        self.said: dict[str, str] = {}
        """What holds now, by GPU."""

    def look(self, t: float, gpus: Iterable[Held]) -> None:
        """A new sample, at running time `t`, seconds."""
        for gpu in gpus:
            has_memory = (gpu.run_bytes or 0) >= HELD_BYTES
            if has_memory:
                self._used.add(gpu.index)
            is_idle = gpu.util_percent is not None and gpu.util_percent <= IDLE_PERCENT
            is_unused = gpu.run_bytes is not None and gpu.is_sure and gpu.index not in self._used
            known = self._since.get(gpu.index)
            if not is_idle or not (has_memory or is_unused):
                self._since.pop(gpu.index, None)
                self.said.pop(gpu.index, None)
            elif known is None or known[0] is not has_memory:
                self._since[gpu.index] = has_memory, t
                self.said.pop(gpu.index, None)
            elif t - known[1] >= IDLE_S and gpu.index not in self.said:
                self.said[gpu.index] = _idle(gpu, t - known[1], has_memory=has_memory)


def _idle(gpu: Held, idle_s: float, *, has_memory: bool) -> str:
    name = f"GPU {gpu.index}"
    if has_memory:
        return (
            f"{name} has been idle for {about(idle_s)}, while the run holds {_size(gpu.run_bytes or 0)} of its memory"
        )
    return f"{name} is kept for the run, which has not used it in {about(idle_s)}: --gpus 0 leaves it to others"


def about(seconds: float) -> str:
    """A length of time, no more exactly than it matters."""
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(count: int) -> str:
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{count / _MB:.0f} MB"
