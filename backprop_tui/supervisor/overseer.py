"""Who looks at a running slice, and may order that it stops, stands still or goes on."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Reason


class Order(Frozen):
    """What an overseer wants done now."""

    verb: str
    """stop (the ladder), pause, or continue (what the Governor has paused)."""
    reason: Reason | None = None
    """Why; of a continue None."""


class Overseer:
    """Looks at one slice in the supervisor's own thread: it never blocks, and keeps its own cadence."""

    def look(self, now: float) -> Order | None:
        """Called in every turn of the loop, ten times a second, until the slice is stopping or has ended.

        Args:
            now: monotonic seconds.
        """
        return None

    def ended(self) -> None:
        """Nothing of the slice is left; its record is completed next."""
