"""A supervisor that is killed: its training is stopped gracefully, the run reads lost, and resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.box import SCRIPTS, Box, is_running, script
from tests.stand_ins.waiting import wait_until


def kill_supervisor(box: Box, run_id: str) -> int:
    state = box.state(run_id)
    os.kill(state["owner"]["process"]["pid"], signal.SIGKILL)
    return int(state["training"]["pid"])


def check_lost(box: Box, run_id: str) -> dict[str, object]:
    assert box.json("list")[0]["state"] == "lost"
    state = box.state(run_id)
    steps = [line["step"] for line in box.lines(run_id, "metrics.jsonl")]
    assert steps == list(range(1, len(steps) + 1)), "a metric line was lost or doubled"
    assert state["metric_lines"] == len(steps)
    assert state["checkpoints"][-1]["step"] == state["step"] == steps[-1]
    assert state["checkpoints"][-1]["good"] is True
    assert box.experiments()[run_id]["status"] == "stopped"
    return state


@pytest.mark.parametrize("paused", [False, True])
def test_guard_stops_the_training_gracefully(box: Box, paused: bool) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    if paused:
        box.run("pause", run_id)
    training = kill_supervisor(box, run_id)
    wait_until(lambda: not is_running(training))
    state = check_lost(box, run_id)
    assert "SIGINT" in state["reason"]["text"]  # type: ignore[index]
    resumed = box.json("resume", run_id, "-m", "1s")
    assert resumed["slices"][1]["first_step"] == state["step"] + 1  # type: ignore[operator]


def test_behind_a_shell_script(box: Box) -> None:
    run_id = box.run(
        "run", "-d", "--", "bash", str(SCRIPTS / "shell_train.sh"), env={"PYTHON": sys.executable}
    ).stdout.strip()
    box.wait_for_step(run_id, 5)
    training = kill_supervisor(box, run_id)
    wait_until(lambda: not is_running(training))
    check_lost(box, run_id)


def test_stubborn_tree_is_gone(box: Box) -> None:
    pids = box.work / "pids"
    run_id = box.run("run", "-d", script("stubborn.py"), "--grace", "0.5s", "--", str(pids)).stdout.strip()
    box.wait_for_step(run_id, 1)
    kill_supervisor(box, run_id)
    numbers = [int(line) for line in pids.read_text().split()]
    wait_until(lambda: not any(map(is_running, numbers)))
    wait_until(lambda: box.json("list")[0]["state"] == "lost")


def test_supervisor_and_guard_killed(box: Box) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    supervisor = box.state(run_id)["owner"]["process"]["pid"]
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    training = box.state(run_id)["training"]["pid"]
    guards = [int(pid) for pid in children if int(pid) != training]
    assert len(guards) == 1
    os.kill(supervisor, signal.SIGSTOP)
    for pid in (*guards, supervisor):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(supervisor))
    assert is_running(training)
    check_lost(box, run_id)
    assert not is_running(training)


def test_a_killed_guard_is_replaced(box: Box) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    supervisor, training = box.state(run_id)["owner"]["process"]["pid"], box.state(run_id)["training"]["pid"]
    listed = Path(f"/proc/{supervisor}/task/{supervisor}/children")
    (guard,) = (int(pid) for pid in listed.read_text().split() if int(pid) != training)
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: any(e["event"] == "guard" for e in box.lines(run_id, "events.jsonl")))
    kill_supervisor(box, run_id)
    wait_until(lambda: not is_running(training))
    check_lost(box, run_id)


def test_foreground_supervisor_killed(box: Box) -> None:
    process = box.start("run", script("metrics.py"), "--run-id", "r1", stdout=-3)
    box.wait_for_step("r1", 5)
    training = box.state("r1")["training"]["pid"]
    process.kill()
    process.communicate()
    wait_until(lambda: not is_running(training))
    check_lost(box, "r1")


def test_reboot_is_recognised(box: Box) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    training = kill_supervisor(box, run_id)
    wait_until(lambda: not is_running(training))
    path = box.home / "runs" / run_id / "state.json"
    state = json.loads(path.read_text())
    state["owner"]["boot_id"] = "another"
    path.write_text(json.dumps(state))
    wait_until(lambda: box.json("list")[0]["state"] == "lost")
    assert "restarted" in box.state(run_id)["reason"]["text"]


def test_runs_of_other_hosts_are_not_judged(box: Box) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    training = kill_supervisor(box, run_id)
    wait_until(lambda: not is_running(training))
    path = box.home / "runs" / run_id / "state.json"
    state = json.loads(path.read_text())
    state["owner"]["host"] = "elsewhere"
    path.write_text(json.dumps(state))
    before = path.read_bytes()
    assert box.json("list")[0]["state"] == "running"
    assert path.read_bytes() == before
    assert "already on elsewhere" in box.run("resume", run_id, code=2).stderr


def test_two_resumes_start_one(box: Box) -> None:
    box.run("run", script("metrics.py"), "--run-id", "r1", "--", "--steps", "20", "--interval", "0")
    both = [box.start("resume", "r1", "--", "--steps", "200", stderr=subprocess.STDOUT) for _ in range(2)]
    box.wait_for_step("r1", 25)
    codes = sorted(process.wait() for process in both)
    assert codes == [0, 2]
    assert [piece["n"] for piece in box.state("r1")["slices"]] == [1, 2]


def test_a_training_that_no_record_names_is_found(box: Box) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    supervisor, training = box.state(run_id)["owner"]["process"]["pid"], box.state(run_id)["training"]["pid"]
    listed = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    os.kill(supervisor, signal.SIGSTOP)
    for pid in (*(int(pid) for pid in listed if int(pid) != training), supervisor):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(supervisor))
    path = box.home / "runs" / run_id / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"training": None, "state": "starting"}))
    assert is_running(training)
    assert box.json("list")[0]["state"] == "lost"
    assert not is_running(training)


def test_a_script_that_takes_no_checkpoint_is_doubted(box: Box) -> None:
    (box.work / "train.py").write_text(
        'open("c.bin", "w").write("x")\nprint(\'{"event": "checkpoint_saved", "path": "c.bin", "step": 5}\')\n'
    )
    box.run("run", "train.py", "--run-id", "r1")
    assert "begins at step 0" in box.run("resume", "r1").stderr
    (box.work / "train.py").write_text("import os; os.environ.get('BACKPROP_RESUME_FROM')")
    assert "begins at step 0" not in box.run("resume", "r1").stderr


def test_a_run_of_the_same_id_in_another_home_is_left_alone(box: Box) -> None:
    other = str(box.work / "other-home")
    command = ("run", "-d", "--run-id", "same", script("stubborn.py"), "--", str(box.work / "pids"))
    box.run(*command)
    box.run(*command, env={"BACKPROP_HOME": other})
    box.wait_for_step("same", 1)
    wait_until(lambda: box.run("status", "same", env={"BACKPROP_HOME": other}).stdout.find("step ") > 0)
    box.run("stop", "--force", "same")
    assert box.state("same")["state"] == "stopped"
    assert " is running" in box.run("status", "same", env={"BACKPROP_HOME": other}).stdout
    box.run("stop", "--force", "same", env={"BACKPROP_HOME": other})
