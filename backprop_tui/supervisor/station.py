"""Where a supervisor works."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.admission import AdmissionDesk
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.observer import Observer
    from backprop_tui.supervisor.signals import SignalBox


class Station:
    """What a supervisor works with, in the main thread of a process that does nothing else meanwhile."""

    def __init__(self, home: Home, desk: AdmissionDesk, observer: Observer, clock: Clock, signals: SignalBox) -> None:
        self.home = home
        self.desk = desk
        self.observer = observer
        self.clock = clock
        self.signals = signals
