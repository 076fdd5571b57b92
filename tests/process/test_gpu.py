"""Choice of a GPU through the whole program, on GPUs that a stand-in library tells of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn
from tests.stand_ins.waiting import wait_until

GIB = 1024**3


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), LIBRARY)


@pytest.fixture
def gpus(library: Path, tmp_path: Path, box: Box) -> NvmlStandIn:
    stand_in = NvmlStandIn(library, tmp_path / "gpus")
    wanted: dict[str, object] = {"count": 2}
    for n, free in ((0, 10), (1, 20)):
        wanted |= {f"{n}.total": 24 * GIB, f"{n}.free": free * GIB, f"{n}.temp": 50}
    stand_in.set(wanted)
    told = stand_in.env()
    box.env |= {name: told[name] for name in ("LD_LIBRARY_PATH", "NVML_STAND_IN")}
    return stand_in


def env_of(box: Box, *words: str, env: dict[str, str] | None = None) -> dict[str, str]:
    found = box.work / "found.json"
    box.run("run", script("env_dump.py"), *words, "--", str(found), env=env or {})
    told: dict[str, str] = json.loads(found.read_text())["env"]
    return told


def test_the_gpu_with_the_most_free_memory_is_shown_to_the_training(box: Box, gpus: NvmlStandIn) -> None:
    told = env_of(box)
    assert (told["CUDA_VISIBLE_DEVICES"], told["CUDA_DEVICE_ORDER"]) == ("1", "PCI_BUS_ID")
    assert box.json("show", "@")["slices"][0]["gpus"] == ["1"]


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
