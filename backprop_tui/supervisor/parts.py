"""What a supervision is put together from."""

from __future__ import annotations

from backprop_tui.supervisor.outcome import ended_by_itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backprop_tui.engines.base import Engine, Exit
    from backprop_tui.model.run import Reason
    from backprop_tui.model.states import RunState
    from backprop_tui.protocol.lines import LineSplitter
    from backprop_tui.supervisor.advising import Advising
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.continuity import Continuity
    from backprop_tui.supervisor.inbox import Inbox
    from backprop_tui.supervisor.intake import Intake
    from backprop_tui.supervisor.observer import Observer
    from backprop_tui.supervisor.outputs import Outputs
    from backprop_tui.supervisor.overseer import Overseer
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.signals import SignalBox
    from backprop_tui.supervisor.timebox import TimeBox
    from backprop_tui.supervisor.tree import TrainingTree


class Parts:
    """What a supervision is put together from."""

    def __init__(  # noqa: PLR0913  # the parts of a whole
        self,
        *,
        engine: Engine,
        tree: TrainingTree,
        recorder: Recorder,
        box: TimeBox,
        inbox: Inbox,
        signals: SignalBox,
        observer: Observer,
        clock: Clock,
        splitter: LineSplitter,
        intake: Intake,
        outputs: Outputs,
        continuity: Continuity,
        advising: Advising | None = None,
        housekeeping: Callable[[], None],
        farewell: Callable[[], None],
        overseers: Sequence[Overseer] = (),
        ended: Callable[[Exit, float | None], tuple[RunState, Reason]] = ended_by_itself,
    ) -> None:
        self.engine = engine
        self.tree = tree
        self.recorder = recorder
        self.box = box
        self.inbox = inbox
        self.signals = signals
        self.observer = observer
        self.clock = clock
        self.splitter = splitter
        self.intake = intake
        self.outputs = outputs
        self.continuity = continuity
        self.advising = advising
        self.housekeeping = housekeeping
        """Called every 2 s: guard alive? lease up to date?"""
        self.overseers = overseers
        self.ended = ended
        """What came of a slice that nobody asked to stop, by how its leader ended and its last loss."""
        self.farewell = farewell
        """Called once nothing of the slice is left, before the record is completed."""
