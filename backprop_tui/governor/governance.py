"""What the Governor does about the rules of a running slice: pause, continue, stop, warn. Pure."""

from __future__ import annotations

import math

from backprop_tui.frozen import Frozen
from backprop_tui.governor.running import findings
from backprop_tui.model.run import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.governor.running import Finding, Limits, Reading
    from backprop_tui.model.decisions import Decision


class Pace(Frozen):
    """The least times between two changes of mind, seconds."""

    pause_s: float = 30.0
    """A pause lasts at least so long."""
    run_s: float = 60.0
    """After a pause a run goes on for at least so long."""

    def times(self, factor: float) -> Pace:
        """All of them so many times as long."""
        return Pace(pause_s=self.pause_s * factor, run_s=self.run_s * factor)


class Act(Frozen):
    """What has to be done now."""

    verb: str
    """stop, pause or continue."""
    reason: Reason | None
    """Of a continue None."""
    decisions: tuple[Decision, ...]
    """Those behind it."""


class Judgement(Frozen):
    """What came of one look."""

    act: Act | None = None
    warnings: dict[str, str] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """What a person should know for as long as it is so, by what it is about."""


PAUSES = {"gpu_temp": "heat", "cpu": "load"}
"""Rules that let a run stand still, with the code of the reason."""
STOPS = {
    "yield": "yield",
    "max_ram": "ram",
    "ram": "ram",
    "disk": "disk",
    "gpu_memory": "gpu_memory",
    "paused": "paused_too_long",
}
"""Rules that end a slice, the more pressing first."""
_LOOKS = {"gpu_temp": 2, "cpu": 2, "ram": 2, "max_ram": 3, "disk": 2}
"""So many measurements in a row must be beyond the limit; one is enough for the others."""
MOMENT_S = 5.0
"""GPU memory may be beyond its limit for so long."""
FAR_BEYOND = {"max_ram": 1.25, "ram": 2.0, "disk": 2.0}
"""What is beyond its limit by such a factor is not looked at again."""


BEYOND = "it is stopped if that stays so"
NOT_TOLD = "other runs use this GPU, and the driver does not tell whose it is, so the run goes on"


class _Streak(Frozen):
    """Measurements in a row that were beyond the limit."""

    count: int
    since: float
    """Monotonic seconds at the first."""
    t: float | None
    """When the newest was taken."""


class Governance:
    """Judges reading after reading of one slice; all times are monotonic seconds unless said otherwise."""

    def __init__(self, limits: Limits, *, pace: Pace | None = None) -> None:
        self.limits = limits
        self._max_paused_s = limits.max_paused_s
        self._may_pause = True
        self._pace = pace or Pace()
        self._streaks: dict[str, _Streak] = {}
        self._warnings: dict[str, str] = {}
        self._causes: frozenset[str] = frozenset()
        """What the run was paused for."""
        self._paused_at: float | None = None
        self._continued_at: float | None = None

    def judge(self, reading: Reading, now: float, *, paused_by: str = "") -> Judgement:
        """What a reading asks for; it is taken for granted that an act is carried out.

        Args:
            reading: what is known; its `paused_s` is filled in here.
            now: monotonic seconds.
            paused_by: who lets the run stand still: governor, anybody else, or "" while it runs.
        """
        self._note_pause(now, paused_by)
        paused_s = 0.0 if self._paused_at is None else now - self._paused_at
        found = findings(self.limits, reading.replace(paused_s=paused_s))
        self._count(found, now)
        self._warn(found)
        act = self._stop(found, now) or self._pause_or_continue(found, now, paused_by)
        if act is not None and act.verb == "pause":
            self._paused_at = now
            self._causes = frozenset(f.about for f in found if f.decision in act.decisions)
        elif act is not None and act.verb == "continue":
            self._paused_at, self._causes, self._continued_at = None, frozenset(), now
        return Judgement(act=act, warnings=dict(self._warnings))

    def bear(self, patience_s: float | None) -> None:
        """Take note of how long the training's processes wait for each other: None for any time, 0 to never pause."""
        self._may_pause = patience_s is None or patience_s > 0
        longest = [limit for limit in (self._max_paused_s, patience_s or None) if limit is not None]
        self.limits = self.limits.replace(max_paused_s=min(longest, default=None))

    def _note_pause(self, now: float, paused_by: str) -> None:
        if paused_by == "governor":
            if self._paused_at is None:
                self._paused_at = now
        elif self._paused_at is not None:
            self._paused_at, self._causes = None, frozenset()

    def _count(self, found: Sequence[Finding], now: float) -> None:
        streaks = {}
        for finding in found:
            old = self._streaks.get(finding.about)
            if not finding.is_fresh:
                if old is not None:
                    streaks[finding.about] = old  # nobody knows whether it still is so
                continue
            if finding.decision.ok:
                continue
            if old is None:
                old = _Streak(count=1, since=now, t=finding.t)
            elif finding.t is None or finding.t != old.t:
                old = old.replace(count=old.count + 1, t=finding.t)
            streaks[finding.about] = old
        self._streaks = streaks

    def _warn(self, found: Sequence[Finding]) -> None:
        """The words of the first time stay for as long as it is so."""
        current = {}
        for finding in found:
            rule, text = finding.decision.rule, finding.decision.text
            if rule == "probe":
                current["probe"] = text
            elif rule in ("gpu_memory", "max_ram") and finding.about in self._streaks:
                current[finding.about] = f"{text}: {BEYOND if finding.is_own else NOT_TOLD}"
        self._warnings = {about: self._warnings.get(about, text) for about, text in current.items()}

    def _stop(self, found: Sequence[Finding], now: float) -> Act | None:
        for rule, code in STOPS.items():
            broken = [f for f in found if f.decision.rule == rule and self._is_established(f, now)]
            if broken:
                return _act("stop", code, broken)
        hot = [f for f in found if f.decision.rule == "gpu_temp" and self._is_established(f, now)]
        if hot and not self._may_pause:
            return _act("stop", "heat", hot)
        return None

    def _is_established(self, finding: Finding, now: float) -> bool:
        """Whether it has been beyond the limit for long enough."""
        streak = self._streaks.get(finding.about)
        if streak is None or finding.decision.ok or not finding.is_fresh or not finding.is_own:
            return False
        rule = finding.decision.rule
        if rule == "gpu_memory":
            return streak.count > 1 and now - streak.since >= MOMENT_S
        if finding.looks:
            return streak.count >= finding.looks
        return streak.count >= _LOOKS.get(rule, 1) or finding.excess > FAR_BEYOND.get(rule, math.inf)

    def _pause_or_continue(self, found: Sequence[Finding], now: float, paused_by: str) -> Act | None:
        pausing = [f for f in found if f.decision.rule in PAUSES]
        if paused_by == "governor":
            return self._continue(pausing, now)
        if paused_by or not self._may_pause:
            return None
        if self._continued_at is not None and now - self._continued_at < self._pace.run_s:
            return None
        for rule, code in PAUSES.items():
            broken = [f for f in pausing if f.decision.rule == rule and self._is_established(f, now)]
            if broken:
                return _act("pause", code, broken)
        return None

    def _continue(self, pausing: Sequence[Finding], now: float) -> Act | None:
        """Once what it was paused for is over, and nothing else would pause it at once."""
        if self._paused_at is None or now - self._paused_at < self._pace.pause_s:
            return None
        known = {f.about: f for f in pausing if f.is_fresh}
        if not self._causes <= known.keys():
            return None  # it cannot be seen now
        causes = [known[about] for about in sorted(self._causes)]
        if any(not f.decision.ok for f in pausing) or any(not f.has_recovered for f in causes):
            return None
        return Act(verb="continue", reason=None, decisions=tuple(f.decision for f in causes))


def _act(verb: str, code: str, broken: Sequence[Finding]) -> Act:
    text = "; ".join(f.decision.text for f in broken)
    if verb == "pause":
        text = f"{'; '.join(f.was or f.decision.text for f in broken)}; waits for {broken[0].waits_for}"
    elif code == "heat":
        text += "; it must not be paused, as others may wait for it"
    return Act(
        verb=verb, reason=Reason(code=code, text=text, by="governor"), decisions=tuple(f.decision for f in broken)
    )
