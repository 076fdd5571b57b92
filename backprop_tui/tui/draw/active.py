"""The table of runs in progress: one thing that matters in each row."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw import graphs
from backprop_tui.tui.draw.bands import band
from backprop_tui.tui.draw.glyphs import sign_style, word_style
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.watch.figures import NONE, ago, duration, loss, rate, short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from backprop_tui.tui.draw.glyphs import Glyphs

SMALL, MEDIUM, SPARKS = 80, 110, 56
SOON_S = 60.0
LEAST_NAME = 8
RUNNING = "running"
METRIC = 7
"""Room of the name of a metric that is not the loss, where its curve would begin."""


class ActiveRow(Frozen):
    """A run in progress, ready to be drawn; what is not known is None."""

    id: str
    name: str
    state: str
    left_s: float | None
    box_s: float
    star: bool = False
    reason: str = ""
    """For any state but running: why, in at most 41 characters."""
    reason_long: str = ""
    is_by_person: bool = False
    """A person made it wait."""
    is_held: bool = False
    """It waits until somebody releases it."""
    is_slow: bool = False
    """Its start takes long: the reason is worth a look."""
    series: str = ""
    """Of a run that goes on by itself: which slice of how many, such as 3/6."""
    step: int | None = None
    total: int | None = None
    speed: float | None = None
    """Steps a second."""
    epoch: str = ""
    """epoch 2/3"""
    metric: str = "loss"
    """What is shown as the loss, in short."""
    loss: float | None = None
    trend: str = ""
    """falling, flat, rising, diverged, or in words what is odd."""
    is_higher_better: bool = False
    """Of the metric that is shown as the loss."""
    values: tuple[float, ...] = ()
    """The newest part of the curve."""
    saved_s: float | None = None
    """Age of the newest good checkpoint."""
    is_unsaved_long: bool = False
    """Nothing saved for more than twice the usual interval."""
    gpu: str = "cpu"
    """In three columns."""
    gpus: tuple[str, ...] = ()
    """Their indices."""


class Layout(Frozen):
    """Where the columns are, at one width."""

    name: tuple[int, int]
    """First column and room; the star follows one column further."""
    left: int
    """First of its five columns."""
    bar: tuple[int, int] | None
    done: tuple[int, int] | None
    step: tuple[int, int] | None
    speed: tuple[int, int] | None
    loss: tuple[int, int] | None
    spark: tuple[int, int] | None
    arrow: int | None
    word: int
    """Room of the trend word behind the arrow, 0 for none."""
    saved: tuple[int, int] | None
    gpu: int | None
    """First of its three columns."""
    reason: int
    """Where the state word begins, for a run that is not running."""


def layout(width: int) -> Layout:
    """The columns that there is room for."""
    if width < SMALL:
        return _narrow(width)
    if width < MEDIUM:
        more = min(width - SMALL, 24)
        wider = min(width - SMALL - more, 11)
        return Layout(
            name=(4, 16 + more),
            left=23 + more,
            bar=(29 + more, 8),
            done=(38 + more, 5),
            step=(44 + more, 7),
            speed=None,
            loss=(52 + more, 7),
            spark=(60 + more, 13 + wider),
            arrow=74 + more + wider,
            word=0,
            saved=None,
            gpu=76 + more + wider,
            reason=29 + more,
        )
    more = width - 120
    return Layout(
        name=(4, 21 + more),
        left=28 + more,
        bar=(34 + more, 10),
        done=(45 + more, 5),
        step=(51 + more, 12),
        speed=(65 + more, 7),
        loss=(74 + more, 7),
        spark=(83 + more, 12),
        arrow=96 + more,
        word=7,
        saved=(107 + more, 8),
        gpu=116 + more,
        reason=34 + more,
    )


def _narrow(width: int) -> Layout:
    has_spark = width >= SPARKS
    loss_end = width - 14 if has_spark else width - 5
    left_end = loss_end - 8
    return Layout(
        name=(4, max(4, left_end - 11)),
        left=left_end - 4,
        bar=None,
        done=None,
        step=None,
        speed=None,
        loss=(loss_end - 6, 7),
        spark=(width - 12, 8) if has_spark else None,
        arrow=width - 3,
        word=0,
        saved=None,
        gpu=None,
        reason=left_end + 3,
    )


def title(width: int, count: int, *, focused: bool) -> Line:
    """The band of the table."""
    at = layout(width)
    line = band(width, f"ACTIVE {count}" if count else "ACTIVE", focused=focused)
    line.put(at.left + 1, "LEFT", "title")
    columns = ((at.done, "DONE"), (at.step, "STEP"), (at.speed, "SPEED"), (at.loss, "LOSS"), (at.saved, "SAVED"))
    for place, text in columns:
        if place is not None:
            line.put(place[0], text, "title", room=place[1], right=True)
    return line if at.gpu is None else line.put(at.gpu, "GPU", "title")


def row(width: int, run: ActiveRow, glyphs: Glyphs, *, cursor: str = "", marked: bool = False) -> Line:
    """One run; `cursor` is the style of the row under the cursor, "" elsewhere."""
    at = layout(width)
    line = Line(width, base=cursor)
    if cursor:
        line.put(0, glyphs.cursor, "accent")
    elif marked:
        line.put(0, glyphs.mark, "accent bold")
    line.put(2, glyphs.state(run.state), sign_style(run.state))
    _name(line, at, run, "bold" if cursor else "")
    if run.star:
        line.put(at.name[0] + at.name[1] + 1, glyphs.star, "star")
    still = run.state != RUNNING
    soon = run.left_s is not None and run.left_s < SOON_S
    style = "muted" if still else "hold bold" if soon else "bold"
    line.put(at.left, duration(run.left_s) if run.left_s is not None else NONE, style, room=5, right=True)
    if still:
        line.put(at.reason, run.state, word_style(run.state))
        if width >= SMALL:
            text = run.reason_long or run.reason if width >= MEDIUM else run.reason or run.reason_long
            line.put(at.reason + 9, glyphs.words(text), "hold" if run.is_slow else "", room=width - at.reason - 10)
        return line
    _numbers(line, at, run, glyphs)
    return line


def _name(line: Line, at: Layout, run: ActiveRow, style: str) -> None:
    """The name, and at the end of its column which slice of how many."""
    start, room = at.name
    is_told = run.series and room - cells(run.series) > LEAST_NAME
    line.put(start, run.name, style, room=room - (cells(run.series) + 1 if is_told else 0))
    if is_told:
        line.put(start, run.series, "muted", room=room, right=True)


def _numbers(line: Line, at: Layout, run: ActiveRow, glyphs: Glyphs) -> None:
    if at.bar is not None:
        full, rest = graphs.bar((run.left_s or 0.0) / run.box_s if run.box_s else None, at.bar[1], glyphs)
        line.put(at.bar[0], full, "bar").add(rest, "faint")
    done = f"{min(1.0, run.step / run.total):.0%}" if run.step is not None and run.total else ""
    step = short_count(run.step)
    if at.speed is not None:
        step = _step_words(step, run, at)
    speed = f"{rate(run.speed)}/s" if run.speed else ""
    for place, text in ((at.done, done), (at.step, step), (at.speed, speed)):
        if place is not None:
            line.put(place[0], text or NONE, "" if text else "muted", room=place[1], right=True)
    if at.loss is not None:
        style = "bad bold" if run.trend == "diverged" else "bold"
        line.put(at.loss[0], loss(run.loss), style, room=at.loss[1], right=True)
    if at.spark is not None:
        start, room = at.spark
        if run.metric not in ("", "loss"):
            # Another metric than the loss has its name beside its value.
            line.put(start, run.metric, "muted", room=min(METRIC, room))
            start, room = line.at + 1, room - (line.at + 1 - start)
        line.put(start, graphs.spark(run.values, room, glyphs), "bar")
    _trend(line, at, run, glyphs)
    if at.saved is not None:
        text = f"{ago(run.saved_s)} ago" if run.saved_s is not None else "never"
        line.put(at.saved[0], text, "hold" if run.is_unsaved_long else "muted", room=at.saved[1], right=True)
    if at.gpu is not None:
        line.put(at.gpu, run.gpu, "muted", room=3, right=True)


def _step_words(step: str, run: ActiveRow, at: Layout) -> str:
    """With the total, or else with the epoch where there is room for it."""
    if run.total:
        return f"{step}/{short_count(run.total)}"
    epoch = run.epoch.replace("epoch ", "e")
    is_short = at.step is not None and len(step) + 1 + len(epoch) <= at.step[1]
    return f"{step} {epoch}" if epoch and run.step is not None and is_short else step


def _trend(line: Line, at: Layout, run: ActiveRow, glyphs: Glyphs) -> None:
    if at.arrow is None or not run.trend:
        return
    sign, style = _arrow(run, glyphs)
    line.put(at.arrow, sign, style)
    if at.word:
        line.put(at.arrow + (2 if sign else 0), run.trend, style, room=at.word + (0 if sign else 2))


def _arrow(run: ActiveRow, glyphs: Glyphs) -> tuple[str, str]:
    better, worse = ("rising", "falling") if run.is_higher_better else ("falling", "rising")
    signs = {"falling": glyphs.falling, "flat": glyphs.flat, "rising": glyphs.rising, "diverged": "!"}
    styles = {better: "ok", "flat": "muted", worse: "hold", "diverged": "bad bold"}
    return signs.get(run.trend, ""), styles.get(run.trend, "hold")


def lines(
    width: int, runs: Sequence[ActiveRow], glyphs: Glyphs, *, cursor: str | None, focused: bool, marked: Container[str]
) -> list[Line]:
    """The rows of the table; `cursor` is the id of the run under it."""
    style = "cursor" if focused else "cursor-off"
    return [row(width, run, glyphs, cursor=style if run.id == cursor else "", marked=run.id in marked) for run in runs]
