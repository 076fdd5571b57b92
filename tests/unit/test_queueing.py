"""Waiting for the Governor's yes while the desk cannot be asked."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.config.settings import SETTINGS
from backprop_tui.errors import EngineError, Interrupted
from backprop_tui.files import FileLock
from backprop_tui.model.run import Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store import requests
from backprop_tui.store.folder import RunFolder
from backprop_tui.store.home import Home
from backprop_tui.supervisor import queueing
from backprop_tui.supervisor.case import Case
from backprop_tui.supervisor.chain import Chain
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.guard import Guard
from backprop_tui.supervisor.observer import Observer
from backprop_tui.supervisor.publish import Publisher
from backprop_tui.supervisor.queueing import Queue
from backprop_tui.supervisor.recorder import Recorder
from backprop_tui.supervisor.session import Enrolled
from backprop_tui.supervisor.signals import SignalBox
from backprop_tui.supervisor.station import Station
from backprop_tui.supervisor.supervised import SupervisedSlice
from tests.unit.test_admission_desk import a_desk, wants


def settings_of() -> dict[str, SettingValue]:
    return {setting.key: SettingValue(value=setting.default, origin="default") for setting in SETTINGS}


class Teller(Observer):
    """Does something once the run waits."""

    def __init__(self, then: Any) -> None:
        self._then = then
        self.told = 0

    def queued(self, run: Run, admission: Any) -> None:
        self.told += 1
        if self.told == 1:
            self._then()


class Waiting:
    """A run in the queue at a desk whose lock somebody has."""

    def __init__(self, folder: Path) -> None:
        self.home = home = Home(str(folder / "home"))
        home.ensure()
        self.folder: RunFolder = home.new_run("r1")
        self.spec = SliceSpec(
            run_id="r1", n=1, created=0, command=("x",), is_command=True, cwd=str(folder), interpreter=None,
            interpreter_origin="", framework="unknown", declared_flags=(), settings=settings_of(), env={}, recorded_env={},
        )  # fmt: skip
        run = Run(id="r1", state=RunState.QUEUED, created=0, updated=0, slices=(Slice(n=1, state=RunState.QUEUED, started=0, box_s=60),))  # fmt: skip
        self.recorder = Recorder(self.folder, run, self.spec, Publisher(home, self.folder, self.spec, -1.0), Clock())
        self.desk = a_desk(folder)
        self.lock = FileLock(str(folder / "adm" / "admission.lock"))
        assert self.lock.try_acquire()
        self.signals = SignalBox()

    def queue(self, then: Any) -> Queue:
        return Queue(self.desk, self.recorder, self.folder, wants("r1"), self.signals, Teller(then))


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    monkeypatch.setattr(queueing, "LOCK_WAIT_S", 0.01)
    monkeypatch.setattr(queueing, "LOOK_EVERY_S", 0.01)
    made = Waiting(tmp_path)
    yield made
    made.signals.close()
    made.lock.release()


def test_a_desk_that_somebody_stands_on_is_asked_again(waiting: Waiting) -> None:
    _admission, lease = waiting.queue(waiting.lock.release).wait(60)
    assert lease is not None
    assert waiting.desk.lock_wait_s > 1
    assert "cannot ask whether it may start" in waiting.recorder.run.warnings[0]
    assert len(waiting.recorder.run.warnings) == 1
    lease.drop()


def test_a_person_may_stop_it_meanwhile(waiting: Waiting) -> None:
    def ask() -> None:
        requests.post(waiting.folder, "stop", args={}, who="anna", slice_n=1)

    _admission, lease = waiting.queue(ask).wait(60)
    assert lease is None
    assert waiting.recorder.run.state is RunState.STOPPED


def test_a_signal_ends_the_wait_meanwhile(waiting: Waiting) -> None:
    with pytest.raises(Interrupted):
        waiting.queue(lambda: os.kill(os.getpid(), signal.SIGTERM)).wait(60)
    assert waiting.recorder.run.state is RunState.STOPPED


def test_a_guard_that_cannot_be_started_is_an_end(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.lock.release()
    admission, lease = waiting.desk.try_start(wants("r1"))
    assert lease is not None

    def fails(_orders: object) -> object:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(Guard, "start", fails)
    lock = FileLock(waiting.folder.file("lock"))
    assert lock.try_acquire()
    case = Case(folder=waiting.folder, spec=waiting.spec, recorder=waiting.recorder, signals=waiting.signals, lease=lease, lock=lock)  # fmt: skip
    station = Station(waiting.home, waiting.desk, Observer(), Clock(), waiting.signals)
    with pytest.raises(EngineError, match="no more processes"):
        SupervisedSlice(station, case).run(admission)
    run = waiting.folder.read_run()
    assert (run.state, run.goes_on) == (RunState.FAILED, False)
    assert lease.is_dropped
    lock.release()


def test_a_slice_that_an_error_keeps_in_the_queue_has_an_end(waiting: Waiting) -> None:
    chain: Any = Chain.__new__(Chain)
    chain._clock = Clock()
    waiting.recorder.follows = lambda _run: True
    lock: Any = None
    chain._end(Enrolled(folder=waiting.folder, spec=waiting.spec, recorder=waiting.recorder, lock=lock), OSError("why"))
    run = waiting.folder.read_run()
    assert (run.state, run.goes_on) == (RunState.STOPPED, False)
    assert run.reason is not None
    assert run.reason.text == "not started: why"
