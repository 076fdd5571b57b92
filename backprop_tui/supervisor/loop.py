"""Supervises one slice from the first byte it prints until nothing of it is left."""

from __future__ import annotations

import select
import signal

from backprop_tui.model.run import Reason
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.descent import act_on
from backprop_tui.supervisor.outcome import ended_on_request
from backprop_tui.supervisor.requested import carry_out, go_on, nothing_follows, pause
from backprop_tui.supervisor.signals import STOP_SIGNALS, Echo
from backprop_tui.supervisor.stopping import TERM_S, Act, Rung, StopLadder, announcement
from backprop_tui.supervisor.timebox import in_minutes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.engines.base import Exit
    from backprop_tui.store.requests import Request
    from backprop_tui.supervisor.parts import Parts

TURN_S = 0.1
TREE_EVERY_S = 2.0
CHUNK = 256 * 1024
CHUNKS_A_TURN = 2
"""More output than this waits for the next turn, so that a flood delays no deadline."""
ROOM_WAIT_S = 3600.0
LEFTOVER_GRACE_S = 2.0
"""Helpers that outlive the script get this long to end by themselves, then SIGTERM."""


class Supervision:
    """One slice: reads, records, watches the box, and stops what has to stop."""

    def __init__(self, parts: Parts, *, grace_s: float, stop_signal: int) -> None:
        self._p = parts
        self._grace_s = grace_s
        self._stop_signal = stop_signal
        self._cause: Reason | None = None
        self._ladder: StopLadder | None = None
        self._exit: Exit | None = None
        self._tree_due = parts.clock.monotonic() + TREE_EVERY_S
        self._survivors = 0
        self._read_all = False
        self._has_read = False
        self._person_asked = False
        self._has_killed = False
        self._echo = Echo()
        self._asked_wait_s: float | None = None

    def run(self) -> None:
        """Until the tree is gone and the record is complete."""
        poll = select.poll()
        poll.register(self._p.signals.fileno(), select.POLLIN)
        while not self.turn():
            poll.poll(self._wait_ms())
        self._p.farewell()
        for overseer in self._p.overseers:
            overseer.ended()
        self._finish()

    def turn(self) -> bool:
        """One turn of the loop; True when nothing of the slice is left."""
        p = self._p
        if self._exit is None:
            self._exit = p.engine.poll_exit()
            if self._exit is not None:
                self._note_exit()
        now = p.clock.monotonic()
        if self._ladder is None and self._exit is None and p.box.left_s(now) <= 0:
            text = f"the time box of {in_minutes(p.box.limit_s)} ended"
            self.stop(Reason(code="timebox", text=text, by="timebox"))
        if p.recorder.is_disowned:
            self.stop(Reason(code="disowned", text="another supervisor has taken the run over", by="box"))
        self._take_signals()
        p.inbox.handle(self._act)
        self._read_output()
        if self._has_read:
            p.outputs.look_soon()
        now = p.clock.monotonic()
        gone = self._climb(now)
        if now >= self._tree_due:
            self._look_after(now)
        self._hear_overseers(now)
        p.recorder.judge()
        p.recorder.flush()
        p.recorder.publish_progress()
        left_s = p.box.left_s(now) if self._ladder is None else self._ladder.grace_left_s(now)
        self._asked_wait_s = p.observer.turned(p.recorder.run, left_s)
        return gone

    def stop(self, cause: Reason, *, force: bool = False) -> None:
        """Begin the stop ladder, once; the first cause counts. `force` skips to SIGKILL."""
        p = self._p
        if self._ladder is not None:
            if force:
                self._ladder.force()
            return
        if self._exit is not None:
            return  # it has ended by itself in this very turn
        now = p.clock.monotonic()
        if not force:
            p.outputs.glance()
        writing = not force and p.recorder.book.is_writing(p.clock.epoch())
        self._cause = cause
        self._ladder = StopLadder(grace_s=self._grace_s, now=now, writing=writing, force=force)
        # The signal goes out before anything is written: its moment is what the deadline promises.
        self._climb(now)
        p.box.resume(now)
        if p.recorder.run.state is not RunState.STOPPING:
            p.recorder.change(RunState.STOPPING, cause)
        name = signal.Signals(self._stop_signal).name
        p.observer.said(announcement(cause, name, self._grace_s, force=force, writing=writing))

    def _hear_overseers(self, now: float) -> None:
        for overseer in self._p.overseers:
            if self._ladder is not None or self._exit is not None:
                return
            order = overseer.look(now)
            if order is None:
                continue
            if order.verb == "stop" and order.reason is not None:
                self.stop(order.reason)
            elif order.verb == "pause" and order.reason is not None:
                pause(self._p, order.reason, has_ended=False)
            elif order.verb == "continue":
                go_on(self._p, by="governor")

    def _stop_for_person(self, text: str, *, force: bool = False) -> bool:
        """A person's first request is graceful, the second kills; returns whether this one does."""
        force = force or self._person_asked
        self._person_asked = True
        nothing_follows(self._p.recorder)  # also where it was stopping already
        self.stop(Reason(code="person", text=text, by="person"), force=force)
        return force

    def _wait_ms(self) -> float:
        p = self._p
        if not self._read_all and not p.recorder.is_blocked:
            return 0
        now = p.clock.monotonic()
        wait_s = TURN_S
        if self._ladder is None and (ends := p.box.ends_at(now)) is not None:
            wait_s = min(wait_s, max(0.0, ends - now))
        if self._asked_wait_s is not None:
            wait_s = min(wait_s, self._asked_wait_s)
        return wait_s * 1000

    def _take_signals(self) -> None:
        for number in self._p.signals.take():
            if number in STOP_SIGNALS:
                name = signal.Signals(number).name
                if self._echo.is_of(number, self._p.clock.monotonic()):
                    continue
                by = "ctrl-c" if number == signal.SIGINT else f"{name} to backprop"
                self._stop_for_person(f"stopped by {by}")
            elif number == signal.SIGTSTP:
                # Without its supervisor the training would go on without limits.
                self._p.observer.said("ctrl-z does nothing here; backprop pause lets the training stand still")
            elif number == signal.SIGHUP:
                self._p.recorder.event("hangup", text="the terminal is gone; supervision goes on")

    def _act(self, request: Request) -> tuple[bool, str]:
        if request.verb == "stop":
            force = self._stop_for_person(f"stopped by {request.who}", force=bool(request.args.get("force")))
            return True, "killing" if force else f"stopping, up to {self._grace_s:g} s to save and end"
        return carry_out(self._p, request, is_stopping=self._ladder is not None, has_ended=self._exit is not None)

    def _read_output(self) -> None:
        p = self._p
        self._read_all = False
        for _ in range(CHUNKS_A_TURN):
            if p.recorder.is_blocked:
                return
            data = p.engine.read(CHUNK)
            if data:
                p.intake.feed(p.splitter.feed(data))
                p.intake.read_to(p.engine.offset - p.splitter.pending)
                self._has_read = True
            if len(data) < CHUNK:
                self._read_all = True
                if not data and self._has_read:
                    self._has_read = False
                    p.intake.rest(p.splitter.open_line)
                return

    def _note_exit(self) -> None:
        if self._p.tree.is_surely_empty():
            return
        if self._ladder is None:
            # The script has ended by itself; helpers that it left behind must not go on unsupervised.
            now = self._p.clock.monotonic()
            self._ladder = StopLadder(grace_s=LEFTOVER_GRACE_S, now=now, writing=False, is_quiet=True)
        elif self._ladder.rung is Rung.GRACE and self._cause is not None:
            self._p.tree.pass_on(self._stop_signal)

    def _climb(self, now: float) -> bool:
        if self._ladder is None:
            return self._exit is not None
        p = self._p
        growing = self._cause is not None and p.recorder.book.is_writing(p.clock.epoch())
        act = self._ladder.step(now, alive=self._is_alive(), growing=growing)
        if act is Act.GIVE_UP:
            self._survivors = len(p.tree.scan_thoroughly())
        elif act is not None and (name := act_on(p.tree, act, self._stop_signal)):
            p.recorder.event("signal", signal=name, rung=self._ladder.rung.name.lower())
            self._say_escalation(act)
        return self._ladder.rung is Rung.DONE

    def _say_escalation(self, act: Act) -> None:
        if act is Act.TERM:
            self._p.observer.said(f"it has not ended: SIGTERM sent, SIGKILL follows in {TERM_S:g} s")
        elif act is Act.KILL and not self._has_killed:
            self._has_killed = True
            self._p.observer.said("SIGKILL sent")

    def _is_alive(self) -> bool:
        tree = self._p.tree
        tree.reap_orphans()
        if self._exit is None:
            return True
        if tree.is_surely_empty() and self._cause is None:
            return False
        return bool(tree.scan() or tree.scan_thoroughly())

    def _look_after(self, now: float) -> None:
        p = self._p
        self._tree_due = now + TREE_EVERY_S
        p.tree.reap_orphans()
        p.tree.measure(now)
        p.housekeeping()
        p.outputs.look()
        p.continuity.look()
        p.recorder.amend(resources=p.tree.resources)
        p.recorder.amend_slice(**p.box.clocks(now))
        if p.advising is not None:
            p.advising.look()

    def _finish(self) -> None:
        p = self._p
        now = p.clock.monotonic()
        self._read_rest()
        if p.recorder.is_blocked:
            self._wait_for_room()  # what the rest of the output means decides how the slice ended
        p.outputs.look_once_more(is_cut=self._exit is None or self._exit.code != 0)
        p.recorder.judge(final=True)
        p.continuity.look(final=True)
        if p.advising is not None:
            p.advising.conclude()
        leader = self._exit
        state, reason = self._result()
        if p.splitter.truncated:
            p.recorder.warn(f"{p.splitter.truncated} over-long lines of output were only read in part")
        p.recorder.amend(training=None)
        p.recorder.change(
            state,
            reason,
            ended=round(p.clock.epoch(), 3),
            **p.box.clocks(now),
            exit_code=leader.code if leader else None,
            exit_signal=leader.signal if leader else None,
            log_end=p.engine.offset,
            forced=self._ladder is not None and self._ladder.was_forced,
            survivors=self._survivors,
        )
        if not (p.recorder.is_complete and self._read_all):
            self._wait_for_room()

    def _result(self) -> tuple[RunState, Reason | None]:
        """How the slice ended."""
        p, leader = self._p, self._exit
        if self._cause is not None:
            return ended_on_request(self._cause), self._cause
        if leader is None:  # a survivor in an uninterruptible call
            return RunState.FAILED, None
        newest = p.recorder.run.slice
        return p.ended(leader, newest.last_loss if newest else None)

    def _wait_for_room(self) -> None:
        """The record must not stay behind: it is tried again until it is whole, or a person gives up."""
        p = self._p
        p.observer.said("the record could not be written to its end (is the disk full?); trying again, ctrl-c gives up")
        poll = select.poll()
        poll.register(p.signals.fileno(), select.POLLIN)
        end = p.clock.monotonic() + ROOM_WAIT_S
        while not (p.recorder.is_complete and self._read_all) and p.clock.monotonic() < end:
            poll.poll(1000)
            if STOP_SIGNALS.intersection(p.signals.take()):
                nothing_follows(p.recorder)
                return
            p.recorder.flush(force=True)
            if not p.recorder.is_blocked:  # what lies in the log was not read while there was no room for it
                self._read_rest()
                p.recorder.amend_slice(log_end=p.engine.offset)
                p.recorder.flush(force=True)
        p.recorder.publish_now()

    def _read_rest(self) -> None:
        """The output to its end, or until there is no room for what it means."""
        p = self._p
        self._read_all = False
        for _ in range(1_000_000):
            self._read_output()
            p.recorder.flush()
            if self._read_all or p.recorder.is_blocked:
                break
        if self._read_all:
            p.intake.feed(p.splitter.flush())
            p.intake.rest()
            p.intake.read_to(p.engine.offset)
