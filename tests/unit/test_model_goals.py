"""Goals: what a person writes, and when it is reached."""

from __future__ import annotations

import math

import pytest

from backprop_tui.model.goals import goal_from


@pytest.mark.parametrize(
    ("text", "metric", "operator", "value", "again"),
    [
        ("loss<0.3", "loss", "<", 0.3, "loss<0.3"),
        (" val/acc >= 0.9 ", "val/acc", ">=", 0.9, "val/acc>=0.9"),
        ("step>=20000", "step", ">=", 20000, "step>=20000"),
        ("loss <= 1e-3", "loss", "<=", 0.001, "loss<=0.001"),
        ("reward>-2.5", "reward", ">", -2.5, "reward>-2.5"),
        ("no-improve 3", "no-improve", "", 3, "no-improve 3"),
        ("NO-IMPROVE  10", "no-improve", "", 10, "no-improve 10"),
    ],
)
def test_what_is_understood(text: str, metric: str, operator: str, value: float, again: str) -> None:
    goal = goal_from(text)
    assert (goal.metric, goal.operator, goal.value, goal.text) == (metric, operator, value, again)
    assert goal_from(goal.text) == goal


@pytest.mark.parametrize(
    "text",
    ["", "loss", "loss=0.3", "<0.3", "loss<", "loss<x", "loss<nan", "loss<inf", "loss<1_0", "no-improve", "no-improve x",
     "no-improve 0", "no-improve -1", "no-improve 3 4", "a\nb<3", "x" * 201 + "<3"],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        goal_from(text)


@pytest.mark.parametrize(
    ("text", "value", "is_met"),
    [
        ("loss<0.3", 0.29, True), ("loss<0.3", 0.3, False), ("loss<=0.3", 0.3, True), ("acc>0.9", 0.9, False),
        ("acc>=0.9", 0.9, True), ("loss<0.3", math.nan, False), ("acc>0.9", math.nan, False),
        ("acc>0.9", math.inf, False), ("acc>=0.9", math.inf, False), ("loss<0.3", -math.inf, False),
        ("loss<=0.3", -math.inf, False), ("loss<0.3", math.inf, False), ("loss<0.3", -5.0, True),
    ],
)  # fmt: skip
def test_when_it_is_reached(text: str, value: float, is_met: bool) -> None:
    assert goal_from(text).is_met_by(value) is is_met
