"""Curves with their axes."""

from __future__ import annotations

import math
from bisect import bisect_left

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw import axes
from backprop_tui.tui.draw.chartwords import in_words
from backprop_tui.tui.draw.glyphs import ASCII_GRAPHS, NO_GRAPHS
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.tui.draw.place import wrapped
from backprop_tui.tui.draw.plot import Plot, Points, Trace, trace
from backprop_tui.watch.figures import loss, short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.draw.glyphs import Glyphs

AXIS = 7
"""Column of the axis."""
LEAST_WIDTH, LEAST_HEIGHT = AXIS + 5, 3
LETTERS = "ABCDEF"


class Series(Frozen):
    """One curve of a chart."""

    label: str
    points: Points
    last: float | None = None
    trend: str = ""
    is_higher_better: bool = False


class SeamMark(Frozen):
    """Where a slice began."""

    step: float
    label: str
    is_suspicious: bool = False
    """It does not seem to go on from where the one before it stood."""


class Chart(Frozen):
    """What a chart shows; all places are steps."""

    series: tuple[Series, ...]
    x_end: float | None = None
    """Where the x axis ends, for a run that goes on: what is still to come stays empty."""
    t_end: float | None = None
    """The same in seconds of training."""
    seams: tuple[SeamMark, ...] = ()
    saved: tuple[float, ...] = ()
    """Steps of the checkpoints."""
    bad: float | None = None
    """Step of the first value that is not a number."""
    dotted: float | None = None
    """Step of a dotted line: the last one that all have."""
    shows_all: bool = False
    """Outliers too, and all that lies between the least and the largest value."""
    is_log: bool = False
    by_time: bool = False


def lines(chart: Chart, width: int, height: int, glyphs: Glyphs, *, empty: str) -> list[Line]:
    """The chart in exactly `height` lines, the row of checkpoints and the x axis among them; `empty` says why there is
    none."""
    if height <= 0:
        return []
    if sum(len(series.points.steps) for series in chart.series) < 2 or width < LEAST_WIDTH or height < LEAST_HEIGHT:
        said = wrapped(empty, width - 2) if width >= LEAST_WIDTH else []
        out = [Line(width, glyphs=glyphs).put(1, text, "muted") for text in said[:height]]
        return out + [Line(width) for _ in range(height - len(out))]
    if glyphs.graphs == NO_GRAPHS:
        return in_words(chart, width, height)
    has_saved = bool(chart.saved) and height > LEAST_HEIGHT
    rows = height - 1 - has_saved
    is_single = sum(bool(series.points.steps) for series in chart.series) == 1
    graphs = glyphs.graphs if is_single or glyphs.has_colour else ASCII_GRAPHS
    plot = Plot(width - AXIS - 1, rows, graphs=graphs)
    x = _x_range(chart)
    traces = [_trace(series.points, chart, x, plot.wide) for series in chart.series]
    (low, high), is_cut = _y_range(chart, traces)
    for n, curve in enumerate(traces):
        plot.draw(curve, n, (low, high))
    labels = axes.y_labels((low, high), rows, is_log=chart.is_log)
    marks = _marks(chart, plot.width, x, glyphs)
    out = []
    for row in range(rows):
        line = Line(width).put(0, labels.get(row, ""), "muted", room=AXIS - 1, right=True)
        line.put(AXIS, glyphs.cut_off if row == 0 and is_cut else glyphs.axis, "faint")
        _cells(line, plot, row, marks, is_single=is_single)
        out.append(line)
    if has_saved:
        out.append(_saved(chart, width, x, glyphs))
    out.append(_x_axis(chart, width, x))
    return out


def legend(  # a band has all of these
    chart: Chart, width: int, glyphs: Glyphs, *, title: str, note: str = "", focused: bool = False
) -> Line:
    """The band above a chart: what each curve is and where it stands."""
    line = Line(width, base="band", glyphs=glyphs).put(0, f" {title} ", "focused" if focused else "title")
    words = [
        word for is_so, word in ((chart.is_log, "log"), (chart.by_time, "by time"), (chart.shows_all, "all")) if is_so
    ]
    for text in (*words, note):
        if text and line.at + cells(text) + 2 < width:
            line.put(line.at + 1, text, "title").add(" ")
    is_single = len(chart.series) == 1
    for n, series in enumerate(chart.series):
        if is_single and chart.bad is not None and not _is_number(series.last):
            break  # the mark of its end says it
        text = " ".join(word for word in (series.label, loss(series.last)) if word)
        sign, style = trend(series, glyphs)
        said = f" {sign} {series.trend}" if sign else f" {series.trend}" if series.trend else ""
        if line.at + cells(text + said) + (1 if is_single else 4) > width:
            said = ""
        if line.at + cells(text) + (1 if is_single else 4) > width:
            break
        if not is_single:
            line.put(line.at + 1, glyphs.bar * 2 if _has_colours(glyphs) else LETTERS[n % 6], f"curve{n % 6}")
        line.put(line.at + 1, text, "").add(said, style).add("  ")
    for text, style in _oddities(chart):
        if line.at + cells(text) + 4 < width:
            line.put(line.at + 1, f"{glyphs.slice} {text}", style).add("  ")
    return line


def _oddities(chart: Chart) -> list[tuple[str, str]]:
    """What is wrong with what is shown, with its style."""
    found = [] if chart.bad is None else [(f"NaN from step {short_count(chart.bad)}", "bad")]
    doubtful = [seam.label for seam in chart.seams if seam.is_suspicious][-1:]
    return found + [(f"{label}: suspicious", "hold") for label in doubtful]


def trend(series: Series, glyphs: Glyphs) -> tuple[str, str]:
    """Sign and style of a curve's trend; where more is better the colours change places."""
    signs = {"falling": glyphs.falling, "flat": glyphs.flat, "rising": glyphs.rising}
    better, worse = ("rising", "falling") if series.is_higher_better else ("falling", "rising")
    styles = {better: "ok", worse: "hold", "flat": "muted", "diverged": "bad bold"}
    return signs.get(series.trend, ""), styles.get(series.trend, "muted")


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _has_colours(glyphs: Glyphs) -> bool:
    return glyphs.graphs != ASCII_GRAPHS and glyphs.has_colour


def _trace(points: Points, chart: Chart, x: tuple[float, float], wide: int) -> Trace:
    scaled = points
    if chart.is_log:
        scaled = points.replace(
            means=tuple(map(_log, points.means)),
            lows=tuple(map(_log, points.lows)),
            highs=tuple(map(_log, points.highs)),
        )
    places = [_place(chart, seam.step) for seam in chart.seams if seam.is_suspicious]
    breaks = [at for at in places if at is not None]
    return trace(scaled, points.xs(by_time=chart.by_time), x, wide, shows_all=chart.shows_all, breaks=breaks)


def _y_range(chart: Chart, traces: Sequence[Trace]) -> tuple[tuple[float, float], bool]:
    # A curve that ought to rise begins low: nothing of it is an outlier at the top.
    shows_all = chart.shows_all or all(series.is_higher_better for series in chart.series)
    curves = [part for curve in traces for part in ((curve.lows, curve.highs) if chart.shows_all else (curve.highs,))]
    return axes.y_range(curves, shows_all=shows_all)


def _cells(line: Line, plot: Plot, row: int, marks: dict[int, tuple[str, str]], *, is_single: bool) -> None:
    """The curves of a row, and between them the marks, as few spans as there are changes of style."""
    signs: list[tuple[str, str]] = []
    for column in range(plot.width):
        cell, owner = plot.cell(row, column), plot.owners[row][column]
        if cell:
            sign = cell if is_single or not plot.has_letters else LETTERS[owner % 6]
            signs.append((sign, f"curve{owner % 6}"))
        elif column in marks:
            signs.append((marks[column][0][:1], marks[column][1]))
        else:
            signs.append((" ", ""))
    if row == 0:
        _label(signs, marks)
    at = 0
    while at < len(signs):
        end = at
        while end < len(signs) and signs[end][1] == signs[at][1]:
            end += 1
        line.put(AXIS + 1 + at, "".join(sign for sign, _style in signs[at:end]), signs[at][1])
        at = end


def _label(signs: list[tuple[str, str]], marks: dict[int, tuple[str, str]]) -> None:
    """What a mark means, where nothing else stands."""
    for column, (text, style) in marks.items():
        end = column + len(text)
        if end <= len(signs) and all(sign == " " for sign, _style in signs[column + 1 : end]):
            signs[column:end] = [(sign, style) for sign in text]


def _marks(chart: Chart, width: int, x: tuple[float, float], glyphs: Glyphs) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for seam in chart.seams:
        at = _place(chart, seam.step)
        if at is not None and x[0] < at < x[1]:
            style = "hold" if seam.is_suspicious else "muted"
            found[_column(at, x, width)] = (f"{glyphs.slice} {seam.label}".rstrip(), style)
    for place, style in ((chart.dotted, "muted"), (chart.bad, "bad")):
        at = None if place is None or (chart.by_time and place is chart.dotted) else _place(chart, place)
        if at is not None and x[0] <= at <= x[1]:
            found[_column(at, x, width)] = (glyphs.slice, style)
    return found


def _place(chart: Chart, step: float) -> float | None:
    """Where a step is on the x axis; None where no curve has got there."""
    if not chart.by_time:
        return step if math.isfinite(step) else None
    points = chart.series[0].points
    at = bisect_left(points.steps, step)
    return points.times[at] if at < len(points.times) else None


def _saved(chart: Chart, width: int, x: tuple[float, float], glyphs: Glyphs) -> Line:
    line = Line(width).put(1, "saved", "muted")
    room = width - AXIS - 1
    places = [at for step in chart.saved if (at := _place(chart, step)) is not None and x[0] <= at <= x[1]]
    for column in sorted({_column(at, x, room) for at in places}):
        line.put(AXIS + 1 + column, glyphs.saved, "ok")
    return line


def _x_axis(chart: Chart, width: int, x: tuple[float, float]) -> Line:
    line = Line(width)
    room = width - AXIS - 1
    for tick, text in axes.x_labels(x, room, by_time=chart.by_time):
        at = AXIS + 1 + _column(tick, x, room)
        at = min(max(AXIS + 1, at - cells(text) // 2), width - cells(text)) if at > AXIS + 1 else at
        if at >= line.at and at + cells(text) <= width:
            line.put(at, text, "muted").add(" ")
    return line


def _column(at: float, x: tuple[float, float], width: int) -> int:
    return min(width - 1, max(0, round((at - x[0]) / ((x[1] - x[0]) or 1.0) * (width - 1))))


def _x_range(chart: Chart) -> tuple[float, float]:
    curves = [series.points.xs(by_time=chart.by_time) for series in chart.series]
    known = [x for xs in curves for x in xs if abs(x) < axes.LARGEST] or [0.0]
    expected = chart.t_end if chart.by_time else chart.x_end
    end = max([*known, *([expected] if expected is not None and abs(expected) < axes.LARGEST else [])])
    start = min(known)
    start = min(0.0, start) if start < end * 0.2 else start
    return start, end if end > start else start + 1.0


def _log(value: float) -> float:
    return math.log10(value) if value > 0 and math.isfinite(value) else math.nan
