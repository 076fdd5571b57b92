"""What the Governor does about real trainings while they run: memory, disk, and GPUs that a stand-in tells of."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.supervisor.steering import OrderBook
from tests.box import Box, script
from tests.requirements import require
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn
from tests.stand_ins.waiting import wait_until

MB = 1 << 20
GB = 1 << 30


def decisions(box: Box, run_id: str, rule: str) -> list[dict[str, Any]]:
    """What was decided by one rule after the start."""
    events = box.lines(run_id, "events.jsonl")
    started = next((n for n, e in enumerate(events) if e.get("state") == "running"), len(events))
    return [e for e in events[started:] if e["event"] == "decision" and e["rule"] == rule]


def first_end(box: Box, run_id: str) -> dict[str, Any]:
    """Why the first slice ended, once it has."""
    wait_until(lambda: box.state(run_id)["slices"][0].get("ended"))
    reason: dict[str, Any] = box.state(run_id)["slices"][0]["reason"]
    return reason


def has_good_checkpoint(box: Box, run_id: str) -> bool:
    return bool(box.state(run_id)["checkpoints"][-1]["good"])


def test_a_run_beyond_its_ram_saves_and_ends(box: Box) -> None:
    run_id = box.run("run", "-d", "--max-ram", "0.25", script("grows.py")).stdout.strip()
    state = box.wait_for(run_id, "stopped")
    assert (state["reason"]["code"], state["reason"]["by"]) == ("ram", "governor")
    decided = decisions(box, run_id, "max_ram")[-1]
    assert decided["value"] > decided["limit"] == 256 * MB
    assert has_good_checkpoint(box, run_id)
    assert not state["slices"][-1]["forced"]
    assert state["slices"][-1]["peak_rss_bytes"] >= decided["value"]


def test_what_workers_share_is_not_counted_for_each_of_them(box: Box) -> None:
    words = ("--mb-a-step", "64", "--most-mb", "192", "--workers", "8")
    run_id = box.run("run", "-d", "--max-ram", "0.5", script("grows.py"), "--", *words).stdout.strip()
    wait_until(lambda: box.state(run_id).get("resources", {}).get("rss_bytes", 0) > 3 * 512 * MB)
    measured = box.state(run_id)["slices"][-1]["used_s"]
    wait_until(lambda: box.state(run_id)["slices"][-1]["used_s"] > measured + 8)
    assert box.state(run_id)["state"] == "running"
    assert box.state(run_id)["warnings"] == []
    box.run("stop", run_id)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 32 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    able = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    require("mount", able, "a small filesystem needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_run_ends_while_its_checkpoint_still_fits_on_the_disk(box: Box, small: Path) -> None:
    words = ("--mb-a-step", "0", "--save-every", "10", "--save-mb", "1", "--output", str(small / "ck"))
    run_id = box.run("run", "-d", "--min-free-disk", "0.01", script("grows.py"), "--", *words).stdout.strip()
    state = box.wait_for(run_id, "stopped", "failed")
    assert (state["state"], state["reason"]["code"]) == ("stopped", "disk")
    assert "disk of the checkpoints" in state["reason"]["text"]
    assert "with room for a checkpoint" in state["reason"]["text"]
    assert has_good_checkpoint(box, run_id)
    assert state["checkpoints"][-1]["step"] == state["step"]
    assert "No space left" not in box.run("logs", run_id).stdout
    decided = decisions(box, run_id, "disk")[-1]
    assert decided["value"] < decided["limit"]


def test_the_disk_of_the_records_is_guarded_too(box: Box, small: Path) -> None:
    box.env["BACKPROP_HOME"] = str(small / "home")
    box.home = small / "home"
    run_id = box.run("run", "-d", "--min-free-disk", "0.025", script("metrics.py")).stdout.strip()
    box.wait_for_step(run_id, 5)
    (small / "of others").write_bytes(bytes(10 * MB))
    state = box.wait_for(run_id, "stopped")
    assert state["reason"]["code"] == "disk"
    assert "disk of the records" in state["reason"]["text"]
    assert has_good_checkpoint(box, run_id)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), LIBRARY)


@pytest.fixture
def gpus(library: Path, tmp_path: Path, box: Box) -> NvmlStandIn:
    """Two cool GPUs with 20 GB free, and a Governor that may change its mind at once."""
    stand_in = NvmlStandIn(library, tmp_path / "gpus")
    stand_in.set({"count": 2, **{f"{n}.{key}": v for n in (0, 1) for key, v in FRESH.items()}})
    told = stand_in.env()
    box.env |= {name: told[name] for name in ("LD_LIBRARY_PATH", "NVML_STAND_IN")}
    box.env["BACKPROP_GOVERNOR_PACE"] = "0"
    return stand_in


FRESH = {"total": 24 * GB, "free": 20 * GB, "temp": 50}


def train(box: Box, *words: str, name: str = "metrics.py") -> str:
    """A run that goes on for long; its id, once it has made a step."""
    run_id = box.run("run", "-d", *words, script(name)).stdout.strip()
    box.wait_for_step(run_id, 1)
    return run_id


def test_heat_lets_a_run_stand_still_until_it_has_cooled(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box, "--gpu-max-temp", "83", "--gpu-resume-temp", "75")
    gpus.set({"0.temp": 84})
    state = box.wait_for(run_id, "paused")
    reason = state["reason"]
    assert (reason["code"], reason["by"]) == ("heat", "governor")
    assert reason["text"] == "GPU 0 was at 84 °C, limit 83 °C; waits for 75 °C"
    gpus.set({"0.temp": 76})  # below the limit, not yet cool
    piece = state["slices"][-1]
    paused_s = piece["paused_s"]
    wait_until(lambda: box.state(run_id)["slices"][-1]["paused_s"] > paused_s + 1)
    step = box.state(run_id)["step"]  # what it had printed before it was paused has been read
    wait_until(lambda: box.state(run_id)["slices"][-1]["paused_s"] > paused_s + 3)
    still = box.state(run_id)
    assert (still["state"], still["step"]) == ("paused", step)
    assert still["slices"][-1]["used_s"] == piece["used_s"]
    refused = box.run("continue", run_id, code=None)
    assert refused.returncode != 0
    assert "the Governor holds it" in refused.stderr
    gpus.set({"0.temp": 75})
    box.wait_for(run_id, "running")
    box.goes_on(run_id)
    assert box.state(run_id)["reason"] is None
    assert [(d["ok"], d["value"]) for d in decisions(box, run_id, "gpu_temp")] == [(False, 84.0), (True, 75.0)]
    assert box.state(run_id)["warnings"] == []
    box.run("stop", run_id)
    ended = box.state(run_id)["slices"][-1]
    assert ended["paused_s"] >= 3
    assert ended["used_s"] + ended["paused_s"] <= ended["ended"] - ended["started"] + 0.5


def test_the_drivers_slowdown_point_counts_where_it_is_lower(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.slowdown": 80})
    run_id = train(box, "--gpu-max-temp", "95")
    gpus.set({"0.temp": 77})
    text = box.wait_for(run_id, "paused")["reason"]["text"]
    assert text == "GPU 0 was at 77 °C, limit 77 °C, as its driver slows it down at 80 °C; waits for 76 °C"
    box.run("stop", run_id)
    assert has_good_checkpoint(box, run_id)


def test_paused_too_long_it_saves_and_goes_on_with_a_gpu_that_is_cool(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box, "--max-paused", "0.1")
    gpus.set({"0.temp": 99})
    box.wait_for(run_id, "paused")
    wait_until(lambda: len(box.state(run_id)["slices"]) == 2)
    box.wait_for(run_id, "running")
    first, second = box.state(run_id)["slices"]
    assert (first["state"], first["reason"]["code"]) == ("stopped", "paused_too_long")
    assert second["resumed_from"] == box.state(run_id)["checkpoints"][-1]["path"]
    assert (first["gpus"], second["gpus"]) == (["0"], ["1"])
    assert decisions(box, run_id, "paused")[0]["limit"] == 6.0
    box.run("stop", run_id)


def test_a_driver_that_hangs_decides_nothing_and_is_said(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box)
    wait_until(lambda: box.state(run_id)["resources"].get("gpu_used_bytes") == 4 * GB)
    gpus.set({"hang": 1, "0.temp": 99})
    wait_until(lambda: box.state(run_id)["warnings"])
    assert "the GPU cannot be read now" in box.state(run_id)["warnings"][0]
    box.goes_on(run_id)
    gpus.set({"hang": None})  # hot it is, as can be seen again
    wait_until(lambda: box.state(run_id)["state"] == "paused")
    wait_until(lambda: not box.state(run_id)["warnings"])
    gpus.set({"0.temp": 50})
    box.wait_for(run_id, "running")
    gpus.set({"hang": 1})
    box.run("stop", run_id)  # a driver that hangs holds up no end
    assert box.state(run_id)["state"] == "stopped"


def test_a_gpu_that_is_lost_is_said_while_the_training_goes_on(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box)
    gpus.set({"0.error.all": 15})
    wait_until(lambda: box.state(run_id)["warnings"])
    box.goes_on(run_id)
    gpus.set({"0.error.all": None})
    wait_until(lambda: not box.state(run_id)["warnings"])
    box.run("stop", run_id)


def test_gpu_memory_that_does_not_come_back_is_told_and_keeps_the_lease_a_while(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box)
    wait_until(lambda: box.state(run_id)["resources"].get("gpu_used_bytes") == 4 * GB)
    gpus.set({"0.free": 17 * GB, "0.processes": f"{os.getpid()}:{GB}"})  # 1 of these 3 GB is somebody else's
    wait_until(lambda: box.state(run_id)["resources"]["gpu_used_bytes"] == 7 * GB)
    box.run("stop", run_id)
    leases = Path(box.env["BACKPROP_ADMISSION_DIR"], "leases")
    assert box.state(run_id)["state"] == "stopped"
    wait_until(lambda: not list(leases.iterdir()))
    (left,) = decisions(box, run_id, "leftover")
    assert not left["ok"]
    assert left["text"] in box.state(run_id)["warnings"]
    assert left["t"] - box.state(run_id)["slices"][-1]["ended"] > 4


def test_nothing_is_told_once_the_memory_is_back(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box)
    gpus.set({"0.free": 10 * GB})
    wait_until(lambda: box.state(run_id)["resources"].get("gpu_used_bytes") == 14 * GB)
    box.run("stop", run_id)
    gpus.set({"0.free": 20 * GB})
    leases = Path(box.env["BACKPROP_ADMISSION_DIR"], "leases")
    wait_until(lambda: not list(leases.iterdir()))
    assert decisions(box, run_id, "leftover") == []
    assert box.state(run_id)["slices"][-1]["peak_gpu_bytes"] is None  # others might have taken it


def test_a_yield_stops_all_runs_with_their_checkpoints(box: Box) -> None:
    first, second = train(box), train(box)
    OrderBook(box.env["BACKPROP_ADMISSION_DIR"]).set_yield("anna", time.time() + 600)
    for run_id in (first, second):
        reason = first_end(box, run_id)
        assert (reason["code"], reason["text"]) == ("yield", "anna asked all runs to make room")
        assert has_good_checkpoint(box, run_id)


def test_gpu_memory_beyond_its_limit_is_warned_of_then_the_run_saves_and_ends(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box, "--gpu-memory-limit", "8GB")
    assert box.state(run_id)["memory_limit"]["bytes"] == 8 * GB
    pid = box.state(run_id)["training"]["pid"]
    gpus.set({"0.processes": f"{pid}:{7 * GB},1:{9 * GB}", "0.free": 4 * GB})  # somebody else's 9 GB do not count
    wait_until(lambda: box.state(run_id)["resources"]["gpu_tree_bytes"] == 7 * GB)
    box.goes_on(run_id)
    assert box.state(run_id)["warnings"] == []
    gpus.set({"0.processes": f"{pid}:{9 * GB}", "0.free": 11 * GB})
    wait_until(lambda: box.state(run_id)["warnings"])
    assert "the run uses 9.0 GB, 8.0 GB allowed" in box.state(run_id)["warnings"][0]
    state = box.wait_for(run_id, "stopped")
    assert state["reason"]["code"] == "gpu_memory"
    assert has_good_checkpoint(box, run_id)
    assert [(d["value"], d["limit"]) for d in decisions(box, run_id, "gpu_memory")] == [(9.0 * GB, 8.0 * GB)]


def test_a_lease_tells_what_the_run_uses_and_when_it_ends(box: Box, gpus: NvmlStandIn) -> None:
    run_id = train(box, "--max-run-minutes", "30")
    pid = box.state(run_id)["training"]["pid"]
    gpus.set({"0.processes": f"{pid}:{3 * GB}", "0.free": 17 * GB})
    leases = Path(box.env["BACKPROP_ADMISSION_DIR"], "leases")

    def lease() -> dict[str, Any]:
        (path,) = leases.iterdir()
        told: dict[str, Any] = json.loads(path.read_text())
        return told

    wait_until(lambda: lease()["gpu_used"] == {"0": 3 * GB})
    assert 1700 < lease()["ends"] - time.time() <= 1800
    wait_until(lambda: box.state(run_id)["resources"]["gpu_tree_bytes"] == 3 * GB)
    box.run("pause", run_id)
    wait_until(lambda: lease()["ends"] is None and lease()["runnable"] == 0)
    box.run("stop", run_id)
    assert box.state(run_id)["slices"][-1]["peak_gpu_bytes"] == 3 * GB
