"""Moments between two steps in which something can go wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backprop_tui.files import FileLock
from backprop_tui.store.home import Home
from backprop_tui.store.index import Index
from backprop_tui.store.sync import sync
from tests.box import ROOT, Box, is_running, script
from tests.stand_ins.waiting import wait_until
from tests.unit.test_store import a_run, a_spec

GUARDED = """
import os, signal, subprocess, sys
from backprop_tui.paths import SLICE_TOKEN
from backprop_tui.supervisor.guard import Guard, GuardOrders
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
orders = GuardOrders(token="t0ken", report_path=sys.argv[2], grace_s=1, stop_signal=2, lock_fd=lock)
guard = Guard.start(orders)
child = None
if sys.argv[3] == "training":
    child = subprocess.Popen(["sleep", "1000"], env={**os.environ, SLICE_TOKEN: "t0ken"}, start_new_session=True)
print(guard.pid, child.pid if child else 0, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("what", ["nothing", "training"])
def test_a_supervisor_killed_before_it_named_its_training(box: Box, what: str) -> None:
    report = box.work / "guard.json"
    done = subprocess.run(
        [sys.executable, "-c", GUARDED, str(box.work / "lock"), str(report), what],
        env=box.env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    guard, training = map(int, done.stdout.split())
    wait_until(lambda: not is_running(guard))
    assert not training or not is_running(training)
    assert report.exists() == (what == "training")


def test_a_log_that_cannot_be_opened_is_a_start_that_failed(box: Box) -> None:
    box.run("run", "-q", "--run-id", "r", "--", "true")
    log = box.home / "runs" / "r" / "output.log"
    log.unlink()
    log.mkdir()
    for detached in ((), ("-d",)):
        done = box.run("resume", "--fresh", *detached, "r", code=1)
        assert "output.log: Is a directory" in done.stderr
        assert box.state("r")["state"] == "failed"
    log.rmdir()
    box.run("resume", "--fresh", "r")
    assert box.state("r")["state"] == "completed"


def test_a_reader_leaves_the_mark_of_a_run_that_somebody_holds(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "home"))
    home.ensure()
    folder = home.new_run("r")
    folder.write_run(a_run("r"))
    folder.write_spec(a_spec("r"))
    index = Index(home, str(tmp_path / "i.sqlite3"))
    with FileLock(folder.file("lock")):
        for _ in range(2):
            sync(home, index)
            assert home.active_ids() == {"r"}
    sync(home, index)
    assert home.active_ids() == set()
    index.close()


def test_a_busy_experiments_file_delays_no_deadline(box: Box) -> None:
    box.run("run", "-q", "--", "true")
    with FileLock(str(box.home / "experiments.lock")):
        process = box.start("run", "-q", "--run-id", "r", "-m", "1s", script("metrics.py"), "--", "--output", "c")
        wait_until(lambda: any(e["event"] == "signal" for e in box.lines("r", "events.jsonl")))
        events = box.lines("r", "events.jsonl")
        began = next(e["t"] for e in events if e.get("state") == "running")
        assert next(e["t"] for e in events if e["event"] == "signal") - began < 1.9
    assert process.wait(60) == 0
    assert box.experiments()["r"]["status"] == "timeboxed"


def test_ctrl_z_does_not_leave_a_training_without_limits(box: Box) -> None:
    process = box.start("run", "--run-id", "r", "-m", "2s", script("metrics.py"))
    box.wait_for_step("r", 1)
    process.send_signal(signal.SIGTSTP)
    _out, said = process.communicate(timeout=60)
    assert "ctrl-z does nothing here" in said
    assert box.state("r")["state"] == "timeboxed"


def test_helpers_may_finish_what_takes_a_moment(box: Box) -> None:
    run = box.json("run", "--", "sh", "-c", "(sleep 0.7; echo done > uploaded) & exit 0")
    assert run["state"] == "completed"
    assert (box.work / "uploaded").read_text() == "done\n"


def test_a_slice_is_not_judged_by_the_loss_of_the_one_before(box: Box) -> None:
    path = box.work / "nan.py"
    path.write_text(
        "import os\n"
        "if os.environ['BACKPROP_SLICE'] == '1':\n"
        '    print(\'{"step": 1, "loss": NaN}\')\n'
        "else:\n"
        '    print(\'{"step": 2, "accuracy": 1.0}\')\n'
    )
    assert box.json("run", "--run-id", "r", str(path), code=1)["state"] == "diverged"
    run = box.json("resume", "r")
    assert run["state"] == "completed"
    assert run["slices"][1]["last_loss"] is None
