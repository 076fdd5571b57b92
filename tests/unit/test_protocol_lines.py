from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.protocol.lines import LineSplitter

BITS = [
    b"\n",
    b"\r",
    b"\x08",
    b"\r\n",
    b"abc",
    b"x" * 9,
    b"y" * 10,
    b"z" * 11,
    "é".encode(),
    b"\xe2\x94",
    b"\xff",
]
STREAM = st.lists(st.sampled_from(BITS), max_size=30).map(b"".join)


def by_the_book(data: bytes, limit: int) -> tuple[list[str], int]:
    pieces = [piece for piece in re.split(rb"[\n\r\x08]", data) if piece]
    lines = [piece[:limit].decode("utf-8", "replace") for piece in pieces]
    return lines, sum(len(piece) > limit for piece in pieces)


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\r\nb\n\n\nc"], ["a", "b", "c"]),
        ([b"10%\r20%\r", b"\r30%\n"], ["10%", "20%", "30%"]),
        ([b"1/3\x08\x08\x082/3\n"], ["1/3", "2/3"]),
        ([b"ha", b"lf", b"\nrest"], ["half", "rest"]),
        ([b"\xe2\x94", b"\x81\n"], ["━"]),
        ([b"\xff\xfe\n"], ["\ufffd\ufffd"]),
        (["one\u2028two\x85\x0bthree\n".encode()], ["one\u2028two\x85\x0bthree"]),
        ([b"", b"\n", b""], []),
    ],
)
def test_lines(chunks, lines):
    splitter = LineSplitter()
    got = [line for chunk in chunks for line in splitter.feed(chunk)]
    assert got + splitter.flush() == lines
    assert splitter.truncated == 0
    assert splitter.flush() == []


@given(STREAM | st.binary(), st.lists(st.integers(0, 80), max_size=8))
def test_the_same_lines_come_out_however_the_stream_is_cut(data, cuts):
    splitter = LineSplitter(max_line=10)
    borders = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    got: list[str] = []
    for start, end in itertools.pairwise(borders):
        got += splitter.feed(data[start:end])
    got += splitter.flush()
    assert (got, splitter.truncated) == by_the_book(data, 10)


def test_fifty_megabytes_without_an_end_keep_one_short_line():
    splitter = LineSplitter()
    chunk = b"a" * (256 * 1024)
    for _ in range(200):
        assert splitter.feed(chunk) == []
    assert splitter.feed(b"tail\nnext\n") == ["a" * 65536, "next"]
    assert splitter.truncated == 1


def test_a_line_of_just_the_limit_is_whole():
    splitter = LineSplitter(max_line=4)
    assert splitter.feed(b"abcd") == []
    assert splitter.feed(b"\nabcde\nfg\n") == ["abcd", "abcd", "fg"]
    assert splitter.feed(b"hijklmn\n") == ["hijk"]
    assert splitter.truncated == 2


def test_an_unfinished_long_line_is_given_up_at_the_end():
    splitter = LineSplitter(max_line=4)
    splitter.feed(b"abcdefgh")
    assert splitter.flush() == ["abcd"]
    assert splitter.feed(b"next\n") == ["next"]
