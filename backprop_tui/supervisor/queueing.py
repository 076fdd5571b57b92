"""Waits for the Governor's yes."""

from __future__ import annotations

import os
import select
import time

from backprop_tui.errors import AdmissionRefused, Interrupted
from backprop_tui.governor.summary import help_text, refusal_text
from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.supervisor.inbox import Inbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.requests import Request
    from backprop_tui.supervisor.admission import AdmissionDesk, HeldLease
    from backprop_tui.supervisor.observer import Observer
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.signals import SignalBox

LOOK_EVERY_S = 2.0
TURN_S = 0.1


def refusal(admission: Admission, waited_s: float | None = None) -> AdmissionRefused:
    """The Governor's no, in words; `waited_s` where it was said until a wait ran out."""
    waited = "" if waited_s is None else f" within {_words(waited_s)}"
    return AdmissionRefused(
        f"not started{waited}: {refusal_text(admission)}",
        hint=help_text(admission, has_waited=waited_s is not None),
        decisions=admission.refusals,
    )


class Queue:
    """One run's place in the queue."""

    def __init__(
        self,
        desk: AdmissionDesk,
        recorder: Recorder,
        folder: RunFolder,
        spec: SliceSpec,
        signals: SignalBox,
        observer: Observer,
    ) -> None:
        self._desk = desk
        self._recorder = recorder
        self._spec = spec
        self._signals = signals
        self._observer = observer
        self._inbox = Inbox(folder, recorder, spec.n)
        self._stopped_by = ""

    def wait(self, first: Admission, wait_s: float) -> tuple[Admission, HeldLease | None]:
        """Until the run may start; without a lease when somebody stopped it meanwhile.

        Raises:
            Interrupted: a signal ended the wait.
            AdmissionRefused: `wait_s` ran out.
        """
        end = time.monotonic() + wait_s
        self._desk.queue(self._spec.run_id)
        admission = first
        self._tell(admission)
        seen, looked = self._desk.changed(), time.monotonic()
        poll = select.poll()
        poll.register(self._signals.fileno(), select.POLLIN)
        while True:
            poll.poll(TURN_S * 1000)
            self._recorder.flush()
            self._inbox.handle(self._act)
            if self._signals.has_stop:
                self._end("left the queue", by="person")
                raise Interrupted(f"left the queue; nothing was started (run {self._spec.run_id})")
            self._signals.take_others()
            if self._stopped_by:
                self._end(f"stopped in the queue by {self._stopped_by}", by="person")
                return admission, None
            now = time.monotonic()
            if now >= end:
                self._end(f"waited {_words(wait_s)}: {refusal_text(admission)}", by="governor")
                raise refusal(admission, wait_s)
            mark = self._desk.changed()
            if mark == seen and now - looked < LOOK_EVERY_S:
                continue
            seen, looked = mark, now
            before = refusal_text(admission)
            admission, lease = self._desk.try_start(request_of(self._spec, os.environ))
            if lease is not None:
                return admission, lease
            if refusal_text(admission) != before:
                self._tell(admission)

    def _tell(self, admission: Admission) -> None:
        reason = Reason(code="waiting", text=f"waits: {refusal_text(admission)}", by="governor")
        for decision in admission.refusals:
            self._recorder.event("decision", **decision.plain())
        self._recorder.amend(reason=reason)
        self._recorder.amend_slice(reason=reason)
        self._recorder.flush(force=True)
        self._recorder.publish_now()
        self._observer.queued(self._recorder.run, admission)

    def _act(self, request: Request) -> tuple[bool, str]:
        if request.verb != "stop":
            return False, "it waits in the queue; only stop is possible"
        self._stopped_by = request.who
        return True, "left the queue"

    def _end(self, text: str, *, by: str) -> None:
        code = "person" if by == "person" else "waiting"
        self._recorder.change(RunState.STOPPED, Reason(code=code, text=text, by=by), ended=round(time.time(), 3))
        self._recorder.close()


def _words(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"
