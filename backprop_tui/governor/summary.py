"""Decisions in words for people."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission

_MOST_REASONS = 6


def refusal_text(admission: Admission) -> str:
    """Why a start was refused, with the numbers, in one line; "" if it was not."""
    reasons = [decision.text for decision in admission.refusals]
    if len(reasons) > _MOST_REASONS:
        reasons[_MOST_REASONS:] = [f"and {len(reasons) - _MOST_REASONS} more reasons"]
    return "; ".join(reasons)


def help_lines(admission: Admission) -> tuple[str, ...]:
    """What would help, each advice once."""
    return tuple(dict.fromkeys(decision.help for decision in admission.refusals if decision.help))


def help_text(admission: Admission, *, has_waited: bool = False) -> str:
    """What would help, in one line; "" if nothing is refused."""
    if not admission.refusals:
        return ""
    return "; ".join((*(() if has_waited else ("wait in the queue with --wait",)), *help_lines(admission)))
