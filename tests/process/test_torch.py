"""Real PyTorch training on the CPU."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys

import pytest

from tests.box import Box, is_running, script
from tests.requirements import require
from tests.stand_ins.waiting import wait_until

pytestmark = pytest.mark.torch


def python_with_torch() -> str:
    """This interpreter if it has PyTorch, else $BACKPROP_TEST_TORCH_PYTHON."""
    if importlib.util.find_spec("torch") is not None:
        return sys.executable
    named = os.environ.get("BACKPROP_TEST_TORCH_PYTHON", "")
    require("torch", os.path.exists(named), "PyTorch is not installed (pip install torch)")
    return named


@pytest.mark.parametrize("plain", [False, True])
def test_time_box_checkpoint_resume(box: Box, plain: bool) -> None:
    more = ["--plain"] if plain else []
    python = python_with_torch()
    first = box.json("run", script("torch_cnn.py"), "-m", "0.2", "--python", python, "--", *more)
    assert first["state"] == "timeboxed"
    assert first["spec"]["framework"] == "pytorch"
    saved = first["checkpoints"][-1]
    assert (saved["kind"], saved["good"]) == ("torch", True)
    assert plain or saved["step"] == first["step"]
    second = box.json("resume", first["id"], "-m", "0.15")
    assert second["state"] == "timeboxed"
    assert [piece["n"] for piece in second["slices"]] == [1, 2]
    assert second["slices"][1]["resumed_from"] == saved["path"]
    assert second["slices"][1]["first_step"] == saved["step"] + 1
    assert second["step"] > saved["step"] + 1
    assert len(box.json("list")) == 1


def test_checkpoint_cut_short_is_not_resumed_from(box: Box) -> None:
    python = python_with_torch()
    box.run("run", script("torch_cnn.py"), "--run-id", "r", "-q", "--python", python, "--", "--steps", "40")
    newest = box.state("r")["checkpoints"][-1]["path"]
    with open(newest, "rb+") as file:
        file.truncate(os.path.getsize(newest) // 2)
    done = box.run("resume", "r", "--", "--steps", "45")
    assert "skipped" in done.stderr
    assert box.state("r")["slices"][1]["first_step"] == 21


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_torch_save_cut_short_is_not_resumed_from(box: Box, number: int) -> None:
    python = python_with_torch()
    box.run("run", "-d", script("torch_quiet.py"), "--run-id", "r", "--python", python)
    cut = box.work / "checkpoints" / "ckpt_200.pt"
    wait_until(lambda: cut.exists() and cut.stat().st_size > 100_000)
    os.kill(box.state("r")["training"]["pid"], number)
    box.wait_for("r", "failed")
    saved = {c["step"]: c["good"] for c in box.state("r")["checkpoints"]}
    assert saved == {50: True, 100: True, 150: True, 200: False}
    assert all(c["found"] == "folder" for c in box.state("r")["checkpoints"])
    done = box.run("resume", "r", "-m", "0.2", "--", "--big-from", "100000")
    assert f"skipped {cut}" in done.stderr
    assert box.state("r")["slices"][1]["first_step"] == 151


def test_torchrun_is_stopped_whole_when_the_supervisor_is_killed(box: Box) -> None:
    python = python_with_torch()
    pids = box.work / "pids"
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script("torchrun_ddp.py")]
    run_id = box.run("run", "-d", "--", python, *words, str(pids)).stdout.strip()
    box.wait_for_step(run_id, 5)
    state = box.state(run_id)
    os.kill(state["owner"]["process"]["pid"], signal.SIGKILL)
    workers = [int(line) for line in pids.read_text().split()]
    assert len(workers) == 2
    wait_until(lambda: not any(map(is_running, [*workers, state["training"]["pid"]])))
    wait_until(lambda: box.json("list")[0]["state"] == "lost")
    saved = box.state(run_id)["checkpoints"][-1]
    assert saved["good"] is True
    resumed = box.json("resume", run_id, "-m", "0.15")
    assert resumed["state"] == "timeboxed"
    assert resumed["slices"][1]["first_step"] == saved["step"] + 1
    assert not any(is_running(int(line)) for line in pids.read_text().split())


def test_torchrun_time_box(box: Box) -> None:
    python = python_with_torch()
    pids = box.work / "pids"
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script("torchrun_ddp.py")]
    run = box.json("run", "-m", "0.2", "--", python, *words, str(pids))
    assert (run["state"], run["slices"][0]["survivors"]) == ("timeboxed", 0)
    assert run["slices"][0]["exit_code"] == 1
    assert run["checkpoints"][-1]["step"] == run["step"]
    assert not any(is_running(int(line)) for line in pids.read_text().split())
