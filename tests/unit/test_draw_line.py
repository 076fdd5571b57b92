"""Text of any origin on a line of the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.tui.draw.line import Line, cells, showable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\u25cf \u2801\u28ff \u2501 \u2026", "\u25cf \u2801\u28ff \u2501 \u2026"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\tb\r\nc", r"a\tb\r\nc"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("\udcff", r"\udcff"),
        ("[bold]", "[bold]"),
        ("\u6f22\u5b57 e\u0301", "\u6f22\u5b57 e\u0301"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\U0001f469"),
        ("\u2764\ufe0f", "\u2764"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
        ("\U0001f1e9\U0001f1ea", "DE"),
    ],
)
def test_showable(text: str, shown: str) -> None:
    assert showable(text) == shown


@given(st.text(st.characters(exclude_categories=()), max_size=30), st.integers(1, 20))
def test_a_line_is_as_wide_as_it_is_and_acts_on_nothing(text: str, width: int) -> None:
    line = Line(width).put(1, text, room=12).put(15, text, room=3, right=True)
    shown = "".join(span.text for span in line.spans())
    assert shown.isprintable()
    assert sum(map(cells, shown)) <= width
