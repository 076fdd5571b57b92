"""A home on a filesystem whose locks exclude nobody: the owner's token decides who writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.box import Box, is_running, script
from tests.stand_ins.compiling import build
from tests.stand_ins.waiting import wait_until


@pytest.fixture
def unlocked(box: Box, tmp_path: Path) -> Box:
    box.env["LD_PRELOAD"] = str(build("no_locks.c", tmp_path / "shim", "no_locks.so"))
    return box


def test_a_supervisor_that_was_replaced_stops_its_slice(unlocked: Box) -> None:
    box = unlocked
    run_id = box.run("run", "-d", script("metrics.py"), "--", "--steps", "100000").stdout.strip()
    box.wait_for_step(run_id, 2)
    path = box.home / "runs" / run_id / "state.json"
    training = box.state(run_id)["training"]["pid"]

    def replace() -> bool:
        """The heir's state; a write of the old supervisor may cross ours, then once more."""
        state = json.loads(path.read_text())
        if state["owner"]["token"] != "heir":
            state["owner"] = {**state["owner"], "host": "elsewhere", "token": "heir"}
            fresh = path.with_suffix(".heir")
            fresh.write_text(json.dumps(state))
            fresh.replace(path)
        return not is_running(training)

    wait_until(replace)
    state = box.state(run_id)
    assert (state["owner"]["token"], state["state"]) == ("heir", "running")


def test_doctor_says_that_locks_do_not_exclude(unlocked: Box) -> None:
    assert "locks do not exclude each other" in unlocked.run("doctor", code=None).stdout
