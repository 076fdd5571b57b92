"""Lines of a log of any length, by number."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backprop_tui.store.home import Home
from backprop_tui.watch.lines import BLOCK, LogLines


@pytest.fixture
def log(tmp_path: Path) -> tuple[LogLines, Path]:
    home = Home(str(tmp_path / "home"))
    home.ensure()
    folder = home.new_run("r")
    return LogLines(home, "r"), Path(folder.file("output.log"))


def scan(lines: LogLines) -> None:
    while lines.scan():
        pass


def test_nothing_yet(log: tuple[LogLines, Path]) -> None:
    lines, path = log
    scan(lines)
    assert (lines.total, lines.lines(0, 10), lines.find("x", 0, is_up=True)) == (0, [], None)
    path.write_bytes(b"")
    scan(lines)
    assert lines.total == 0


def test_lines_by_number_as_the_log_grows(log: tuple[LogLines, Path]) -> None:
    lines, path = log
    path.write_bytes(b"zero\none\ntw")
    scan(lines)
    assert (lines.total, lines.lines(0, 10)) == (3, ["zero", "one", "tw"])
    with path.open("ab") as file:
        file.write(b"o\nthree\n")
    scan(lines)
    assert (lines.total, lines.lines(2, 10), lines.lines(3, 1), lines.lines(4, 1)) == (
        4,
        ["two", "three"],
        ["three"],
        [],
    )


def test_many_lines_are_those_that_were_written(log: tuple[LogLines, Path]) -> None:
    lines, path = log
    dice = random.Random(1)
    texts = [f"line {n} " + "x" * dice.choice((0, 3, 200, 5000 if n % 500 == 0 else 10)) for n in range(30_000)]
    path.write_text("\n".join(texts) + "\n")
    assert path.stat().st_size > 4 * BLOCK
    scan(lines)
    assert lines.total == len(texts)
    for first in (0, 1, 499, 500, 501, 9_999, 29_950, 29_999, *(dice.randrange(30_000) for _ in range(50))):
        assert lines.lines(first, 40) == [text[:4000] for text in texts[first : first + 40]]


def test_search_both_ways(log: tuple[LogLines, Path]) -> None:
    lines, path = log
    path.write_text("".join(f"step {n}\n" for n in range(100_000)))
    scan(lines)
    assert lines.find("STEP 777\n", 0, is_up=False) == 777
    assert lines.find("step 99999", 0, is_up=False) == 99_999
    assert lines.find("step 5", 99_999, is_up=True) == 59_999
    assert lines.find("step 5", 59_998, is_up=True) == 59_998
    assert lines.find("step 5", 60_000, is_up=False) is None
    assert lines.find("nothing", 99_999, is_up=True) is None


def test_bars_bytes_and_endless_lines(log: tuple[LogLines, Path]) -> None:
    lines, path = log
    bar = b"\r".join(b"%d%%" % n for n in range(101))
    path.write_bytes(bar + b"\n\xff\xfe\x1b[31mred\x1b[0m\n" + b"y" * 3_000_000 + b"\nlast\n")
    scan(lines)
    shown = lines.lines(0, 10)
    assert lines.total == 4
    assert shown[0] == "100%"
    assert "\x1b" not in shown[1]
    assert shown[2].startswith("yyyy")
    assert len(shown[2]) <= 4000
    assert lines.lines(3, 1) == ["last"]
