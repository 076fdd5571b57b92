"""Hooks that are still running when something goes wrong with them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.model.run import Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.store.home import Home
from backprop_tui.supervisor import hooks
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.hooks import Hooks
from backprop_tui.supervisor.publish import Publisher
from backprop_tui.supervisor.recorder import Recorder
from tests.box import is_running
from tests.stand_ins.waiting import wait_until


@pytest.fixture
def made(tmp_path: Path) -> Hooks:
    home = Home(str(tmp_path / "home"))
    home.ensure()
    folder = home.new_run("r1")
    spec = SliceSpec(
        run_id="r1", n=1, created=0, command=("x",), is_command=True, cwd=str(tmp_path), interpreter=None,
        interpreter_origin="", framework="unknown", declared_flags=(), env={}, recorded_env={},
        settings={"hooks.start": SettingValue(value="sleep 1000 & echo $! $$ > pids; wait", origin="flag")},
    )  # fmt: skip
    piece = Slice(n=1, state=RunState.RUNNING, started=0, box_s=60)
    run = Run(id="r1", state=RunState.RUNNING, created=0, updated=0, slices=(piece,))
    recorder = Recorder(folder, run, spec, Publisher(home, folder, spec, -1.0), Clock())
    return Hooks(spec, folder, recorder, None, Clock(), lambda _text: None)


def pids(tmp_path: Path) -> list[int]:
    path = tmp_path / "pids"
    wait_until(lambda: path.exists() and len(path.read_text().split()) == 2)
    return [int(word) for word in path.read_text().split()]


def test_after_a_fault_they_are_held_to_their_time_and_reaped(
    made: Hooks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.look(time.monotonic())
    found = pids(tmp_path)
    broken: Any = made
    broken._has_failed = True
    monkeypatch.setattr(hooks, "LIMIT_S", 0.0)

    def is_over() -> bool:
        made.look(time.monotonic())
        return not any(os.path.exists(f"/proc/{pid}") for pid in found[1:])

    wait_until(is_over)
    wait_until(lambda: not any(map(is_running, found)))


def test_one_that_cannot_be_killed_is_not_waited_for(
    made: Hooks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.look(time.monotonic())
    found = pids(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(hooks, "_kill", lambda _group: None)  # as if in a call that nothing interrupts
        patched.setattr(hooks, "_GONE_S", 0.0)
        made.finish(lambda: True)
    assert all(map(is_running, found))
    os.killpg(found[1], 9)
    os.waitpid(found[1], 0)
