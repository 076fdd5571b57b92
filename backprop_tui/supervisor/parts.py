"""What a supervision is put together from."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.engines.base import Engine
    from backprop_tui.model.events import CheckpointReport, Metric, ScriptEvent
    from backprop_tui.protocol.lines import LineSplitter
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.inbox import Inbox
    from backprop_tui.supervisor.observer import Observer
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
        parse: Callable[[list[str]], list[Metric | CheckpointReport | ScriptEvent]],
        housekeeping: Callable[[], None],
        farewell: Callable[[], None],
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
        self.parse = parse
        self.housekeeping = housekeeping
        """Called every 2 s: guard alive? lease up to date?"""
        self.farewell = farewell
        """Called once nothing of the slice is left, before the record is completed."""
