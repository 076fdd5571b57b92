from __future__ import annotations

import math

import pytest

from backprop_tui.governor.load import Residue, after_end, contribution, own_load
from backprop_tui.model.samples import Lease

NONE = Residue(load=0.0, t=0.0)


def lease(since, runnable=1.0):
    return Lease(run_id="r", pid=1, since=since, runnable=runnable)


def risen(age_s):
    return 1 - math.exp(-age_s / 60)


@pytest.mark.parametrize(
    ("leases", "residue", "waiting", "expected"),
    [
        ([], NONE, 0, 0.0),
        ([lease(1000.0)], NONE, 0, 2 * risen(5)),
        ([lease(991.0)], NONE, 0, 2 * risen(14)),
        ([lease(990.0)], NONE, 0, risen(15)),
        ([lease(940.0, 4.0)], NONE, 0, 4 * risen(65)),
        ([lease(0.0, 8.0)], NONE, 0, 8.0),
        ([lease(0.0, 8.0), lease(0.0, 0.5)], NONE, 0, 8.5),
        ([lease(1030.0)], NONE, 0, 2 * risen(5)),  # the clock was set back
        ([], NONE, 3, 3 * risen(10)),
        ([], Residue(load=2.0, t=1000.0), 0, 2.0),
        ([], Residue(load=2.0, t=940.0), 0, 2 / math.e),
        ([], Residue(load=2.0, t=2000.0), 0, 2.0),
        ([], Residue(load=-1.0, t=1000.0), 0, 0.0),
        ([], Residue(load=math.nan, t=1000.0), 0, 0.0),
        ([lease(0.0, math.nan)], NONE, 0, 1.0),
        ([lease(0.0, math.inf)], NONE, 0, 1.0),
        ([lease(0.0, -3.0)], NONE, 0, 1.0),
        ([lease(0.0, 2.0)], Residue(load=1.0, t=1000.0), 1, 3 + risen(10)),
    ],
)
def test_own_load(leases, residue, waiting, expected):
    assert own_load(leases, residue, 1000.0, waiting) == pytest.approx(expected, rel=1e-4)


def test_what_an_ended_run_leaves_fades():
    residue = after_end(Residue(load=1.0, t=940.0), lease(0.0, 4.0), 1000.0)
    assert residue.t == 1000.0
    assert residue.load == pytest.approx(1 / math.e + 4.0, rel=1e-4)
    assert own_load([], residue, 1060.0, 0) == pytest.approx(residue.load / math.e)


def kernel_load(busy, phase_s, until_s):
    """The kernel's rule: every 5 s the number of runnable tasks goes into the average, in fixed point."""
    load, now = 0, phase_s
    while now <= until_s:
        active = busy(now) * 2048
        new = load * 1884 + active * (2048 - 1884)
        load = (new + 2047 if active >= load else new) // 2048
        now += 5.0
    return load / 2048


@pytest.mark.parametrize("tasks", [1, 4, 16])
@pytest.mark.parametrize("age_s", [3.0, 12.0, 33.0, 61.0, 300.0])
@pytest.mark.parametrize("phase_s", [0.0, 1.3, 4.9])
def test_the_kernel_never_counts_more_than_we_do(tasks, age_s, phase_s):
    counted = kernel_load(lambda _now: tasks, phase_s, age_s)
    mine = contribution(lease(0.0, float(tasks)), age_s)
    assert counted <= mine + 0.02 * tasks
    # Nor do we claim much more: what is not ours must be seen.
    assert mine - counted <= tasks * (risen(10) + 0.02) + 1


@pytest.mark.parametrize("phase_s", [0.0, 2.5, 4.9])
def test_a_chain_of_runs_explains_all_of_the_load(phase_s):
    """Four runs of 40 s with two tasks each, one after the other, and then quiet."""
    residue = NONE
    for n in range(4):
        residue = after_end(residue, lease(n * 40.0, 2.0), (n + 1) * 40.0)
    for now in (160.0, 175.0, 220.0, 400.0):
        counted = kernel_load(lambda at: 2 if at < 160.0 else 0, phase_s, now)
        assert counted <= own_load([], residue, now, 0) + 0.05
