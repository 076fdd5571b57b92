"""Requests from other processes: read from the run's folder, answered in events.jsonl."""

from __future__ import annotations

from backprop_tui.store import requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.requests import Request
    from backprop_tui.supervisor.recorder import Recorder


_OF_THE_RUN = frozenset({"stop", "hold", "release"})
"""Verbs that mean a run as much as its slice."""


class Inbox:
    """The requests to one slice, in order."""

    def __init__(self, folder: RunFolder, recorder: Recorder, slice_n: int) -> None:
        self._folder = folder
        self._recorder = recorder
        self._slice_n = slice_n
        self._handled: set[str] = set()
        """A request whose file cannot be removed must not be carried out again: a second stop kills."""

    def handle(self, act: Callable[[Request], tuple[bool, str]]) -> None:
        """Let `act` carry out each request that is for this slice; it returns (done, what to say)."""
        for request in requests.pending(self._folder):
            if request.id in self._handled:
                continue
            self._handled.add(request.id)
            if request.problem:
                done, text = False, request.problem
            elif not self._is_for_us(request):
                done, text = False, f"expired: it was for slice {request.slice}"
            else:
                done, text = act(request)
            self._recorder.event("request", id=request.id, verb=request.verb, who=request.who, ok=done, text=text)
            requests.remove(self._folder, request.id)

    def _is_for_us(self, request: Request) -> bool:
        """What was asked of the slice before counts, too, where this one follows it without anybody's asking."""
        if request.slice == self._slice_n:
            return True
        newest = self._recorder.run.slice
        follows = newest is not None and newest.by_itself and request.slice == self._slice_n - 1
        return follows and request.verb in _OF_THE_RUN
