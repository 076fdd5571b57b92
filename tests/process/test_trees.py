"""Trainings of several processes are stopped, paused and reaped whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.box import Box, is_running, script
from tests.process.test_torch import python_with_torch
from tests.requirements import require
from tests.stand_ins.waiting import wait_until


def python_with_accelerate() -> str:
    """An interpreter that has Accelerate."""
    found = os.environ.get("BACKPROP_TEST_FRAMEWORKS_PYTHON", "")
    for python in (sys.executable, found):
        if (
            python
            and not subprocess.run([python, "-c", "import accelerate"], capture_output=True, check=False).returncode
        ):
            return python
    require(
        "frameworks", False, "Accelerate is not installed (BACKPROP_TEST_FRAMEWORKS_PYTHON can name an interpreter)"
    )
    raise AssertionError


def launcher(box: Box, *, in_session: bool) -> list[str]:
    """A program that starts the script and waits for it, without a thought for signals."""
    path = box.work / "launch.py"
    path.write_text(
        "import subprocess, sys\n"
        f"sys.exit(subprocess.Popen([sys.executable, *sys.argv[1:]], start_new_session={in_session}).wait())\n"
    )
    return [sys.executable, str(path)]


def stands_still(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def pids_in(path: Path, count: int) -> list[int]:
    wait_until(lambda: path.exists() and len(path.read_text().split()) >= count)
    return [int(word) for word in path.read_text().split()]


def check_whole(box: Box, words: list[str], count: int) -> dict[str, Any]:
    """A command whose workers note themselves in the file `pids`: paused, continued and stopped with them."""
    box.run("run", "-d", "--run-id", "r", "--", *words, str(box.work / "pids"))
    box.wait_for_step("r", 3)
    everyone = [*pids_in(box.work / "pids", count), box.state("r")["training"]["pid"]]
    box.run("pause", "r")
    wait_until(lambda: all(map(stands_still, everyone)))
    step = box.state("r")["step"]
    box.run("continue", "r")
    box.wait_for_step("r", step + 3)
    box.run("stop", "r")
    state = box.state("r")
    assert (state["slices"][0]["forced"], state["slices"][0]["survivors"]) == (False, 0)
    assert not any(map(is_running, everyone))
    return state


@pytest.mark.parametrize("in_session", [False, True])
def test_a_launcher_and_its_worker(box: Box, in_session: bool) -> None:
    words = [*launcher(box, in_session=in_session), script("prints_pid.py")]
    state = check_whole(box, words, 1)
    sent = [event["signal"] for event in box.lines("r", "events.jsonl") if event["event"] == "signal"]
    assert sent == ["SIGINT"], "the worker in a session of its own was not waited for in vain"
    assert state["slices"][0]["exit_signal"] == signal.SIGINT


def test_a_worker_in_its_own_session_is_told_when_the_supervisor_is_killed(box: Box) -> None:
    words = [*launcher(box, in_session=True), script("prints_pid.py"), str(box.work / "pids")]
    box.run("run", "-d", "--run-id", "r", "--grace", "20m", "--", *words)
    box.wait_for_step("r", 3)
    (worker,) = pids_in(box.work / "pids", 1)
    state = box.state("r")
    os.kill(state["owner"]["process"]["pid"], signal.SIGKILL)
    wait_until(lambda: not is_running(worker) and not is_running(state["training"]["pid"]))
    wait_until(lambda: box.json("list")[0]["state"] == "lost")


@pytest.mark.torch
def test_a_data_loader_s_workers(box: Box) -> None:
    state = check_whole(box, [python_with_torch(), script("data_workers.py")], 2)
    assert state["slices"][0]["exit_signal"] == 2


@pytest.mark.torch
def test_accelerate_launch(box: Box) -> None:
    """SIGINT to the launcher alone would leave the training behind."""
    words = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1", "--num_machines", "1"]
    check_whole(box, [python_with_accelerate(), *words, script("prints_pid.py")], 1)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_training_behind_a_shell_with_a_trap_saves(box: Box, name: str) -> None:
    """The shell waits for its training before it does anything about the signal."""
    (box.work / "saver.py").write_text(
        "import signal, sys, time\n"
        "def save(*_):\n"
        "    open('saved', 'w').close()\n"
        "    sys.exit(0)\n"
        f"signal.signal(signal.{name}, save)\n"
        "for step in range(100_000):\n"
        '    print(\'{"step": %d, "loss": 1}\' % step, flush=True)\n'
        "    time.sleep(0.05)\n"
    )
    (box.work / "train.sh").write_text(f"trap 'echo told' {name.removeprefix('SIG')}\n'{sys.executable}' saver.py\n")
    box.run("run", "-d", "--run-id", "r", "--stop-signal", name, "--grace", "20m", "--", "bash", "train.sh")
    box.wait_for_step("r", 3)
    box.run("stop", "r")
    assert (box.work / "saved").exists()
    assert box.state("r")["slices"][0]["forced"] is False
