"""Runs side by side."""

from __future__ import annotations

import math

import pytest

from backprop_tui.tui.draw import compare
from backprop_tui.tui.draw.glyphs import ASCII, UNICODE, Glyphs
from backprop_tui.tui.draw.line import cells, texts
from tests.unit import made_details as made


def shown(width: int = 120, height: int = 38, *, metric: str = "loss", **more: object) -> list[str]:
    view = compare.View(width=width, height=height, glyphs=UNICODE, metric=metric, **more)  # type: ignore[arg-type]
    return texts(compare.lines(made.compared_three(metric), view))


def test_the_columns() -> None:
    title, first, second, third = shown(80, 22)[:4]
    assert title.split() == ["RUNS", "3", "STATUS", "LOSS", "STEPS", "AT", "5,580", "vs", "A", "TOOK"]
    assert first.split()[1:] == ["A", "━━", "llama-lora-r8", "stopped", "2.014", "12,400", "2.215", "2:14"]
    assert second.split()[5:] == ["9,920", "2.415", "+0.200", "2:14"]
    assert third.split()[5:] == ["5,580", "1.915", "-0.300", "2:14"]
    wide = shown(120)[1]
    assert wide.split()[-3:] == ["SPEED", "PEAK", "RAM"]


def test_the_sentence_names_the_best_and_says_that_lengths_differ() -> None:
    text = " Lowest at step 5,580, the last all three have: C llama-lora-r16, 0.300 under A. (LOSS: unequal lengths.)"
    assert text in shown(120)
    assert " Lowest at step 5,580, the last all three have: C llama-lora-r16." in shown(80)
    accuracy = next(line for line in shown(120, metric="accuracy") if "at step" in line)
    assert accuracy.startswith(" Highest at step 5,580, the last all three have: B llama-lora-r4, 0.200 over A.")


def test_a_shows_all_shows_the_same_ones() -> None:
    closed, opened = shown(120), shown(120, shows_same=True)
    assert " 11 parameters are the same. a shows all" in closed
    assert not any(line.startswith(" --same-0") for line in closed)
    assert sum(line.startswith(" --same-") for line in opened) == 11
    assert " 11 parameters are the same. a hides them" in opened


def test_by_time_has_no_line_at_a_common_step() -> None:
    assert any("dotted line: last common step" in line for line in shown(120))
    by_time = shown(120, by_time=True)
    assert any(line.startswith(" LOSS  by time") for line in by_time)
    assert any("2:00" in line for line in by_time)
    assert not any("┊" in line for line in by_time)


def test_what_deviates_is_bold() -> None:
    view = compare.View(width=80, height=22, glyphs=UNICODE, metric="loss")
    row = next(line for line in compare.lines(made.compared_three(), view) if line.text.startswith(" GPU"))
    assert [row.style_at(column) for column in (18, 38, 58)] == ["", "", "bold"]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII, UNICODE.replace(has_colour=False)])
def test_it_fits_anywhere(glyphs: Glyphs) -> None:
    runs = made.compared_three()
    odd = runs[0].replace(
        curves={"loss": made.curve("loss", [(20.0, made.BEGAN, math.nan), (40.0, made.BEGAN, math.inf)])}
    )
    for group in (runs, runs[:1], [odd, *runs], [odd, odd], [], runs * 2):
        for width in (20, 40, 60, 76, 80, 110, 120, 200, 220):
            for height in (1, 4, 10, 22, 38, 58):
                for metric in ("loss", ""):
                    view = compare.View(
                        width=width, height=height, glyphs=glyphs, metric=metric if group else "", hidden=frozenset({1}),
                        is_log=height == 10, by_time=height == 22, shows_all=height == 38, shows_same=height == 58,
                    )  # fmt: skip
                    lines = compare.lines(group, view)
                    assert len(lines) <= height
                    for line in lines:
                        assert cells("".join(span.text for span in line.spans())) <= width
                        assert glyphs is not ASCII or line.text.isascii()
