"""The Governor beside a running slice: measures, judges, and orders pause, continue and stop."""

from __future__ import annotations

import math
import os

from backprop_tui.model.states import RunState
from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.overseer import Order, Overseer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.governor.governance import Act, Governance
    from backprop_tui.governor.running import Reading
    from backprop_tui.supervisor.case import Case
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.keeper import Keeper
    from backprop_tui.supervisor.measuring import Measuring
    from backprop_tui.supervisor.timebox import TimeBox

FIRST_LOOK_S = 2.0
"""The training loads itself until then; most of this module's own parts are loaded at the first look."""
LOOK_EVERY_S = 1.0
LEASE_EVERY_S = 2.0
PATIENCE_EVERY_S = 10.0
AGAIN_S = 10.0
"""After a fault the rules are left alone for so long."""
PACE = "BACKPROP_GOVERNOR_PACE"
"""A number in the environment: a pause and the time between two last at least so many times as long as usual. For
tests, which need not wait for half a minute."""


class Governing(Overseer):
    """Holds one slice to the rules while it runs, and keeps its lease and what it uses up to date."""

    def __init__(self, case: Case, keeper: Keeper, box: TimeBox, clock: Clock) -> None:
        self._case = case
        self._recorder = case.recorder
        self._keeper = keeper
        self._box = box
        self._clock = clock
        self._due = clock.monotonic() + FIRST_LOOK_S
        self._lease_due = self._patience_due = float("-inf")
        self._measuring: Measuring | None = None
        self._governance: Governance | None = None
        self._said: dict[str, str] = {}
        self._order: Order | None = None
        self._has_failed = False

    def look(self, now: float) -> Order | None:
        """Once a second: measure and judge."""
        if now < self._due:
            return None
        self._due = now + LOOK_EVERY_S
        self._order = None
        self._govern(now)
        if self._has_failed and self._paused_by() == "governor":
            return Order(verb="continue")  # nobody else would ever let it go on
        return self._order

    def ended(self) -> None:
        """What was so while it ran is not so any more; its peaks stay."""
        self._note_peaks()
        self._warn({})

    def _paused_by(self) -> str:
        run = self._recorder.run
        return run.reason.by if run.state is RunState.PAUSED and run.reason is not None else ""

    @beside("the Governor's rules", again_s=AGAIN_S)
    def _govern(self, now: float) -> None:
        run = self._recorder.run
        if run.state not in (RunState.RUNNING, RunState.PAUSED):
            return
        if self._measuring is None or self._governance is None:
            self._measuring, self._governance = self._begin()
        if now >= self._patience_due:
            self._patience_due = now + PATIENCE_EVERY_S
            self._governance.bear(self._patience())
        reading = self._measuring.read(now, stands_still=run.state is RunState.PAUSED)
        judgement = self._governance.judge(reading, now, paused_by=self._paused_by())
        self._warn(judgement.warnings)
        self._note_use(reading)
        if now >= self._lease_due:
            self._lease_due = now + LEASE_EVERY_S
            self._keep_lease(now, reading, stands_still=run.state is RunState.PAUSED)
        if judgement.act is not None:
            self._carry_out(judgement.act)

    def _begin(self) -> tuple[Measuring, Governance]:
        from backprop_tui.governor.governance import Governance, Pace
        from backprop_tui.governor.running import limits_of
        from backprop_tui.supervisor.measuring import Measuring

        spec, limit = self._case.spec, self._recorder.run.memory_limit
        limits = limits_of(spec, limit.bytes if limit else None)
        governance = Governance(limits, pace=Pace().times(pace_factor(os.environ.get(PACE))))
        measuring = Measuring(
            self._case, self._keeper.tree, self._keeper.gpu, self._clock, max_ram_bytes=limits.max_ram_bytes
        )
        return measuring, governance

    def _patience(self) -> float | None:
        """A shell script may start torchrun long after it was started itself."""
        from backprop_tui.governor.running import PATIENCE_VARIABLES, patience_s
        from backprop_tui.probes.variables import variables_of

        return patience_s(self._case.spec, variables_of(self._keeper.tree.pids, PATIENCE_VARIABLES))

    def _carry_out(self, act: Act) -> None:
        for decision in act.decisions:
            self._recorder.event("decision", **decision.plain())
        self._order = Order(verb=act.verb, reason=act.reason)

    def _warn(self, warnings: dict[str, str]) -> None:
        for about, text in self._said.items():
            if warnings.get(about) != text:
                self._recorder.withdraw(text)
        for about, text in warnings.items():
            if self._said.get(about) != text:
                self._recorder.warn(text)
        self._said = warnings

    def _note_use(self, reading: Reading) -> None:
        tree, gpu = self._keeper.tree, self._keeper.gpu
        if gpu is not None:
            own = _own_use(reading)
            taken = sum(own.values()) if own else None
            tree.resources = tree.resources.replace(gpu_used_bytes=gpu.used_bytes, gpu_tree_bytes=taken)
        self._note_peaks(reading)

    def _note_peaks(self, reading: Reading | None = None) -> None:
        """The most that the run has used on one GPU is not told any more once others may have used a part of it."""
        piece = self._recorder.run.slice
        if piece is None:
            return
        rss = max(piece.peak_rss_bytes, self._keeper.tree.resources.peak_rss_bytes)
        most, used = piece.peak_gpu_bytes, {} if reading is None else _own_use(reading)
        if used is None:
            most = None
        elif used:
            most = max(most or 0, *used.values())
        if (rss, most) != (piece.peak_rss_bytes, piece.peak_gpu_bytes):
            self._recorder.amend_slice(peak_rss_bytes=rss, peak_gpu_bytes=most)

    def _keep_lease(self, now: float, reading: Reading, *, stands_still: bool) -> None:
        self._case.lease.update(
            runnable=0.0 if stands_still else round(self._keeper.tree.runnable, 2),
            gpu_used={} if reading.is_whole_gpu else reading.gpu_tree,
            used_t=reading.gpus_t or 0.0,
            ram_used=self._keeper.tree.resources.rss_bytes,
            ends=None if stands_still else round(self._clock.epoch() + self._box.left_s(now), 3),
        )


def _own_use(reading: Reading) -> dict[str, int] | None:
    """What the run uses on each GPU, by index; None where it may be others' use as well."""
    if reading.is_whole_gpu and not reading.shared_gpus.isdisjoint(reading.gpu_tree):
        return None
    return reading.gpu_tree


def pace_factor(text: str | None) -> float:
    """What the environment says of the pace; 1 for anything that is no sensible number."""
    try:
        factor = float(text or 1)
    except ValueError:
        return 1.0
    return factor if math.isfinite(factor) and factor >= 0 else 1.0
