"""Watches whether a training still trains: its loss, its steps, its GPUs."""

from __future__ import annotations

from backprop_tui.governor.watchdogs import NAN_REPORTS, Held, IdleWatch, Life, LossWatch, StallWatch
from backprop_tui.model.naming import loss_metric
from backprop_tui.model.run import Failure, Reason, Rise
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.overseer import Order, Overseer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from backprop_tui.artifacts.writing import WriteWatch
    from backprop_tui.model.events import Metric
    from backprop_tui.model.samples import GpuSample
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.timebox import TimeBox

    class Snapshot(Protocol):
        """The leased GPUs at one moment."""

        @property
        def t(self) -> float: ...
        @property
        def gpus(self) -> Sequence[GpuSample]: ...
        @property
        def tree_bytes(self) -> Mapping[str, int]: ...
        @property
        def is_device(self) -> bool: ...


LOOK_EVERY_S = 1.0
STALE_S = 10.0
"""An older sample of the GPUs says nothing."""
_SAVING_LOOK_S = 5.0
"""Whether a checkpoint is being written matters once nothing has come for so long."""


class Watchdog(Overseer):
    """Of one slice: stops it as diverged or, if asked to, as stalled; flags what it does not stop."""

    def __init__(  # the parts of a whole
        self,
        spec: SliceSpec,
        recorder: Recorder,
        clock: Clock,
        box: TimeBox,
        say: Callable[[str], None],
        snapshot: Callable[[], Snapshot | None] | None = None,
    ) -> None:
        """`say` tells the person who watches; `snapshot` is the newest sample of the leased GPUs."""
        self._recorder, self._clock, self._box, self._say = recorder, clock, box, say
        self._snapshot = snapshot
        reports = spec.setting_or("watchdog.nanSteps", NAN_REPORTS)
        self._nan_reports = None if reports is None else int(reports)
        minutes = spec.setting_or("watchdog.stallMinutes", None)
        self._stall = StallWatch(None if minutes is None else float(minutes) * 60)
        self._idle = IdleWatch()
        self._losses = LossWatch()
        self._names, self._loss = 0, ""
        self._writing: WriteWatch | None = None
        self._said: tuple[str, ...] = ()
        self._due = float("-inf")
        self._sampled = 0.0
        self._order: Order | None = None
        recorder.listeners.append(self._hear)

    @beside("the loss")
    def _hear(self, batch: list[Metric]) -> None:
        """Follow the loss through every report, however many came at once."""
        last = self._recorder.run.last
        if len(last) != self._names:
            self._names, before = len(last), self._loss
            self._loss = loss_metric(last) or ""
            if self._loss != before:
                self._losses = LossWatch()
        was_good, t = self._losses.last_good, self._clock.epoch()
        for metric in batch:
            value = metric.values.get(self._loss)
            if value is not None:
                self._losses.take(int(metric.step), value, t)
                if self._has_diverged():
                    break  # what came in the same moment changes nothing any more
        good = self._losses.last_good
        if good != was_good:
            self._recorder.amend_slice(rise=None if good is None else Rise(step=good[0], t=round(good[1], 3)))

    def look(self, now: float) -> Order | None:
        if self._has_diverged():
            return self._end_as_diverged()
        if now >= self._due and self._recorder.run.state is RunState.RUNNING:
            self._due = now + LOOK_EVERY_S
            self._look_closer(now)
        return self._order

    def _has_diverged(self) -> bool:
        return self._nan_reports is not None and self._losses.streak >= self._nan_reports

    def _end_as_diverged(self) -> Order:
        from backprop_tui.protocol.failure_words import NOT_A_NUMBER

        text = self._losses.said()
        failure = Failure(kind="nan", sentence=f"It diverged: {text}.", todo=NOT_A_NUMBER)
        self._recorder.amend_slice(failure=failure)
        return Order(verb="stop", reason=Reason(code="nan", text=text, by="watchdog"))

    @beside("whether it goes on")
    def _look_closer(self, now: float) -> None:
        t = self._box.used_s(now)
        if stalled := self._stall.look(t, self._life(t)):
            self._order = Order(verb="stop", reason=Reason(code="stall", text=stalled, by="watchdog"))
        self._look_at_gpus(t)
        holds = (*([self._stall.said] if self._stall.said else []), *self._idle.said.values())
        for text in holds:
            if text not in self._said:
                self._recorder.warn(text)
                self._say(text)
        for text in self._said:
            if text not in holds:
                self._recorder.withdraw(text)
        self._said = holds

    def _life(self, t: float) -> Life:
        run, newest = self._recorder.run, self._recorder.run.slice
        return Life(
            step=newest.last_step if newest is not None else None,
            reports=run.metric_lines,
            checkpoints=hash(tuple((c.path, c.t) for c in run.checkpoints[-3:])),
            output_bytes=run.output_bytes,
            is_saving=self._stall.quiet_s(t) > _SAVING_LOOK_S and self._is_saving(),
        )

    def _is_saving(self) -> bool:
        if self._writing is None:
            from backprop_tui.artifacts.writing import WriteWatch

            self._writing = WriteWatch()
        for path in self._recorder.book.paths:
            self._writing.learn(path)
        return self._writing.is_writing(self._clock.epoch(), {})

    def _look_at_gpus(self, t: float) -> None:
        sample = None if self._snapshot is None else self._snapshot()
        if sample is None or sample.t == self._sampled:
            return
        self._sampled = sample.t
        if self._clock.epoch() - sample.t > STALE_S:
            return
        used, is_sure = sample.tree_bytes, not sample.is_device
        held = [
            Held(index=gpu.index, util_percent=gpu.util_percent, run_bytes=used.get(gpu.index), is_sure=is_sure)
            for gpu in sample.gpus
        ]
        self._idle.look(t, held)
