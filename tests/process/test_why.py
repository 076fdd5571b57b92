"""`backprop why` explains each thing that may keep a run from starting, through the whole program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.box import Box, script
from tests.stand_ins.nvml import NvmlStandIn
from tests.stand_ins.waiting import wait_until

GIB = 1 << 30


@pytest.fixture
def gpus(gpus: NvmlStandIn) -> NvmlStandIn:
    """Two GPUs; the second is always too small."""
    gpus.set({"0.free": 20 * GIB, "1.total": 2 * GIB, "1.free": GIB, "1.temp": 40})
    return gpus


def queued(box: Box, *words: str) -> str:
    """A run that waits; its id."""
    run_id = box.run("run", "-d", "--wait", *words, script("metrics.py")).stdout.strip()
    assert box.state(run_id)["state"] == "queued"
    return run_id


def rule(box: Box, run_id: str, name: str, *, ok: bool = False) -> dict[str, Any]:
    """The rule of that name that says so about a run, now; also in the table, with its verdict."""
    told = box.json("why", run_id)
    found: dict[str, Any] = next(d for d in told["now"] if d["rule"] == name and d["ok"] is ok)
    lines = box.run("why", run_id).stdout.splitlines()
    verdict = "--" if found["is_aside"] else "ok" if ok else "never" if found["is_final"] else "no"
    assert any(line.split()[:2] == [verdict, name] for line in lines), lines
    return found


def starts(box: Box, run_id: str) -> None:
    box.wait_for_step(run_id, 1)
    box.run("stop", run_id)


def test_memory(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.free": GIB})
    run_id = queued(box, "--gpu-min-vram", "16384")
    found = rule(box, run_id, "gpu_memory")
    assert (found["value"], found["limit"]) == (GIB, 16 * GIB)
    assert "GPU 0: 1.0 GB free" in found["text"]
    assert "16.0 GB wanted" in found["text"]
    assert "free GPU memory, or lower --gpu-min-vram" in box.run("why", run_id).stdout
    assert "1.0 GB free" in box.json("status")["queue"][0]["text"]
    gpus.set({"0.free": 20 * GIB})
    starts(box, run_id)


def test_slots(box: Box) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    run_id = queued(box, "--max-parallel", "1")
    found = rule(box, run_id, "slots")
    assert (found["value"], found["limit"]) == (1, 1)
    assert "first" in found["text"]
    box.run("stop", "first")
    starts(box, run_id)


def test_heat(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.temp": 90})
    run_id = queued(box)
    # Once it was found too hot, it has to cool down to where runs go on.
    wait_until(lambda: rule(box, run_id, "gpu_temp")["limit"] == 75)
    assert rule(box, run_id, "gpu_temp")["value"] == 90
    gpus.set({"0.temp": 60})
    starts(box, run_id)


@pytest.fixture
def busy() -> Iterator[None]:
    """Another program that keeps a core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    wait_until(lambda: os.getloadavg()[0] > 0.4)
    yield
    process.kill()
    process.wait()


def test_load(box: Box, busy: None) -> None:
    run_id = queued(box, "--max-cpu-load", "0.01")
    found = rule(box, run_id, "cpu")
    assert found["value"] > found["limit"] == 0.01
    assert "other programs' load" in found["text"]
    box.run("stop", run_id)


def test_disk(box: Box) -> None:
    info = os.statvfs(box.work)
    free, total = (n * info.f_frsize / GIB for n in (info.f_bavail, info.f_blocks))
    run_id = queued(box, "--min-free-disk", f"{(free + total) / 2 + 1:.3f}")
    found = rule(box, run_id, "disk")
    assert found["value"] < found["limit"]
    assert "disk" in found["text"]
    box.run("stop", run_id)


def test_priority(box: Box) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    small = queued(box, "--max-parallel", "1", "--name", "small")
    big = queued(box, "--max-parallel", "1", "--name", "big", "--priority", "5")
    wait_until(lambda: "behind big" in box.json("why", small)["text"])
    assert rule(box, small, "queue")["value"] == 2
    assert rule(box, big, "queue", ok=True)["value"] == 1
    queue = box.json("status")["queue"]
    assert [(place["position"], place["name"], place["priority"]) for place in queue] == [
        (1, "big", 5),
        (2, "small", 0),
    ]
    box.run("stop", "first")
    starts(box, big)
    starts(box, small)


def test_hold(box: Box) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    run_id = queued(box, "--max-parallel", "1")
    box.run("hold", run_id)
    found = rule(box, run_id, "hold")
    assert "held by" in found["text"]
    assert box.json("status")["queue"][0]["held"]
    assert "held by" in box.run("status", run_id).stdout
    box.run("stop", "first")
    assert any(past["kind"] == "request" for past in box.json("why", run_id)["past"])
    box.run("release", run_id)
    starts(box, run_id)
    assert "nothing to hold" in box.run("hold", run_id, code=2).stderr


def test_one_answer_has_one_place_in_the_queue(box: Box) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    waiting = [queued(box, "--max-parallel", "1", "--run-id", name) for name in ("q1", "q2", "q3")]
    box.run("hold", "q1")
    # The record may still say what was so before: the answer goes by the rules now.
    told = box.json("why", "q3")
    place = next(decision["text"] for decision in told["now"] if decision["rule"] == "queue")
    assert place == "second in line, behind q2"
    assert place in told["text"]
    for run_id in (*waiting, "first"):
        box.run("stop", run_id)


def test_drain(box: Box) -> None:
    box.run("drain")
    run_id = queued(box)
    assert "drain" in rule(box, run_id, "drain")["text"]
    assert "drained" in box.run("status").stdout
    assert not box.json("status")["could_start"]
    box.run("drain", "--off")
    starts(box, run_id)


def test_refused_for_good(box: Box, gpus: NvmlStandIn) -> None:
    done = box.run("why", "--gpu-need", "99999", code=3)
    assert "can never start" in done.stdout
    assert any(line.split()[:2] == ["never", "gpu_memory"] for line in done.stdout.splitlines())
    refused = box.run("run", "--wait", script("metrics.py"), "--gpu-need", "99999", code=3)
    assert "24.0 GB" in refused.stderr
    assert any(d["is_final"] for d in box.json("why", "--gpus", "3", code=3)["start"]["decisions"])


def test_a_run_whose_box_can_no_longer_give_what_it_waits_for(box: Box, gpus: NvmlStandIn) -> None:
    run_id = queued(box, "--gpus", "2", "--gpu-need", "2000")
    gpus.set({"count": 1})
    box.wait_for(run_id, "stopped")
    shown = box.run("why", run_id).stdout
    assert f"{run_id} is stopped: not started: 2 GPUs wanted, the box has 1" in shown
    assert any(line.split()[1:3] == ["never", "2"] for line in shown.splitlines()), shown


def test_a_run_that_is_paused_for_heat(box: Box, gpus: NvmlStandIn) -> None:
    box.env["BACKPROP_GOVERNOR_PACE"] = "0"
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    found = rule(box, "first", "gpu_temp", ok=True)
    assert (found["value"], found["limit"]) == (50, 85)
    assert found["age_s"] < 10
    gpus.set({"0.temp": 90})
    box.wait_for("first", "paused")
    assert rule(box, "first", "gpu_temp")["value"] == 90
    assert "is paused: GPU 0" in box.run("why", "first").stdout
    gpus.set({"0.temp": 60})
    box.wait_for("first", "running")
    past = box.json("why", "first")["past"]
    assert any(p["decision"] and p["decision"]["rule"] == "gpu_temp" and not p["decision"]["ok"] for p in past)
    box.run("stop", "first")


def test_what_ended_tells_what_was_decided(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"0.temp": 90})
    run_id = queued(box)
    gpus.set({"0.temp": 50})
    starts(box, run_id)
    told = box.json("why", run_id)
    assert (told["state"], told["now"]) == ("stopped", [])
    past = [(p["decision"]["rule"], p["decision"]["ok"]) for p in told["past"] if p["kind"] == "decision"]
    assert ("gpu_temp", False) in past
    assert ("gpu_temp", True) in past
    assert "before:" in box.run("why", run_id).stdout


def test_gpus_for_other_programs(box: Box, gpus: NvmlStandIn) -> None:
    assert box.run("gpus", "--mask").stdout == "0\n"
    assert box.run("gpus", "--mask", "--count", "2", "--need", "500").stdout == "0,1\n"
    refused = box.run("gpus", "--mask", "--need", "30000", code=3)
    assert refused.stdout == ""
    assert "29.3 GB wanted" in refused.stderr
    table = box.run("gpus").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["GPU", "0", "1", "choice:"], "nobody uses them"
    assert [gpu["chosen"] for gpu in box.json("gpus")["gpus"]] == [True, False]


def test_a_run_is_among_those_who_use_a_gpu(box: Box, gpus: NvmlStandIn) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "--name", "my-llama", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    shown = box.run("gpus").stdout.splitlines()
    assert "        used by my-llama; 2.4 GB of what is free is kept for my-llama" in shown
    assert "my-llama" in next(line for line in box.run("status").stdout.splitlines() if line.startswith("GPU 0"))
    told = box.json("status")
    assert [lease["gpus"] for lease in told["leases"]] == [["0"]]
    assert [run["id"] for run in told["runs"]] == ["first"]
    assert told["could_start"]
    other = box.run("status", env={"BACKPROP_HOME": str(box.work / "other")}).stdout
    assert re.search(r"runs of other homes:\n  first \(my-llama\) on GPU 0(, \d+:\d\d left)?, in ~/.backprop\n", other)
    box.run("stop", "first")


def test_a_runs_own_process_is_no_stranger(box: Box, gpus: NvmlStandIn) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "--name", "my-llama", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    gpus.serve(0, {box.state("first")["training"]["pid"]: 5 * GIB, os.getpid(): GIB})
    shown = box.run("gpus").stdout
    assert re.search(rf"used by my-llama 5.0 GB, \S+ {os.getpid()} \(\S+\) 1.0 GB[;\n]", shown), shown
    elsewhere = box.run("status", env={"BACKPROP_HOME": str(box.work / "other")}).stdout
    assert "; my-llama 5.0 GB, " in elsewhere
    box.run("stop", "first")


def test_a_lost_gpu_is_told_of(box: Box, gpus: NvmlStandIn) -> None:
    gpus.set({"1.free": 20 * GIB, "1.total": 24 * GIB, "0.free": 10 * GIB})
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    gpus.lose(1)
    assert "GPU 1: is lost" in box.run("gpus").stdout.splitlines()
    assert box.json("gpus")["missing"] == [{"index": "1", "why": "is lost"}]
    assert "GPU 1   is lost" in box.run("status").stdout.splitlines()
    assert "GPU 1 is lost" in rule(box, "first", "probe", ok=True)["text"]
    assert re.search(
        "^-- +GPU 1: is lost: passed over$", box.run("run", "--dry-run", script("metrics.py")).stdout, re.M
    )
    box.run("stop", "first")


def test_yield_waits_until_all_have_saved_and_stopped(box: Box, gpus: NvmlStandIn) -> None:
    box.start("run", script("metrics.py"), "--run-id", "first", "-q", stdout=-3)
    box.wait_for_step("first", 1)
    done = box.run("yield", "10m")
    assert "first saves and stops; its last checkpoint is " in done.stdout
    assert "first has ended: GPU 0 is free of it" in done.stderr
    assert not box.json("status")["leases"]
    assert "yielded" in box.run("status").stdout
    assert box.run("gpus", "--mask").stdout == "0\n", "for whoever asked for the GPU"
    assert not box.json("status")["could_start"]
    wait_until(lambda: box.json("status")["queue"])
    place = box.json("status")["queue"][0]
    assert (place["run_id"], place["position"]) == ("first", 1)
    box.run("yield", "--off")
    wait_until(lambda: len(box.state("first")["slices"]) == 2 and box.state("first")["state"] == "running")
    box.run("stop", "first")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("yield", "x"), "TIME"),
        (("yield", "9999h"), "at most a week"),
        (("yield", "5", "--off"), "takes no TIME"),
        (("why", "first", "--gpus", "2"), "its own settings"),
        (("gpus", "--count", "-1"), "--gpus"),
        (("gpus", "--need", "x"), "--gpu-need"),
        (("hold",), "needs RUN"),
    ],
)
def test_bad_words(box: Box, words: tuple[str, ...], text: str) -> None:
    assert text in box.run(*words, code=2).stderr
