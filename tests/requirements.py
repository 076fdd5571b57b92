"""What a test needs from the machine, and what happens where it is missing."""

from __future__ import annotations

import os

import pytest

VARIABLE = "BACKPROP_TEST_REQUIRE"


def require(name: str, found: bool, reason: str) -> None:
    """Skip the test if a requirement is missing; fail it if $BACKPROP_TEST_REQUIRE names that requirement."""
    if found:
        return
    if name in {part.strip() for part in os.environ.get(VARIABLE, "").split(",")}:
        pytest.fail(f"{VARIABLE} asks for {name}, but {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")
