"""How a run went wrong: what its record says of it, else what its output tells."""

from __future__ import annotations

import math

from backprop_tui.model.divergence import rise_began
from backprop_tui.protocol.failure_words import About
from backprop_tui.protocol.failures import explain
from backprop_tui.protocol.tracebacks import Frame, frames, traceback_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.run import Failure
    from backprop_tui.watch.record import Record

__all__ = ["Frame", "divergence", "failure_of", "frames", "rise_began", "traceback_of"]


def failure_of(record: Record, lines: Sequence[str]) -> Failure | None:
    """Why a run ended badly by itself; None where it did not.

    Args:
        record: the run's.
        lines: the end of its output, cleaned: for records of earlier versions, which do not say it themselves.
    """
    run, newest = record.run, record.run.slice
    if newest is None or str(run.state) != "failed" or (run.reason is not None and run.reason.code == "spawn"):
        return run.failure
    if run.failure is not None:
        return run.failure
    spec = record.spec
    about = About(interpreter=spec.interpreter or "", cwd=spec.cwd) if spec is not None else About()
    return explain(lines, exit_code=newest.exit_code, exit_signal=newest.exit_signal, about=about)


def divergence(name: str, steps: Sequence[float], values: Sequence[float], bad: float | None) -> str:
    """How a metric went wrong: "Loss fell to 4.006 by step 140, rose to 8.112 by step 230, then became NaN."; "" where
    it did not."""
    called = name[:1].upper() + name[1:]
    if bad is None:
        return ""
    points = [(step, value) for step, value in zip(steps, values, strict=True) if step <= bad and math.isfinite(value)]
    if not points:
        return f"{called} was no number from its first value on, at step {bad:,.0f}."
    low_at = min(range(len(points)), key=lambda n: points[n][1])
    (_first, begun), (low_step, low), (last_step, last) = points[0], points[low_at], points[-1]
    parts = []
    if low < begun:
        parts.append(f"fell to {_number(low)} by step {low_step:,.0f}")
    if last > low and last_step > low_step:
        high_step, high = max(points[low_at:], key=lambda point: point[1])
        parts.append(f"rose to {_number(high)} by step {high_step:,.0f}")
    elif not parts:
        parts.append(f"was {_number(last)} at step {last_step:,.0f}")
    return f"{called} {', '.join(parts)}, then became NaN."


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.2g}"
