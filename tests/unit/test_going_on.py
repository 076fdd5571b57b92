"""Whether a run goes on by itself once a slice has ended: every way in which one can end."""

from __future__ import annotations

from typing import Any

import pytest

from backprop_tui.governor.going_on import (
    LOSSES_AT_ALL,
    following,
    goes_on_after,
    has_gone_on_unaided,
    next_box_minutes,
    reached,
)
from backprop_tui.governor.progress import counted, has_progressed, losses_without_progress
from backprop_tui.model.run import Checkpoint, Reason, Run, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState

BOX_S = 600.0


def spec_of(**settings: Any) -> SliceSpec:
    values = {"maxRunMinutes": BOX_S / 60, **settings}
    return SliceSpec(
        run_id="r1",
        n=1,
        created=0.0,
        command=("train.py",),
        is_command=False,
        cwd="/",
        interpreter=None,
        interpreter_origin="",
        framework="unknown",
        declared_flags=(),
        settings={key: SettingValue(value=value, origin="flag") for key, value in values.items()},
        env={},
        recorded_env={},
    )


def piece(n: int, state: str = "timeboxed", code: str = "", **more: Any) -> Slice:
    reason = Reason(code=code or state, text=f"because of {code or state}", by="timebox")
    fields = {"used_s": BOX_S, "resumed_from": "/ck" if n > 1 else None, "by_itself": n > 1, **more}
    return Slice(n=n, state=RunState(state), started=0.0, box_s=BOX_S, reason=reason, **fields)


def run_of(*slices: Slice, **more: Any) -> Run:
    state = slices[-1].state if slices else RunState.QUEUED
    return Run(id="r1", state=state, created=0.0, updated=0.0, slices=slices, **more)


FOUR = {"totalMinutes": 40.0}


@pytest.mark.parametrize(
    ("slices", "settings", "why", "box"),
    [
        # Nothing was asked for.
        ([piece(1)], {}, None, None),
        ([piece(1, "completed")], {}, None, None),
        ([piece(1, "failed")], {}, None, None),
        ([piece(1, "stopped", "person")], {}, None, None),
        ([piece(1, "lost")], {}, None, None),
        # A total.
        ([piece(1)], FOUR, "10 min of 40 min trained", None),
        ([piece(1), piece(2), piece(3, used_s=900.0)], FOUR, "35 min of 40 min trained", 5.0),
        ([piece(n) for n in (1, 2, 3, 4)], FOUR, None, None),
        ([*(piece(n) for n in (1, 2, 3)), piece(4, used_s=BOX_S - 5)], FOUR, None, None),
        ([piece(1, used_s=3.0)], {"totalMinutes": 0.1}, "3 s of 6 s trained", 0.05),
        # A number of slices; those that never ran or gave way do not count.
        ([piece(1)], {"slices": 2}, "1 of 2 slices done", None),
        ([piece(1), piece(2)], {"slices": 2}, None, None),
        ([piece(1), piece(2, "lost", used_s=0.0)], {"slices": 2}, "1 of 2 slices done", None),
        ([piece(1, "stopped", "yield"), piece(2)], {"slices": 2}, "1 of 2 slices done", None),
        # Both.
        ([piece(1)], {"slices": 1, **FOUR}, None, None),
        ([piece(1)], {"slices": 9, "totalMinutes": 10.0}, None, None),
        # Ends that are the run's.
        ([piece(1, "completed", "exit")], FOUR, None, None),
        ([piece(1, "completed", "goal")], FOUR, None, None),
        ([piece(1, "diverged", "nan")], FOUR, None, None),
        *(([piece(1, "stopped", c)], FOUR, None, None) for c in ("person", "ram", "disk", "gpu_memory", "stall")),
        # Giving way to others is no end, for no run.
        ([piece(1, "stopped", "yield", used_s=360.0)], {}, "comes back", 4.0),
        ([piece(1, "stopped", "paused_too_long", used_s=300.0)], {}, "comes back", 5.0),
        ([piece(1, "stopped", "heat", used_s=300.0)], {}, "comes back", 5.0),
        ([piece(1, "stopped", "heat"), piece(2)], {"slices": 2}, "1 of 2 slices done", None),
        ([piece(1, "stopped", "yield", used_s=BOX_S - 1)], {}, None, None),
        ([piece(1, "stopped", "yield", used_s=60.0)], FOUR, "comes back", None),
        # Crashes.
        ([piece(1, "failed", last_step=10, used_s=60.0)], {"retries": 2}, "(1 of 2)", 9.0),
        ([piece(1, "failed")], {"retries": 2}, None, None),
        ([piece(1, "failed", last_step=10), piece(2, "failed", last_step=10)], {"retries": 2}, None, None),
        (
            [piece(1, "failed", last_step=10), piece(2, "failed", last_step=11, used_s=0.0)],
            {"retries": 2},
            "(2 of 2)",
            10.0,
        ),
        ([piece(n, "failed", last_step=10 * n) for n in (1, 2, 3)], {"retries": 2}, None, None),
        ([piece(1, "failed", last_step=10)], FOUR, None, None),
        ([piece(1, "failed", last_step=10)], {"retries": 1, **FOUR}, "(1 of 1)", None),
        # Lost: the total is not reached.
        ([piece(1, "lost", used_s=90.0)], FOUR, "1 min of 40 min trained", None),
        # Starting over again and again.
        (
            [piece(1, first_step=1, last_step=9), piece(2, first_step=1, last_step=9, resumed_from=None)],
            FOUR,
            None,
            None,
        ),
        ([piece(1, first_step=1), piece(2, first_step=9, resumed_from=None)], FOUR, "20 min of 40 min", None),
    ],
)
def test_what_follows(slices: list[Slice], settings: dict[str, Any], why: str | None, box: float | None) -> None:
    found = following(run_of(*slices), spec_of(**settings))
    assert found.goes_on is (why is not None)
    if why is not None:
        assert why in found.why
        assert found.box_minutes == (None if box is None else pytest.approx(box))
    elif settings.keys() & {"totalMinutes", "slices", "retries"}:
        assert found.why, "a run that could have gone on says why it does not"


@pytest.mark.parametrize(
    ("used_s", "why"),
    [
        (38.5, "its total is as good as used up: it has trained for 38.5 s of 40 s"),
        (40.0, "it has trained for 40 s of 40 s"),
        (42.0, "it has trained for 42 s of 40 s"),
    ],
)
def test_who_gives_way_with_little_left_says_why_it_does_not_come_back(used_s: float, why: str) -> None:
    found = following(run_of(piece(1, "stopped", "yield", used_s=used_s)), spec_of(totalMinutes=40 / 60))
    assert (found.goes_on, found.is_early, found.why) == (False, True, why)


@pytest.mark.parametrize("good", [None, True, False])
@pytest.mark.parametrize("first", [piece(1, "lost", first_step=1), piece(1, "stopped", "yield", first_step=1)])
def test_a_slice_that_began_again_and_saved_is_followed(first: Slice, good: bool | None) -> None:
    saved = Checkpoint(path="/ck", step=90, t=0.0, slice=2, good=good)
    run = run_of(first, piece(2, first_step=1, last_step=99, resumed_from=None), checkpoints=(saved,))
    found = following(run, spec_of(slices=6))
    assert found.goes_on is bool(good)
    assert found.goes_on or "for want of a checkpoint" in found.why


@pytest.mark.parametrize(
    ("until", "figures", "met"),
    [
        ("loss<0.3", {"last": {"loss": 0.29}}, "loss<0.3 is reached: loss is 0.29"),
        ("loss<0.3", {"last": {"loss": 0.3}}, ""),
        ("loss<0.3", {"last": {"loss": float("nan")}}, ""),
        ("loss<0.3", {"last": {"train_loss": 0.2}}, "loss<0.3 is reached: loss is 0.2"),
        ("loss<0.3", {"last": {"acc": 0.2}}, ""),
        ("acc>=0.9", {"last": {"loss": 0.1, "acc": 0.95}}, "acc>=0.9"),
        ("step>=20000", {"step": 20_000}, "step is 20,000"),
        ("step>=20000", {"step": 19_999}, ""),
        ("epoch>=3", {"epoch": 3.0}, "epoch is 3"),
        ("loss<0.3", {}, ""),
    ],
)
def test_goals(until: str, figures: dict[str, Any], met: str) -> None:
    found = reached(run_of(piece(1), **figures), spec_of(until=("nonsense", until)))
    assert met in found
    assert bool(found) is bool(met)


@pytest.mark.parametrize(
    ("bests", "main", "ends"),
    [
        ((0.5, 0.4, 0.3), "loss", False),
        ((0.5, 0.4, 0.4), "loss", False),
        ((0.5, 0.4, 0.4, 0.45), "loss", True),
        ((0.5, 0.6, 0.7), "loss", True),
        ((0.5, 0.6, 0.7), "accuracy", False),
        ((0.5, 0.4, 0.3), "accuracy", True),
        ((0.5, 0.6, 0.4), "loss", False),
        ((None, None), "loss", True),
    ],
)
def test_no_improvement(bests: tuple[float | None, ...], main: str, ends: bool) -> None:
    slices = [piece(n, best=best) for n, best in enumerate(bests, 1)]
    found = following(run_of(*slices, last={main: 1.0}), spec_of(until=("no-improve 2",)))
    assert found.goes_on is not ends


@pytest.mark.parametrize(
    ("slices", "settings", "expected"),
    [
        ([piece(1, "queued", used_s=0.0)], {}, False),
        ([piece(1, "queued", used_s=0.0)], {"retries": 3}, False),
        ([piece(1, "queued", used_s=0.0)], FOUR, True),
        ([piece(1, "queued", used_s=0.0)], {"totalMinutes": 10.0}, False),
        ([piece(1, "queued", used_s=0.0)], {"slices": 1}, False),
        ([piece(1, "queued", used_s=0.0)], {"until": ("no-improve 1",)}, True),
        ([piece(1), piece(2), piece(3), piece(4, "queued", used_s=0.0)], FOUR, False),
    ],
)
def test_a_running_slice_says_whether_another_follows(
    slices: list[Slice], settings: dict[str, Any], expected: bool
) -> None:
    assert goes_on_after(run_of(*slices), spec_of(**settings)) is expected


@pytest.mark.parametrize(
    ("trained_min", "total", "box"), [(0, 40, None), (35, 40, 5.0), (40, 40, None), (50, 40, None), (0, 5, 5.0)]
)
def test_the_last_box_is_what_is_left(trained_min: float, total: float, box: float | None) -> None:
    run = run_of(piece(1, used_s=trained_min * 60))
    assert next_box_minutes(run, spec_of(totalMinutes=total)) == box


def lost(n: int, last_step: int | None = None) -> Slice:
    return piece(n, "lost", last_step=last_step)


def waited(n: int) -> Slice:
    return piece(n, "lost", used_s=0.0, log_start=7, log_end=7)


@pytest.mark.parametrize(
    ("slices", "count"),
    [
        ([piece(1)], 0),
        ([lost(1)], 1),
        ([lost(1), lost(2), lost(3)], 3),
        ([lost(1, 5), lost(2, 5), lost(3, 4)], 3),
        ([lost(1, 5), lost(2, 6), lost(3, 7)], 1),
        ([lost(1, 5), lost(2, 6), lost(3, 6)], 2),
        ([lost(1), piece(2), lost(3), lost(4)], 2),
        # While they only waited: no fault of the training's.
        ([lost(1, 5), waited(2), waited(3), waited(4)], 1),
        ([waited(1), waited(2), waited(3)], 0),
        ([lost(1), waited(2), lost(3)], 2),
        ([piece(1, "lost", used_s=0.0, log_start=0, log_end=9)], 1),  # it has printed something
        # A person has asked for it again.
        ([lost(1), lost(2), lost(3), lost(4).replace(by_itself=False)], 1),
        ([lost(1, 900), lost(2, 500).replace(by_itself=False, first_step=101), lost(3, 500)], 2),
    ],
)
def test_losses_in_a_circle(slices: list[Slice], count: int) -> None:
    assert losses_without_progress(run_of(*slices)) == count


@pytest.mark.parametrize("good", [None, True, False])
def test_a_checkpoint_is_progress_where_no_step_is_told(good: bool | None) -> None:
    saved = Checkpoint(path="/ck", step=None, t=0.0, slice=2, good=good)
    run = run_of(piece(1, "failed"), piece(2, "failed"), checkpoints=(saved,))
    assert has_progressed(run) is (good is not False)


def same(count: int, **more: Any) -> list[Slice]:
    """A slice, and others that begin at its checkpoint of step 100 and come no further."""
    return [piece(1, first_step=1, last_step=180), *(piece(n, **more) for n in range(2, count + 2))]


FROM_100: dict[str, Any] = {"first_step": 101, "last_step": 180}
UNTIL = {"until": ("loss<0.3",)}
MANY = {"slices": 99}


@pytest.mark.parametrize("settings", [UNTIL, MANY])
@pytest.mark.parametrize(
    ("slices", "why"),
    [
        (same(3, **FROM_100), ""),  # the second began further on
        (same(4, **FROM_100), "3 slices in a row came no further"),
        ([*same(4, **FROM_100), piece(6, first_step=101, last_step=181)], ""),
        ([*same(4, **FROM_100), piece(6, first_step=111, last_step=170)], ""),
        ([*same(4, **FROM_100), piece(6, by_itself=False, **FROM_100)], ""),
        ([*same(4, **FROM_100), piece(6, best=0.4, **FROM_100)], ""),
        ([piece(n, best=best) for n, best in enumerate((0.5, 0.4, 0.4, 0.45), 1)], ""),
        ([piece(n, best=best) for n, best in enumerate((0.5, 0.4, 0.4, 0.45, 0.4), 1)], "3 slices in a row"),
        # What was lost late, or gave way, in between.
        ([*same(3, **FROM_100), piece(5, "lost", **FROM_100)], "3 slices in a row"),
        ([*same(3, **FROM_100), piece(5, "lost", used_s=9.0, **FROM_100)], ""),
        ([*same(2, **FROM_100), piece(4, "stopped", "yield", **FROM_100), piece(5, **FROM_100)], ""),
    ],
)
def test_slices_in_vain_end_a_chain(settings: dict[str, Any], slices: list[Slice], why: str) -> None:
    found = following(run_of(*slices, last={"loss": 1.0}), spec_of(**settings))
    assert (found.goes_on, found.is_early) == (not why, bool(why))
    assert why in found.why


@pytest.mark.parametrize(("settings", "goes_on"), [(UNTIL, False), (MANY, True), ({**UNTIL, **MANY}, True)])
def test_a_chain_that_tells_nothing_needs_an_end(settings: dict[str, Any], goes_on: bool) -> None:
    found = following(run_of(*(piece(n) for n in range(1, 4))), spec_of(**settings))
    assert (found.goes_on, found.is_early) == (goes_on, not goes_on)
    assert goes_on or "no steps, no metrics, no checkpoints" in found.why


@pytest.mark.parametrize(("settings", "goes_on"), [(UNTIL, False), (MANY, True)])
def test_a_script_that_counts_anew_each_time_is_followed_while_it_saves(
    settings: dict[str, Any], goes_on: bool
) -> None:
    slices = [piece(n, first_step=1, last_step=180) for n in range(1, 8)]
    saved = tuple(Checkpoint(path=f"/ck{n}", step=180, t=0.0, slice=n, good=True) for n in range(1, 8))
    found = following(run_of(*slices, checkpoints=saved, last={"loss": 1.0}), spec_of(**settings))
    assert found.goes_on is goes_on


def test_losses_end_a_chain_however_far_it_comes() -> None:
    slices = [piece(n, "lost", used_s=9.0, last_step=n) for n in range(1, LOSSES_AT_ALL + 1)]
    assert following(run_of(*slices[:-1]), spec_of(**UNTIL)).goes_on
    found = following(run_of(*slices), spec_of(**UNTIL))
    assert (found.goes_on, found.is_early, found.why) == (False, True, "it was lost 10 times in a row")
    asked = (*slices[:-1], slices[-1].replace(by_itself=False))
    assert following(run_of(*asked), spec_of(**UNTIL)).goes_on


@pytest.mark.parametrize(("used_s", "counts"), [(BOX_S, True), (BOX_S * 0.6, True), (BOX_S * 0.4, False), (0.0, False)])
def test_a_slice_that_was_lost_late_has_had_its_turn(used_s: float, counts: bool) -> None:
    assert bool(counted((piece(1, "lost", used_s=used_s),))) is counts


def test_retries_are_counted_since_a_person_asked() -> None:
    crashes = [piece(n, "failed", last_step=10 * n, used_s=60.0) for n in range(1, 6)]
    assert not following(run_of(*crashes), spec_of(retries=1)).goes_on
    again = (*crashes[:4], crashes[4].replace(by_itself=False, first_step=41))
    found = following(run_of(*again), spec_of(retries=1))
    assert (found.goes_on, found.why) == (True, "started again after a crash (1 of 1)")


@pytest.mark.parametrize(("last_step", "goes_on"), [(500, True), (None, False)])
def test_after_a_roll_back_progress_is_seen_from_where_it_began(last_step: int | None, goes_on: bool) -> None:
    first_step = None if last_step is None else 101
    back = piece(2, "failed", by_itself=False, first_step=first_step, last_step=last_step, used_s=60.0)
    run = run_of(piece(1, "diverged", first_step=1, last_step=1000), back)
    assert following(run, spec_of(retries=3)).goes_on is goes_on


def test_a_record_older_than_the_settings_goes_on_never() -> None:
    assert not following(run_of(piece(1)), spec_of()).goes_on


@pytest.mark.parametrize(
    ("slices", "has"),
    [
        ([piece(1, first_step=1)], False),
        ([piece(1, first_step=1), piece(2, first_step=1, resumed_from=None)], False),
        ([piece(1, first_step=1), piece(2, first_step=9)], False),
        ([piece(1, first_step=1), piece(2, first_step=9, resumed_from=None)], True),
        ([piece(1), piece(2, first_step=9, resumed_from=None)], False),
    ],
)
def test_a_script_that_goes_on_without_being_told_shows_it(slices: list[Slice], has: bool) -> None:
    assert has_gone_on_unaided(run_of(*slices)) is has
