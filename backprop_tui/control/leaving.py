"""Ends what was to go on by itself while nobody supervises it: nothing follows any more, and the record says why."""

from __future__ import annotations

from backprop_tui.control.lost import is_owed
from backprop_tui.errors import RunActive
from backprop_tui.files import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home


def leave(home: Home, folder: RunFolder, why: str) -> bool:
    """Whether there was anything to leave.

    Raises:
        RunActive: another process holds the run.
    """
    lock = FileLock(folder.file("lock"))
    if not lock.try_acquire():
        raise RunActive(f"run {folder.id} is held by another process")
    with lock:
        return leave_held(home, folder, why)


def leave_held(home: Home, folder: RunFolder, why: str) -> bool:
    """As `leave`, for who has the run's lock."""
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.publish import Publisher
    from backprop_tui.supervisor.recorder import Recorder

    run = folder.read_run()
    if not is_owed(run):
        return False
    spec = folder.read_spec()
    recorder = Recorder(folder, run, spec, Publisher(home, folder, spec, -1.0), Clock())
    if run.reason is not None:
        reason = run.reason.replace(text=f"{run.reason.text}; it does not go on by itself: {why}")
        recorder.amend(reason=reason)
        recorder.amend_slice(reason=reason)
    recorder.amend(goes_on=False)
    recorder.event("left", text=why)
    recorder.flush(force=True)
    recorder.publish_now()
    recorder.close()
    return True
