"""The real pynvml against a stand-in for the driver's library, each test in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from backprop_tui.model.samples import GpuProcess
from backprop_tui.probes import owners
from backprop_tui.probes.host import sample_host
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn
from tests.stand_ins.waiting import wait_until

pytestmark = pytest.mark.cc
GIB = 1 << 30

# One sampler that lives on: each line of input holds the arguments of one look.
PROGRAM = """
import json, os, sys, threading
from backprop_tui.probes.gpu import GpuSampler
probe, timeout_s = sys.argv[1], float(sys.argv[2])
sampler = GpuSampler(probe, env=os.environ, timeout_s=timeout_s)
threads = set()
for line in sys.stdin:
    print(json.dumps(sampler.sample(**json.loads(line)).plain()), flush=True)
    threads |= {thread.ident for thread in threading.enumerate()}
is_clear = sampler.close()
assert is_clear is (threading.active_count() == 1), threading.enumerate()
assert len(threads) <= 2, threads  # the main one, and one for the driver
"""


class Watcher:
    """A process that watches the stand-in's GPUs."""

    def __init__(self, stand_in, probe="nvml", timeout_s=20.0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, probe, str(timeout_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=stand_in.env(),
        )

    def look(self, t=1.0, **options):
        """One sample, as plain data; `options` as for the sampler."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"t": t, **options}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self):
        self._process.communicate(timeout=60)
        return self._process.returncode


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build(SOURCE, tmp_path_factory.mktemp("nvml"), LIBRARY)


@pytest.fixture
def stand_in(library, tmp_path):
    return NvmlStandIn(library, tmp_path / "gpus")


@pytest.fixture
def watch(stand_in):
    watchers = []

    def start(**options):
        watchers.append(Watcher(stand_in, **options))
        return watchers[-1]

    yield start
    for watcher in watchers:
        assert watcher.end() == 0


def test_every_field_of_every_gpu(stand_in, watch):
    stand_in.set(
        {
            "count": 2,
            "1.name": "Big One",
            "1.uuid": "GPU-11112222-3333-4444-5555-666677778888",
            "1.total": 80 * GIB,
            "1.free": 70 * GIB,
            "1.reserved": GIB,
            "1.temp": 61,
            "1.util": 97,
            "1.power_mw": 345600,
        }
    )
    report = watch().look()
    assert (report["probe"], report["failed"], report["tried"]) == ("nvml", False, [])
    assert [gpu["index"] for gpu in report["gpus"]] == ["0", "1"]
    assert report["gpus"][1] == {
        "index": "1",
        "mask": "1",
        "uuid": "GPU-11112222-3333-4444-5555-666677778888",
        "name": "Big One",
        "total_bytes": 80 * GIB,
        "free_bytes": 69 * GIB,
        "temp_c": 61,
        "util_percent": 97,
        "power_w": 345.6,
        "power_limit_w": 450.0,
        "vendor": "nvidia",
        "slowdown_c": None,
        "is_slowed": None,
        "is_unified": False,
        "processes": None,
    }


def test_an_open_probe_sees_a_gpu_heat_and_fill(stand_in, watch):
    watcher = watch()
    first = watcher.look()["gpus"][0]
    stand_in.set({"0.temp": 91, "0.free": 5})
    second = watcher.look()["gpus"][0]
    assert (first["temp_c"], second["temp_c"]) == (50, 91)
    assert (first["free_bytes"], second["free_bytes"]) == (20 * GIB, 5)


@pytest.mark.parametrize(
    ("state", "field", "expected"),
    [
        ({"error.nvmlDeviceGetMemoryInfo_v2": 13, "0.free": 7 * GIB}, "free_bytes", 7 * GIB),
        ({"error.nvmlDeviceGetMemoryInfo_v2": 3, "error.nvmlDeviceGetMemoryInfo": 3}, "free_bytes", None),
        ({"0.total": 0, "0.free": 0}, "free_bytes", None),
        ({"error.nvmlDeviceGetTemperatureV": 13, "0.temp": 66}, "temp_c", 66),
        ({"error.nvmlDeviceGetTemperatureV": 3, "error.nvmlDeviceGetTemperature": 3}, "temp_c", None),
        ({"0.temp": 0}, "temp_c", None),
        ({"error.nvmlDeviceGetUtilizationRates": 3}, "util_percent", None),
        ({"error.nvmlDeviceGetPowerUsage": 999}, "power_w", None),
        ({"error.nvmlDeviceGetEnforcedPowerLimit": 3}, "power_limit_w", None),
        ({"0.temp": 70, "0.margin": 23, "0.slowdown": 99}, "slowdown_c", 93),
        ({"0.temp": 70, "0.margin": -70, "0.slowdown": 99}, "slowdown_c", 99),  # zeros, from a driver that fills in
        ({"0.margin": 0, "error.nvmlDeviceGetTemperatureThreshold": 4}, "slowdown_c", None),
        ({"0.slowdown": 95}, "slowdown_c", 95),
        (
            {"0.margin": 9, "error.nvmlDeviceGetTemperatureV": 3, "error.nvmlDeviceGetTemperature": 3},
            "slowdown_c",
            None,
        ),
        ({"0.reasons": "0x20"}, "is_slowed", True),
        ({"0.reasons": "0x44"}, "is_slowed", True),
        ({"0.reasons": "0x1"}, "is_slowed", False),
        ({"error.nvmlDeviceGetName": 4}, "name", "NVIDIA GPU"),
        ({"error.nvmlDeviceGetUUID": 4}, "uuid", ""),
        ({"0.name": "bad\x1b[31m name\x07"}, "name", "bad [31m name"),
    ],
)
def test_one_field_may_be_missing(stand_in, watch, state, field, expected):
    stand_in.set(state)
    report = watch().look()
    assert report["gpus"][0][field] == expected
    assert report["failed"] is False


@pytest.mark.parametrize(
    ("code", "symbol", "why"),
    [
        (15, "nvmlDeviceGetHandleByIndex_v2", "is lost"),
        (15, "nvmlDeviceGetTemperatureV", "is lost"),
        (16, "nvmlDeviceGetMemoryInfo_v2", "needs a reset"),
        (4, "nvmlDeviceGetHandleByIndex_v2", "cannot be opened: Insufficient Permissions"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_left_out(stand_in, watch, code, symbol, why):
    stand_in.set({"count": 3, f"1.error.{symbol}": code})
    report = watch().look()
    assert [gpu["index"] for gpu in report["gpus"]] == ["0", "2"]
    assert report["tried"] == [["nvml GPU 1", why]]
    assert report["failed"] is False


def test_no_usable_gpu_is_a_failure(stand_in, watch):
    stand_in.set({"0.error.nvmlDeviceGetHandleByIndex_v2": 15})
    report = watch().look()
    assert (report["gpus"], report["failed"]) == ([], True)


def test_no_gpu_at_all_is_none(stand_in, watch):
    stand_in.set({"count": 0})
    report = watch().look()
    assert (report["gpus"], report["failed"], report["tried"]) == ([], False, [])


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (9, "the NVIDIA driver is not loaded"),
        (18, "the driver was updated; reboot"),
        (4, "no permission"),
        (17, "blocks access"),
        (999, "Unknown Error"),
    ],
)
@pytest.mark.parametrize("probe", ["nvml", "auto"])
def test_a_driver_that_refuses(stand_in, watch, code, part, probe):
    stand_in.set({"error.nvmlInitWithFlags": code})
    report = watch(probe=probe).look()
    assert report["failed"] is True
    assert report["gpus"] == []
    assert part in dict(report["tried"])["nvml"]


def test_a_driver_that_recovers_is_asked_again(stand_in, watch):
    watcher = watch()
    stand_in.set({"error.nvmlDeviceGetCount_v2": 999})
    assert watcher.look()["failed"] is True
    stand_in.set({"error.nvmlDeviceGetCount_v2": None})
    assert len(watcher.look()["gpus"]) == 1


@pytest.mark.parametrize("symbol", ["nvmlInitWithFlags", "nvmlDeviceGetTemperatureV"])
def test_a_hanging_driver_is_reported_not_waited_for(stand_in, watch, symbol):
    stand_in.set({f"delay_ms.{symbol}": 3_600_000})
    watcher = watch(probe="auto", timeout_s=0.2)
    report = watcher.look()
    assert report["failed"] is True
    asked = ", asked for GPU 0" if "Device" in symbol else ""
    assert dict(report["tried"])["nvml"] == f"the NVIDIA driver did not answer within 0.2 s{asked}"
    assert "still does not answer" in dict(watcher.look()["tried"])["nvml"]


def test_a_driver_that_hangs_in_the_middle_is_asked_on_once_it_answers(stand_in, watch):
    watcher = watch(probe="auto", timeout_s=0.5)
    assert watcher.look(t=7.0)["last_good"] is None
    stand_in.hang()
    report = watcher.look(t=8.0)
    assert (report["gpus"], report["failed"], report["last_good"]) == ([], True, 7.0)
    stand_in.hang(False)
    wait_until(lambda: watcher.look(t=9.0)["gpus"])
    assert watcher.look(t=10.0)["last_good"] is None


def test_one_gpu_that_hangs_is_named_and_hides_no_other_that_is_asked_alone(stand_in, watch):
    stand_in.set({"count": 2, "1.hang": 1})
    watcher = watch(timeout_s=0.5)
    assert [gpu["index"] for gpu in watcher.look(only=["0"])["gpus"]] == ["0"]
    report = watcher.look()
    assert report["tried"] == [["nvml", "the NVIDIA driver did not answer within 0.5 s, asked for GPU 1"]]
    stand_in.set({"1.hang": None})
    wait_until(lambda: len(watcher.look()["gpus"]) == 2)


def test_a_gpu_that_is_lost_in_the_middle_leaves_the_others(stand_in, watch):
    stand_in.set({"count": 8, "3.mig": 1, "3.slices": 2})
    watcher = watch(probe="auto")
    everything = ["0", "1", "2", "3:0", "3:1", "4", "5", "6", "7"]
    assert [gpu["index"] for gpu in watcher.look()["gpus"]] == everything
    stand_in.lose(3)
    stand_in.lose(5)
    report = watcher.look()
    assert [gpu["index"] for gpu in report["gpus"]] == ["0", "1", "2", "4", "6", "7"]
    assert report["tried"][-2:] == [["nvml GPU 3", "is lost"], ["nvml GPU 5", "is lost"]]
    assert report["failed"] is False
    assert watcher.look(only=["5"])["failed"] is True
    stand_in.set({"3.error.all": None, "5.error.all": None})
    assert [gpu["index"] for gpu in watcher.look()["gpus"]] == everything


def test_a_driver_that_is_updated_in_the_middle(stand_in, watch):
    watcher = watch(probe="auto")
    assert watcher.look()["failed"] is False
    stand_in.set({"error.all": 18})
    for _ in range(2):
        report = watcher.look()
        assert report["failed"] is True
        assert "the driver was updated; reboot" in dict(report["tried"])["nvml"]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_only_the_wanted_are_read(stand_in, watch, count):
    stand_in.set({"count": count, "0.mig": 1, "0.slices": 2})
    watcher = watch()
    assert len(watcher.look()["gpus"]) == count + 1
    assert [gpu["index"] for gpu in watcher.look(only=["0:1"])["gpus"]] == ["0:1"]
    last = str(count - 1)
    assert [gpu["index"] for gpu in watcher.look(only=[last])["gpus"]] == ([last] if count > 1 else [])


def test_processes_are_listed_when_they_are_wanted(stand_in, watch):
    me = os.getpid()
    stand_in.serve(0, {me: 3 * GIB, 2**31 - 1: None, 0: 1})
    stand_in.set({"0.graphics": f"{me}:{2 * GIB},{2**31 - 2}:5", "count": 2})
    watcher = watch()
    assert watcher.look()["gpus"][0]["processes"] is None
    first, second = watcher.look(processes=True)["gpus"]
    assert second["processes"] == []
    known = owners.named(GpuProcess(pid=me, used_bytes=3 * GIB))
    assert known.name
    assert known.user
    assert first["processes"] == [
        known.plain(),
        {"pid": 2**31 - 2, "used_bytes": 5, "name": "", "user": "", "run": ""},
        {"pid": 2**31 - 1, "used_bytes": None, "name": "", "user": "", "run": ""},
    ]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"error.nvmlDeviceGetComputeRunningProcesses_v3": 3}, [9]),
        ({"error.nvmlDeviceGetGraphicsRunningProcesses_v3": 999}, [7]),
        ({f"error.nvmlDeviceGet{kind}RunningProcesses_v3": 3 for kind in ("Compute", "Graphics")}, None),
    ],
)
def test_lists_of_processes_may_be_missing(stand_in, watch, state, expected):
    stand_in.set({"0.processes": "7:1", "0.graphics": "9:1", **state})
    listed = watch().look(processes=True)["gpus"][0]["processes"]
    assert (listed and [process["pid"] for process in listed]) == expected


def test_the_processes_of_a_slice_are_its_own(stand_in, watch):
    stand_in.set({"0.mig": 1, "0.slices": 2, "0.temp": 70, "0.slowdown": 90, "0.reasons": "0x40"})
    stand_in.serve("0:1", {2**31 - 1: 5})
    first, second = watch().look(processes=True)["gpus"]
    assert (first["processes"], [p["used_bytes"] for p in second["processes"]]) == ([], [5])
    assert (second["slowdown_c"], second["is_slowed"]) == (90, True)


@pytest.mark.parametrize(
    "state",
    [
        {"error.nvmlDeviceGetMemoryInfo_v2": 3, "error.nvmlDeviceGetMemoryInfo": 3},
        {"0.total": 0, "0.free": 0},
    ],
)
def test_a_gpu_without_memory_of_its_own_shows_the_boxs(stand_in, watch, state):
    stand_in.set({"0.name": "NVIDIA GB10", "0.temp": 55, **state})
    gpu = watch().look()["gpus"][0]
    box = sample_host(0.0)
    assert gpu["is_unified"] is True
    assert gpu["total_bytes"] == box.ram_total_bytes
    assert 0 < gpu["free_bytes"] <= gpu["total_bytes"]
    assert gpu["temp_c"] == 55


def test_memory_that_we_may_not_ask_for_is_not_the_boxs(stand_in, watch):
    stand_in.set({"0.name": "NVIDIA GB10", "error.nvmlDeviceGetMemoryInfo_v2": 4, "error.nvmlDeviceGetMemoryInfo": 4})
    gpu = watch().look()["gpus"][0]
    assert (gpu["is_unified"], gpu["total_bytes"]) == (False, None)


def test_the_slices_of_a_gpu_in_mig_mode(stand_in, watch):
    stand_in.set(
        {
            "count": 2,
            "0.mig": 0,
            "1.mig": 1,
            "1.slices": 2,
            "1.temp": 44,
            "1:0.total": 10 * GIB,
            "1:0.free": 9 * GIB,
            "1:1.name": "Stand-In MIG 1g.10gb",
            "error.nvmlDeviceGetUtilizationRates": 3,
        }
    )
    gpus = watch().look()["gpus"]
    assert [gpu["index"] for gpu in gpus] == ["0", "1:0", "1:1"]
    first, second = gpus[1:]
    assert first["mask"] == first["uuid"] == "MIG-00000001-0000-4000-8000-5a5a5a5a5a5a"
    assert (first["total_bytes"], first["free_bytes"], first["temp_c"]) == (10 * GIB, 9 * GIB, 44)
    assert second["name"] == "Stand-In MIG 1g.10gb"


def test_mig_mode_without_slices_is_named(stand_in, watch):
    stand_in.set({"0.mig": 1})
    report = watch().look()
    assert report["gpus"] == []
    assert report["tried"] == [["nvml GPU 0", "is in MIG mode but has no slices"]]


def test_auto_finds_the_library_by_its_path(stand_in, watch):
    report = watch(probe="auto").look()
    assert (report["probe"], len(report["gpus"])) == ("nvml", 1)
