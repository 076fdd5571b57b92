"""How a loss went wrong, and what a record says of a failure."""

from __future__ import annotations

import math

import pytest

from backprop_tui.watch import failures


@pytest.mark.parametrize(
    ("values", "bad", "said"),
    [
        ([5.0, 4.0, 6.0, 8.0, math.nan], 4, "Loss fell to 4.000 by step 1, rose to 8.000 by step 3, then became NaN."),
        ([5.0, 4.0, math.nan], 2, "Loss fell to 4.000 by step 1, then became NaN."),
        ([1.0, 2.0, math.inf], 2, "Loss rose to 2.000 by step 1, then became NaN."),
        ([2.0, math.nan], 1, "Loss was 2.000 at step 0, then became NaN."),
        ([math.nan, math.nan], 0, "Loss was no number from its first value on, at step 0."),
        ([1.0, 2.0], None, ""),
    ],
)
def test_how_a_loss_went_wrong(values: list[float], bad: float | None, said: str) -> None:
    assert failures.divergence("loss", range(len(values)), values, bad) == said
