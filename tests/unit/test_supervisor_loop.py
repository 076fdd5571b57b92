"""Recorded histories of a slice, replayed into the real loop with a manual clock."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.control.lost import _conclude
from backprop_tui.engines.base import Engine, Exit, Launch
from backprop_tui.model.events import Metric
from backprop_tui.model.run import Owner, Process, Resources, Run, Slice
from backprop_tui.model.spec import SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.protocol.lines import LineSplitter
from backprop_tui.protocol.reading import Reading
from backprop_tui.store import requests
from backprop_tui.store.home import Home
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.continuity import Continuity
from backprop_tui.supervisor.inbox import Inbox
from backprop_tui.supervisor.intake import Intake
from backprop_tui.supervisor.logcap import LogCap
from backprop_tui.supervisor.loop import Supervision
from backprop_tui.supervisor.metric_source import PREFERRED_WAIT_S
from backprop_tui.supervisor.observer import Observer
from backprop_tui.supervisor.outputs import Outputs
from backprop_tui.supervisor.parts import Parts
from backprop_tui.supervisor.recorder import Recorder
from backprop_tui.supervisor.timebox import TimeBox


class ManualClock(Clock):
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def epoch(self) -> float:
        return 1_700_000_000 + self.now


class FakeEngine(Engine):
    def __init__(self) -> None:
        self.output, self.at, self.exit = b"", 0, None

    exit: Exit | None

    def start(self, launch: Launch) -> Process:
        raise AssertionError("it runs already")

    def poll_exit(self) -> Exit | None:
        return self.exit

    @property
    def offset(self) -> int:
        return self.at

    def read(self, limit: int) -> bytes:
        data = self.output[self.at : self.at + limit]
        self.at += len(data)
        return data

    can_free = True

    def free(self, start: int, end: int) -> bool:
        if self.can_free:
            self.output = self.output[:start] + bytes(end - start) + self.output[end:]
        return self.can_free

    def close(self) -> None: ...


class FakeTree:
    """A tree of so many processes; `reactions` says what a signal does to it."""

    def __init__(self, engine: FakeEngine, reactions: dict[int, Exit | None]) -> None:
        self.engine, self.reactions = engine, reactions
        self.sent: list[str] = []
        self.helpers = 0
        self.resources, self.runnable = Resources(), 1.0

    def _take(self, number: int) -> None:
        self.sent.append(signal.Signals(number).name)
        if number in self.reactions:
            self.engine.exit = self.reactions[number] or Exit(signal=number)
            self.helpers = 0

    def signal_group(self, number: int) -> None:
        self._take(number)

    def signal_all(self, number: int, members: object) -> None:
        self._take(number)

    def pass_on(self, number: int) -> None:
        self.sent.append("pass on")

    def scan(self) -> list[int]:
        return [1] * (self.helpers + (self.engine.exit is None))

    scan_thoroughly = scan

    def is_surely_empty(self) -> bool:
        return not self.scan()

    def reap_orphans(self) -> None: ...

    def measure(self, now: float) -> None: ...

    def pause(self) -> None:
        self.sent.append("pause")

    def wake(self) -> None:
        self.sent.append("wake")


class FakeSignals:
    def __init__(self) -> None:
        self.arrived: list[int] = []

    def fileno(self) -> int:
        raise AssertionError("nobody waits here")

    def take(self) -> list[int]:
        taken, self.arrived = self.arrived, []
        return taken


class FakePublisher:
    owes = False

    def changed(self, run: Run, now: float) -> list[str]:
        return []

    def progressed(self, run: Run, now: float) -> list[str]:
        return []


class Stage:
    """One running slice with a time box of 600 s and a grace of 30 s."""

    def __init__(self, tmp_path: Path, reactions: dict[int, Exit | None], sources: tuple[str, ...] = ()) -> None:
        """`sources` gave the metrics of the slice before."""
        self.home = home = Home(str(tmp_path / "home"))
        home.ensure()
        self.folder = home.new_run("r1")
        self.clock, self.engine, self.signals = ManualClock(), FakeEngine(), FakeSignals()
        self.tree = FakeTree(self.engine, reactions)
        self.spec = spec = SliceSpec(
            run_id="r1", n=1, created=0, command=("x",), is_command=True, cwd=str(tmp_path), interpreter=None,
            interpreter_origin="", framework="unknown", declared_flags=(), settings={}, env={}, recorded_env={},
        )  # fmt: skip
        piece = Slice(n=1, state=RunState.RUNNING, started=0, box_s=600)
        run = Run(id="r1", state=RunState.RUNNING, created=0, updated=0, slices=(piece,), metric_sources=sources)
        made: Any = FakePublisher()
        self.recorder = Recorder(self.folder, run, spec, made, self.clock)
        tree: Any = self.tree
        signals: Any = self.signals
        self.said_goodbye = False
        self.supervision = Supervision(
            Parts(
                engine=self.engine, tree=tree, recorder=self.recorder, box=TimeBox(600, self.clock.now),
                inbox=Inbox(self.folder, self.recorder, 1), signals=signals, observer=Observer(), clock=self.clock,
                splitter=LineSplitter(), intake=Intake(self.recorder, Reading(), self.clock), outputs=Outputs(spec, self.recorder, self.clock, home=home),
                continuity=Continuity(self.recorder, self.folder.file("metrics.jsonl"), spec),
                housekeeping=lambda: None, farewell=self._farewell,
            ),
            grace_s=30, stop_signal=signal.SIGINT,
        )  # fmt: skip

    def _farewell(self) -> None:
        self.said_goodbye = True

    def turn(self, seconds: float = 0.0) -> bool:
        self.clock.now += seconds
        return self.supervision.turn()

    def ask(self, verb: str, slice_n: int = 1, **args: Any) -> None:
        requests.post(self.folder, verb, args=args, who="somebody", slice_n=slice_n)

    def end(self) -> Run:
        for _ in range(2000):
            if self.turn(0.1):
                self.supervision._finish()
                self.recorder.close()
                return self.recorder.run
        raise AssertionError("it never ended")

    def state(self) -> str:
        return self.recorder.run.state.value

    def answers(self) -> list[tuple[str, bool]]:
        return [(e["text"], e["ok"]) for e in self.folder.events() if e["event"] == "request"]


@pytest.mark.parametrize(
    ("by_itself", "verb", "slice_n", "is_heard"),
    [
        (True, "stop", 1, True),
        (True, "hold", 1, True),
        (True, "release", 1, True),
        (True, "pause", 1, False),
        (True, "stop", 0, False),
        (True, "stop", 3, False),
        (False, "stop", 1, False),
        (False, "stop", 2, True),
    ],
)
def test_what_was_asked_of_the_slice_before_means_the_run(
    tmp_path: Path, by_itself: bool, verb: str, slice_n: int, is_heard: bool
) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.recorder.amend_slice(n=2, by_itself=by_itself)
    stage.ask(verb, slice_n)
    heard: list[str] = []

    def act(request: requests.Request) -> tuple[bool, str]:
        heard.append(request.verb)
        return True, "done"

    Inbox(stage.folder, stage.recorder, 2).handle(act)
    assert heard == ([verb] if is_heard else [])
    assert stage.answers() == [("done", True) if is_heard else (f"expired: it was for slice {slice_n}", False)]


GRACEFUL: dict[int, Exit | None] = {signal.SIGINT: Exit(code=0), signal.SIGKILL: None}
DEAF: dict[int, Exit | None] = {signal.SIGKILL: None}


def test_ends_by_itself(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.engine.output = b'{"step": 1, "loss": 0.5}\n{"step": 2, "lo'
    stage.turn()
    assert (stage.recorder.run.step, stage.recorder.run.output_bytes) == (1, 25)
    stage.engine.output += b'ss": 0.25}\n'
    stage.engine.exit = Exit(code=0)
    run = stage.end()
    assert (run.state, run.step, run.loss, run.metric_lines) == (RunState.COMPLETED, 2, 0.25, 2)
    assert stage.tree.sent == []


def test_time_box_ends_on_time_and_counts_as_such(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.turn(599.99)
    assert stage.tree.sent == []
    stage.turn(0.02)
    assert stage.tree.sent == ["SIGINT", "wake"]
    run = stage.end()
    assert run.state is RunState.TIMEBOXED
    assert run.slice is not None
    assert (run.slice.exit_code, run.slice.forced) == (0, False)


def test_deaf_script_is_killed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, DEAF)
    stage.turn(600)
    run = stage.end()
    assert [name for name in stage.tree.sent if name.startswith("SIG")] == ["SIGINT", "SIGTERM", "SIGKILL"]
    assert run.state is RunState.TIMEBOXED
    assert run.slice is not None
    assert (run.slice.exit_signal, run.slice.forced) == (9, True)


def test_output_after_exit_is_read(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.turn()
    stage.engine.exit = Exit(code=0)
    stage.engine.output = b'{"step": 7, "loss": 1}'
    assert stage.end().step == 7


def test_two_signals_stop_then_kill(tmp_path: Path) -> None:
    stage = Stage(tmp_path, DEAF)
    stage.signals.arrived = [signal.SIGINT]
    stage.turn()
    assert stage.recorder.run.state is RunState.STOPPING
    stage.signals.arrived = [signal.SIGTERM]
    stage.turn()
    run = stage.end()
    assert "SIGKILL" in stage.tree.sent
    assert (run.state, run.reason and run.reason.by) == (RunState.STOPPED, "person")


def test_first_ctrl_c_within_the_boxs_own_stop_does_not_kill(tmp_path: Path) -> None:
    stage = Stage(tmp_path, DEAF)
    stage.turn(600)
    stage.signals.arrived = [signal.SIGINT]
    stage.turn()
    assert "SIGKILL" not in stage.tree.sent
    assert stage.end().state is RunState.TIMEBOXED


def test_hangup_is_noted_only(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.signals.arrived = [signal.SIGHUP]
    stage.turn()
    assert stage.tree.sent == []
    assert any(event["event"] == "hangup" for event in stage.folder.events())


def test_paused_time_does_not_count_and_a_stop_wakes(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.turn(100)
    stage.ask("pause")
    stage.turn()
    assert stage.state() == "paused"
    stage.turn(10_000)
    assert stage.state() == "paused"
    stage.ask("continue")
    stage.turn()
    stage.turn(499)
    assert stage.state() == "running"
    stage.ask("pause")
    stage.turn()
    stage.ask("stop")
    stage.turn()
    run = stage.end()
    assert stage.tree.sent == ["pause", "wake", "pause", "SIGINT", "wake"]
    assert run.state is RunState.STOPPED
    assert run.slice is not None
    assert run.slice.used_s == pytest.approx(599, abs=1)
    assert run.slice.paused_s == pytest.approx(10_000, abs=1)


def test_clocks_are_right_in_the_very_record_of_a_pause_and_of_its_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.turn(100)
    stage.turn(1.5)
    stage.ask("pause")
    stage.turn(0)
    paused = stage.folder.read_run().slice
    assert paused is not None
    assert paused.state is RunState.PAUSED
    assert paused.used_s == pytest.approx(101.5)
    stage.turn(50)
    stage.turn(1.5)
    stage.ask("continue")
    stage.turn(0)
    running = stage.folder.read_run().slice
    assert running is not None
    assert running.state is RunState.RUNNING
    assert running.paused_s == pytest.approx(51.5)


def test_requests_are_answered_in_order(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.ask("extend", seconds=60)
    stage.ask("extend", seconds="soon")
    stage.ask("continue")
    stage.ask("stop", slice_n=7)
    stage.ask("dance")
    (Path(stage.folder.path) / "control" / "9.json").write_text("{")
    stage.turn()
    assert [ok for _text, ok in stage.answers()] == [True, False, False, False, False, False]
    assert stage.answers()[0][0] == "the time box is 11:00 now"
    assert "expired" in stage.answers()[3][0]
    assert stage.recorder.run.state is RunState.RUNNING
    assert not list((Path(stage.folder.path) / "control").iterdir())
    stage.turn(659)
    assert stage.tree.sent == []


@pytest.mark.parametrize("is_blocked", [False, True])
def test_who_gives_up_waiting_for_room_ends_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_blocked: bool
) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.recorder.follows = lambda _run: True
    monkeypatch.setattr(Recorder, "is_complete", property(lambda _self: False))
    monkeypatch.setattr(Recorder, "is_blocked", property(lambda _self: is_blocked))
    reader, writer = os.pipe()
    os.write(writer, b"!")

    def waits() -> int:
        stage.signals.arrived.append(signal.SIGINT)
        return reader

    monkeypatch.setattr(stage.signals, "fileno", waits)
    stage.engine.exit = Exit(code=0)
    try:
        run = stage.end()
    finally:
        os.close(reader)
        os.close(writer)
    assert (run.state, run.goes_on) == (RunState.COMPLETED, False)


def test_helpers_left_behind_are_ended_but_the_result_is_the_scripts(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {signal.SIGTERM: Exit(code=0)})
    stage.tree.helpers = 2
    stage.engine.exit = Exit(code=0)
    run = stage.end()
    assert stage.tree.sent[0] == "SIGTERM"
    assert run.state is RunState.COMPLETED


def test_lines_wait_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backprop_tui import files

    stage = Stage(tmp_path, GRACEFUL)
    real, full = files.write_all, [True]

    def write_all(fd: int, data: bytes) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        real(fd, data)

    monkeypatch.setattr(files, "write_all", write_all)
    stage.engine.output = b'{"step": 1, "loss": 1}\n'
    stage.turn()
    stage.engine.output += b'{"step": 2, "loss": 1}\n'
    stage.turn(1)
    assert stage.recorder.is_blocked
    full[0] = False
    stage.turn(1)
    stage.turn(1)
    stage.engine.exit = Exit(code=0)
    run = stage.end()
    assert [line["step"] for line in stage.folder.metrics()] == [1, 2]
    assert any("No space left" in warning for warning in run.warnings)


def test_output_beyond_its_cap_loses_its_middle(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    cap = 1024 * 1024
    log_cap = LogCap(stage.engine, stage.recorder, cap)
    for n in range(40):
        stage.engine.output += b"%04d\n" % n + (b"y" * 63 + b"\n") * 1024
        while stage.engine.at < len(stage.engine.output):
            stage.turn(0.1)
        log_cap.keep()
        gap = stage.recorder.run.log_gap
        freed = gap.end - gap.start if gap else 0
        assert stage.recorder.run.output_bytes - freed <= cap
        assert stage.engine.output.count(b"\0") == freed
        assert (gap is not None) == (stage.recorder.run.output_bytes > cap)
    assert stage.folder.read_run().log_gap == stage.recorder.run.log_gap
    assert [event["start"] for event in stage.folder.events() if event["event"] == "log_freed"] == [cap // 4]
    assert stage.engine.output.startswith(b"0000\n")
    assert b"0039\n" in stage.engine.output


def test_where_a_middle_cannot_be_freed_that_is_said_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    stage.engine.can_free = False
    log_cap = LogCap(stage.engine, stage.recorder, 65536)
    stage.engine.output = b"y\n" * 300_000
    for _ in range(10):
        stage.turn(0.1)
        log_cap.keep()
    assert stage.recorder.run.log_gap is None
    assert ["cannot free its middle" in warning for warning in stage.recorder.run.warnings] == [True]


def test_a_supervisor_that_was_replaced_stops_its_slice_and_writes_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL)
    mine = Owner(host="a", boot_id="b", process=Process(pid=1, start=1), token="mine", slice=1)
    stage.recorder.amend(owner=mine)
    stage.turn()
    stage.recorder.reread_owner()
    stage.turn(1)
    assert not stage.recorder.is_disowned
    theirs = stage.recorder.run.replace(owner=mine.replace(host="c", token="theirs"))
    stage.folder.write_run(theirs)
    events = stage.folder.events()
    stage.engine.output = b'{"step": 9, "loss": 1}\n'
    stage.turn(1)
    stage.turn(0.1)
    assert stage.tree.sent == ["SIGINT", "wake"]
    stage.end()
    assert stage.folder.read_run() == theirs
    assert stage.folder.events() == events
    assert list(stage.folder.metrics()) == []


@pytest.mark.parametrize("line", [b'{"step": %d, "loss": 0.5}\n', b"step %d: loss 0.5\n"])
@pytest.mark.parametrize("killed", ["while they wait", "before it is recorded that they count", "after that"])
def test_metrics_that_wait_for_files_outlive_their_supervisor(tmp_path: Path, killed: str, line: bytes) -> None:
    stage = Stage(tmp_path, GRACEFUL, ("csv",))
    stage.folder.write_spec(stage.spec)
    state = Path(stage.folder.file("state.json"))
    printed = 0

    def prints(count: int) -> None:
        nonlocal printed
        for _ in range(count):
            printed += 1
            stage.engine.output += line % printed

    for _ in range(3):
        prints(2)
        stage.turn(1)
    assert list(stage.folder.metrics()) == []
    waiting = state.read_bytes()
    if killed != "while they wait":
        prints(2)
        stage.turn(PREFERRED_WAIT_S)
        assert len(list(stage.folder.metrics())) == printed
    if killed == "before it is recorded that they count":
        state.write_bytes(waiting)
    stage.recorder.close()
    prints(2)
    Path(stage.folder.file("output.log")).write_bytes(stage.engine.output)

    _conclude(stage.home, stage.folder, stage.folder.read_run())
    run = stage.folder.read_run()
    assert [line["step"] for line in stage.folder.metrics()] == list(range(1, printed + 1))
    assert (run.state, run.step, run.metric_lines) == (RunState.LOST, printed, printed)
    assert run.output_bytes == len(stage.engine.output)


def test_output_counts_as_read_once_files_have_come(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GRACEFUL, ("csv",))
    stage.engine.output = b'{"step": 1, "loss": 0.5}\n'
    stage.turn(1)
    assert stage.recorder.run.output_bytes == 0
    stage.supervision._p.intake.take_files([Metric(1, {"loss": 0.5})], ("csv",))
    assert stage.recorder.run.output_bytes == len(stage.engine.output)
    stage.engine.output += b'{"step": 2, "loss": 0.5}\n'
    stage.turn(1)
    assert stage.recorder.run.output_bytes == len(stage.engine.output)
    assert len(list(stage.folder.metrics())) == 1
