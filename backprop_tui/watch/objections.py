"""What the Governor objected to last, of a run that it holds."""

from __future__ import annotations

from backprop_tui.watch.why import past_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Decision
    from backprop_tui.store.home import Home

NEWEST = 40
"""Events that are looked at: all decisions of one moment are among them."""
TOGETHER_S = 1.0


def objections(home: Home, run_id: str) -> tuple[Decision, ...]:
    """The newest decisions against the run, those of one moment, in the order in which they were made."""
    against = [past for past in past_of(home, run_id, NEWEST) if past.decision is not None and not past.decision.ok]
    newest = against[-1].t if against else 0.0
    return tuple(past.decision for past in against if past.decision is not None and newest - past.t <= TOGETHER_S)
