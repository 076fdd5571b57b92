"""What is written is JSON as the standard library writes it, whichever way it was made."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui import files
from backprop_tui.model.states import RunState

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(RunState),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(VALUES)
def test_without_json_loaded_the_same_is_written(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        expected = files.to_json(value)
        patch.delitem(sys.modules, "json")
        assert files.to_json(value) == expected


def test_plain_values_do_without_json(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"a": [1, -2.5, 1e-7, True, False, None], "b": ("x y", ""), "c": {}, "d": [{"e": 10**30}]}
    expected = json.dumps(value, separators=(",", ":")).encode()
    monkeypatch.delitem(sys.modules, "json")
    assert files.to_json(value) == expected
    assert "json" not in sys.modules


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, b'"NaN"'),
        ([math.inf, {"x": -math.inf}], b'["Infinity",{"x":"-Infinity"}]'),
        ("é\n\"\\", b'"\\u00e9\\n\\"\\\\"'),
    ],
)  # fmt: skip
def test_other_values(value: Any, text: bytes) -> None:
    assert files.to_json(value) == text
    assert files.from_json(text) is not None


def test_a_pipe_has_no_part_to_free() -> None:
    import os

    read_end, write_end = os.pipe()
    assert not files.punch_hole(write_end, 0, 65536)
    os.close(read_end)
    os.close(write_end)
