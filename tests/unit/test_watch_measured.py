"""What `why` measures of a running slice from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop_tui.governor.running import Limits, rules_now
from backprop_tui.model.run import MemoryLimit, Notes, Reason, Resources, Run, Slice
from backprop_tui.model.samples import GpuReport, GpuSample, HostSample, Lease
from backprop_tui.model.states import RunState
from backprop_tui.store.home import Home
from backprop_tui.supervisor.desk import open_desk
from backprop_tui.supervisor.held import HeldLease
from backprop_tui.watch.box import BoxSample
from backprop_tui.watch.measured import reading_of
from backprop_tui.watch.record import Record

GIB = 1 << 30
T = 1000.0
GPUS = tuple(
    GpuSample(index=n, mask=n, uuid=f"GPU-{n}", name="G", total_bytes=24 * GIB, free_bytes=4 * GIB, temp_c=80)
    for n in ("0", "1")
)
LIMITS = Limits(
    max_temp_c=85,
    resume_temp_c=75,
    max_load_per_core=1.5,
    min_free_ram_bytes=0,
    max_ram_bytes=8 * GIB,
    min_free_disk_bytes=1,
    max_paused_s=600.0,
    gpu_bytes=16 * GIB,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("BACKPROP_ADMISSION_DIR", str(tmp_path / "admission"))
    made = Home(str(tmp_path / "home"))
    made.ensure()
    made.new_run("r")
    open_desk("none").open()
    return made


def box(*gpus: GpuSample, **more: object) -> BoxSample:
    host = HostSample(t=T, cores=4, load1=1.0, ram_total_bytes=64 * GIB, ram_free_bytes=32 * GIB)
    report = GpuReport(t=T, probe="nvml", gpus=gpus)
    return BoxSample(t=T, name="box", host=host, gpus=report).replace(**more)


def record(home: Home, state: RunState = RunState.RUNNING, reason: Reason | None = None) -> Record:
    piece = Slice(n=1, state=state, started=0.0, box_s=600.0, gpus=("1",))
    run = Run(
        id="r",
        state=state,
        created=0.0,
        updated=T,
        reason=reason,
        slices=(piece,),
        resources=Resources(rss_bytes=9 * GIB),
        memory_limit=MemoryLimit(bytes=16 * GIB, means="", text=""),
    )
    return Record(run=run, spec=None, notes=Notes(), t=T, folder=home.run("r").path)


def lease(home: Home, tmp_path: Path, **more: object) -> HeldLease:
    """A lease that this test holds."""
    value = Lease(run_id="r", pid=1, since=5.0, gpus=("1",), home=home.path).replace(**more)
    held = HeldLease(str(tmp_path / "admission" / "leases" / f"{value.run_id}.{value.pid}"), value)
    held.take(value.plain())
    return held


def test_only_its_own_gpus_and_what_its_lease_says_it_uses(home: Home, tmp_path: Path) -> None:
    held = lease(home, tmp_path, gpu_used={"1": 17 * GIB})
    found = {d.rule: d for d in rules_now(LIMITS, reading_of(home, record(home), box(*GPUS)))}
    held.drop()
    assert (found["gpu_temp"].value, found["gpu_temp"].ok) == (80.0, True)
    assert (found["gpu_memory"].value, found["gpu_memory"].ok) == (17.0 * GIB, False)
    assert (found["max_ram"].value, found["max_ram"].ok) == (9.0 * GIB, False)
    assert found["disk"].ok
    assert "yield" not in found


def test_a_gpu_that_is_gone_is_said(home: Home) -> None:
    reading = reading_of(home, record(home), box(GPUS[0]))
    assert (reading.gpus, reading.gpus_t) == ((), None)
    assert "GPU 1 is not there any more" in reading.gpu_trouble
    old = GpuReport(t=T - 60, probe="nvml", gpus=GPUS)
    blind = GpuReport(t=T, probe="none", failed=True, tried=(("nvml", "it hangs"),))
    reading = reading_of(home, record(home), box(gpus=blind, last_gpus=old))
    assert reading.gpu_trouble == "it hangs"
    assert (reading.gpus, reading.gpus_t) == ((GPUS[1],), T - 60)


@pytest.mark.parametrize(("since", "younger"), [(4.0, 0), (6.0, 1)])
def test_how_many_are_younger(home: Home, tmp_path: Path, since: float, younger: int) -> None:
    held = [lease(home, tmp_path), lease(home, tmp_path, run_id="other", pid=2, since=since)]
    assert reading_of(home, record(home), box()).younger == younger
    for one in held:
        one.drop()


@pytest.mark.parametrize(("by", "is_counted"), [("governor", True), ("person", False)])
def test_how_long_the_governor_has_had_it_paused(home: Home, by: str, *, is_counted: bool) -> None:
    folder = home.run("r")
    Path(folder.file("events.jsonl")).write_text('{"t": 5, "event": "state", "state": "paused"}\n')
    reason = Reason(code="heat", text="hot", by=by)
    found = reading_of(home, record(home, RunState.PAUSED, reason), box())
    assert (found.paused_s > 0) is is_counted


def test_who_asked_for_room(home: Home) -> None:
    open_desk("none").orders.set_yield("anna@box", T + 60)
    assert reading_of(home, record(home), box()).yield_to == "anna@box"
