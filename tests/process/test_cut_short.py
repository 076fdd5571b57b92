"""Checkpoints that are cut short while PyTorch writes them: never resumed from, the one before them is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.process.unchanged import Case, python_with
from tests.stand_ins.waiting import wait_until

BIG = Case("big_state", "torch_big_state.py", ("torch",))

pytestmark = pytest.mark.torch


def number(path: Path) -> int:
    return int(path.stem.partition("_")[2])


def saved(box: Box) -> list[Path]:
    """The script's checkpoints, oldest first."""
    return sorted((box.work / "checkpoints").glob("step_*.pt"), key=number)


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def stop_within_a_save(box: Box, pid: int) -> Path:
    """Stop the process while it writes a checkpoint, the one returned: smaller than the one before it."""
    wait_until(lambda: len(saved(box)) >= 3)

    def is_half() -> bool:
        *_, before, newest = saved(box)
        return 0 < size(newest) < size(before) // 2

    def is_caught() -> bool:
        if not is_half():
            return False
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        if is_half():
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    wait_until(is_caught)
    return saved(box)[-1]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=lambda sent: sent.name)
def test_killed_from_outside_while_saving(box: Box, sent: signal.Signals) -> None:
    python = python_with(BIG)
    run_id = box.run("run", "-d", script(BIG.script), "--python", python).stdout.strip()
    box.wait_for(run_id, "running")
    pid = box.state(run_id)["training"]["pid"]
    newest = stop_within_a_save(box, pid)
    os.kill(pid, sent)
    if sent is not signal.SIGKILL:
        os.kill(pid, signal.SIGCONT)
    run = box.wait_for(run_id, "failed")
    assert saved(box)[-1] == newest
    before = saved(box)[-2]
    assert size(newest) < size(before)
    told = [entry for entry in run["checkpoints"] if entry["path"] == str(newest)]
    assert not any(entry["good"] for entry in told)
    resumed = box.json("resume", run_id, "-m", "6s")
    assert resumed["slices"][1]["resumed_from"] == str(before)
    assert resumed["slices"][1]["first_step"] == number(before) + 1
    assert resumed["state"] == "timeboxed"
    assert resumed["slices"][1]["last_step"] > number(newest)


def test_time_box_ends_while_saving(box: Box) -> None:
    """Of a script that does little but save: what is taken up is whole, and new."""
    python = python_with(BIG)
    first = box.json("run", script(BIG.script), "-m", "6s", "--python", python)
    assert first["state"] == "timeboxed"
    second = box.json("resume", first["id"], "-m", "5s")
    assert second["state"] == "timeboxed", second["reason"]
    begun = second["slices"][1]["first_step"]
    assert first["step"] - 4 <= begun <= first["step"] + 1
    assert second["slices"][1]["resumed_from"] == str(box.work / "checkpoints" / f"step_{begun - 1}.pt")
