"""The Governor's verdict in words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission


def refusal_text(admission: Admission) -> str:
    """Every reason with its numbers, in one line."""
    return "; ".join(decision.text for decision in admission.refusals) or "it may start"


def help_text(admission: Admission) -> str:
    """What would help against each reason, each said once."""
    return "; ".join(dict.fromkeys(d.help for d in admission.refusals if d.help))
