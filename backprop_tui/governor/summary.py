"""Decisions in words for people."""

from __future__ import annotations

from backprop_tui.governor.words import span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission

_MOST_REASONS = 6


def refusal_text(admission: Admission) -> str:
    """Why a start was refused, with the numbers, in one line; "" if it was not."""
    return _joined([decision.text for decision in admission.refusals])


def waiting_text(admission: Admission) -> str:
    """Why a slice waits, its place, and about how long: "RAM: 3.1 GB free, …; first in line, about 8 min"."""
    text = _joined([decision.text for decision in admission.refusals if decision.rule != "queue"])
    place = "; ".join(decision.text for decision in admission.decisions if decision.rule == "queue")
    if place and admission.expected_s is not None:
        about = span(admission.expected_s)
        place += f", {'in' if about.startswith('less') else 'about'} {about}"
    return "; ".join(part for part in (text, place) if part)


def help_lines(admission: Admission) -> tuple[str, ...]:
    """What would help, each advice once."""
    return tuple(dict.fromkeys(decision.help for decision in admission.refusals if decision.help))


def help_text(admission: Admission, *, has_waited: bool = False) -> str:
    """What would help, in one line; "" if nothing is refused."""
    if not admission.refusals:
        return ""
    may_wait = not (has_waited or admission.is_final)
    return "; ".join((*(("wait in the queue with --wait",) if may_wait else ()), *help_lines(admission)))


def _joined(reasons: list[str]) -> str:
    if len(reasons) > _MOST_REASONS:
        reasons[_MOST_REASONS:] = [f"and {len(reasons) - _MOST_REASONS} more reasons"]
    return "; ".join(reasons)
