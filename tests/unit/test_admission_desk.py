"""The desk on a folder of its own: slips of others, orders, places, and a slow driver."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.errors import StoreError
from backprop_tui.files import FileLock
from backprop_tui.governor.request import Request, Ticket
from backprop_tui.model.samples import DiskSample, GpuProcess, GpuReport, GpuSample, HostSample, Lease
from backprop_tui.supervisor import admission as desks
from backprop_tui.supervisor.admission import AdmissionDesk
from backprop_tui.supervisor.eyes import Eyes
from backprop_tui.supervisor.residue import ResidueFile
from backprop_tui.supervisor.slips import content_of, lease_from, ticket_from
from backprop_tui.supervisor.steering import OrderBook

GB = 1 << 30


class FakeEyes(Eyes):
    """A box that a test sets up."""

    def __init__(self, *free_gb: float) -> None:
        super().__init__("none")
        self.gpu_list = tuple(
            GpuSample(
                index=str(n), mask=str(n), uuid=str(n), name="Card", total_bytes=24 * GB, free_bytes=int(free * GB)
            )
            for n, free in enumerate(free_gb)
        )
        self.load = 0.0
        self.temp_c: int | None = None
        self.disk_free = 100 * GB
        self.has_disks = True
        self.looks = 0
        self.is_open = False

    def host(self, t: float) -> HostSample:
        return HostSample(t=t, cores=4, load1=self.load, ram_total_bytes=32 * GB, ram_free_bytes=16 * GB)

    def gpus(self, t: float) -> GpuReport:
        self.looks += 1
        self.is_open = True
        gpus = tuple(gpu.replace(temp_c=self.temp_c) for gpu in self.gpu_list)
        return GpuReport(t=t, probe="rocm" if gpus else "none", gpus=gpus)

    def disks(self, request: Request) -> tuple[DiskSample, ...]:
        disk = DiskSample(path="/d", what="records", free_bytes=self.disk_free, total_bytes=200 * GB)
        return (disk,) if self.has_disks else ()

    def count_starting(self, known: set[int]) -> int:
        return 0

    def close(self) -> None:
        self.is_open = False


def a_desk(folder: Path, eyes: Eyes | None = None) -> AdmissionDesk:
    desk = AdmissionDesk(str(folder / "adm"), eyes or FakeEyes())
    desk.open()
    return desk


def wants(run_id: str, **more: Any) -> Request:
    return Request(**{"run_id": run_id, "max_parallel": 1, "home": "/h", "max_temp_c": 85, "resume_temp_c": 75, **more})


def test_a_lease_makes_it_true(tmp_path: Path) -> None:
    first, second = a_desk(tmp_path), a_desk(tmp_path, FakeEyes(20))
    before = second.changed()
    admission, lease = first.try_start(wants("a", name="nano", box_s=60.0, priority=3))
    assert admission.admitted
    assert lease is not None
    (held,) = second.leases()
    assert (held.run_id, held.name, held.priority, held.home, held.gpus, held.gpu_bytes) == (
        "a",
        "nano",
        3,
        "/h",
        (),
        0,
    )
    assert held.ends is not None
    assert held.ends - held.since == pytest.approx(60)
    assert second.changed() != before
    assert [d.text for d in second.look(wants("b")).refusals] == ["1 run in progress, 1 allowed (nano)"]
    lease.update(gpu_used={"0": 5}, ends=None, runnable=2.5)
    (held,) = second.leases()
    assert (held.gpu_used, held.ends, held.runnable) == ({"0": 5}, None, 2.5)
    first.end(lease)
    assert second.leases() == ()
    _, lease = second.try_start(wants("b", need_bytes=5 * GB, max_parallel=1))
    assert lease is not None
    assert (lease.lease.gpus, lease.lease.gpu_bytes) == (("0",), 5 * GB)
    second.end(lease)


def test_what_was_learned_on_a_larger_gpu_reserves_no_more_than_there_is(tmp_path: Path) -> None:
    desk, other = a_desk(tmp_path, FakeEyes(24)), a_desk(tmp_path, FakeEyes(24))
    _, lease = desk.try_start(wants("a", need_bytes=66 * GB, need_from="learned", max_parallel=2))
    assert lease is not None
    assert lease.lease.gpu_bytes == int(24 * GB * 0.9)
    assert other.look(wants("b", need_bytes=2 * GB, max_parallel=2)).admitted
    desk.end(lease)


def test_places_are_kept_in_order(tmp_path: Path) -> None:
    desks_ = {name: a_desk(tmp_path) for name in ("a", "b", "urgent", "x")}
    _, lease = desks_["x"].try_start(wants("x"))
    assert lease is not None
    for name, priority in (("a", 0), ("b", -1), ("urgent", 2)):
        desks_[name].queue(wants(name, priority=priority))
    assert [place.request.run_id for place in desks_["a"].tickets()] == ["urgent", "a", "b"]
    outlook = {place.request.run_id: verdict for place, verdict in desks_["x"].outlook()}
    assert [d.text for d in outlook["b"].refusals] == [
        "1 run in progress, 1 allowed (x)",
        "third in line, behind urgent, a",
    ]
    # An onlooker sees a run at its own place, a newcomer comes last.
    assert "second in line" in desks_["x"].look(wants("a")).decisions[-1].text
    assert "fourth in line" in desks_["x"].look(wants("new", priority=-5)).decisions[-1].text
    desks_["x"].end(lease)
    assert desks_["b"].try_start(wants("b", priority=-1))[1] is None
    _, lease = desks_["urgent"].try_start(wants("urgent", priority=2))
    assert lease is not None
    assert [place.request.run_id for place in desks_["a"].tickets()] == ["a", "b"]
    desks_["a"].leave()
    desks_["b"].leave()
    desks_["urgent"].end(lease)


def test_only_those_near_the_head_look_at_every_change(tmp_path: Path) -> None:
    waiting = [a_desk(tmp_path) for _ in range(6)]
    for n, desk in enumerate(waiting):
        desk.queue(wants(f"r{n}"))
    assert [desk.is_near() for desk in waiting] == [True] * desks.NEAR + [False] * (6 - desks.NEAR)
    waiting[0].leave()
    assert waiting[desks.NEAR].is_near()
    for desk in waiting:
        desk.leave()


def test_hold_and_release(tmp_path: Path) -> None:
    desk, other = a_desk(tmp_path), a_desk(tmp_path)
    desk.queue(wants("a"), held="anna")
    other.queue(wants("b"))
    assert [d.rule for d in desk.try_start(wants("a"))[0].refusals] == ["hold"]
    assert other.look(wants("b")).admitted
    assert other.tickets()[0].held == "anna"
    desk.release()
    assert not other.look(wants("b")).admitted
    desk.hold("me")
    assert other.look(wants("b")).admitted
    desk.release()
    _, lease = desk.try_start(wants("a"))
    assert lease is not None
    desk.end(lease)
    other.leave()


def test_a_full_disk_of_its_own_lets_others_pass(tmp_path: Path) -> None:
    eyes = FakeEyes()
    desk, other = a_desk(tmp_path, eyes), a_desk(tmp_path)
    needy = wants("a", min_free_disk_bytes=GB)
    desk.queue(needy)
    other.queue(wants("b"))
    assert not other.look(wants("b")).admitted
    eyes.disk_free = GB // 2
    assert [d.rule for d in desk.try_start(needy)[0].refusals] == ["disk"]
    assert other.tickets()[0].aside == "disk: 0.5 GB free for records in /d, 1.0 GB wanted"
    assert other.look(wants("b")).admitted
    assert {p.request.run_id: [d.rule for d in v.refusals] for p, v in other.outlook()} == {"a": ["disk"], "b": []}
    eyes.has_disks = False
    assert desk.look(needy).admitted, "what is not known any more keeps nobody"
    eyes.has_disks = True
    eyes.disk_free = GB
    _, lease = desk.try_start(needy)
    assert lease is not None
    desk.end(lease)
    other.leave()


def test_heat_is_remembered_while_it_waits(tmp_path: Path) -> None:
    eyes = FakeEyes(20)
    desk = a_desk(tmp_path, eyes)
    desk.queue(wants("a"))
    verdicts = []
    for eyes.temp_c in (84, 85, 84, 76, 75, 84):
        admission, lease = desk.try_start(wants("a"))
        verdicts.append(admission.admitted)
        if lease is not None:
            desk.end(lease)
            desk.queue(wants("a"))
    assert verdicts == [True, False, False, False, True, True]
    desk.leave()


def test_the_driver_stays_open_only_while_it_waits(tmp_path: Path) -> None:
    eyes = FakeEyes(1)
    desk = a_desk(tmp_path, eyes)
    desk.look(wants("a", need_bytes=2 * GB))
    opened = [eyes.is_open]
    desk.queue(wants("a"))
    desk.try_start(wants("a", need_bytes=2 * GB))
    opened.append(eyes.is_open)
    _, lease = desk.try_start(wants("a"))
    opened.append(eyes.is_open)
    assert opened == [False, True, False], "closed, the process may fork"
    assert lease is not None
    desk.end(lease)


def test_a_slow_driver_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "QUICK_S", 0.0)

    class Slow(FakeEyes):
        def gpus(self, t: float) -> GpuReport:
            lock = FileLock(str(tmp_path / "adm" / "admission.lock"))
            assert lock.try_acquire(), "nobody is kept waiting meanwhile"
            lock.release()
            return super().gpus(t)

    slow = Slow(20)
    assert a_desk(tmp_path, slow).look(wants("a")).admitted
    assert slow.looks == 1


def test_a_lock_that_somebody_keeps_is_waited_for_as_long_as_is_said(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.lock_wait_s = 0.01
    lock = FileLock(str(tmp_path / "adm" / "admission.lock"))
    with lock, pytest.raises(StoreError, match=r"held by another backprop for 0.01 s"):
        desk.leases()
    assert desk.leases() == ()


def test_nobody_waits_for_what_may_hang(tmp_path: Path) -> None:
    """Disks on a dead mount, the driver's lists of processes, and a walk over all processes."""
    asked = []

    def is_free() -> bool:
        lock = FileLock(str(tmp_path / "adm" / "admission.lock"))
        try:
            return lock.try_acquire()
        finally:
            lock.release()

    class Hanging(FakeEyes):
        def disks(self, request: Request) -> tuple[DiskSample, ...]:
            asked.append(("disks", is_free()))
            return super().disks(request)

        def count_starting(self, known: set[int]) -> int:
            asked.append(("starting", is_free()))
            return 10_000

        def gpus(self, t: float) -> GpuReport:
            return super().gpus(t).replace(probe="nvml")

    eyes = Hanging(1)
    process = GpuProcess(pid=7, name="python", used_bytes=23 * GB)

    class Sampler:
        def sample(self, t: float, *, processes: bool = False) -> GpuReport:
            asked.append(("users", is_free()))
            listed = eyes.gpu_list[0].replace(processes=(process,))
            return GpuReport(t=t, probe="nvml", gpus=(listed,))

    eyes._sampler = Sampler()  # type: ignore[assignment]
    desk = a_desk(tmp_path, eyes)
    refused = desk.look(wants("a", need_bytes=2 * GB))
    assert [d.text for d in refused.refusals] == ["GPU 0: 1.0 GB free, 2.0 GB wanted (python 7 has 23.0 GB)"]
    eyes.load = 20.0
    _, lease = desk.try_start(wants("a", max_load_per_core=1.0))
    assert lease is not None, "other starts make that load"
    assert {what for what, _ in asked} == {"disks", "users", "starting"}
    assert all(is_unlocked for _, is_unlocked in asked), asked
    desk.end(lease)
    desk.outlook()
    assert all(is_unlocked for _, is_unlocked in asked), asked


def test_dead_slips_are_cleared_and_nonsense_does_no_harm(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    tickets, leases = tmp_path / "adm" / "tickets", tmp_path / "adm" / "leases"
    (tickets / "dead").write_text('{"run_id": "gone"}')
    (leases / "dead").write_text("no json")
    locks = []
    for folder in (tickets, leases):
        path = folder / "nonsense"
        lock = FileLock(str(path))
        assert lock.try_acquire()
        path.write_text("[" * 5000)
        locks.append(lock)
    assert [place.request.run_id for place in desk.tickets()] == ["?"]
    assert [lease.run_id for lease in desk.leases()] == ["?"]
    assert sorted(path.name for path in tickets.iterdir()) == ["nonsense"]
    assert not desk.look(wants("a")).admitted
    for lock in locks:
        lock.release()
    assert desk.look(wants("a")).admitted


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("kind", ["tickets", "leases"])
def test_a_full_or_read_only_disk_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, number: int
) -> None:
    desk = a_desk(tmp_path)
    _, lease = a_desk(tmp_path).try_start(wants("x", max_parallel=3))
    assert lease is not None
    real = os.open

    def full(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_CREAT and f"/{kind}/" in str(path):
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", full)
    act = desk.queue if kind == "tickets" else desk.try_start
    with pytest.raises(StoreError, match=os.strerror(number)) as told:
        act(wants("a", max_parallel=3))
    assert "BACKPROP_ADMISSION_DIR" in told.value.hint
    monkeypatch.undo()
    (held,) = desk.leases()
    assert held.run_id == "x"
    desk.leave()
    lease.drop()


def test_a_slip_that_cannot_be_cleared_is_dead_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = a_desk(tmp_path)
    dead = tmp_path / "adm" / "leases" / "dead"
    dead.write_text("{}")

    def fails(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as broken:
        broken.setattr(ResidueFile, "add", fails)
        assert [desk.leases(), desk.leases()] == [(), ()]
    assert desk.leases() == ()
    assert not dead.exists()


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    desk, other = a_desk(tmp_path), a_desk(tmp_path)
    desk.queue(wants("a"), held="anna")
    for removed in (tmp_path / "adm", tmp_path / "adm" / "tickets"):
        shutil.rmtree(removed)
        assert [d.rule for d in desk.try_start(wants("a"))[0].refusals] == ["hold"]
        assert [place.held for place in other.tickets()] == ["anna"], "it has its place again"
    shutil.rmtree(tmp_path / "adm" / "leases")
    desk.release()
    _, lease = desk.try_start(wants("a"))
    assert lease is not None
    assert [held.run_id for held in other.leases()] == ["a"]
    desk.end(lease)


def test_a_ticket_of_an_older_version(tmp_path: Path) -> None:
    assert ticket_from({"run_id": "old", "pid": 7, "since": 5.5}) == Ticket(
        request=Request(run_id="old"), pid=7, since=5.5
    )


def test_slips_come_back_as_they_were() -> None:
    request = wants("a", user_mask="0", gpus_wanted=2, need_from="learned", box_s=1.5, disks=(("records", "/d"),))
    place = Ticket(request=request, pid=3, since=1.25, held="anna", hot=("0", "1:0"), aside="disk")
    again = ticket_from(json.loads(json.dumps(place.plain())))
    assert again == place.replace(request=request.replace(disks=()))  # only its holder looks at its disks
    lease = Lease(
        run_id="a", pid=1, since=2.0, gpus=("0",), gpu_used={"0": 7}, ends=9.5, name="n", priority=-3, home="/"
    )
    assert lease_from(json.loads(json.dumps(lease.plain()))) == lease


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from([*Lease._fields, *Ticket._fields, *Request._fields])


@given(content=st.dictionaries(keys, anything))
def test_any_object_can_be_read_as_a_slip(content: dict[str, Any]) -> None:
    place, lease = ticket_from(content), lease_from(content)
    assert place.order <= place.order
    assert isinstance(place.request.max_parallel, int)
    assert lease.runnable == lease.runnable


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_numbers_beyond_all_floats_are_none(tmp_path: Path, number: int) -> None:
    numbers = dict.fromkeys([*Lease._fields, *Ticket._fields, *Request._fields], number)
    place, lease = ticket_from(numbers), lease_from(numbers | {"gpu_used": {"0": number}})
    assert place.request == Request(run_id="?")
    assert (place.since, lease.since, lease.gpu_bytes, lease.gpu_used, lease.ends) == (0.0, 0.0, 0, {}, None)
    (tmp_path / "yield").write_text(json.dumps({"since": number, "until": number}))
    assert OrderBook(str(tmp_path)).yielding(1.0) is None


def test_orders_are_seen_at_once_and_end(tmp_path: Path) -> None:
    ours, theirs = OrderBook(str(tmp_path)), OrderBook(str(tmp_path))
    now = time.time()
    assert (ours.drain, ours.yielding(now)) == (None, None)
    before = ours.mark()
    theirs.set_drain("anna")
    theirs.set_yield("bob", now + 60)
    assert ours.mark() != before
    drain, yielding = ours.drain, ours.yielding(now)
    assert drain is not None
    assert yielding is not None
    assert (drain.who, yielding.who) == ("anna", "bob")
    assert yielding.until == pytest.approx(now + 60, abs=0.01)
    assert drain.since == pytest.approx(now, abs=5)
    assert ours.yielding(now + 61) is None
    theirs.set_yield("bob", now + 120)
    assert ours.yielding(now + 61) is not None
    assert (theirs.end_drain(), theirs.end_yield(), theirs.end_drain()) == (True, True, False)
    assert (ours.drain, ours.yielding(now)) == (None, None)
    assert ours.mark() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"until": "x"}', '{"until": NaN}', '{"until": null}', "[" * 9999])
def test_what_is_no_order_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "yield").write_text(text)
    assert OrderBook(str(tmp_path)).yielding(1.0) is None


def test_orders_that_cannot_be_given_say_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        OrderBook(str(tmp_path / "nowhere")).set_drain("anna")
    (tmp_path / "drain").mkdir()
    with pytest.raises(StoreError, match="cannot"):
        OrderBook(str(tmp_path)).set_drain("anna")
    assert content_of(str(tmp_path / "drain")) == {}
