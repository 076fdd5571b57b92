"""The slice in hand."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.files import FileLock
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.admission import HeldLease
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.signals import SignalBox


class Case:
    """All that belongs to the slice in hand once it is admitted."""

    def __init__(  # the parts of a whole
        self,
        *,
        folder: RunFolder,
        spec: SliceSpec,
        recorder: Recorder,
        signals: SignalBox,
        lease: HeldLease,
        lock: FileLock,
    ) -> None:
        self.folder = folder
        self.spec = spec
        self.recorder = recorder
        self.signals = signals
        self.lease = lease
        self.lock = lock
