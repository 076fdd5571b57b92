"""The queue through the whole program: many at once, priorities, hold and release, orders for the whole box."""

from __future__ import annotations

import json
import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backprop_tui.model.samples import Lease
from backprop_tui.store import requests
from backprop_tui.store.home import Home
from backprop_tui.supervisor.admission import AdmissionDesk
from backprop_tui.supervisor.eyes import Eyes
from backprop_tui.supervisor.steering import OrderBook
from tests.box import Box, is_running, script
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn
from tests.stand_ins.waiting import wait_until

GIB = 1024**3
SHORT = (script("metrics.py"), "--", "--steps", "10", "--output")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), LIBRARY)


@pytest.fixture
def gpus(library: Path, tmp_path: Path, box: Box) -> NvmlStandIn:
    """Two GPUs with 20 and 10 GB free."""
    stand_in = NvmlStandIn(library, tmp_path / "gpus")
    wanted: dict[str, object] = {"count": 2}
    for n, free in ((0, 20), (1, 10)):
        wanted |= {f"{n}.total": 24 * GIB, f"{n}.free": free * GIB, f"{n}.temp": 50}
    stand_in.set(wanted)
    told = stand_in.env()
    box.env |= {name: told[name] for name in ("LD_LIBRARY_PATH", "NVML_STAND_IN")}
    return stand_in


def leases(box: Box) -> tuple[Lease, ...]:
    """All at one moment: nobody starts or ends while they are read."""
    return AdmissionDesk(box.env["BACKPROP_ADMISSION_DIR"], Eyes("none")).leases()


def orders(box: Box) -> OrderBook:
    return OrderBook(box.env["BACKPROP_ADMISSION_DIR"])


def ask(box: Box, run_id: str, verb: str) -> None:
    """As `backprop hold` and `backprop release` do."""
    folder = Home(str(box.home)).run(run_id)
    requests.post(folder, verb, args={}, who="anna", slice_n=1)


def span(box: Box, run_id: str) -> tuple[float, float]:
    """When a run's training was there; epoch seconds."""
    states = {e["state"]: e["t"] for e in box.lines(run_id, "events.jsonl") if e["event"] == "state"}
    return states["starting"], states["completed"]


def refusals(box: Box, run_id: str) -> list[dict[str, Any]]:
    return [e for e in box.lines(run_id, "events.jsonl") if e["event"] == "decision" and not e["ok"]]


def waits(box: Box, run_id: str, code: str = "waiting") -> str:
    """Wait until it is in the queue for this reason; the reason's text."""
    wait_until(lambda: (box.state(run_id).get("reason") or {}).get("code") == code)
    return str(box.state(run_id)["reason"]["text"])


@pytest.mark.cc
@pytest.mark.slow
def test_twenty_at_once_on_two_gpus_with_room_for_three(box: Box, gpus: NvmlStandIn) -> None:
    wait = ("sh", "-c", "until [ -e go ]; do sleep 0.05; done")
    words = ("-q", "--max-parallel", "20", "--gpu-need", "9000", "--wait", "--", *wait)
    names = [f"r{n:02}" for n in range(20)]
    started = [box.start("run", "--run-id", name, *words, stdout=-3) for name in names]
    wait_until(lambda: sorted(box.state(name).get("state", "") for name in names) == ["queued"] * 17 + ["running"] * 3)
    queued = [name for name in names if box.state(name)["state"] == "queued"]
    assert sorted(lease.gpus for lease in leases(box)) == [("0",), ("0",), ("1",)]
    for name in queued:
        assert " in line" in waits(box, name)
    (box.work / "go").touch()
    seen: dict[str, tuple[str, ...]] = {}
    while any(process.poll() is None for process in started):
        held = leases(box)
        seen |= {lease.run_id: lease.gpus for lease in held}
        for index, room in (("0", 20 * GIB), ("1", 10 * GIB)):
            assert sum(lease.gpu_bytes for lease in held if index in lease.gpus) <= room
    assert [process.returncode for process in started] == [0] * 20
    spans = {name: span(box, name) for name in names}
    for moment, _ in spans.values():
        assert sum(start <= moment < end for start, end in spans.values()) <= 3
    for name in names:
        state = box.state(name)
        (gpu,) = state["slices"][0]["gpus"]
        assert (state["state"], gpu in ("0", "1"), seen.get(name, (gpu,))) == ("completed", True, (gpu,))
    for name in queued:
        reasons = refusals(box, name)
        assert {reason["rule"] for reason in reasons} <= {"gpu_memory", "queue"}
        memory = [reason for reason in reasons if reason["rule"] == "gpu_memory"]
        assert memory
        assert all(reason["value"] < reason["limit"] == 9000 * 1024**2 for reason in memory)
    assert not leases(box)


def test_the_first_come_is_the_first_served_but_for_priorities(box: Box) -> None:
    box.start("run", "-q", "--run-id", "first", script("metrics.py"), stdout=-3)
    box.wait_for_step("first", 1)
    for name, priority in (("a", "0"), ("b", "0"), ("urgent", "5"), ("idle", "-5")):
        words = ("--run-id", name, "-p", "1", "--wait", "--priority", priority, *SHORT)
        box.run("run", "-d", *words, f"ck-{name}")
    wait_until(lambda: "third in line, behind urgent, a" in waits(box, "b"))
    assert "first in line, about" in waits(box, "urgent")
    wait_until(lambda: "fourth in line, behind urgent, a, b" in waits(box, "idle"))
    box.run("stop", "first")
    order = ("urgent", "a", "b", "idle")
    for name in order:
        box.wait_for(name, "completed")
    for before, after in pairwise(order):
        assert span(box, before)[1] <= span(box, after)[0]


def test_a_small_run_passes_a_big_one_that_it_does_not_delay(box: Box, gpus: NvmlStandIn) -> None:
    need = ("-p", "3", "--gpu-need")
    box.run("run", "-d", "--run-id", "first", "-m", "5", *need, "15000", script("metrics.py"))
    box.wait_for_step("first", 1)
    box.run("run", "-d", "--run-id", "big", "--wait", *need, "18000", script("metrics.py"))
    text = waits(box, "big")
    assert "GPU 0: 5.4 GB free beside what first may take, 17.6 GB wanted (first was promised 14.6 GB, its box" in text
    assert "first in line, about 5 min" in text
    box.run("run", "-d", "--run-id", "long", "--wait", *need, "4000", "--env", "CUDA_VISIBLE_DEVICES=0", *SHORT, "x")
    assert "a start now would delay big" in waits(box, "long")
    box.run("run", "--run-id", "other", *need, "4000", "--env", "CUDA_VISIBLE_DEVICES=1", *SHORT, "y")
    box.run("run", "--run-id", "short", "-m", "1", *need, "4000", "--env", "CUDA_VISIBLE_DEVICES=0", *SHORT, "z")
    assert box.state("big")["state"] == box.state("long")["state"] == "queued"
    box.run("stop", "first")
    box.wait_for_step("big", 1)
    for name in ("long", "big"):
        box.run("stop", name)


def test_what_no_gpu_has_is_refused_for_good(box: Box, gpus: NvmlStandIn) -> None:
    for words, text in (
        (("--gpu-need", "30000"), "GPU 0: 24.0 GB in all, 29.3 GB wanted; GPU 1: 24.0 GB in all"),
        (("--gpus", "3"), "3 GPUs wanted, the box has 2"),
    ):
        done = box.run("run", "--wait", *words, "--", "true", code=3)
        assert text in done.stderr
        assert "--wait" not in done.stderr
    assert box.json("list") == []
    told = box.work / "env.json"
    box.run("run", "--gpus", "2", script("env_dump.py"), "--", str(told))
    assert json.loads(told.read_text())["env"]["CUDA_VISIBLE_DEVICES"] == "0,1"
    box.run("run", "--gpus", "0", script("env_dump.py"), "--", str(told))
    assert json.loads(told.read_text())["env"]["CUDA_VISIBLE_DEVICES"] == ""


def test_a_held_run_lets_others_pass_until_it_is_released(box: Box) -> None:
    box.start("run", "-q", "--run-id", "first", script("metrics.py"), stdout=-3)
    box.wait_for_step("first", 1)
    box.run("run", "-d", "--run-id", "held", "-p", "1", "--wait", *SHORT, "h")
    ask(box, "held", "hold")
    assert "held by anna" in waits(box, "held", "held")
    box.run("run", "-d", "--run-id", "second", "-p", "1", "--wait", *SHORT, "s")
    wait_until(lambda: "first in line" in waits(box, "second"))
    box.run("stop", "first")
    box.wait_for("second", "completed")
    assert (box.state("held")["state"], box.state("held")["held"]) == ("queued", "anna")
    ask(box, "held", "release")
    box.wait_for("held", "completed")
    assert box.state("held")["held"] == ""
    told = [e["by"] for e in box.lines("held", "events.jsonl") if e["event"] == "held"]
    assert told == ["anna", ""]


def test_a_drain_starts_nothing_and_ends_nothing(box: Box) -> None:
    box.start("run", "-q", "--run-id", "first", script("metrics.py"), stdout=-3)
    box.wait_for_step("first", 1)
    orders(box).set_drain("anna")
    done = box.run("run", "-p", "4", *SHORT, "x", code=3)
    assert "anna drains the box: no slice starts" in done.stderr
    assert "backprop drain --off" in done.stderr
    box.run("run", "-d", "--run-id", "second", "-p", "4", "--wait", *SHORT, "s")
    assert "anna drains the box" in waits(box, "second", "drained")
    box.goes_on("first")
    assert box.state("second")["state"] == "queued"
    assert orders(box).end_drain()
    box.wait_for("second", "completed")
    box.run("stop", "first")


def test_a_yield_is_over_by_itself(box: Box) -> None:
    box.run("list")
    box.run("run", "--", "true")
    until = time.time() + 4
    orders(box).set_yield("anna", until)
    box.run("run", "-d", "--run-id", "second", "-p", "4", "--wait", *SHORT, "s")
    assert "anna has the box to themselves" in waits(box, "second", "yielded")
    box.wait_for("second", "completed")
    assert span(box, "second")[0] >= until


def test_a_killed_supervisor_frees_its_place_and_its_lease(box: Box, gpus: NvmlStandIn) -> None:
    words = ("-p", "1", "--wait", "--gpu-need", "9000")
    box.run("run", "-d", "--run-id", "first", "-p", "1", script("metrics.py"))
    box.wait_for_step("first", 1)
    for name in ("dead", "third"):
        box.run("run", "-d", "--run-id", name, *words, *SHORT, name)
    wait_until(lambda: "second in line" in waits(box, "third"))
    os.kill(box.state("dead")["owner"]["process"]["pid"], signal.SIGKILL)
    wait_until(lambda: "first in line" in waits(box, "third"))
    training = box.state("first")["training"]["pid"]
    os.kill(box.state("first")["owner"]["process"]["pid"], signal.SIGKILL)
    box.wait_for("third", "completed")
    assert not is_running(training), "the guard ended it before its lease came free"
    assert "first" not in [lease.run_id for lease in leases(box)]


def test_a_start_that_heat_held_back_waits_until_it_is_cool_enough(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.temp": 90, "1.temp": 88})
    run_id = box.run("run", "-d", "--wait", "--gpu-resume-temp", "70", script("metrics.py")).stdout.strip()
    wait_until(lambda: "GPU 0: 90 °C, down to 70 °C wanted after it was too hot" in waits(box, run_id))
    gpus.set({"0.temp": 75, "1.temp": 80})
    wait_until(lambda: "GPU 0: 75 °C" in waits(box, run_id), 30)
    assert box.state(run_id)["state"] == "queued"
    gpus.set({"1.temp": 70})
    box.wait_for_step(run_id, 1)
    assert box.state(run_id)["slices"][0]["gpus"] == ["1"]
    box.run("stop", run_id)


def test_a_driver_that_hangs_meanwhile_starts_nothing_and_can_be_left(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.free": GIB, "1.free": GIB})
    for name in ("first", "second"):
        box.run("run", "-d", "--run-id", name, "-p", "4", "--wait", *SHORT, name)
    assert "GPU 0: 1.0 GB free, 2.4 GB wanted (other programs have 23.0 GB)" in waits(box, "first")
    gpus.set({"hang": 1, "0.free": 20 * GIB})
    wait_until(lambda: "GPU: none can be read any more" in waits(box, "first"))
    box.run("stop", "second")
    assert box.state("first")["state"] == "queued"
    gpus.set({"hang": None})
    box.wait_for("first", "completed")
    assert box.state("first")["slices"][0]["gpus"] == ["0"]


def test_a_foreign_program_is_named(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"count": 1, "0.free": GIB, "0.processes": f"{os.getpid()}:{9 * GIB}"})
    done = box.run("run", *SHORT, "x", code=3)
    assert f" {os.getpid()} (" in done.stderr
    assert ") has 9.0 GB)" in done.stderr
