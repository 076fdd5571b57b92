"""What is known of the leased GPUs while a run goes on, through the real pynvml on a stand-in library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from backprop_tui.model.samples import GpuProcess, GpuReport, GpuSample, Lease
from backprop_tui.supervisor.gpuledger import Ledger, shared_gpus
from backprop_tui.supervisor.gpuwatch import why_unreadable
from tests.stand_ins.compiling import build
from tests.stand_ins.nvml import LIBRARY, SOURCE, NvmlStandIn
from tests.stand_ins.waiting import wait_until

GIB = 1 << 30

# Each line of input changes pids, or stops the watch; each line of output is what is known then.
PROGRAM = """
import json, sys, threading
from backprop_tui.supervisor import gpuwatch
gpuwatch.EVERY_S = gpuwatch.PROCESSES_EVERY_S = 0.02
options = json.loads(sys.argv[1])
pids = []
watch = gpuwatch.GpuWatch(tuple(options.pop("indices")), "auto", lambda: tuple(pids), **options)
watch.start()
for line in sys.stdin:
    command = json.loads(line)
    pids[:] = command.get("pids", pids)
    if command.get("stop"):
        said = {"clear": watch.stop(10.0), "threads": threading.active_count()}
    else:
        said = {"used": watch.used_bytes, **(watch.sample.plain() if watch.sample else {"t": None})}
    print(json.dumps(said), flush=True)
"""


class Watch:
    """A process with a watch in it."""

    def __init__(self, stand_in: NvmlStandIn, **options) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=stand_in.env(),
        )

    def say(self, **command):
        """Give a command; what is known then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def until(self, condition):
        """What is known as soon as the condition holds of it."""
        found = {}

        def holds() -> bool:
            found.update(self.say())
            return found["t"] is not None and condition(found)

        wait_until(holds)
        return found

    def end(self) -> int:
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
    watches = []

    def start(*indices: str, **options):
        watches.append(Watch(stand_in, indices=indices, **options))
        return watches[-1]

    yield start
    for one in watches:
        assert one.end() == 0


@pytest.mark.cc
def test_only_the_leased_gpus_are_followed(stand_in, watch):
    stand_in.set({"count": 8, "7.hang": 1, "5.free": 4 * GIB})
    one = watch("2", "5", timeout_s=0.5)
    seen = one.until(lambda seen: seen["gpus"])
    assert [gpu["index"] for gpu in seen["gpus"]] == ["2", "5"]
    assert (seen["used"], seen["error"]) == (24 * GIB, "")
    stand_in.set({"5.free": 5 * GIB, "2.temp": 84})
    assert one.until(lambda seen: seen["used"] == 23 * GIB)["gpus"][0]["temp_c"] == 84


@pytest.mark.cc
def test_what_the_training_holds_is_told_from_what_others_hold(stand_in, watch):
    stand_in.serve(0, {70: 6 * GIB})
    one = watch("0", baseline={"0": 0})
    one.say(pids=[100, 101])
    stand_in.serve(0, {70: 9 * GIB, 100: 2 * GIB, 101: GIB})
    seen = one.until(lambda seen: seen["tree_bytes"] == {"0": 3 * GIB})
    assert seen["is_device"] is False
    stand_in.serve(0, {70: 9 * GIB})
    assert one.until(lambda seen: seen["tree_bytes"] == {"0": 0})["is_device"] is False


@pytest.mark.cc
def test_without_a_list_it_is_what_the_device_has_more_than_before(stand_in, watch):
    stand_in.set({"0.free": 20 * GIB, "error.nvmlDeviceGetComputeRunningProcesses_v3": 3})
    stand_in.set({"error.nvmlDeviceGetGraphicsRunningProcesses_v3": 3})
    one = watch("0", baseline={"0": 3 * GIB})
    one.say(pids=[100])
    assert one.until(lambda seen: seen["tree_bytes"] == {"0": GIB})["is_device"] is True
    stand_in.set({"0.free": 12 * GIB})
    one.until(lambda seen: seen["tree_bytes"] == {"0": 9 * GIB})
    stand_in.set({"0.free": 22 * GIB})
    one.until(lambda seen: seen["tree_bytes"] == {"0": 0})


@pytest.mark.cc
def test_a_gpu_that_is_lost_is_said_and_the_other_followed(stand_in, watch):
    stand_in.set({"count": 2})
    one = watch("0", "1")
    one.until(lambda seen: len(seen["gpus"]) == 2)
    stand_in.lose(1)
    seen = one.until(lambda seen: seen["error"])
    assert (seen["error"], seen["used"], [gpu["index"] for gpu in seen["gpus"]]) == ("GPU 1 is lost", None, ["0"])
    one.until(lambda later: later["t"] > seen["t"])
    stand_in.set({"1.error.all": None})
    one.until(lambda seen: not seen["error"] and len(seen["gpus"]) == 2)


@pytest.mark.cc
def test_a_driver_that_hangs_leaves_the_last_sample_with_its_time(stand_in, watch):
    one = watch("0", timeout_s=0.2)
    one.until(lambda seen: seen["gpus"])
    stand_in.hang()
    seen = one.until(lambda seen: "still does not answer" in seen["error"])
    later = one.until(lambda later: later["error"])
    assert (later["t"], later["used"], len(later["gpus"])) == (seen["t"], None, 1)
    stand_in.hang(False)
    assert one.until(lambda later: not later["error"])["t"] > seen["t"]
    assert one.say(stop=True) == {"clear": True, "threads": 1}


@pytest.mark.cc
def test_a_driver_that_hangs_from_the_start_was_never_read(stand_in, watch):
    stand_in.hang()
    one = watch("0", timeout_s=0.2)
    seen = one.until(lambda seen: seen["error"])
    assert (seen["t"], seen["gpus"], seen["used"]) == (0.0, [], None)
    assert one.say(stop=True)["clear"] is False
    stand_in.hang(False)


@pytest.mark.cc
def test_a_watch_that_is_stopped_leaves_no_thread(stand_in, watch):
    one = watch("0")
    one.until(lambda seen: seen["gpus"])
    assert one.say(stop=True) == {"clear": True, "threads": 1}
    assert len(one.say()["gpus"]) == 1


def gpu(index="0", used=0, processes=None, **more):
    return GpuSample(
        index=index,
        mask=index,
        uuid="",
        name="One",
        total_bytes=24 * GIB,
        free_bytes=24 * GIB - used,
        processes=processes,
        **more,
    )


def using(**processes):
    return tuple(GpuProcess(pid=int(name[1:]), used_bytes=used) for name, used in processes.items())


OTHERS = using(p9=5 * GIB)


@pytest.mark.parametrize(
    ("is_host", "sample", "held", "is_device"),
    [
        pytest.param(True, gpu(used=9, processes=using(p1=3, p2=4, p9=2)), 7, False, id="the sum over ours"),
        pytest.param(True, gpu(used=9, processes=OTHERS), 0, False, id="others only: we hold nothing yet"),
        pytest.param(False, gpu(used=9, processes=OTHERS), 8, True, id="others only: maybe we, under other numbers"),
        pytest.param(True, gpu(used=9, processes=()), 8, True, id="an empty list may hide everybody"),
        pytest.param(True, gpu(used=9, processes=None), 8, True, id="no list"),
        pytest.param(True, gpu(used=9, processes=using(p1=3, p2=None)), 8, True, id="bytes are not told"),
        pytest.param(True, gpu(used=0, processes=None), 0, True, id="less than before"),
        pytest.param(True, gpu(used=9, processes=None, is_unified=True), None, False, id="the box's own memory"),
        pytest.param(True, gpu("1", used=9, processes=None), None, False, id="no baseline"),
        pytest.param(
            True,
            gpu(processes=using(p1=3), is_unified=True),
            3,
            False,
            id="the box's own memory, by the list",
        ),
    ],
)
def test_what_a_training_holds(is_host, sample, held, is_device):
    ledger = Ledger(is_host)
    ledger.take(5.0, (sample,), (1, 2), {"0": 1})
    assert ledger.tree_bytes == ({} if held is None else {sample.index: held})
    assert (ledger.is_device, ledger.t) == (is_device, 5.0)


def test_once_ours_was_listed_the_list_is_trusted():
    ledger = Ledger(is_host=False)
    ledger.take(1.0, (gpu(processes=using(p1=3)),), (1,), {"0": 0})
    for processes in (OTHERS, ()):
        ledger.take(2.0, (gpu(used=9, processes=processes),), (1,), {"0": 0})
        assert (ledger.tree_bytes, ledger.is_device) == ({"0": 0}, False)


def test_between_two_lists_the_last_one_holds():
    ledger = Ledger(is_host=True)
    ledger.take(1.0, (gpu(processes=using(p1=3)), gpu("1", used=4)), (1,), {"0": 0, "1": 1})
    assert ledger.tree_bytes == {"0": 3, "1": 3}
    ledger.take(2.0, (gpu(used=99), gpu("1", used=6)), None, {"0": 0, "1": 1})
    assert (ledger.tree_bytes, ledger.is_device, ledger.t) == ({"0": 3, "1": 5}, True, 2.0)
    ledger.take(3.0, (gpu(used=99),), None, {"0": 0, "1": 1})
    assert (ledger.tree_bytes, ledger.is_device, ledger.t) == ({"0": 3}, False, 2.0)


@pytest.mark.parametrize(
    ("before", "leased", "is_shared"),
    [
        ({"0": GIB}, (), False),
        ({"0": GIB}, ("1", "00"), False),
        ({"0": GIB}, ("0",), True),
        ({"0": 2 * GIB}, (), True),
        ({}, (), True),
    ],
)
def test_who_shares_a_gpu(before, leased, is_shared):
    others = [Lease(run_id="other", pid=1, since=0.0, gpus=leased)]
    assert shared_gpus((gpu(),), before, others) == (frozenset({"0"}) if is_shared else frozenset())
    assert shared_gpus((gpu().replace(total_bytes=None),), before, []) == frozenset({"0"})


def test_memory_that_moves_calls_for_a_new_list():
    ledger = Ledger(is_host=True)
    assert not ledger.has_moved((gpu(used=9 * GIB),))
    ledger.take(1.0, (gpu(used=GIB, processes=()),), (), {})
    assert not ledger.has_moved((gpu(used=GIB + 1),))
    assert ledger.has_moved((gpu(used=2 * GIB),))
    assert ledger.has_moved((gpu(used=0),))
    assert not ledger.has_moved((gpu().replace(free_bytes=None),))


@pytest.mark.parametrize(
    ("gpus", "tried", "indices", "why"),
    [
        (("0", "1"), (("nvml GPU 2", "is lost"),), ("0", "1"), ""),
        (("0",), (("nvml GPU 1", "is lost"),), ("0", "1"), "GPU 1 is lost"),
        ((), (("nvml GPU 1", "is lost"), ("rocm", "not here")), ("1:0",), "GPU 1 is lost"),
        ((), (("nvml", "the driver is not loaded"), ("nvidia-smi", "no")), ("0",), "the driver is not loaded"),
        (("0",), (("nvml GPU 11", "is lost"),), ("1:3",), "GPU 1:3 is not there any more"),
        ((), (), ("0",), "GPU 0 is not there any more"),
    ],
)
def test_why_a_gpu_cannot_be_read(gpus, tried, indices, why):
    report = GpuReport(t=1.0, probe="nvml", gpus=tuple(gpu(index) for index in gpus), tried=tried)
    assert why_unreadable(report, indices) == why
