"""Whose turn it is, who may pass whom, and when a waiting slice could start."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.governor.queue import MOST_PLANNED, turn
from backprop_tui.governor.request import Request, Ticket
from backprop_tui.governor.scene import Drain, Scene, Yield
from backprop_tui.governor.summary import waiting_text
from backprop_tui.model.samples import DiskSample, GpuReport, GpuSample, HostSample, Lease

GB = 1 << 30
NOW = 10_000.0
HOST = HostSample(t=NOW, cores=4, load1=1.0, ram_total_bytes=32 * GB, ram_free_bytes=16 * GB)


def gpu(index: str, free: float, *, total: float = 24.0, temp: int | None = 50) -> GpuSample:
    return GpuSample(
        index=index,
        mask=index,
        uuid=index,
        name="Card",
        total_bytes=int(total * GB),
        free_bytes=int(free * GB),
        temp_c=temp,
    )


def scene(*gpus: GpuSample, leases: tuple[Lease, ...] = (), **more):
    return Scene(host=HOST, gpus=GpuReport(t=NOW, probe="nvml" if gpus else "none", gpus=gpus), leases=leases, **more)


def lease(name: str, gpus: str = "", gb: float = 0.0, *, ends: float | None = 600.0, used: float | None = None):
    indices = tuple(gpus.split())
    return Lease(
        run_id=name,
        pid=1,
        since=NOW - 300,
        gpus=indices,
        gpu_bytes=int(gb * GB),
        gpu_used={index: int((gb if used is None else used) * GB) for index in indices},
        ends=None if ends is None else NOW + ends,
    )


def ticket(run_id: str, n: int, *, held: str = "", aside: str = "", hot: tuple[str, ...] = (), **wants):
    values = {"max_parallel": 2, "max_temp_c": 85, "resume_temp_c": 75, "box_s": 600.0, "grace_s": 30.0, **wants}
    gb = values.pop("gb", 0.0)
    request = Request(run_id=run_id, need_bytes=int(gb * GB), **values)
    return Ticket(request=request, pid=n, since=float(n), held=held, aside=aside, hot=hot)


def verdicts(now: Scene, *tickets: Ticket, disks=None):
    return {place.request.run_id: admission for place, admission in turn(tickets, now, disks or {})}


def starting(now: Scene, *tickets: Ticket) -> list[str]:
    return [name for name, admission in verdicts(now, *tickets).items() if admission.admitted]


def test_the_order_is_priority_then_arrival():
    queue = [ticket("c", 3), ticket("a", 1), ticket("low", 0, priority=-1), ticket("high", 9, priority=5)]
    assert [place.request.run_id for place, _ in turn(queue, scene(), {})] == ["high", "a", "c", "low"]


def test_as_many_start_at_once_as_there_is_room_for():
    assert starting(scene(), *(ticket(f"r{n}", n) for n in range(5))) == ["r0", "r1"]
    box = scene(gpu("0", 24), gpu("1", 24))
    queue = [ticket(f"r{n}", n, max_parallel=9, gb=11) for n in range(6)]
    chosen = {name: [g.index for g in a.gpus] for name, a in verdicts(box, *queue).items() if a.admitted}
    assert chosen == {"r0": ["0"], "r1": ["1"], "r2": ["0"], "r3": ["1"]}


def test_each_has_its_own_limit_of_slots():
    box = scene(leases=(lease("x"),))
    assert starting(box, ticket("wide", 1, max_parallel=3)) == ["wide"]
    # The first must not wait longer for a slot that the second would take, until its box is surely over.
    assert starting(box, ticket("narrow", 1, max_parallel=1), ticket("wide", 2, max_parallel=3)) == []
    short = ticket("wide", 2, max_parallel=3, box_s=500.0)
    assert starting(box, ticket("narrow", 1, max_parallel=1), short) == ["wide"]


BIG: dict[str, Any] = {"gb": 20.0, "max_parallel": 4}
SMALL: dict[str, Any] = {"gb": 3.0, "max_parallel": 4}


@pytest.mark.parametrize(
    ("small", "passes"),
    [
        pytest.param({"box_s": 500.0}, True, id="over before the big one can start"),
        pytest.param({"box_s": 600.0}, False, id="not surely over: it may take its time to save"),
        pytest.param({"box_s": 9000.0}, False, id="much too long"),
        pytest.param({"box_s": 9000.0, "gb": 1.0}, True, id="there is room beside the big one"),
        pytest.param({"box_s": 9000.0, "gpus_wanted": 0}, True, id="needs no GPU"),
        pytest.param({"box_s": 9000.0, "gpus_wanted": 0, "max_parallel": 1}, False, id="has no slot"),
    ],
)
def test_a_small_one_passes_a_big_one_only_when_that_delays_it_by_nothing(small, passes):
    # 22 GB once the one that runs is over: 20 for the big one, 2 to spare.
    box = scene(gpu("0", 10, total=22), leases=(lease("x", "0", 12),))
    found = verdicts(box, ticket("big", 1, **BIG), ticket("small", 2, **{**SMALL, **small}))
    assert not found["big"].admitted
    assert found["big"].expected_s == pytest.approx(600)
    assert found["small"].admitted is passes
    if not passes and small.get("max_parallel") != 1:
        assert found["small"].refusals[-1].text == "second in line: a start now would delay big"
        assert found["small"].expected_s == pytest.approx(600 + 630)


def test_what_is_planned_for_one_is_not_planned_for_another():
    box = scene(leases=(lease("x", ends=300), lease("y", ends=600)))
    found = verdicts(box, *(ticket(f"r{n}", n) for n in range(4)))
    expected = [found[f"r{n}"].expected_s for n in range(4)]
    assert expected == pytest.approx([300, 600, 300 + 630, 600 + 630])


def test_nothing_is_said_of_what_nobody_foresees():
    paused = scene(leases=(lease("x", ends=None), lease("y", ends=None)))
    assert verdicts(paused, ticket("a", 1))["a"].expected_s is None
    foreign = scene(gpu("0", 2))
    assert verdicts(foreign, ticket("a", 1, gb=10))["a"].expected_s is None
    loaded = Scene(host=HOST.replace(load1=40.0), gpus=GpuReport(t=NOW, probe="none"), leases=(lease("x"),))
    assert verdicts(loaded, ticket("a", 1, max_parallel=1, max_load_per_core=1.0))["a"].expected_s is None


@pytest.mark.parametrize(
    ("first", "second", "passes"),
    [
        pytest.param({"gb": 20, "user_mask": "0"}, {"gb": 2, "user_mask": "1"}, True, id="another GPU"),
        pytest.param({"gb": 20}, {"gb": 2}, True, id="no run has what the first waits for"),
        pytest.param(
            {"gb": 20, "max_parallel": 1, "user_mask": "0"}, {"gpus_wanted": 0}, True, id="a slot is no use to it"
        ),
    ],
)
def test_beside_one_that_waits_for_foreign_memory(first, second, passes):
    box = scene(gpu("0", 5), gpu("1", 5))
    assert (starting(box, ticket("a", 1, **first), ticket("b", 2, **second)) == ["b"]) is passes


def test_nobody_warms_the_gpu_that_another_waits_for_to_cool():
    box = scene(gpu("0", 20, temp=90), gpu("1", 20, temp=40))
    waits = ticket("a", 1, user_mask="0")
    assert starting(box, waits, ticket("b", 2, max_temp_c=99, user_mask="0")) == []
    assert starting(box, waits, ticket("b", 2)) == ["b"]


def test_nobody_takes_the_ram_that_another_waits_for():
    hungry = ticket("a", 1, min_free_ram_bytes=20 * GB)
    assert starting(scene(leases=(lease("x").replace(ram_used=5 * GB),)), hungry, ticket("b", 2)) == []
    assert starting(scene(leases=(lease("x"),)), hungry, ticket("b", 2)) == [], "not measured yet"
    assert starting(scene(), ticket("a", 1, max_load_per_core=0.1), ticket("b", 2)) == ["b"]


@pytest.mark.parametrize(
    ("leases", "head", "passes"),
    [
        pytest.param((), {"gb": 23.9}, True, id="more than is ever free"),
        pytest.param((lease("x", "0", 3, used=2),), {"gb": 23.9}, True, id="nor after all runs"),
        pytest.param((lease("x", "0", 3, ends=None),), {"gb": 23}, False, id="a paused run has it"),
        pytest.param((lease("x", "0", 20, ends=None),), {"gb": 18}, True, id="room beside it"),
        pytest.param((lease("x", "0", 20, ends=None),), {"gb": 21}, False, id="no room beside it"),
        pytest.param((), {"min_free_ram_bytes": 31 * GB}, True, id="RAM that others have"),
        pytest.param(
            (lease("x").replace(ram_used=5 * GB),),
            {"min_free_ram_bytes": 31 * GB},
            True,
            id="RAM that most others have",
        ),
        pytest.param(
            (lease("x", ends=None).replace(ram_used=15 * GB),),
            {"min_free_ram_bytes": 31 * GB},
            True,
            id="RAM that a paused run has",
        ),
    ],
)
def test_a_head_that_waits_for_what_nobody_foresees(leases, head, passes):
    used = sum(sum(held.gpu_used.values()) for held in leases) / GB
    box = scene(gpu("0", 23.4 - used), leases=leases)
    wide: dict[str, Any] = {"max_parallel": 9}
    found = verdicts(
        box, ticket("head", 1, **wide, **head), ticket("b", 2, gb=3, **wide), ticket("cpu", 3, gpus_wanted=0, **wide)
    )
    assert not found["head"].admitted
    assert not found["head"].is_final
    assert found["b"].admitted is passes
    assert found["cpu"].admitted


def test_what_young_runs_may_have_taken_is_waited_for():
    young = Lease(run_id="x", pid=1, since=NOW - 3, gpus=("0",), gpu_bytes=20 * GB, ends=NOW + 600)
    box = scene(gpu("0", 24), gpu("1", 3), leases=(young.replace(gpu_bytes=23 * GB),))
    assert starting(
        box, ticket("head", 1, gb=22, max_parallel=9, user_mask="0"), ticket("b", 2, gb=3, max_parallel=9)
    ) == ["b"]
    taken = scene(gpu("0", 4), leases=(young,))
    assert starting(taken, ticket("head", 1, gb=22, max_parallel=9), ticket("b", 2, gb=3, max_parallel=9)) == []


def test_what_young_runs_may_not_have_taken_is_not_counted_twice():
    young = Lease(run_id="x", pid=1, since=NOW - 3, gpus=("0",), gpu_bytes=15 * GB, ends=NOW + 600)
    box = scene(gpu("0", 20), leases=(young,))
    found = verdicts(box, ticket("big", 1, gb=18, max_parallel=9), ticket("long", 2, gb=4, max_parallel=9))
    assert found["big"].expected_s == pytest.approx(600)
    assert found["long"].refusals[-1].text == "second in line: a start now would delay big"


def test_one_that_stands_aside_says_so():
    head = ticket("head", 1, gb=23.9)
    found = verdicts(scene(gpu("0", 23.4)), head, ticket("b", 2))
    assert waiting_text(found["head"]) == (
        "GPU 0: 23.4 GB free, 23.9 GB wanted (other programs have 0.6 GB); "
        "stands aside, as no end of a run that can be foreseen makes room for it"
    )


def test_those_that_stand_aside_hold_nobody_up():
    full = DiskSample(path="/d", what="records", free_bytes=GB, total_bytes=9 * GB)
    others = (
        ticket("held", 1, held="anna"),
        ticket("disk", 2, aside="disk: full"),
        ticket("own", 3, min_free_disk_bytes=2 * GB),
        ticket("final", 4, gpus_wanted=3),
    )
    found = verdicts(scene(gpu("0", 20)), *others, ticket("b", 5, max_parallel=1), disks={others[2].order: (full,)})
    assert [name for name, admission in found.items() if admission.admitted] == ["b"]
    texts = {name: [d.text for d in admission.refusals] for name, admission in found.items() if name != "b"}
    assert texts == {
        "held": ["held by anna"],
        "disk": ["disk: full"],
        "own": ["disk: 1.0 GB free for records in /d, 2.0 GB wanted"],
        "final": ["3 GPUs wanted, the box has 1"],
    }
    assert found["final"].is_final


def test_one_that_waits_for_a_lost_gpu_holds_nobody_up():
    lost = GpuReport(t=NOW, probe="nvml", gpus=(gpu("0", 20),), tried=(("nvml GPU 1", "is lost"),))
    box = Scene(host=HOST, gpus=lost)
    found = verdicts(box, ticket("both", 1, gpus_wanted=2), ticket("one", 2))
    assert [d.text for d in found["both"].refusals] == ["2 GPUs wanted, 1 can be read"]
    assert found["one"].admitted


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ({"drain": Drain(who="anna", since=1.0)}, "anna drains the box: no slice starts"),
        (
            {"yielding": Yield(who="anna", since=1.0, until=NOW + 1500)},
            "anna has the box to themselves: 25 min to go",
        ),
    ],
)
def test_orders_for_the_whole_box(order, text):
    found = verdicts(scene(**order), ticket("a", 1), ticket("b", 2, priority=100))
    assert [d.text for d in found["b"].refusals] == [text]
    assert [d.text for d in found["a"].refusals] == [text, "second in line, behind b"]


def test_the_place_in_words():
    box = scene(leases=(lease("x", ends=500), lease("y", ends=5000)))
    found = verdicts(box, *(ticket(f"r{n}", n) for n in range(1, 14)))
    assert waiting_text(found["r1"]) == "2 runs in progress, 2 allowed (x, y); first in line, about 9 min"
    assert waiting_text(found["r2"]).endswith("second in line, behind r1, about 19 min")
    assert waiting_text(found["r5"]).partition("; ")[2].startswith("fifth in line, behind r1, r2, r3 and 1 more, about")
    assert waiting_text(found["r12"]).partition("; ")[2] == "12th in line, behind r1, r2, r3 and 8 more"
    assert [found[f"r{n}"].expected_s is None for n in (MOST_PLANNED, MOST_PLANNED + 1)] == [False, True]


def test_names_are_shown_as_people_gave_them_and_never_raw():
    box = scene(leases=(lease("x").replace(name="llama\x1b[2J"),))
    found = verdicts(box, ticket("a", 1, max_parallel=1, name="nano\n"), ticket("b", 2, max_parallel=1))
    assert "(llama\\x1b[2J)" in waiting_text(found["a"])
    assert "behind nano\\n" in waiting_text(found["b"])


def test_a_slice_whose_box_is_over_is_about_to_go():
    found = verdicts(scene(leases=(lease("x", ends=-20),)), ticket("a", 1, max_parallel=1))
    assert waiting_text(found["a"]).endswith("first in line, in less than a minute")


wishes = st.fixed_dictionaries(
    {
        "gb": st.sampled_from([0.0, 2.0, 9.0, 20.0, 30.0]),
        "gpus_wanted": st.integers(0, 3),
        "max_parallel": st.integers(1, 4),
        "box_s": st.sampled_from([60.0, 600.0, 6000.0]),
        "priority": st.integers(-1, 1),
        "user_mask": st.sampled_from([None, "0", "1"]),
    }
)
holders = st.lists(
    st.tuples(
        st.sampled_from(["0", "1", "0 1", ""]), st.sampled_from([1.0, 8.0]), st.sampled_from([None, 60.0, 999.0])
    ),
    max_size=3,
)


@given(wanted=st.lists(wishes, max_size=12), running=holders, free=st.lists(st.floats(0, 24), min_size=2, max_size=2))
def test_those_that_start_at_once_never_take_more_than_there_is(wanted, running, free):
    leases = tuple(lease(f"x{n}", gpus, gb, ends=ends) for n, (gpus, gb, ends) in enumerate(running))
    box = scene(gpu("0", free[0]), gpu("1", free[1]), leases=leases)
    tickets = [ticket(f"r{n}", n, **wish) for n, wish in enumerate(wanted)]
    admitted = [(place, admission) for place, admission in turn(tickets, box, {}) if admission.admitted]
    for index, room in zip("01", free, strict=True):
        taken = [p.request.need_bytes for p, a in admitted if index in [g.index for g in a.gpus]]
        assert sum(taken) <= int(room * GB) or not taken
    for n, (place, admission) in enumerate(admitted):
        assert len(leases) + n < place.request.max_parallel
        assert len(admission.gpus) == place.request.gpus_wanted or place.request.gpus_wanted == 1
    for place, admission in turn(tickets, box, {}):
        assert admission.admitted is (not admission.refusals), place


@given(wanted=st.lists(wishes, min_size=2, max_size=8), running=holders)
def test_whoever_comes_later_never_makes_the_first_wait_longer(wanted, running):
    """The first of those that wait is expected as soon beside those that pass it as it was without them."""
    leases = tuple(lease(f"x{n}", gpus, gb, ends=ends) for n, (gpus, gb, ends) in enumerate(running))
    box = scene(gpu("0", 24 - 9), gpu("1", 20), leases=leases)
    tickets = sorted((ticket(f"r{n}", n, **wish) for n, wish in enumerate(wanted)), key=lambda place: place.order)
    found = turn(tickets, box, {})
    blocked = next(((p, a) for p, a in found if not a.admitted and not a.is_final), None)
    if blocked is None:
        return
    first, before = blocked[0], blocked[1].expected_s
    if before is None:
        return
    after = tuple(
        p.request.lease(pid=p.pid, since=NOW, gpus=tuple(g.index for g in a.gpus)).replace(
            ends=NOW + p.request.box_s + p.request.grace_s
        )
        for p, a in found
        if a.admitted
    )
    again = verdicts(box.replace(leases=(*leases, *after)), first)[first.request.run_id]
    assert again.expected_s is not None
    assert again.expected_s <= before + 1
