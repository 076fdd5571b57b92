from __future__ import annotations

import itertools
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.protocol.text import TerminalCleaner, clean

PIECES = [
    "\x1b",
    "[",
    "]",
    "P",
    "31",
    ";",
    "m",
    "K",
    "?",
    " ",
    "\\",
    "\x07",
    "\x9c",
    "\x9b",
    "\x18",
    "a",
    "\n",
    "ö",
]
NASTY = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("loss=0.5", "loss=0.5"),
        ("", ""),
        ("\x1b[1m 1/32\x1b[0m \x1b[37m━━\x1b[0m", " 1/32 ━━"),
        ("a\x1b]52;c;UFdORUQ=\x1b\\b\x1b]2;title\x07c", "abc"),
        ("a\x1bPq payload\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1bXsos\x1b\\e", "abcde"),
        ("a\x1b]0;never ends", "a"),
        ("a\x1b[12", "a"),
        ("a\x1b(Bb\x1bcd\x1b", "abd"),
        ("10%|█ |\r20%|██|", "20%|██|"),
        ("20%|██|\r", "20%|██|"),
        ("one\r\ntwo\n", "one two"),
        ("a\tb", "a       b"),
        ("a\x00\x07\x9b31m\x7fb", "a\ufffd\ufffd\ufffd31m\ufffdb"),
        ("a\u202etxt\u2066b\u2028c\u200f", "a\ufffdtxt\ufffdb\ufffdc\ufffd"),
        ("a\udcffb", "a\ufffdb"),
        ("naïve ✓ 漢字", "naïve ✓ 漢字"),
    ],
)
def test_clean(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
        ("\x1b[m" * 9 + "ab", 6, "…"),
    ],
)
def test_clean_caps_the_length(text, limit, shown):
    assert clean(text, limit) == shown


@given(st.text() | NASTY, st.integers(0, 40))
def test_what_was_cleaned_is_short_and_obeyed_by_no_terminal(text, limit):
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert not OBEYED.search(shown)
    assert clean(shown, limit) == shown


@pytest.mark.parametrize(
    "bomb", ["\x1b", "\x1b]", "\x1b[", "\x1b[0", "\x1b]0", "\x1bP\x1b", "\r", "\t", "a\r", "\x1b[ 0"]
)
def test_bombs_pass_through_in_bounded_size(bomb):
    text = bomb * (2_000_000 // len(bomb))
    assert len(clean(text)) <= 4000
    assert len(TerminalCleaner().feed(text.encode())) <= len(text)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"plain \t text\r\n\x08", b"plain \t text\r\n\x08"),
        (b"\x1b[1;38;2;1;2;3mx\x1b[0m\x1b[m\x1b[4:3m", b"\x1b[1;38;2;1;2;3mx\x1b[0m\x1b[m\x1b[4:3m"),
        (b"a\x1b[2J\x1b[H\x1b[?25l\x1b[>4;2m\x1b[1 qb", b"ab"),
        (b"a\x1b]0;title\x07b\x1b]52;c;eA==\x1b\\c", b"abc"),
        (b"a\x1bPdcs\x1b\\b\x1b_apc\x1b\\c\x1bcd\x1b(Be", b"abcde"),
        (b"a\x00\x07\x0b\x0c\x0e\x7fb", b"ab"),
        ("a\x9b31mb\x9d0;t\x9cc".encode(), b"a31mb0;tc"),
        (b"\x9b31m \xff", "\ufffd31m \ufffd".encode()),
        (b"\x1b[3\x071mx", b"1mx"),
        (b"\x1b]0;a\x1b[31mred", b"\x1b[31mred"),
        (b"\x1b]0;a\x18b", b"b"),
        (b"\x1b[" + b"1" * 65 + b"mx", b"x"),
        ("━ ö 漢".encode(), "━ ö 漢".encode()),
    ],
)
def test_a_terminal_gets_text_and_colours_only(data, kept):
    cleaner = TerminalCleaner()
    assert cleaner.feed(data) + cleaner.flush() == kept
    single = TerminalCleaner()
    assert b"".join(single.feed(bytes([byte])) for byte in data) + single.flush() == kept


def test_colours_are_dropped_on_request():
    cleaner = TerminalCleaner(colour=False)
    assert cleaner.feed(b"\x1b[31mred\x1b[0") + cleaner.feed(b"m \x1b[Kend") == b"red end"


@given((st.binary() | NASTY.map(str.encode)), st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_chunk_borders_change_nothing(data, cuts, colour):
    whole = TerminalCleaner(colour=colour)
    expected = whole.feed(data) + whole.flush()
    cleaner = TerminalCleaner(colour=colour)
    borders = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    got = b"".join(cleaner.feed(data[a:b]) for a, b in itertools.pairwise(borders))
    assert got + cleaner.flush() == expected
    left = re.sub(r"\x1b\[[0-9;:]*m", "", expected.decode()) if colour else expected.decode()
    assert not re.search("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]", left)


def test_a_long_csi_ends_alike_wherever_it_is_cut():
    for data in (b"\x1b[" + b"1" * 90 + b" 0x", b"\x1b[" + b"1" * 90 + b"0hx", b"\x1b" + b" " * 90 + b"0x"):
        cleaner = TerminalCleaner()
        expected = cleaner.feed(data) + cleaner.flush()
        single = TerminalCleaner()
        assert b"".join(single.feed(bytes([byte])) for byte in data) + single.flush() == expected


def test_an_endless_string_keeps_no_memory_and_text_goes_on_after_it():
    cleaner = TerminalCleaner()
    chunk = b"A" * 65536
    cleaner.feed(b"before\x1b]52;c;")
    tracemalloc.start()
    try:
        assert not any(cleaner.feed(chunk) for _ in range(64))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 65536
    assert cleaner.feed(b"AA\x1b") == b""
    assert cleaner.feed(b"\\after") == b"after"
    assert cleaner.feed(b"plain") == b"plain"


def test_nothing_is_left_over_after_a_flush():
    cleaner = TerminalCleaner()
    assert cleaner.feed(b"a\xe2\x94") == b"a"
    assert cleaner.flush() == "\ufffd".encode()
    assert cleaner.feed(b"\x1b]0;open") == b""
    assert cleaner.flush() == b""
    assert cleaner.feed(b"text") == b"text"
