"""The Governor beside a slice: what it records, orders and keeps up to date, with measurements made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from backprop_tui.governor.running import Reading
from backprop_tui.model.run import MemoryLimit, Reason, Resources, Run, Slice
from backprop_tui.model.samples import GpuSample, Lease
from backprop_tui.model.states import RunState
from backprop_tui.supervisor import measuring
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.governing import Governing
from backprop_tui.supervisor.timebox import TimeBox
from tests.unit.test_running import made_spec

GB = 1 << 30


class ManualClock(Clock):
    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def epoch(self) -> float:
        return 1_700_000_000 + self.now


class FakeRecorder:
    def __init__(self) -> None:
        piece = Slice(n=1, state=RunState.RUNNING, started=0, box_s=600)
        limit = MemoryLimit(bytes=8 * GB, means="", text="")
        self.run = Run(id="r1", state=RunState.RUNNING, created=0, updated=0, slices=(piece,), memory_limit=limit)
        self.told: list[Any] = []

    def event(self, kind: str, **fields: Any) -> None:
        self.told.append((kind, fields["rule"], fields["ok"]))

    def warn(self, text: str) -> None:
        self.told.append(f"+{text}")

    def withdraw(self, text: str) -> None:
        self.told.append(f"-{text}")

    def amend_slice(self, **fields: Any) -> None:
        assert self.run.slice is not None
        self.run = self.run.replace(slices=(self.run.slice.replace(**fields),))

    def pause(self, by: str) -> None:
        self.run = self.run.replace(state=RunState.PAUSED, reason=Reason(code="x", text="x", by=by))


class FakeLease:
    def __init__(self) -> None:
        self.lease = Lease(run_id="r1", pid=1, since=0.0)

    def update(self, **changes: Any) -> None:
        self.lease = self.lease.replace(**changes)


class Bench:
    """A Governing over a slice; `reading` is what is measured at each look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.recorder, self.lease = ManualClock(), FakeRecorder(), FakeLease()
        self.tree = SimpleNamespace(resources=Resources(rss_bytes=7, peak_rss_bytes=5), runnable=3.0, pids=())
        self.gpu = SimpleNamespace(used_bytes=4 * GB, baseline={"0": GB})
        self.reading: dict[str, Any] = {}
        case: Any = SimpleNamespace(spec=made_spec(("x",)), recorder=self.recorder, lease=self.lease)
        keeper: Any = SimpleNamespace(tree=self.tree, gpu=self.gpu)
        bench = self

        class FakeMeasuring:
            def __init__(self, *_parts: Any, **_more: Any) -> None: ...

            def read(self, now: float, *, stands_still: bool) -> Reading:
                if "fault" in bench.reading:
                    raise ZeroDivisionError("a fault")
                t = bench.clock.epoch()
                return Reading(t=t, gpus_t=t, **bench.reading)

        monkeypatch.setattr(measuring, "Measuring", FakeMeasuring)
        monkeypatch.setenv("BACKPROP_GOVERNOR_PACE", "0")
        self.governing = Governing(case, keeper, TimeBox(600, self.clock.now), self.clock)

    def turns(self, seconds: float) -> list[str]:
        """Ten a second; the verbs that were ordered."""
        verbs = []
        for _ in range(round(seconds * 10)):
            self.clock.now += 0.1
            order = self.governing.look(self.clock.now)
            if order is not None:
                verbs.append(order.verb)
        return verbs


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def gpu(temp_c: int, free_gb: int = 20) -> GpuSample:
    return GpuSample(index="0", mask="0", uuid="", name="", temp_c=temp_c, total_bytes=24 * GB, free_bytes=free_gb * GB)


def test_decisions_are_recorded_before_they_are_carried_out(bench: Bench) -> None:
    bench.reading = {"gpus": (gpu(90),)}
    assert bench.turns(1.8) == []  # the training loads itself
    assert bench.turns(2) == ["pause"]
    assert bench.recorder.told == [("decision", "gpu_temp", False)]
    bench.recorder.pause("governor")
    bench.reading = {"gpus": (gpu(60),)}
    assert bench.turns(1) == ["continue"]
    assert bench.recorder.told[-1] == ("decision", "gpu_temp", True)


def test_warnings_are_said_once_and_withdrawn(bench: Bench) -> None:
    bench.reading = {"gpu_trouble": "no answer"}
    bench.turns(10)
    bench.reading = {}
    bench.turns(3)
    said = (
        "the GPU cannot be read now (no answer), last read 0 s ago: it is not guarded against heat and too much memory"
    )
    assert bench.recorder.told == [f"+{said}", f"-{said}"]
    bench.reading = {"gpu_trouble": "no answer"}
    bench.turns(2)
    bench.governing.ended()
    assert bench.recorder.told[2:] == [f"+{said}", f"-{said}"]


def test_the_lease_and_the_peaks_follow(bench: Bench) -> None:
    bench.reading = {"gpus": (gpu(60),), "gpu_tree": {"0": 3 * GB}}
    bench.turns(4)
    lease = bench.lease.lease
    assert (lease.gpu_used, lease.runnable) == ({"0": 3 * GB}, 3.0)
    assert lease.ram_used == 7
    assert lease.used_t == pytest.approx(bench.clock.epoch(), abs=3)
    assert lease.ends == pytest.approx(1_700_000_000 + 100 + 600, abs=0.2)
    assert (bench.tree.resources.gpu_used_bytes, bench.tree.resources.gpu_tree_bytes) == (4 * GB, 3 * GB)
    bench.recorder.pause("person")
    bench.reading = {"gpus": (gpu(60),), "gpu_tree": {"0": GB}}
    bench.tree.resources = bench.tree.resources.replace(peak_rss_bytes=9)
    bench.turns(3)
    assert (bench.lease.lease.ends, bench.lease.lease.runnable) == (None, 0.0)
    piece = bench.recorder.run.slice
    assert piece is not None
    assert (piece.peak_rss_bytes, piece.peak_gpu_bytes) == (9, 3 * GB)


def test_what_all_have_taken_is_not_told_to_others_as_the_runs_own(bench: Bench) -> None:
    bench.reading = {"gpus": (gpu(60),), "gpu_tree": {"0": 3 * GB}, "is_whole_gpu": True}
    bench.turns(4)
    assert bench.lease.lease.gpu_used == {}
    assert bench.tree.resources.gpu_tree_bytes == 3 * GB
    piece = bench.recorder.run.slice
    assert piece is not None
    assert piece.peak_gpu_bytes == 3 * GB


def test_the_peak_of_a_gpu_that_others_use_is_not_learned(bench: Bench) -> None:
    alone = {"gpus": (gpu(60),), "gpu_tree": {"0": 3 * GB}, "is_whole_gpu": True}
    bench.reading = alone
    bench.turns(4)
    bench.reading = {**alone, "gpu_tree": {"0": 7 * GB}, "shared_gpus": frozenset({"0"})}
    bench.turns(2)
    bench.governing.ended()
    piece = bench.recorder.run.slice
    assert piece is not None
    assert piece.peak_gpu_bytes is None
    assert bench.tree.resources.gpu_tree_bytes is None


def test_a_fault_leaves_the_training_alone(bench: Bench) -> None:
    bench.reading = {"fault": True}
    assert bench.turns(5) == []
    assert len(bench.recorder.told) == 1
    assert "a fault of backprop: ZeroDivisionError with the Governor's rules" in bench.recorder.told[0]


def test_after_a_fault_the_rules_are_kept_again(bench: Bench) -> None:
    bench.reading = {"fault": True}
    bench.turns(30)
    bench.reading = {"gpus": (gpu(90),)}
    assert set(bench.turns(15)) == {"pause"}
    assert [told for told in bench.recorder.told if "fault" in told] == bench.recorder.told[:1]
    assert "tried again every 10 s" in bench.recorder.told[0]


def test_a_fault_leaves_no_pause_of_the_governors_behind(bench: Bench) -> None:
    bench.reading = {"gpus": (gpu(90),)}
    assert bench.turns(4) == ["pause"]
    bench.recorder.pause("governor")
    bench.reading = {"fault": True}
    assert set(bench.turns(1)) == {"continue"}
    bench.recorder.run = bench.recorder.run.replace(state=RunState.RUNNING, reason=None)
    assert bench.turns(30) == []
    bench.recorder.pause("person")
    assert bench.turns(30) == []


def test_a_run_that_is_stopping_is_left_alone(bench: Bench) -> None:
    bench.recorder.run = bench.recorder.run.replace(state=RunState.STOPPING)
    bench.reading = {"fault": True}
    assert bench.turns(5) == []
    assert bench.recorder.told == []
