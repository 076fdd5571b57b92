"""The states of a run and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from backprop_tui.errors import IllegalTransition


class RunState(StrEnum):
    """One vocabulary in code, command line, JSON and on the screen."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEBOXED = "timeboxed"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    LOST = "lost"

    @property
    def is_ended(self) -> bool:
        return self in ENDED


_S = RunState
ENDED = frozenset({_S.COMPLETED, _S.FAILED, _S.TIMEBOXED, _S.STOPPED, _S.DIVERGED, _S.LOST})

_NEXT: dict[RunState, frozenset[RunState]] = {
    _S.QUEUED: frozenset({_S.STARTING, _S.STOPPED, _S.LOST}),
    _S.STARTING: frozenset({_S.RUNNING, _S.FAILED, _S.STOPPING, _S.LOST}),
    _S.RUNNING: frozenset({_S.PAUSED, _S.STOPPING, _S.COMPLETED, _S.FAILED, _S.DIVERGED, _S.LOST}),
    _S.PAUSED: frozenset({_S.RUNNING, _S.STOPPING, _S.COMPLETED, _S.FAILED, _S.DIVERGED, _S.LOST}),
    _S.STOPPING: ENDED,
    **dict.fromkeys(ENDED, frozenset({_S.QUEUED})),
}


def check_transition(old: RunState, new: RunState) -> None:
    """Let a legal change of state pass.

    Raises:
        IllegalTransition: `new` may not follow `old`; always a bug in the caller.
    """
    if new not in _NEXT[old]:
        raise IllegalTransition(f"a run cannot go from {old} to {new}")
