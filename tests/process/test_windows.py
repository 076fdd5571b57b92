"""Moments between two steps in which something can go wrong."""

from __future__ import annotations

import os
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
        assert next(e["t"] for e in events if e["event"] == "signal") - began < 6  # others hold the file for 10 s
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


SAVING = """
import signal, sys, time
began = []
def stop(*_):
    open("signal", "w").write("saving" if began else "idle")
    sys.exit(0)
signal.signal(signal.SIGINT, stop)
n = 0
while True:
    n += 1
    began.append(n)
    with open(f"model-{n}.bin", "wb") as file:
        for _ in range(8):
            file.write(b"x" * 1000)
            file.flush()
            time.sleep(0.1)
    began.clear()
    print('{"event": "checkpoint_saved", "path": "model-%d.bin", "step": %d}' % (n, n), flush=True)
    time.sleep(0.4)
"""


def test_the_signal_waits_until_a_checkpoint_is_written(box: Box) -> None:
    (box.work / "x.py").write_text(SAVING)
    run = box.json("run", "-m", "2.9s", "x.py")
    assert run["state"] == "timeboxed"
    assert (box.work / "signal").read_text() == "idle"


def test_the_last_word_of_a_burst_reaches_experiments(box: Box) -> None:
    (box.work / "x.py").write_text(
        "import time\nprint('{\"step\": 1, \"loss\": 2}', flush=True)\ntime.sleep(0.6)\nopen('c.bin', 'w').write('x')\n"
        'print(\'{"event": "checkpoint_saved", "path": "c.bin", "step": 1}\', flush=True)\ntime.sleep(100)\n'
    )
    box.run("run", "-d", "--run-id", "r", "x.py")
    path = box.home / "experiments.json"
    wait_until(lambda: path.exists() and box.experiments().get("r", {}).get("lastCheckpoint"), limit_s=20)
    box.run("stop", "--force", "r")


def test_an_answer_is_found_in_a_flood_of_events(box: Box) -> None:
    (box.work / "x.py").write_text('n = 0\nwhile True:\n    n += 1\n    print(\'{"event": "tick", "n": %d}\' % n)\n')
    box.run("run", "-d", "--run-id", "r", "x.py")
    box.wait_for("r", "running")
    assert box.run("pause", "r").stdout == "r: paused\n"
    box.run("stop", "--force", "r")


def test_a_lease_lasts_until_the_guard_is_done(box: Box) -> None:
    (box.work / "x.py").write_text(
        'import signal, time\nsignal.signal(2, lambda *_: None)\nprint(\'{"step": 1, "loss": 1}\', flush=True)\n'
        "for _ in range(1000):\n    time.sleep(0.1)\n"
    )
    box.run("run", "-d", "--run-id", "r", "--grace", "3s", "x.py")
    box.wait_for_step("r", 1)
    state = box.state("r")
    os.kill(state["owner"]["process"]["pid"], signal.SIGKILL)
    assert "1 run in progress, 1 allowed (r)" in box.run("run", "-p", "1", "--", "true", code=3).stderr
    wait_until(lambda: not is_running(state["training"]["pid"]))
    wait_until(lambda: box.json("list")[0]["state"] == "lost")
    box.run("run", "-q", "-p", "1", "--", "true")


def test_a_folder_that_is_being_copied_in_is_indexed_later(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "home"))
    home.ensure()
    index = Index(home, str(tmp_path / "i.sqlite3"))
    sync(home, index)
    folder = Path(home.runs) / "copied"
    folder.mkdir()
    sync(home, index)
    assert index.count() == 0
    source = home.run("copied")
    source.write_spec(a_spec("copied"))
    source.write_run(a_run("copied"))
    sync(home, index)
    assert index.resolve("copied") == ["copied"]
    index.close()


def test_a_shorter_content_is_never_read_torn(tmp_path: Path) -> None:
    from backprop_tui.supervisor.held import HeldFile
    from backprop_tui.supervisor.slips import content_of

    held = HeldFile(str(tmp_path / "lease"))
    held.take({"runnable": 10.25, "gpus": ["0"]})
    held.write({"runnable": 1.0, "gpus": ["0"]})
    assert content_of(held.path) == {"runnable": 1.0, "gpus": ["0"]}
    held.drop()


def test_a_growing_log_beside_a_checkpoint_is_no_checkpoint(tmp_path: Path) -> None:
    from backprop_tui.artifacts.writing import WriteWatch

    watch = WriteWatch()
    watch.learn(str(tmp_path / "model.pt"))
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "train.log"
    now = 0.0
    for turn in range(20):
        log.write_text("x" * turn)
        now = log.stat().st_mtime + 0.11
        assert not watch.is_writing(now + turn, {}), turn
    folders = WriteWatch()
    folders.learn(str(tmp_path / "checkpoint-5"))
    (tmp_path / "checkpoint-10").mkdir()
    (tmp_path / "checkpoint-10" / "model.bin").write_text("x")
    assert folders.is_writing(now, {})
