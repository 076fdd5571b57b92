"""A run's output beyond its cap: the middle goes back to the disk, its beginning and end stay."""

from __future__ import annotations

import os
import subprocess

import pytest

from backprop_tui import files
from tests.box import Box
from tests.requirements import require
from tests.stand_ins.waiting import wait_until

CHATTY = """
import json, sys, time
for step in range(1, 31):
    for n in range(10_000):
        print(f"{step:04d} {n:06d} " + "x" * 40)
    print(json.dumps({"step": step, "loss": 1 / step}), flush=True)
    time.sleep(0.1)
print("the last line")
while "--stay" in sys.argv:
    time.sleep(0.1)
"""
CAP = 2 * 1024**2


@pytest.fixture
def chatty(box: Box) -> str:
    with open(box.work / "probe", "w+b") as file:
        file.write(b"x" * 2 * 65536)
        file.flush()
        able = files.punch_hole(file.fileno(), 0, 65536)
    require("punch", able, "this filesystem cannot free a part of a file")
    path = box.work / "chatty.py"
    path.write_text(CHATTY)
    return str(path)


def test_the_middle_is_freed_and_nothing_else_is_lost(box: Box, chatty: str) -> None:
    run_id = box.run("run", "-d", "--max-log", "2", chatty, "--", "--stay").stdout.strip()
    box.wait_for_step(run_id, 30)
    log = box.home / "runs" / run_id / "output.log"
    wait_until(lambda: log.stat().st_blocks * 512 <= CAP)
    state = box.state(run_id)
    gap = state["log_gap"]
    assert log.stat().st_size > 15 * 1024**2
    assert gap["end"] > gap["start"] >= CAP // 4
    assert [line["step"] for line in box.lines(run_id, "metrics.jsonl")] == list(range(1, 31))
    done = subprocess.run(
        box.argv("logs", run_id), env=box.env, cwd=box.work, capture_output=True, check=True, timeout=60
    )
    assert b"\0" not in done.stdout
    assert len(done.stdout) == state["output_bytes"] - (gap["end"] - gap["start"])
    assert done.stdout.startswith(b"0001 000000 x")
    assert done.stdout.endswith(b"the last line\n")
    assert b"of output freed here" in done.stderr
    assert box.run("logs", "-n", "2", run_id).stdout.splitlines()[-1] == "the last line"
    huge = box.run("logs", "-n", "1000000", run_id).stdout
    assert "\0" not in huge
    assert "0030 009999 x" in huge
    box.run("stop", "--force", run_id)


def test_a_resumed_run_keeps_to_its_cap(box: Box, chatty: str) -> None:
    run_id = box.run("run", "-d", "--max-log", "2", chatty, "--", "--stay").stdout.strip()
    wait_until(lambda: box.state(run_id).get("log_gap") is not None)
    box.run("stop", run_id)
    first = box.wait_for(run_id, "stopped")["log_gap"]
    box.run("resume", "-d", "--fresh", run_id)
    wait_until(lambda: (box.state(run_id).get("log_gap") or first)["end"] > first["end"])
    assert box.state(run_id)["log_gap"]["start"] == first["start"]
    box.run("stop", "--force", run_id)


def test_a_reader_that_does_not_take_its_output_holds_nothing_up(box: Box, chatty: str) -> None:
    read_end, write_end = os.pipe()
    process = box.start("run", "--max-log", "2", "--run-id", "slow", chatty, stdout=write_end)
    os.close(write_end)
    wait_until(lambda: box.state("slow").get("log_gap") is not None)
    taken = b""
    while data := os.read(read_end, 1 << 20):
        taken += data
    os.close(read_end)
    assert process.wait(60) == 0
    assert b"\0" not in taken
    assert taken.endswith(b"the last line\n")
