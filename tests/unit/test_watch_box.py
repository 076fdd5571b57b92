from __future__ import annotations

import os
import signal
import subprocess

import pytest

from backprop_tui.cli.boxlines import users_of
from backprop_tui.model.samples import GpuProcess, GpuReport, GpuSample, Lease
from backprop_tui.tui.draw.measures import user_of
from backprop_tui.watch.box import PROCESSES_EVERY_S, BoxMeter
from backprop_tui.watch.users import attributed

GPU = GpuSample(index="0", mask="0", uuid="GPU-1", name="One")
ANNA = GpuProcess(pid=21844, name="python", user="anna")
FAILED = GpuReport(t=0.0, probe="none", failed=True, tried=(("nvml", "hangs"),))


class Driver:
    """Answers for the probes; whether processes were wanted is in `asked`."""

    def __init__(self) -> None:
        self.report = GpuReport(t=0.0, probe="nvml", gpus=(GPU,))
        self.asked: list[bool] = []

    def sample(self, t, processes=False):
        self.asked.append(processes)
        gpus = tuple(gpu.replace(processes=(ANNA,)) if processes else gpu for gpu in self.report.gpus)
        return self.report.replace(t=t, gpus=gpus)


@pytest.fixture
def driver():
    return Driver()


@pytest.fixture
def meter(driver, tmp_path, monkeypatch):
    made = BoxMeter(str(tmp_path), "none")
    monkeypatch.setattr(made, "_sampler", driver)
    return made


def test_a_process_of_a_run_has_the_runs_name():
    shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    try:
        assert shell.stdout is not None
        child = int(shell.stdout.readline())
        listed = tuple(GpuProcess(pid=pid) for pid in (child, shell.pid, os.getppid()))
        gpus = (GPU.replace(processes=listed), GPU)
        runs = (Lease(run_id="r1", pid=shell.pid, since=0.0, name="my-llama"),)
        told = attributed(gpus, runs)
        assert [process.run for process in told[0].processes or ()] == ["my-llama", "my-llama", ""]
        assert told[1] == GPU
        assert attributed(gpus, ()) == gpus
    finally:
        os.kill(child, signal.SIGKILL)
        shell.communicate()


def test_who_uses_a_gpu():
    mine = GpuProcess(pid=5, used_bytes=3 << 30, name="python", user="gm3", run="my-llama")
    gpu = GPU.replace(processes=(mine, ANNA, mine.replace(pid=6, run="elsewhere")))
    leases = (Lease(run_id="r1", pid=4, since=0.0, name="my-llama", gpus=("0",)),)
    assert users_of(gpu, leases) == ["my-llama 3.0 GB", "python 21844 (anna)", "python 6 (elsewhere) 3.0 GB"]
    assert user_of(gpu, "my-llama", "gm3") == "my-llama +1 of anna"
    assert user_of(gpu.replace(processes=(mine,)), "", "gm3") == "my-llama"
    assert user_of(gpu.replace(processes=(ANNA,)), "", "gm3") == "python 21844 (anna)"


def test_processes_are_asked_for_now_and_then_and_shown_always(driver, meter):
    for t in (100.0, 101.0, 100.0 + PROCESSES_EVERY_S, 50.0):
        assert meter.sample(t).gpus.gpus[0].processes == (ANNA,)
    assert driver.asked == [True, False, True, True]


def test_a_gpu_that_is_new_has_no_list_yet(driver, meter):
    meter.sample(100.0)
    driver.report = driver.report.replace(gpus=(GPU, GPU.replace(index="1", uuid="GPU-2")))
    assert [gpu.processes for gpu in meter.sample(101.0).gpus.gpus] == [(ANNA,), None]


def test_gpus_that_cannot_be_read_any_more_are_there_with_their_age(driver, meter):
    good = meter.sample(100.0)
    assert (good.gpus_t, good.last_gpus) == (100.0, None)
    driver.report = FAILED.replace(last_good=100.0)
    bad = meter.sample(103.0)
    assert (bad.gpus.gpus, bad.gpus_t, bad.last_gpus) == ((), 100.0, good.gpus)
    driver.report = GpuReport(t=0.0, probe="nvml", gpus=(GPU,))
    assert meter.sample(104.0).last_gpus is None


def test_gpus_that_were_never_read_have_no_age(driver, meter):
    driver.report = FAILED
    sample = meter.sample(100.0)
    assert (sample.gpus_t, sample.last_gpus) == (None, None)


def test_a_box_without_gpus_is_no_old_one(driver, meter):
    meter.sample(100.0)
    driver.report = GpuReport(t=0.0, probe="nvml")
    assert meter.sample(101.0).last_gpus is None
