"""What a front end that hosts a supervisor is told."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.engines.base import Launch
    from backprop_tui.governor.going_on import Following
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec


class Observer:
    """Hears of a run's life, in the supervisor's own thread. Must never block and never raise."""

    def queued(self, run: Run, admission: Admission) -> None:
        """The run waits; called again whenever the reasons change."""

    def starting(self, spec: SliceSpec, launch: Launch, admission: Admission) -> None:
        """It was decided what runs where; the training starts next."""

    def started(self, run: Run, log_path: str) -> None:
        """The training runs and the record says so."""

    def turned(self, run: Run, left_s: float) -> float | None:
        """A turn of the loop is over; returns seconds after which it wants another, None for the usual.

        `left_s` is what is left of the time box, and once the run is stopping of the time to save and end.
        """
        return None

    def ended(self, run: Run, follows: Following | None) -> None:
        """A slice has ended and its record is complete; `follows` says that another one comes, and why."""

    def said(self, text: str) -> None:
        """Something worth a line to the person who watches."""
