"""What is kept up beside a training for as long as it runs."""

from __future__ import annotations

from backprop_tui.engines.argv import grace_s, stop_signal_of
from backprop_tui.supervisor.enrolment import MB
from backprop_tui.supervisor.guard import Guard, GuardOrders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.engines.local import LocalEngine
    from backprop_tui.model.run import Process
    from backprop_tui.supervisor.case import Case
    from backprop_tui.supervisor.gpuwatch import GpuWatch
    from backprop_tui.supervisor.logcap import LogCap
    from backprop_tui.supervisor.tree import TrainingTree


class Keeper:
    """What has to be kept up beside a training: its guard, the watch on its GPU and its log's size."""

    tree: TrainingTree
    _log_cap: LogCap | None = None

    def __init__(self, case: Case, gpu: GpuWatch | None) -> None:
        self.gpu = gpu
        self._orders = GuardOrders(
            token=case.recorder.token,
            report_path=case.folder.file("guard.json"),
            grace_s=grace_s(case.spec),
            stop_signal=stop_signal_of(case.spec),
            lock_fd=case.lock.fileno(),
            lease_fd=case.lease.fileno(),
        )
        self._case = case
        self._recorder = case.recorder
        self._told: tuple[str, ...] = ()
        self.guard = Guard.start(self._orders)

    def watch(self, engine: LocalEngine, training: Process, tree: TrainingTree) -> None:
        """The training runs: guard it, and leave the guard itself out of its tree."""
        self._engine = engine
        self._training = training
        self.tree = tree
        tree.exclude.add(self.guard.pid)
        self.guard.watch(training)
        if self.gpu is not None:
            self.gpu.pids = lambda: tree.pids
            self.gpu.start()

    def keep(self) -> None:
        """Every few seconds: a new guard if somebody killed it, the folders of checkpoints, the log."""
        if self.guard.is_dead():
            self.guard = Guard.start(self._orders)
            self.tree.exclude.add(self.guard.pid)
            self._told = ()
            self.guard.watch(self._training)
            self._recorder.event("guard", text="the guard was killed; there is a new one")
        paths = self._recorder.book.paths
        if paths != self._told:
            self._told = paths
            self.guard.watch(self._training, paths)
        if self._log_cap is None:
            self._log_cap = self._begin()
        self._log_cap.keep()

    def _begin(self) -> LogCap:
        """What a short slice does without."""
        import gc

        from backprop_tui.supervisor.logcap import LogCap

        gc.freeze()  # what was loaded stays
        gc.enable()
        if not self._case.lock.excludes():
            self._recorder.reread_owner()
        cap_mb = self._case.spec.setting("maxLogMB")
        return LogCap(self._engine, self._recorder, None if cap_mb is None else float(cap_mb) * MB)

    def guard_farewell(self) -> None:
        """There is nothing left to guard."""
        self.guard.say_goodbye()
