"""The stop ladder: what to send, when. Pure: it reads no clock and sends nothing itself."""

from __future__ import annotations

from enum import Enum, auto

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Reason

WRITE_WAIT_S = 30.0
"""At most this long a checkpoint that is being written delays the first signal."""
GROWING_LIMIT_S = 600.0
"""At most this long a growing checkpoint prolongs the grace period."""
TERM_S = 5.0
KILL_S = 10.0
"""After SIGKILL, processes in an uninterruptible call are given this long before they count as survivors."""
KILL_EVERY_S = 0.5


class Rung(Enum):
    """Where on the ladder a stop stands."""

    WRITING = auto()
    GRACE = auto()
    TERM = auto()
    KILL = auto()
    DONE = auto()


class Act(Enum):
    """What the supervisor has to do now."""

    SIGNAL = auto()
    """Send the stop signal to the group, once, then wake what is paused."""
    TERM = auto()
    """SIGTERM to the whole tree."""
    KILL = auto()
    """SIGKILL to every process of the tree, found by every means."""
    GIVE_UP = auto()
    """Some process cannot be ended: record it."""


class StopLadder:
    """One stop, from its cause to an empty tree. All times are monotonic seconds."""

    def __init__(
        self, *, grace_s: float, now: float, writing: bool, force: bool = False, is_quiet: bool = False
    ) -> None:
        """`is_quiet` begins with the grace, without a signal before it."""
        self._grace_s = grace_s
        self._rung = Rung.WRITING if writing else Rung.GRACE
        self._since = now
        self._signalled = is_quiet
        self._is_forced = force
        self._last_kill: float | None = None

    @property
    def rung(self) -> Rung:
        return self._rung

    @property
    def was_forced(self) -> bool:
        """SIGKILL was sent."""
        return self._last_kill is not None

    def grace_left_s(self, now: float) -> float:
        """What is left of the time to save and end, seconds."""
        if self._rung is Rung.WRITING or not self._signalled:
            return self._grace_s
        return max(0.0, self._since + self._grace_s - now) if self._rung is Rung.GRACE else 0.0

    def force(self) -> None:
        """Skip to SIGKILL: a person asked a second time."""
        self._is_forced = True

    def step(self, now: float, *, alive: bool, growing: bool) -> Act | None:
        """The next thing to do, if any.

        Args:
            now: monotonic seconds.
            alive: something of the tree lives.
            growing: a checkpoint is being written.
        """
        if not alive:
            self._rung = Rung.DONE
        if self._rung is Rung.DONE:
            return None
        if self._is_forced and self._rung is not Rung.KILL:
            return self._enter_kill(now)
        if self._rung is Rung.WRITING:
            return self._writing(now, growing)
        if self._rung is Rung.GRACE:
            return self._grace(now, growing)
        if self._rung is Rung.TERM:
            return self._enter_kill(now) if now - self._since >= TERM_S else None
        return self._kill(now)

    def _writing(self, now: float, growing: bool) -> Act | None:
        if growing and now - self._since < min(WRITE_WAIT_S, self._grace_s / 2):
            return None
        self._rung, self._since = Rung.GRACE, now
        return self._grace(now, growing)

    def _grace(self, now: float, growing: bool) -> Act | None:
        if not self._signalled:
            self._signalled, self._since = True, now
            return Act.SIGNAL
        waited = now - self._since
        if waited < self._grace_s or (growing and waited < self._grace_s + GROWING_LIMIT_S):
            return None
        self._rung, self._since = Rung.TERM, now
        return Act.TERM

    def _enter_kill(self, now: float) -> Act:
        self._rung, self._since, self._last_kill = Rung.KILL, now, now
        return Act.KILL

    def _kill(self, now: float) -> Act | None:
        if now - self._since >= KILL_S:
            self._rung = Rung.DONE
            return Act.GIVE_UP
        if self._last_kill is None or now - self._last_kill >= KILL_EVERY_S:
            self._last_kill = now
            return Act.KILL
        return None


def announcement(cause: Reason, signal_name: str, grace_s: float, *, force: bool, writing: bool) -> str:
    """What a person is told when a stop begins."""
    if force:
        return f"{cause.text}: killing"
    wait = " once the checkpoint is written" if writing else ""
    again = "; a second time kills" if cause.by == "person" else ""
    return f"{cause.text}: {signal_name} sent{wait}, up to {grace_s:g} s to save and end{again}"
