"""What `backprop yield` says of each run that it stops."""

from __future__ import annotations

import pytest

from backprop_tui.cli.commands.steering import lines
from backprop_tui.control.steering import Concerned, Steered

NOW = 1000.0


@pytest.mark.parametrize(
    ("saved_t", "is_known", "said"),
    [
        (None, True, "no checkpoint of it has been seen yet: what it does not save now is lost"),
        (None, False, "what it has saved is not known"),
        (NOW - 60, True, "its last checkpoint is 1m old"),
    ],
)
def test_what_a_yield_says_of_a_run(saved_t: float | None, is_known: bool, said: str) -> None:
    run = Concerned(run_id="r1", name="", home="/h", gpus=(), saved_t=saved_t, is_known=is_known)
    told = Steered(verb="yield", is_on=True, was_on=False, until=NOW + 60, runs=(run,), waiting=0)
    assert f"r1 saves and stops; {said}" in lines(told, NOW)
