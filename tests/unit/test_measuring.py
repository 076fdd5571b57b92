"""What is measured beside a running slice: exact RAM, neighbours, disks, and what is left afterwards."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import signal
from pathlib import Path

import pytest

from backprop_tui.governor.running import STALE_S
from backprop_tui.model.run import Resources
from backprop_tui.model.samples import GpuProcess, GpuSample, Lease
from backprop_tui.probes import shm, smaps
from backprop_tui.probes.variables import variables_of
from backprop_tui.supervisor.aftermath import left_over
from backprop_tui.supervisor.governing import pace_factor
from backprop_tui.supervisor.measuring import ExactRam, disks_of
from backprop_tui.supervisor.neighbours import neighbours, younger_short_of_ram

GB = 1 << 30
MB = 1 << 20


def test_shared_pages_are_counted_once() -> None:
    size = 64 * MB
    shared = mmap.mmap(-1, size)  # shared with what is forked
    shared.write(b"x" * size)
    children = []
    ready, told = os.pipe()
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            sum(shared[0:size:4096])  # maps every page
            os.write(told, b".")
            signal.pause()
        children.append(pid)
    for _ in children:
        os.read(ready, 1)
    try:
        pss = smaps.proportional_bytes([os.getpid(), *children])
        assert pss is not None
        rss = sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE for pid in [os.getpid(), *children]
        )
        assert rss > 5 * size
        assert size < pss < rss - 3 * size
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        os.close(ready)
        os.close(told)
        shared.close()


def test_a_process_without_exact_figures_counts_without_what_it_may_share(tmp_path: Path) -> None:
    for pid, files in {
        1: {"smaps_rollup": "00-ff ---p\nRss:  900 kB\nPss:  300 kB\nPss_Anon: 7 kB\n"},
        2: {"status": "Name:\tx\nVmRSS:\t 900 kB\nRssAnon:\t 200 kB\n"},
        3: {"smaps_rollup": "Pss: what kB\n"},
        4: {},
    }.items():
        (tmp_path / str(pid)).mkdir()
        for name, text in files.items():
            (tmp_path / str(pid) / name).write_text(text)
    assert smaps.proportional_bytes([1, 2, 3, 4, 5], str(tmp_path)) == 500 * 1024
    assert smaps.proportional_bytes([4, 5], str(tmp_path)) is None


class FakeTree:
    def __init__(self, rss: int, at: float | None = 0.0) -> None:
        self.resources, self.pids, self.measured_at = Resources(rss_bytes=rss), (os.getpid(),), at


def measure(ram: ExactRam, rss: int, now: float) -> tuple[int, float] | None:
    tree = FakeTree(rss, now - 1)
    return ram.measure(tree, now, 1000.0 + now)  # type: ignore[arg-type]


def test_ram_is_measured_exactly_only_near_its_limit() -> None:
    assert measure(ExactRam(None), 5, 1.0) is None
    ram = ExactRam(100 * GB)
    assert measure(ram, 79 * GB, 2.0) == (79 * GB, 1001.0)  # as old as the tree's measurement
    exact = measure(ram, 300 * GB, 4.0)
    assert exact is not None
    assert exact[0] < GB
    assert exact[1] == 1004.0
    assert measure(ram, 300 * GB, 5.0) == exact  # a rest in between
    later = measure(ram, 300 * GB, 500.0)
    assert later is not None
    assert later[1] == 1500.0


def test_what_is_slow_to_measure_is_measured_again_before_it_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter(range(0, 360_000, 3600))
    monkeypatch.setattr("backprop_tui.supervisor.measuring.time.perf_counter", lambda: float(next(hours)))
    ram = ExactRam(GB)
    for now in (4.0, 4.0 + STALE_S / 2):
        exact = measure(ram, 300 * GB, now)
        assert exact is not None
        assert exact[1] == 1000.0 + now


def test_variables_of_living_processes(tmp_path: Path) -> None:
    for pid, environ in ((1, b"A=1\0WORLD_SIZE=8\0B=\xff"), (2, b"WORLD_SIZE\0=\0\0"), (3, b"")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "environ").write_bytes(environ)
    assert variables_of([1, 2, 3, 4], {"WORLD_SIZE", "A"}, str(tmp_path))["A"] == "1"
    assert variables_of([1, 4], {"WORLD_SIZE"}, str(tmp_path)) == {"WORLD_SIZE": "8"}
    assert variables_of([os.getpid()], {"PATH"}) != {}


def test_neighbours_are_those_that_live(tmp_path: Path) -> None:
    own = tmp_path / f"me.{os.getpid()}"
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    lease = {"run_id": "x", "since": 5.0, "runnable": 3.5, "min_free_ram_bytes": 4.0 * GB}
    own.write_text(json.dumps({**lease, "pid": os.getpid()}))
    (tmp_path / "other").write_text(json.dumps({**lease, "pid": os.getppid()}) + "    ")
    # Whoever had this number when it wrote the lease has ended: nobody holds it.
    (tmp_path / "reused").write_text(json.dumps({**lease, "since": 9.0, "pid": os.getppid()}))
    (tmp_path / "dead").write_text(json.dumps({**lease, "pid": gone}))
    for name, text in (("empty", ""), ("list", "[1]"), ("huge", '{"pid": 1e400, "since": 1}'), ("deep", "[" * 60000)):
        (tmp_path / name).write_text(text)
    with open(tmp_path / "other") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = neighbours(str(own))
    assert [(one.pid, one.since, one.runnable, one.min_free_ram_bytes) for one in found] == [
        (os.getppid(), 5.0, 3.5, 4 * GB)
    ]
    assert neighbours(str(tmp_path / "none" / "x")) == []


@pytest.mark.parametrize(
    ("least_gb", "count"),
    [
        ([4, 4], 2),
        ([0, 4], 1),  # with its guard off it never ends, so nobody waits for it
        ([0, 2], 0),  # 0.6 GB are enough for it
        ([None, 0], 1),
        ([], 0),
    ],
)
def test_who_ends_before_a_run_when_memory_runs_out(least_gb: list[int | None], count: int) -> None:
    own = Lease(run_id="own", pid=9, since=5.0)
    younger = [
        Lease(run_id="a", pid=1, since=6.0, min_free_ram_bytes=None if size is None else size * GB) for size in least_gb
    ]
    elder = Lease(run_id="b", pid=1, since=4.0, min_free_ram_bytes=4 * GB)
    assert younger_short_of_ram(own, [elder, own, *younger], int(0.6 * GB)) == count


def test_a_filesystem_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    found = disks_of(str(tmp_path / "records"), (str(tmp_path / "a.pt"), "/proc/x.pt", str(tmp_path / "no" / "b.pt")))
    assert [disk.what for disk in found] == ["records and checkpoints"]
    assert found[0].free_bytes > 0


@pytest.mark.parametrize(
    ("text", "factor"), [(None, 1.0), ("", 1.0), ("0", 0.0), ("0.5", 0.5), ("x", 1.0), ("-1", 1.0), ("nan", 1.0)]
)
def test_the_pace(text: str | None, factor: float) -> None:
    assert pace_factor(text) == factor


def gpu(used_gb: float, *processes: tuple[int, float | None], is_listed: bool = True) -> GpuSample:
    listed = tuple(GpuProcess(pid=pid, used_bytes=None if size is None else int(size * GB)) for pid, size in processes)
    return GpuSample(
        index="0", mask="0", uuid="", name="", total_bytes=24 * GB, free_bytes=int((24 - used_gb) * GB),
        processes=listed if is_listed else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sample", "before_gb", "others_gb", "left_gb"),
    [
        (gpu(4), 4, 0, 0),
        (gpu(3), 4, 0, 0),
        (gpu(6), 4, 0, 2),  # nobody is listed: it is left behind
        (gpu(6, (7, 2)), 4, 0, 0),  # somebody came meanwhile
        (gpu(6, (7, 4)), 4, 4, 2),  # somebody who was there before
        (gpu(6, (7, 1)), 4, 4, 2),  # and who has less now
        (gpu(6, (7, None)), 4, 0, 0),
        (gpu(6, is_listed=False), 4, 0, 0),  # no telling whose it is
        (gpu(6, is_listed=False), 1, 0, 5),
        (gpu(6).replace(is_unified=True), 1, 0, 0),
        (gpu(6).replace(free_bytes=None), 1, 0, 0),
    ],
)
def test_gpu_memory_that_did_not_come_back(sample: GpuSample, before_gb: int, others_gb: int, left_gb: int) -> None:
    assert left_over(sample, before_gb * GB, others_gb * GB) == left_gb * GB


def test_shared_memory_that_nobody_uses(tmp_path: Path) -> None:
    begun = tmp_path.stat().st_ctime - 1
    (tmp_path / "torch_1").write_bytes(bytes(MB))
    (tmp_path / "used").write_bytes(bytes(MB))
    (tmp_path / "mapped").write_bytes(bytes(MB))
    with open(tmp_path / "used", "rb"), open(tmp_path / "mapped", "r+b") as file, mmap.mmap(file.fileno(), 0):
        assert list(shm.forgotten(begun, MB // 2, str(tmp_path))) == [str(tmp_path / "torch_1")]
        assert shm.forgotten(begun, 2 * MB, str(tmp_path)) == {}
        assert shm.forgotten(begun + 1e6, 1, str(tmp_path)) == {}
    assert shm.forgotten(0.0, 1, str(tmp_path / "none")) == {}
