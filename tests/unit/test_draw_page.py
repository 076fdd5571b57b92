"""The page of a run and the right column: what they say, and that they fit anywhere."""

from __future__ import annotations

import math

import pytest

from backprop_tui.model.run import Reason, Resources, Rise
from backprop_tui.model.spec import SettingValue
from backprop_tui.tui.detail import Detail
from backprop_tui.tui.draw import answer, column, logview, page, start
from backprop_tui.tui.draw.glyphs import ASCII, UNICODE, Glyphs
from backprop_tui.tui.draw.line import Line, cells, texts
from backprop_tui.tui.draw.place import clock
from tests.unit import made_details as made

WIDTHS = (20, 21, 33, 40, 59, 60, 76, 80, 100, 109, 110, 111, 120, 189, 190, 200, 220)
HEIGHTS = (1, 2, 3, 5, 8, 12, 21, 37, 57)
STATES = ("queued", "starting", "running", "paused", "stopping", "completed", "timeboxed", "stopped", "lost")
NO_COLOUR = UNICODE.replace(has_colour=False)


def hostile() -> Detail:
    """Values that are no numbers, names of any kind, nothing where there usually is something."""
    bad = [math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0, 5e-324]
    curves = {
        "loss": made.curve("loss", [(float(n), made.BEGAN + n, bad[n % 7]) for n in range(200)]),
        "none": made.curve("none", []),
        "one": made.curve("one", [(1.0, made.BEGAN, 3.0)]),
        "nan": made.curve("nan", [(float(n), made.BEGAN, math.nan) for n in range(5)]),
        "flat": made.curve("flat", [(float(n), made.BEGAN + n, 7.0) for n in range(50)]),
        "back": made.curve("back", [(float(-n), made.BEGAN + n, n) for n in range(50)]),
    }
    return made.detail("running", curves=curves, step=None, total=None, name="模型 [bold]x[/]" * 9)


def bare() -> Detail:
    return made.detail(
        "running", curves={}, lines=(), events=(), checkpoints=(), checkpoint_count=0, total=None, step=None, spec=None,
        slices=(), name=None, resources=Resources(),
    )  # fmt: skip


def unreadable() -> Detail:
    return Detail(run_id="0k3f9x2", record=None, curves={}, bad={}, lines=())


WARNING = (
    "no checkpoint was seen in 5 minutes of a time box of 10 minutes; what it does is lost when the box ends, unless it saves "
    "when it is asked to stop: let it save every few minutes, or say where it saves: --watch PATTERN"
)
CASES = {
    "warned": made.detail("running", warnings=("earlier", WARNING)),
    "warned-ended": made.detail("stopped", warnings=(WARNING,)),
    **{state: made.detail(state) for state in STATES},
    "failed": made.failed(),
    "diverged": made.diverged(),
    "bare": bare(),
    "unreadable": unreadable(),
}
VIEWS = (
    page.View(),
    page.View(focus=3, is_log=True, is_zoomed=True, cursor=2, offset=3),
    page.View(focus=1, by_time=True, shows_all=True, cursor=99, offset=99),
)


def drawn(detail: Detail, width: int, height: int, glyphs: Glyphs) -> list[tuple[list[Line], int, int]]:
    """Everything that there is to draw of a run, with the height it may take."""
    place = made.place(width, height, glyphs)
    out = [([page.title(detail, place)], 1, width), ([page.tabs(detail, place, 3)], 1, width)]
    out += [(page.body(detail, place, tab, view), height, width) for view in VIEWS for tab in range(6)]
    out.append((column.column(detail, place), height, width))
    return out


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII, NO_COLOUR], ids=["unicode", "ascii", "no-colour"])
@pytest.mark.parametrize("case", [*CASES, "hostile"])
def test_nothing_is_ever_wider_or_higher_than_asked(case: str, glyphs: Glyphs) -> None:
    detail = hostile() if case == "hostile" else CASES[case]
    for n, width in enumerate(WIDTHS):
        for height in (HEIGHTS[n % len(HEIGHTS)], HEIGHTS[(n + 4) % len(HEIGHTS)], HEIGHTS[-1 - n % 3]):
            for lines, most, wide in drawn(detail, width, height, glyphs):
                assert len(lines) <= most, (width, height)
                for line in lines:
                    assert cells("".join(span.text for span in line.spans())) <= wide, (width, height, line.text)
                    if case != "hostile" and glyphs is ASCII:
                        assert line.text.isascii(), (width, height, line.text)


def test_letters_tell_curves_apart_where_colours_cannot() -> None:
    shown = "\n".join(texts(page.body(made.detail(), made.place(80, 21, NO_COLOUR), 0)))
    assert "A train" in shown
    assert "AA" in shown
    assert "⣀" not in shown


@pytest.mark.parametrize(
    ("detail", "width", "first", "second"),
    [
        (
            made.detail(), 80,
            " 7:42 left of 10:00 ━━━━━━━━━━━───  34%  1,204 of 3,500   loss 1.993 ↘ falling",
            " This slice ends {end} near step 2,392 (68%). About 7 min short: + adds 5.",
        ),
        (
            made.detail(), 120,
            " 7:42 left of 10:00 ━━━━━━━━━━━━━━━━━━━━──────  34%  step 1,204 of 3,500   loss 1.993 ↘ falling",
            " This slice ends {end} near step 2,392 (68%). The rest takes about 7 min more: + now, or r afterwards.",
        ),
        (
            made.detail(total=None), 80,
            " 7:42 left of 10:00 ━━━━━━━━━━━───  step 1,204   loss 1.993 ↘ falling",
            " This slice ends {end} near step 2,392. 2.57 steps/s.",
        ),
        (
            made.detail(total=1500), 80,
            " 7:42 left of 10:00 ━━━━━━━━━━━───  80%  1,204 of 1,500   loss 1.993 ↘ falling",
            " Finishes at about {finish}, before this slice ends.",
        ),
        (
            made.detail().replace(speed=None), 80, None, " This slice ends {end}. Speed is still being measured.",
        ),
        (
            made.detail("paused", reason=Reason(code="person", text="paused by anna", by="person")), 80, None,
            " Paused by anna. The clock stands still. p continues.",
        ),
        (
            made.detail("paused", reason=Reason(code="heat", text="GPU 1 is at 86", by="governor")), 80, None,
            " GPU 1 is at 86. The clock stands still. It continues by itself.",
        ),
        (
            made.detail("queued", reason=Reason(code="waiting", text="waits: RAM is short", by="governor")), 80,
            " 10:00 once it starts  34%  1,204 of 3,500   loss 1.993", " Waits: RAM is short",
        ),
        (
            made.detail("starting"), 80, None, " Loading from step 850, 138 s so far. This slice ends {end}.",
        ),
        (
            made.detail("stopping", reason=Reason(code="timebox", text="the time box of 10 min ended", by="timebox")), 80,
            " stopping after 2:18  34%  1,204 of 3,500   loss 1.993",
            " The time box of 10 min ended: it may save now, then it ends.",
        ),
    ],
)  # fmt: skip
def test_the_answer_and_the_forecast(detail: Detail, width: int, first: str | None, second: str) -> None:
    place, record = made.place(width, 21), detail.record
    assert record is not None
    end = clock(made.NOW + 462)
    finish = clock(made.NOW + (1500 - 1204) / 2.57)[:5]
    if first is not None:
        assert answer.answer(detail, record, place).text == first
    assert answer.forecast(detail, record, place).text == second.format(end=end, finish=finish)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("completed", ["Completed after 12:14 at step 1,204 of 3,500 (34%), loss 2.184", "R runs it again."]),
        ("timeboxed", ["Time was up after 12:14", "r resumes it from step 1,150 (loss 2.126); 54 steps are done again."]),
        ("failed", ["Failed after 12:14 at step 1,204 of 3,500 (34%). No checkpoint was reported.",
                    "GPU 1 ran out of memory: 2.50G more was needed, 1.10G was free.",
                    'File "train_ner.py", line 118, in main', "y t copy the traceback",
                    "R   run it again with other arguments (it was --rank 16 --lr 2e-4)"]),
        ("diverged", ["Diverged after 12:14 at step 233 of 5,000 (5%): the loss is not a number.",
                      "Loss fell to 4.000 by step 140, rose to 8.112 by step 230, then became NaN.",
                      "r   resume from step 120 (loss 4.029), saved before the rise", "NaN from step 231"]),
        ("lost", ["Lost after 12:14", "r   resume from step 1,150 (loss 2.126)"]),
        ("warned", ["No checkpoint was seen in 5 minutes of a time box of 10 minutes; what it does",
                    "every few minutes, or say where it saves: --watch PATTERN."]),
        ("bare", ["No loss yet.", "It has printed nothing yet."]),
    ],
)  # fmt: skip
def test_what_the_overview_says(case: str, said: list[str]) -> None:
    shown = "\n".join(texts(page.body(CASES[case], made.place(80, 21), 0)))
    assert [text for text in said if text not in shown] == []


def test_nothing_is_promised_that_is_gone() -> None:
    detail = CASES["timeboxed"]
    assert detail.record is not None
    saved = detail.record.run.checkpoints
    paths = [checkpoint.path for checkpoint in saved if checkpoint.good]
    newest = detail.replace(gone=frozenset(paths[-1:]))
    assert f"r resumes it from step {saved[-2].step:,}" in "\n".join(texts(page.body(newest, made.place(80, 21), 0)))
    every = detail.replace(gone=frozenset(paths))
    assert "r resumes it from" not in "\n".join(texts(page.body(every, made.place(80, 21), 0)))


def test_a_diverged_run_goes_on_from_before_its_rise() -> None:
    detail = CASES["diverged"]
    assert detail.record is not None
    run = detail.record.run
    newest = run.slices[-1].replace(rise=Rise(step=100, t=made.BEGAN + 33))
    run = run.replace(
        slices=(*run.slices[:-1], newest), checkpoints=tuple(found.replace(slice=2) for found in run.checkpoints)
    )
    risen = detail.replace(record=detail.record.replace(run=run))
    assert risen.record is not None
    sound = risen.record.run.sound_checkpoint
    assert sound is not None
    assert sound.step == 60
    assert "r   resume from step 60 (loss 4.457), saved before" in "\n".join(
        texts(page.body(risen, made.place(80, 21), 0))
    )


def test_settings_are_said_as_people_read_them() -> None:
    detail = CASES["running"]
    assert detail.record is not None
    assert detail.record.spec is not None
    given = {"maxRunMinutes": 1 / 6, "until": (), "slices": None, "takeUp": True}
    settings = {key: SettingValue(value=value, origin="flag") for key, value in given.items()}
    record = detail.record.replace(spec=detail.record.spec.replace(settings=settings))
    shown = " ".join("\n".join(texts(page.setup(record, made.place(80, 40)))).split())
    assert "maxRunMinutes 10 s (flag)" in shown
    assert "takeUp true (flag)" in shown
    assert "until none (flag)" in shown
    assert not {"None", "()", "True"} & set(shown.split())


def test_own_frames_stand_out_and_the_error_is_bad() -> None:
    lines = page.body(made.failed(), made.place(80, 21), 0)
    styles = {line.text.strip()[:12]: line.style_at(3) for line in lines}
    assert (styles['File "train_'], styles['File ".../tr'], styles["torch.OutOfM"]) == ("bold", "muted", "bad")


def test_the_checkpoint_under_the_cursor_is_in_sight() -> None:
    many = tuple(made.checkpoint(n * 10, made.NOW - 1000 + n) for n in range(20))
    detail = made.detail(checkpoints=many, checkpoint_count=20).replace(gone=frozenset({many[0].path}))
    for cursor in range(20):
        lines = page.body(detail, made.place(80, 6), 3, page.View(cursor=cursor))
        current = [line for line in lines if line.base == "cursor"]
        assert [f"step {(19 - cursor) * 10} " in line.text for line in current] == [True]
        assert len(lines) == 6
    assert "gone" in lines[-1].text


def test_curves_that_do_not_fit_are_counted() -> None:
    lines = texts(page.body(made.detail(), made.place(80, 21), 2))
    assert lines[-1] == " +2 more: m shows the next"
    assert lines[0].startswith(" LOSS")
    assert texts(page.body(made.detail(), made.place(80, 21), 2, page.View(focus=1)))[0].startswith(" ACCURACY")
    assert texts(page.body(made.detail(), made.place(80, 21), 2, page.View(focus=4)))[0].startswith(" LOSS")
    zoomed = texts(page.body(made.detail(), made.place(80, 21), 2, page.View(focus=1, is_zoomed=True)))
    assert len(zoomed) == 21
    assert not any("GRAD NORM" in line for line in zoomed)


def test_setup_hides_secrets() -> None:
    shown = "\n".join(texts(page.body(made.detail(), made.place(120, 50), 4)))
    assert "hf_abc" not in shown
    assert "$HF_TOKEN" in shown


@pytest.mark.parametrize(("height", "there", "missing"), [
    (57, ["LOSS", "RESOURCES", "CHECKPOINTS 3", "GOVERNOR", "LOG"], []),
    (43, ["LOSS", "RESOURCES", "CHECKPOINTS 3", "LOG"], ["GOVERNOR"]),
    (16, ["This slice", "Command", "LOG"], ["RESOURCES", "GOVERNOR"]),
])  # fmt: skip
def test_sections_of_the_column_drop_from_the_bottom(height: int, there: list[str], missing: list[str]) -> None:
    lines = texts(column.column(made.detail(), made.place(74, height)))
    starts = [line.strip() for line in lines]
    for word in there:
        assert any(line.startswith(word) for line in starts), word
    for word in missing:
        assert not any(line.startswith(word) for line in starts), word
    assert len(lines) - starts.index("LOG") >= 5


@pytest.mark.parametrize("size", [(80, 19), (80, 17), (120, 33), (60, 13), (40, 8), (40, 6), (20, 4), (220, 60)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_start_here_fits(size: tuple[int, int], glyphs: Glyphs) -> None:
    lines = start.lines(*size, glyphs)
    assert len(lines) <= size[1]
    assert all(cells("".join(span.text for span in line.spans())) <= size[0] for line in lines)
    assert all(line.text.isascii() for line in lines if glyphs is ASCII)
    shown = "\n".join(texts(lines))
    assert "launch" in shown.lower() or size[0] < 30
    if size[0] >= 80:
        assert "…" not in shown
        assert '{"step": 10, "loss": 0.5}' in shown


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_of_the_log_fits(width: int) -> None:
    for glyphs in (UNICODE, ASCII):
        view = logview.View(width=width, glyphs=glyphs, digits=5, words="loss")
        for text in ("", "a" * 500, "loss 2.3 … 模型", "x" * 90 + " LOSS"):
            made_line = logview.line(view, 12_345, text, is_hit=True)
            assert cells("".join(span.text for span in made_line.spans())) <= width
            assert glyphs is not ASCII or made_line.text.isascii() or not text.isascii()
        status = logview.status(width, words="loss", found="line 7", below=212)
        assert cells("".join(span.text for span in status.spans())) <= width
