"""What takes up a run whose supervisor is gone, how, and what only looks."""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
import signal

import pytest

from backprop_tui.control.taking_up import take_up
from backprop_tui.store.home import Home
from tests.box import ROOT, Box, is_running, script
from tests.process.test_going_on import kill_supervisor, start, supervisor_of
from tests.stand_ins.waiting import wait_until

ASKERS = [
    ("pause", "r1"),
    ("hold", "r1"),
    ("extend", "r1", "5"),
    ("why", "r1"),
    ("show", "r1"),
    ("logs", "r1"),
    ("stop", "--dry-run", "r1"),
    ("stop", "other"),
    ("rm", "--dry-run", "r1"),
    ("list", "--refs"),
    ("run", "--dry-run", "one.py"),
]
ASKS = "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTHONPATH"


def told(box: Box) -> list[list[str | None]]:
    """What each start of the script found in its environment."""
    path = box.work / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_it_goes_on_in_the_environment_that_it_was_started_in(box: Box) -> None:
    (box.work / "lib").mkdir()
    (box.work / "lib" / "needed_here.py").write_text("")
    (box.work / "needs.py").write_text(
        "import json, os, time\n"
        "import needed_here\n"
        f"print(json.dumps([os.environ.get(name) for name in {ASKS}]), file=open('told', 'a'), flush=True)\n"
        "time.sleep(600)\n"
    )
    env = {"PYTHONPATH": f"{ROOT}:{box.work}/lib", "CUDA_VISIBLE_DEVICES": "3"}
    box.run("run", "-d", "needs.py", "--total", "1h", "--run-id", "r1", "--grace", "1s", env=env)
    wait_until(lambda: len(told(box)) == 1)
    kill_supervisor(box, "r1")
    done = box.run("list", env={"OMP_NUM_THREADS": "7", "CUDA_VISIBLE_DEVICES": "0"})
    assert "taken up again" in done.stderr
    wait_until(lambda: len(told(box)) == 2 or box.state("r1")["state"] == "failed")
    assert told(box) == [["3", None, env["PYTHONPATH"]]] * 2
    first, second = (json.loads((box.home / "runs" / "r1" / f"spec-{n}.json").read_text()) for n in (1, 2))
    assert second["recorded_env"] == first["recorded_env"]


def lose(box: Box) -> None:
    """A run that was to go on by itself and has lost its supervisor."""
    start(box, "r1", "--total", "1h", "-m", "1h")
    box.wait_for_step("r1", 12)
    kill_supervisor(box, "r1")


def test_what_only_asks_or_ends_takes_nothing_up(box: Box) -> None:
    (box.work / "one.py").write_text("")
    box.run("run", "--run-id", "other", "one.py")
    lose(box)
    for words in ASKERS:
        done = box.run(*words, code=None)
        assert "taken up" not in done.stderr, words
        state = box.state("r1")
        assert (state["state"], state["goes_on"]) == ("lost", True), words
        assert len(state["slices"]) == 1
    assert "there is nobody to pause it" in box.run("pause", "r1", code=None).stderr
    assert "taken up again" in box.run("status", "r1").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stop", "r1"), "it does not go on by itself: stopped by"),
        (("stop", "--all"), "it does not go on by itself: stopped by"),
        (("rm", "--yes", "r1"), "archived; it does not go on by itself any more"),
        (("rm", "--yes", "--purge", "r1"), "deleted"),
    ],
)
def test_what_ends_a_lost_run_ends_it_for_good(box: Box, words: tuple[str, ...], said: str) -> None:
    lose(box)
    assert said in box.run(*words).stdout
    assert not box.state("r1").get("goes_on", False)
    assert "r1" not in box.run("list").stderr
    assert len(box.state("r1").get("slices", "1")) == 1


def test_it_waits_for_a_disk_that_is_not_there_yet(box: Box) -> None:
    disk, away = box.work / "disk", box.work / "away"
    disk.mkdir()
    shutil.copy(script("metrics.py"), disk / "train.py")
    box.run("run", "-d", "train.py", "--total", "1h", "--run-id", "r1", cwd=disk)
    box.wait_for_step("r1", 12)
    kill_supervisor(box, "r1")
    disk.rename(away)
    assert f'r1 is to go on by itself and waits: "{disk}" is not there' in box.run("list").stderr
    assert box.run("list").stderr == "", "it is said once"
    assert box.state("r1")["goes_on"]
    away.rename(disk)
    assert "taken up again" in box.run("list").stderr


@pytest.mark.parametrize(
    "where", ["backprop_tui.supervisor.spawn.os.posix_spawn", "backprop_tui.control.taking_up.plan_resume"]
)
def test_an_error_of_the_system_leaves_the_run_owed(box: Box, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    lose(box)
    box.run("show", "r1")

    def fails(*_: object, **__: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(where, fails)
    gc.collect()
    before = os.listdir("/proc/self/fd")
    (said,) = take_up(Home(str(box.home)), ["r1"])
    assert "could not be taken up" in said
    assert "no more processes" in said
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert box.state("r1")["goes_on"]


def test_one_whose_supervisor_is_killed_while_it_stops_does_not_come_back(box: Box) -> None:
    box.run(
        "run", "-d", script("metrics.py"), "--total", "1h", "--run-id", "r1", "--grace", "60s", "--", "--ignore-signals"
    )  # fmt: skip
    box.wait_for_step("r1", 12)
    stop = box.start("stop", "r1")
    box.wait_for("r1", "stopping")
    assert stop.stderr is not None
    assert "stopping, up to" in stop.stderr.readline()
    training = box.state("r1")["training"]["pid"]
    os.kill(supervisor_of(box, "r1"), signal.SIGKILL)
    os.kill(training, signal.SIGKILL)
    wait_until(lambda: not is_running(training))
    stop.wait(60)
    assert not box.state("r1")["goes_on"]
    assert "taken up" not in box.run("list").stderr
