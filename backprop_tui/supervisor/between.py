"""Answers what is asked of a run whose slice has ended, while the next one has no record yet."""

from __future__ import annotations

from backprop_tui.supervisor.inbox import Inbox
from backprop_tui.supervisor.requested import hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.requests import Request
    from backprop_tui.supervisor.observer import Observer
    from backprop_tui.supervisor.recorder import Recorder


class Between:
    """The ear of a slice that has ended."""

    def __init__(self, folder: RunFolder, recorder: Recorder, slice_n: int, observer: Observer) -> None:
        self._recorder = recorder
        self._slice_n = slice_n
        self._observer = observer
        self._inbox = Inbox(folder, recorder, slice_n)
        self._is_forced = False

    def listen(self) -> bool:
        """Answer what waits; returns whether somebody wants an end of everything at once."""
        self._inbox.handle(self._act)
        self._recorder.flush()
        return self._is_forced

    def _act(self, request: Request) -> tuple[bool, str]:
        match request.verb:
            case "stop":
                self._is_forced = self._is_forced or bool(request.args.get("force"))
                if self._recorder.run.goes_on:
                    leave(self._recorder, self._observer, f"stopped by {request.who}")
                return True, "its slice has ended, and it does not go on"
            case "hold" | "release":
                return hold(self._recorder, request.who if request.verb == "hold" else "")
        return False, f"slice {self._slice_n} has ended, and the next one has not begun"


def leave(recorder: Recorder, observer: Observer, why: str) -> None:
    """Nothing follows after all, and the record says why."""
    text = f"it does not go on by itself: {why}"
    recorder.amend(goes_on=False)
    recorder.warn(text)
    recorder.flush(force=True)
    recorder.publish_now()
    observer.said(text)
