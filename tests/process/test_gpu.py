"""Choice of a GPU through the whole program, on GPUs that a stand-in library tells of."""

from __future__ import annotations

import json
import os

import pytest

from tests.box import Box, script
from tests.stand_ins.nvml import NvmlStandIn
from tests.stand_ins.waiting import wait_until

GIB = 1024**3


def env_of(box: Box, *words: str, env: dict[str, str] | None = None) -> dict[str, str]:
    found = box.work / "found.json"
    box.run("run", script("env_dump.py"), *words, "--", str(found), env=env or {})
    told: dict[str, str] = json.loads(found.read_text())["env"]
    return told


def test_the_gpu_with_the_most_free_memory_is_shown_to_the_training(box: Box, gpus: NvmlStandIn) -> None:
    told = env_of(box)
    assert (told["CUDA_VISIBLE_DEVICES"], told["CUDA_DEVICE_ORDER"]) == ("1", "PCI_BUS_ID")
    assert box.json("show", "@")["slices"][0]["gpus"] == ["1"]


@pytest.mark.parametrize(
    ("count", "state", "mask", "chosen"),
    [
        (1, {}, None, "0"),
        (2, {}, None, "1"),
        (8, {}, None, "1"),  # GPU 1 is among the emptiest, and the coolest of these
        (8, {"6.free": 21 * GIB}, None, "6"),
        (8, {"1.temp": 89}, None, "2"),
        (8, {"1.error.all": 15}, None, "2"),
        (8, {"2.free": 23 * GIB}, "GPU-00000005,GPU-00000003", "3"),
        (8, {}, "4,2,7", "2"),
        (8, {"2.free": 2 * GIB}, "4,2,7", "4"),
        (8, {"1.mig": 1, "1.slices": 2, "1:1.uuid": "MIG-x", "1:1.free": 22 * GIB}, None, "MIG-x"),
        (8, {f"{n}.error.nvmlDeviceGetTemperatureV": 3 for n in range(8)}, None, "1"),
    ],
)
def test_the_choice_among_several(
    box: Box, gpus: NvmlStandIn, count: int, state: dict[str, object], mask: str | None, chosen: str
) -> None:
    gpus.set({"count": count, **{f"{n}.free": 20 * GIB for n in range(2, 8)}, **{f"{n}.temp": 60 for n in range(2, 8)}})
    gpus.set(state)
    told = env_of(box, env={} if mask is None else {"CUDA_VISIBLE_DEVICES": mask})
    assert told["CUDA_VISIBLE_DEVICES"] == chosen


def test_the_users_own_mask_is_kept_to(box: Box, gpus: NvmlStandIn) -> None:
    assert env_of(box, env={"CUDA_VISIBLE_DEVICES": "0"})["CUDA_VISIBLE_DEVICES"] == "0"
    assert env_of(box, env={"CUDA_VISIBLE_DEVICES": ""})["CUDA_VISIBLE_DEVICES"] == ""
    assert "CUDA_VISIBLE_DEVICES" not in env_of(box, "--gpu-probe", "none")


def test_hot_and_full_gpus_are_refused_with_numbers(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"1.temp": 90, "0.free": GIB})
    done = box.run("run", script("env_dump.py"), code=3)
    assert "GPU 1" in done.stderr
    assert "90" in done.stderr
    assert "85" in done.stderr
    assert "1.0 GB free" in done.stderr
    assert env_of(box, "--gpu-max-temp", "95")["CUDA_VISIBLE_DEVICES"] == "1"
    assert env_of(box, "--gpu-min-vram", "500")["CUDA_VISIBLE_DEVICES"] == "0"


def test_a_mig_slice_is_named_by_its_uuid(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"count": 1, "0.mig": 1, "0.slices": 1, "0:0.uuid": "MIG-abc", "0:0.total": 9 * GIB, "0:0.free": 9 * GIB})
    assert env_of(box)["CUDA_VISIBLE_DEVICES"] == "MIG-abc"


def test_a_dead_driver_means_one_run_at_a_time_and_says_so(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"error.nvmlInitWithFlags": 18})
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    done = box.run("run", script("metrics.py"), code=3)
    assert "1 allowed (first), one at a time as a probe failed" in done.stderr
    assert any("one run at a time" in e.get("text", "") for e in box.lines("first", "events.jsonl"))


def test_memory_in_use_is_followed_while_it_runs(box: Box, gpus: NvmlStandIn) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    wait_until(lambda: box.state(run_id).get("resources", {}).get("gpu_used_bytes") == 4 * GIB)
    gpus.set({"1.free": 2 * GIB})
    wait_until(lambda: box.state(run_id)["resources"]["gpu_used_bytes"] == 22 * GIB)
    box.run("stop", run_id)


def test_a_waiting_run_starts_once_the_gpu_is_cool(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.temp": 90, "1.temp": 90})
    run_id = box.run("run", "-d", "--wait", script("metrics.py")).stdout.strip()
    assert "90" in box.state(run_id)["reason"]["text"]
    gpus.set({"0.temp": 60})
    box.wait_for_step(run_id, 1)
    assert box.state(run_id)["slices"][0]["gpus"] == ["0"]
    box.run("stop", run_id)


def used_bytes(box: Box, run_id: str) -> object:
    return box.state(run_id).get("resources", {}).get("gpu_used_bytes")


def test_a_gpu_that_is_lost_in_the_middle_takes_no_training_with_it(box: Box, gpus: NvmlStandIn) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    wait_until(lambda: used_bytes(box, run_id) == 4 * GIB)
    gpus.lose(1)
    wait_until(lambda: used_bytes(box, run_id) is None)
    box.goes_on(run_id)
    told = env_of(box)
    assert told["CUDA_VISIBLE_DEVICES"] == "0"
    gpus.set({"1.error.all": None})
    wait_until(lambda: used_bytes(box, run_id) == 4 * GIB)
    box.run("stop", run_id)
    assert box.state(run_id)["state"] == "stopped"


def test_a_driver_that_hangs_in_the_middle_holds_up_nothing(box: Box, gpus: NvmlStandIn) -> None:
    run_id = box.run("run", "-d", script("metrics.py")).stdout.strip()
    wait_until(lambda: used_bytes(box, run_id) == 4 * GIB)
    gpus.hang()
    wait_until(lambda: used_bytes(box, run_id) is None)
    box.goes_on(run_id)
    done = box.run("run", script("metrics.py"), code=3)
    assert "one at a time as a probe failed" in done.stderr
    box.run("stop", run_id)
    assert box.state(run_id)["state"] == "stopped"


def test_memory_of_somebody_else_is_not_given_away(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"1.free": GIB})
    gpus.serve(1, {os.getpid(): 23 * GIB})
    assert env_of(box)["CUDA_VISIBLE_DEVICES"] == "0"
    done = box.run("run", script("env_dump.py"), "--gpu-min-vram", "11000", code=3)
    assert "GPU 0" in done.stderr
    assert "1.0 GB free" in done.stderr
