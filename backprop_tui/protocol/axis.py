"""One step axis from whatever counters a training prints.

A counter of the whole training (`step=`, `iter:`, a round) is the step. A count within an epoch becomes
epoch index × steps an epoch + count. An epoch alone is the current step, or the step itself where nothing else
is counted. Reports without any counter are numbered. Counters that begin anew go on where they were: a new
epoch, a new round of training, the same training continued from a checkpoint.
"""

from __future__ import annotations

from backprop_tui.protocol.sound import is_sound
from backprop_tui.protocol.uncounted import Uncounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.protocol.recognise.report import Counters

_NEAR = 3
"""Two counters that differ by no more than this are the same: bars lag, and some count from 0."""
_KEPT_FOR_RESUME = (
    "base", "per_epoch", "epochs", "total", "is_global", "in_epochs", "longest", "is_counted", "reached", "share",
)  # fmt: skip
_STATE = (
    *_KEPT_FOR_RESUME, "kind", "epoch", "shown", "index", "start", "n", "most", "step", "first", "offset", "shift",
    "lap", "last", "has_bar", "bar_is_off", "misses",
)  # fmt: skip


class Axis:
    """Where the training stands."""

    base: int | None = None
    """The number of the first epoch, as printed."""
    per_epoch: int | None = None
    """Steps an epoch."""
    epochs: float | None = None
    total: int | None = None
    is_global: bool | None = None
    """A count that is told beside an epoch goes on rising through all epochs."""
    in_epochs = False
    """Counts begin anew with each epoch."""
    kind = ""
    """What the steps are made of: step, count, epoch, report."""
    epoch: int | None = None
    """The number of the epoch that is counted, as printed."""
    shown: float | None = None
    """The epoch as printed, also where it is a share of one, or is told by lines without a count."""
    index = 0
    """Epochs before this one."""
    start = 0
    """The step at which the count began."""
    n: int | None = None
    """The count itself."""
    most = 0
    """The greatest count within the epoch so far."""
    longest = 0
    """The same in any epoch."""
    step: float | None = None
    """Where the training stands."""
    first: float | None = None
    """The first step that was printed since the counter began anew."""
    offset: float = 0
    """What is added to printed steps."""
    shift = 0
    """Epochs that a resumed script does not count any more."""
    lap = 0
    """Where nothing but epochs is counted: those of trainings before this one, in the same script."""
    last: float | None = None
    """The greatest step that was given to a report."""
    is_counted = False
    """Something counts the steps, if only in a slice before."""
    reached: float | None = None
    """The same as `last`, or where this slice has told nothing yet, that of the slice before."""
    share: float | None = None
    """How many epochs were done there, if a share of them is told."""
    has_bar = False
    """The newest count is a bar's."""
    bar_is_off = False
    """The bar counts something else than the steps that lines tell."""
    misses = 0
    """How often the two differed."""

    def __init__(self, context: Mapping[str, Any], resumed_at: int | None, *, goes_on: bool) -> None:
        for name in _STATE if goes_on else _KEPT_FOR_RESUME:
            if name in context and is_sound(name, context[name]):
                setattr(self, name, context[name])
        self._before = None if goes_on else self.total
        """The total of the slice before."""
        self._epochs_before = None if goes_on else self.epochs
        self._resumed_at = resumed_at or 0
        self._is_new = not goes_on
        reached, share = (None, None) if goes_on else (self.reached, self.share)
        self._uncounted = Uncounted(reached, share, self._resumed_at if self.is_counted else None)
        self._told = 0
        """The greatest epoch index that lines without a count told."""

    def state(self) -> dict[str, Any]:
        """What the axis of the next slice, or of this one after a crash, must know."""
        found = ((name, getattr(self, name)) for name in _STATE)
        return {name: value for name, value in found if value is not None and value is not False and value != ""}

    def advance(self, c: Counters, *, is_bar: bool = False) -> float:
        """Take up the counters of a training report; returns its step."""
        counted = c.batch is not None or c.steps is not None
        index = self.index
        if c.epoch is not None:
            self._enter(c.epoch, c.epochs, counted=counted)
        step = c.step
        if step is not None and c.epoch is not None and c.steps is not None and not self._counts_all(step, c.steps):
            self._take_count(int(step), c.steps, is_bar=False, has_epoch=True)
        elif step is not None:
            self._take_step(step, c, is_new_epoch=self.index > index)
        elif c.batch is not None:
            self._take_count(c.batch, c.batches, is_bar=is_bar, has_epoch=c.epoch is not None)
        elif self.kind in ("", "epoch") and self.epoch is not None:
            self._entered()
        elif self.kind in ("", "report"):
            self.kind = "report"
            self.step = self._uncounted.number(self.step, c.epoch)
        assert self.step is not None
        return self.step

    def now(self, c: Counters) -> float:
        """The step of a report that does not move the training on."""
        if self.step is None:
            return self.advance(c) if not c.is_empty or self.epoch is None else self._entered()
        if c.step is not None and c.steps is None and self.kind == "step" and not self.offset:
            return max(c.step, self.step)
        return self.step

    def progress(self) -> tuple[float | None, int | None, float | None, float | None]:
        """Step, total steps, epoch and epochs, as far as they are known.

        The step is None where a bar stands at its beginning, or before the checkpoint that a slice takes up:
        bars are drawn before they catch up with it.
        """
        step = self.step
        if self.kind == "count" and self.last is None and (not self.n or (step or 0) < self._resumed_at):
            step = None
        elif self.kind in ("", "report", "epoch") or step is None or (self.last is not None and step <= self.last):
            step = self.last
        total = self.total if self.total is None or step is None or self.total >= step else None
        return step, total, self.shown, self.epochs

    def begin_count(self) -> None:
        """Another bar counts from here on."""
        has_given = self.last is not None
        self.start = int(self.step or 0) if has_given else 0
        self.index, self.n, self.most, self.per_epoch = 0, None, 0, None
        if not has_given and self.kind == "count":
            self.kind, self.step, self.total = "", None, None

    def give(self, step: float) -> float | None:
        """The step to record a report at; None if the training is past it. Never goes back."""
        last = self.last
        if last is not None and step < last:
            if last - step > _NEAR:
                return None
            step = last
        self.last = self.reached = step
        self.share = self.shown if isinstance(self.shown, float) else None
        self.is_counted = self.is_counted or self.kind in ("step", "count", "epoch")
        return int(step) if step == int(step) else step

    def note_epoch(self, c: Counters) -> None:
        """Counters on a line of their own: they say where the reports after it belong."""
        if c.epoch is not None:
            self._enter(c.epoch, c.epochs, counted=c.batch is not None)
        if self.kind == "epoch" and self.epoch is not None:
            self._entered()
        if c.batch is not None:
            self._take_count(c.batch, c.batches, is_bar=False, has_epoch=c.epoch is not None)

    def _entered(self) -> float:
        """The step within an epoch of which nothing is known but its number."""
        assert self.epoch is not None
        self.kind = self.kind or "epoch"
        self.step = self.epoch + self.shift + self.lap
        if self.kind == "epoch":
            self.total = None if self.lap else self.total if self.epochs is None else int(self.epochs) + self.shift
        return self.step

    def _enter(self, epoch: int | float, epochs: float | None, *, counted: bool) -> None:
        """Take up an epoch's number; `counted` if the same line counts within that epoch."""
        if isinstance(epoch, float):  # a share of an epoch: progress, no counter
            self.shown = epoch
            return
        if epochs is not None:
            self._learn_epochs(epochs)
        if self.n is not None and not counted:
            # What counts the steps tells by beginning anew when an epoch ends, if it does.
            self._told = max(self._told, epoch - (self.base if self.base is not None else 1) + self.shift)
            self.shown = epoch if self.epoch is None else self.shown
            return
        if self.base is None:
            guess = epoch - self.index
            self.base = guess if guess in (0, 1) else min(epoch, 1)
        elif epoch < self.base:
            self.base = epoch
        index = epoch - self.base + self.shift
        if self.epoch is None and self.n is None:
            self.index, self.start = index, 0 if self.is_global else index * (self.per_epoch or self.longest)
        elif index > self.index:
            self.start += (index - self.index) * (self.per_epoch or self.most)
            self.index, self.n, self.most = index, None, 0
        elif index < self.index:
            # Epochs begin anew: another training in the same script.
            if self.kind == "epoch" and self.step is not None:
                self.lap = int(self.step) + 1 - epoch - self.shift
            self.start += self.per_epoch or self.most
            self.index += 1
            self.base = epoch - self.index + self.shift
            self.n, self.most = None, 0
        self.epoch = self.shown = epoch

    def _learn_epochs(self, epochs: float) -> None:
        before, self._epochs_before = self._epochs_before, None
        self.epochs = epochs
        if before is not None and self.per_epoch and self._resumed_at and epochs < before:
            gone = int(before - epochs)
            if abs(gone * self.per_epoch - self._resumed_at) < self.per_epoch:
                self.shift = gone

    def _counts_all(self, step: float, steps: int) -> bool:
        """Whether `step/steps` goes through all epochs: it goes on rising when an epoch ends."""
        if self.is_global is None and self.n is None and self.most == 0 and self.index and self.step is not None:
            self.is_global = step > self.step - self.start + (self.per_epoch or 0) and steps == self.per_epoch
            if self.is_global:
                self.start, self.per_epoch = 0, None
        return bool(self.is_global)

    def _take_step(self, step: float, c: Counters, *, is_new_epoch: bool) -> None:
        if self.has_bar:
            self._meet_bar(step)
        if self.first is None:
            if c.restarts and self._is_new and self._resumed_at and step <= 1:
                self.offset = self._resumed_at + 1 - step
            self.first = step
        elif self._begins_anew(step, is_new_epoch=is_new_epoch):
            self.offset = (self.step or 0) + (1 if step == 0 else 0)
            self.first = step
        if c.steps is not None:
            self.total = int(c.steps + self.offset)
        self.kind = "step"
        self.step = step + self.offset

    def _begins_anew(self, step: float, *, is_new_epoch: bool) -> bool:
        """Whether the counter is where it began, though the training is further."""
        if self.step is None or self.first is None or step > self.first:
            return False
        return step + self.offset < self.step or (is_new_epoch and step + self.offset == self.step)

    def _meet_bar(self, step: float) -> None:
        """A line tells a step where a bar has counted so far."""
        if self.n is None or abs(step - self.start - self.n) <= max(_NEAR, 0.02 * step):
            return
        self.misses += 1
        self.bar_is_off = self.misses > 1
        self.start = int(step) - self.n
        self.total = None

    def _take_count(self, n: int, of: int | None, *, is_bar: bool, has_epoch: bool) -> None:
        if self.kind == "step" and is_bar and self._is_off(n):
            return
        if self.n is None and not has_epoch and self.epoch is None:
            self._begin_resumed(of)
        elif self.n is not None and n < self.n and not has_epoch:
            self.start += self.per_epoch or (self.n + 1 if n == 0 else self.n)
            self.index = max(self.index + 1, self._told)
            if self._told == self.index and self.base is not None and self.epoch is not None:
                self.epoch = self.shown = self.index + self.base - self.shift  # a line above told of it
            self.most = 0
            self.in_epochs = True
        elif self._told > self.index and not has_epoch and self.n is not None and n > self.n:
            self.is_global = True  # an epoch ended, and the count goes on rising
        if of is not None and of != self.per_epoch:
            if self.per_epoch is None and self.start == 0 and not self.is_global:
                self.start = self.index * of
            self.per_epoch = of
        self.n = n
        self.in_epochs = self.in_epochs or (has_epoch and not self.is_global)
        self.most = max(self.most, n)
        self.longest = max(self.longest, n)
        self.has_bar = is_bar
        if self.kind == "step":
            self.step = max(self.step or 0, self.start + n)
            return
        self.kind = "count"
        self.step = self.start + n
        self._learn_total(of)

    def _begin_resumed(self, of: int | None) -> None:
        """Where the first count of a resumed slice begins, if it names no epoch."""
        before, self._before = self._before, None
        at = self._resumed_at
        if not at or not self._is_new or self.last is not None:
            return
        if self.in_epochs and self.per_epoch and of in (None, self.per_epoch):
            self.start = at // self.per_epoch * self.per_epoch
        elif before is not None and of is not None and of < before and abs(of + at - before) <= 1:
            self.start = at  # only what is left to do is counted

    def _is_off(self, n: int) -> bool:
        """Whether a bar disagrees with the steps that lines tell."""
        if not self.bar_is_off and self.n is None and self.step is not None:
            self.start = int(self.step) - n if abs(n - self.step) > _NEAR else 0
        return self.bar_is_off

    def _learn_total(self, of: int | None) -> None:
        if self.per_epoch is None or of is None:
            return
        if self.epochs is not None and not self.is_global:
            self.total = (int(self.epochs) + self.shift) * self.per_epoch
        elif self.epoch is not None:
            self.total = None  # of one epoch: how many there are is not told
        else:
            self.total = self.start + self.per_epoch
