"""The real pynvml against a stand-in for the driver's library, each test in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn

pytestmark = pytest.mark.cc
GIB = 1 << 30

# One sampler that lives on: each line of input is one look.
PROGRAM = """
import json, os, sys
from backprop_tui.probes.gpu import GpuSampler
probe, timeout_s = sys.argv[1], float(sys.argv[2])
sampler = GpuSampler(probe, env=os.environ, timeout_s=timeout_s)
for line in sys.stdin:
    print(json.dumps(sampler.sample(1.0).plain()), flush=True)
sampler.close()
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

    def look(self):
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("look\n")
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
    assert dict(report["tried"])["nvml"] == "the NVIDIA driver did not answer within 0.2 s"
    assert "still does not answer" in dict(watcher.look()["tried"])["nvml"]


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
