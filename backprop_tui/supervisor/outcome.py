"""How a slice ended, and why. Pure."""

from __future__ import annotations

import math
import signal

from backprop_tui.engines.base import Exit
from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState

_SIGNAL_HINTS = {
    "SIGKILL": "killed by SIGKILL, perhaps by the system for want of memory",
    "SIGSEGV": "crashed: segmentation fault (SIGSEGV)",
    "SIGBUS": "crashed: bus error (SIGBUS)",
    "SIGABRT": "aborted (SIGABRT)",
    "SIGFPE": "crashed: arithmetic error (SIGFPE)",
    "SIGILL": "crashed: illegal instruction (SIGILL)",
}


def signal_name(number: int) -> str:
    """SIGTERM for 15; a number that has no name stays a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ended_by_itself(leader: Exit, loss: float | None) -> tuple[RunState, Reason]:
    """The result of a slice that nobody asked to stop.

    Args:
        leader: how its leading process ended.
        loss: the last loss that it reported.
    """
    if leader.signal is not None:
        name = signal_name(leader.signal)
        text = _SIGNAL_HINTS.get(name, f"ended by {name}, which backprop did not send")
        return RunState.FAILED, Reason(code="signal", text=text, by="script")
    if leader.code != 0:
        return RunState.FAILED, Reason(code="exit", text=f"exited with code {leader.code}", by="script")
    if loss is not None and not math.isfinite(loss):
        text = f"ended with exit code 0, but its last loss was {loss:g}"
        return RunState.DIVERGED, Reason(code="nan", text=text, by="script")
    return RunState.COMPLETED, Reason(code="exit", text="ended by itself with exit code 0", by="script")


_STATE_OF_CAUSE = {
    "timebox": RunState.TIMEBOXED,
    "nan": RunState.DIVERGED,
    "goal": RunState.COMPLETED,
}


def ended_on_request(cause: Reason) -> RunState:
    """The result of a slice that was asked to stop: what decides is who asked, not how it exited."""
    return _STATE_OF_CAUSE.get(cause.code, RunState.STOPPED)
