"""Waits for the Governor's yes."""

from __future__ import annotations

import select
import time

from backprop_tui.errors import AdmissionRefused, Interrupted, StoreError
from backprop_tui.governor.summary import help_text, refusal_text, waiting_text
from backprop_tui.model.decisions import Admission, Decision
from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.inbox import Inbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.governor.request import Request
    from backprop_tui.store import requests
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.admission import AdmissionDesk, HeldLease
    from backprop_tui.supervisor.observer import Observer
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.signals import SignalBox

LOOK_EVERY_S = 2.0
TURN_S = 0.1
LOCK_WAIT_S = 1.0
"""Signals and requests are not heard meanwhile."""
TELL_EVERY_S = 10.0
"""New figures of the same reasons are told so often."""
_CODES = {"hold": "held", "drain": "drained", "yield": "yielded"}
"""What a run in the queue is, by the rule that keeps it there; the first that applies."""


def refusal(admission: Admission, waited_s: float | None = None) -> AdmissionRefused:
    """The Governor's no, in words; `waited_s` where it was said until a wait ran out."""
    waited = "" if waited_s is None else f" within {_words(waited_s)}"
    return AdmissionRefused(
        f"not started{waited}: {refusal_text(admission)}",
        hint=help_text(admission, has_waited=waited_s is not None),
        decisions=admission.refusals,
    )


def waiting_reason(admission: Admission) -> Reason:
    """Why a run is in the queue; its code is waiting, held, drained or yielded."""
    rules = {decision.rule for decision in admission.refusals}
    code = next((_CODES[rule] for rule in _CODES if rule in rules), "waiting")
    by = "governor" if code == "waiting" else "person"
    return Reason(code=code, text=f"waits: {waiting_text(admission)}", by=by)


class Queue:
    """One run's place in the queue."""

    def __init__(
        self,
        desk: AdmissionDesk,
        recorder: Recorder,
        folder: RunFolder,
        request: Request,
        signals: SignalBox,
        observer: Observer,
    ) -> None:
        self._desk = desk
        self._recorder = recorder
        self._request = request
        self._signals = signals
        self._observer = observer
        self._inbox = Inbox(folder, recorder, recorder.run.slices[-1].n)
        self._stopped_by = ""
        self._is_released = False
        self._shut: Admission | None = None
        """What is told while the desk cannot be asked."""
        self._rules: frozenset[str] = frozenset()
        self._place = ""
        self._told = 0.0
        """What was told last, and when (monotonic seconds)."""

    def wait(self, wait_s: float) -> tuple[Admission, HeldLease | None]:
        """Until the run may start, at most `wait_s`; without a lease when somebody stopped it meanwhile.

        A run that a person holds waits until it is released.

        Raises:
            Interrupted: a signal ended the wait.
            AdmissionRefused: `wait_s` ran out, or the box can never give what the run needs.
        """
        usual_s, self._desk.lock_wait_s = self._desk.lock_wait_s, LOCK_WAIT_S
        try:
            return self._wait(wait_s)
        finally:
            self._desk.lock_wait_s = usual_s

    def _wait(self, wait_s: float) -> tuple[Admission, HeldLease | None]:
        end = time.monotonic() + wait_s
        seen, looked = self._desk.changed(), time.monotonic()
        admission, lease = self._ask()
        if lease is not None:
            return admission, lease
        self._tell(admission)
        poll, now = select.poll(), time.monotonic()
        poll.register(self._signals.fileno(), select.POLLIN)
        while True:
            poll.poll(TURN_S * 1000)
            self._recorder.flush()
            self._inbox.handle(self._act)
            if self._signals.has_stop:
                self._end("left the queue", by="person")
                raise Interrupted(f"left the queue; nothing was started (run {self._request.run_id})")
            self._signals.take_others()
            if self._stopped_by:
                self._end(f"stopped in the queue by {self._stopped_by}", by="person")
                return admission, None
            before, now = now, time.monotonic()
            end += now - before if self._recorder.run.held else 0.0
            if admission.is_final:
                self._end(f"not started: {refusal_text(admission)}", by="governor")
                raise refusal(admission)
            if now >= end:
                self._end(f"waited {_words(wait_s)}: {refusal_text(admission)}", by="governor")
                raise refusal(admission, wait_s)
            mark = self._desk.changed()
            is_due = self._is_released or now - looked >= LOOK_EVERY_S
            if not is_due and (mark == seen or not self._desk.is_near()):
                continue
            seen, looked, self._is_released = mark, now, False
            admission, lease = self._ask()
            if lease is not None:
                return admission, lease
            self._tell(admission)

    def _ask(self) -> tuple[Admission, HeldLease | None]:
        """The desk's verdict; where it cannot be asked, as when another backprop stands on its lock, a no for now."""
        try:
            self._desk.queue(self._request, held=self._recorder.run.held)
            found = self._desk.try_start(self._request)
        except (StoreError, OSError) as error:
            if self._shut is None:
                words = error.message if isinstance(error, StoreError) else str(error)
                decision = Decision(rule="desk", ok=False, text=f"cannot ask whether it may start: {words}")
                self._shut = Admission(admitted=False, decisions=(decision,))
                self._recorder.warn(decision.text)
            return self._shut, None
        self._shut = None
        return found

    def _tell(self, admission: Admission) -> None:
        """Into the record: what keeps it waiting, each time that this changes, and figures now and then."""
        now = time.monotonic()
        rules = frozenset(decision.rule for decision in admission.refusals)
        place = "".join(decision.text for decision in admission.decisions if decision.rule == "queue")
        reason, is_new = waiting_reason(admission), rules != self._rules
        is_old_news = now - self._told < TELL_EVERY_S or reason == self._recorder.run.reason
        if not is_new and place == self._place and is_old_news:
            return
        self._rules, self._place, self._told = rules, place, now
        if is_new:
            for decision in admission.refusals:
                self._recorder.event("decision", **decision.plain())
        self._recorder.amend(reason=reason)
        self._recorder.amend_slice(reason=reason)
        self._recorder.flush(force=True)
        self._recorder.publish_now()
        if is_new:
            self._observer.queued(self._recorder.run, admission)

    def _act(self, request: requests.Request) -> tuple[bool, str]:
        match request.verb:
            case "stop":
                self._stopped_by = request.who
                return True, "left the queue"
            case "hold":
                self._hold(request.who)
                return True, "it keeps its place and waits until it is released"
            case "release":
                was = self._recorder.run.held
                self._hold("")
                return bool(was), "released: it starts when it is its turn" if was else "nobody holds it"
        return False, "it waits in the queue; only stop, hold and release are possible"

    def _hold(self, who: str) -> None:
        self._desk.hold(who)
        self._is_released = True
        if self._recorder.run.held != who:
            self._recorder.amend(held=who)
            self._recorder.event("held", by=who)

    def _end(self, text: str, *, by: str) -> None:
        code = "person" if by == "person" else "waiting"
        self._recorder.change(RunState.STOPPED, Reason(code=code, text=text, by=by), ended=round(time.time(), 3))
        self._recorder.close()


def _words(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"
