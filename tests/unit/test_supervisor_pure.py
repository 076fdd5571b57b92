"""The deciding parts of the supervisor, by tables and histories."""

from __future__ import annotations

import math

import pytest

from backprop_tui.engines.base import Exit
from backprop_tui.errors import IllegalTransition
from backprop_tui.model.run import Reason
from backprop_tui.model.states import ENDED, RunState, check_transition
from backprop_tui.supervisor.outcome import ended_by_itself, ended_on_request
from backprop_tui.supervisor.stopping import Act, Rung, StopLadder
from backprop_tui.supervisor.timebox import TimeBox

S, T, K, G = Act.SIGNAL, Act.TERM, Act.KILL, Act.GIVE_UP

# Each history: grace, writing at first, [(time, alive, growing, expected act)].
HISTORIES: dict[str, tuple[int, bool, list[tuple[float, bool, bool, Act | None]]]] = {
    "ends on the signal": (30, False, [(0, True, False, S), (1, True, False, None), (2, False, False, None)]),
    "ignores all": (
        30,
        False,
        [
            *[(0, True, False, S), (29.9, True, False, None), (30, True, False, T), (34.9, True, False, None)],
            *[(35, True, False, K), (35.1, True, False, None), (35.5, True, False, K), (36, False, False, None)],
        ],
    ),
    "cannot be killed": (
        1,
        False,
        [(0, True, False, S), (1, True, False, T), (6, True, False, K), (16, True, False, G)],
    ),
    "waits for a write": (
        30,
        True,
        [(0, True, True, None), (5, True, True, None), (6, True, False, S), (36, True, False, T)],
    ),
    "waits for a write at most half the grace": (10, True, [(0, True, True, None), (5, True, True, S)]),
    "waits for a write at most 30 s": (100, True, [(29, True, True, None), (30, True, True, S)]),
    "a growing checkpoint prolongs the grace": (
        30,
        False,
        [(0, True, False, S), (31, True, True, None), (500, True, True, None), (501, True, False, T)],
    ),
    "but not for ever": (30, False, [(0, True, False, S), (629, True, True, None), (630, True, True, T)]),
    "gone before anything is sent": (30, False, [(0, False, False, None)]),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_ladder(name: str) -> None:
    grace_s, writing, steps = HISTORIES[name]
    ladder = StopLadder(grace_s=grace_s, now=0, writing=writing)
    for now, alive, growing, expected in steps:
        assert ladder.step(now, alive=alive, growing=growing) is expected, now
    assert (ladder.rung is Rung.DONE) == (not steps[-1][1] or steps[-1][3] is G)


def test_ladder_sends_its_signal_once() -> None:
    ladder = StopLadder(grace_s=100, now=0, writing=False)
    acts = [ladder.step(t / 10, alive=True, growing=False) for t in range(900)]
    assert [act for act in acts if act] == [S]


@pytest.mark.parametrize("begun", [False, True])
def test_force_skips_to_kill(begun: bool) -> None:
    ladder = StopLadder(grace_s=30, now=0, writing=True, force=not begun)
    if begun:
        assert ladder.step(0, alive=True, growing=True) is None
        ladder.force()
    assert ladder.step(1, alive=True, growing=True) is K
    assert ladder.was_forced


def test_time_box_counts_running_time_only() -> None:
    box = TimeBox(600, 1000)
    assert (box.used_s(1100), box.left_s(1100), box.ends_at(1100)) == (100, 500, 1600)
    box.pause(1100)
    box.pause(1150)
    assert (box.used_s(5000), box.paused_s(5000), box.left_s(5000), box.ends_at(5000)) == (100, 3900, 500, None)
    box.resume(5000)
    box.resume(5001)
    assert (box.used_s(5010), box.paused_s(5010), box.ends_at(5010)) == (110, 3900, 5500)
    box.extend(60, 5010)
    assert box.ends_at(5010) == 5560
    box.extend(-10_000, 5010)
    assert box.left_s(5010) == 0


@pytest.mark.parametrize(
    ("leader", "loss", "state", "word"),
    [
        (Exit(code=0), 0.5, RunState.COMPLETED, "exit code 0"),
        (Exit(code=0), None, RunState.COMPLETED, "exit code 0"),
        (Exit(code=0), math.nan, RunState.DIVERGED, "nan"),
        (Exit(code=0), math.inf, RunState.DIVERGED, "inf"),
        (Exit(code=3), 0.5, RunState.FAILED, "code 3"),
        (Exit(signal=11), None, RunState.FAILED, "segmentation fault"),
        (Exit(signal=9), None, RunState.FAILED, "memory"),
        (Exit(signal=15), None, RunState.FAILED, "SIGTERM"),
        (Exit(signal=63), None, RunState.FAILED, "63"),
    ],
)
def test_outcome_by_itself(leader: Exit, loss: float | None, state: RunState, word: str) -> None:
    found, reason = ended_by_itself(leader, loss)
    assert found is state
    assert word in reason.text


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("timebox", RunState.TIMEBOXED),
        ("person", RunState.STOPPED),
        ("disk", RunState.STOPPED),
        ("nan", RunState.DIVERGED),
    ],
)
def test_outcome_on_request(code: str, state: RunState) -> None:
    assert ended_on_request(Reason(code=code, text="", by="")) is state


def test_transitions() -> None:
    assert {str(state) for state in ENDED} == {"completed", "failed", "timeboxed", "stopped", "diverged", "lost"}
    legal = {(old, new) for old in RunState for new in RunState if _is_legal(old, new)}
    assert (RunState.QUEUED, RunState.RUNNING) not in legal
    assert (RunState.RUNNING, RunState.QUEUED) not in legal
    assert (RunState.PAUSED, RunState.RUNNING) in legal
    for ended in ENDED:
        assert {new for old, new in legal if old is ended} == {RunState.QUEUED}
        assert (RunState.STOPPING, ended) in legal


def _is_legal(old: RunState, new: RunState) -> bool:
    try:
        check_transition(old, new)
    except IllegalTransition:
        return False
    return True
