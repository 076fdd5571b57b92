"""Up to six runs side by side."""

from __future__ import annotations

import math

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw import chart
from backprop_tui.tui.draw.glyphs import word_style
from backprop_tui.tui.draw.line import Line, cells
from backprop_tui.tui.draw.plot import NOTHING, points_of
from backprop_tui.watch import comparing
from backprop_tui.watch.figures import NONE, count, duration, loss, rate, room
from backprop_tui.watch.metrics import is_higher_better, label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.watch.comparing import Compared

LETTERS = chart.LETTERS
MEDIUM = 110
AIRY = 34
NO_METRIC = "These runs share no metric. Only parameters are compared."
LEAST_CHART = 6
PARAMETER = 18
_WORDS = ("none", "one", "two", "three", "four", "five", "six")
_NARROW = (("LOSS", 8), ("STEPS", 9), ("AT", 10), ("vs A", 8), ("TOOK", 7))
_WIDE = (("LOSS", 9), ("STEPS", 9), ("AT", 11), ("vs A", 9), ("TOOK", 8), ("SPEED", 10), ("PEAK RAM", 10))
_SMALL = (("AT", 10), ("vs A", 8))


class View(Frozen):
    """What is shown of a comparison."""

    width: int
    height: int
    glyphs: Glyphs
    metric: str
    hidden: frozenset[int] = frozenset()
    is_log: bool = False
    by_time: bool = False
    shows_all: bool = False
    """Outliers too."""
    is_zoomed: bool = False
    """The chart has the room of the differences."""
    shows_same: bool = False
    """Parameters that are the same, too."""
    cursor: int = 0

    def line(self, base: str = "") -> Line:
        """An empty line."""
        return Line(self.width, base, self.glyphs)


def lines(runs: Sequence[Compared], view: View) -> list[Line]:
    """The whole page below its title, at most as high as the view."""
    step = comparing.last_common_step(runs, view.metric) if view.metric else None
    gap = [view.line()] if view.height >= AIRY else []
    top = [*gap, *_table(runs, view, step), _sentence(runs, view, step), *gap]
    below = (
        []
        if view.is_zoomed
        else [*gap, *_differences(runs, view, max(4, view.height - len(top) - LEAST_CHART - 1 - len(gap)))]
    )
    rows = view.height - len(top) - len(below)
    if rows < LEAST_CHART or step is None:
        return [*top, *below][: view.height]
    plan = _plan(runs, view, step)
    note = "by time" if view.by_time else "by step, dotted line: last common step"
    title = plan.replace(series=(), by_time=False)
    drawn = [chart.legend(title, view.width, view.glyphs, title=view.metric.upper(), note=note)]
    drawn += chart.lines(plan, view.width, rows - 1, view.glyphs, empty=NO_METRIC)
    return [*top, *drawn, *below][: view.height]


def _columns(width: int, step: float | None) -> tuple[int, list[tuple[str, int, int]]]:
    """Room of the name, and of each column its title, where it begins and how wide it is."""
    chosen = _WIDE if width >= MEDIUM else _NARROW if width >= 76 else _SMALL
    at = f"AT {step:,.0f}" if step is not None else "AT"
    name = min(30, max(6, width - 8 - 10 - sum(wide for _title, wide in chosen) - 1))
    start, out = 8 + name + 10, []
    for title, wide in chosen:
        out.append((at if title == "AT" else title, start, wide))
        start += wide
    return name, out


def _table(runs: Sequence[Compared], view: View, step: float | None) -> list[Line]:
    name, columns = _columns(view.width, step)
    title = view.line("band").put(0, f" RUNS {len(runs)} ", "title").put(8 + name, "STATUS", "title")
    for text, start, wide in columns:
        said = label(view.metric).upper() if text == "LOSS" and view.metric else text
        title.put(start, said, "title", room=wide - 1, right=True)
    first = runs[0].value_at(view.metric, step) if runs and step is not None else None
    return [title, *(_row(run, n, view, step, first) for n, run in enumerate(runs))]


def _row(run: Compared, n: int, view: View, step: float | None, first: float | None) -> Line:
    name, columns = _columns(view.width, step)
    state = str(run.record.run.state)
    line = view.line("cursor" if n == view.cursor else "")
    line.put(0, view.glyphs.cursor if n == view.cursor else "", "accent")
    style = "faint" if n in view.hidden else f"curve{n}"
    line.put(2, LETTERS[n], style).put(4, view.glyphs.rest * 2 if n in view.hidden else view.glyphs.bar * 2, style)
    line.put(7, run.name, "muted" if n in view.hidden else "", room=name).put(8 + name, state, word_style(state))
    known = _cell_texts(run, view, step, first if n else None)
    for text, start, wide in columns:
        key = "AT" if text.startswith("AT") else text
        said, style = known[key]
        line.put(start, said, style, room=wide - 1, right=True)
    return line


def _cell_texts(run: Compared, view: View, step: float | None, first: float | None) -> dict[str, tuple[str, str]]:
    """What stands in each column, with its style."""
    record = run.record.run
    value = run.value_at(view.metric, step) if step is not None else None
    versus = "" if first is None or value is None else _versus(value - first)
    last = run.curves[view.metric].last if view.metric in run.curves else record.loss
    used = sum(piece.used_s or (piece.ended or run.record.t) - piece.started for piece in record.slices)
    peak = record.resources.peak_rss_bytes
    return {
        "LOSS": (loss(last), "bad" if last is not None and not math.isfinite(last) else ""),
        "STEPS": (count(record.step), ""),
        "AT": (loss(value), "bold"),
        "vs A": (versus, ""),
        "TOOK": (duration(used), ""),
        "SPEED": (f"{rate(run.speed)}/s" if run.speed is not None else NONE, "muted"),
        "PEAK RAM": (room(peak) if peak else NONE, "muted"),
    }


def _versus(difference: float) -> str:
    """With its sign."""
    if not math.isfinite(difference):
        return NONE
    return f"{'-' if difference < 0 else '+'}{loss(abs(difference))}"


def _sentence(runs: Sequence[Compared], view: View, step: float | None) -> Line:
    """Which run is best where all of them were."""
    line = view.line()
    if step is None:
        return line.put(1, NO_METRIC, "hold", room=view.width - 2)
    values = [(run.value_at(view.metric, step), n) for n, run in enumerate(runs)]
    known = [(value, n) for value, n in values if value is not None and math.isfinite(value)]
    if not known:
        return line.put(1, f"None of them has a number at step {step:,.0f}, the last all have.", "hold")
    is_high = is_higher_better(view.metric)
    value, n = max(known, key=lambda pair: (pair[0], -pair[1])) if is_high else min(known)
    how_many = "both" if len(runs) == 2 else f"all {_WORDS[len(runs)]}"
    extreme = "Highest" if is_high else "Lowest"
    text = f"{extreme} at step {step:,.0f}, the last {how_many} have: {LETTERS[n]} {runs[n].name}"
    first = values[0][0]
    longer = text
    if n and first is not None and math.isfinite(first):
        longer += f", {loss(abs(value - first))} {'over' if value > first else 'under'} A"
    ends = {run.curves[view.metric].furthest for run in runs}
    longest = f"{longer}. ({label(view.metric).upper()}: unequal lengths.)" if len(ends) > 1 else f"{longer}."
    options = (longest, f"{longer}.", f"{text}.")
    return line.put(1, next((one for one in options if cells(one) <= view.width - 2), options[-1]), room=view.width - 2)


def _plan(runs: Sequence[Compared], view: View, step: float | None) -> chart.Chart:
    series = []
    for n, run in enumerate(runs):
        curve = run.curves.get(view.metric)
        points = NOTHING if curve is None or n in view.hidden else points_of(curve, run.record.run.slices)
        series.append(chart.Series(label=LETTERS[n], points=points, is_higher_better=is_higher_better(view.metric)))
    return chart.Chart(
        series=tuple(series), dotted=step, is_log=view.is_log, by_time=view.by_time, shows_all=view.shows_all
    )


def _differences(runs: Sequence[Compared], view: View, most: int) -> list[Line]:
    """Parameters that differ, then on request those that do not; in at most `most` lines."""
    found = comparing.differences(runs)
    room = max(8, (view.width - PARAMETER - 1) // max(1, len(runs)))
    title = view.line("band").put(0, f" WHAT DIFFERS {len(found.differing)} ", "title")
    for n in range(len(runs)):
        title.put(PARAMETER + n * room, LETTERS[n], f"curve{n} bold")
    rows = [_difference(name, values, view, room) for name, values in found.differing]
    if view.shows_same:
        rows += [_difference(name, values, view, room) for name, values in found.same]
    hidden = max(0, len(rows) - (most - 2))
    rows = rows[: most - 2]
    same = len(found.same)
    words = f"{same} parameter{' is' if same == 1 else 's are'} the same. "
    tail = view.line().put(1, words, "muted")
    tail.add("a", "key").add(" hides them" if view.shows_same else " shows all", "muted")
    if hidden:
        tail.add(f"   {hidden} more there is no room for", "hold")
    return [title, *rows, tail]


def _difference(name: str, values: list[str], view: View, room: int) -> Line:
    line = view.line().put(1, name, "muted", room=PARAMETER - 2)
    usual = max(set(values), key=lambda value: (values.count(value), value))
    for n, value in enumerate(values):
        deviates = len(set(values)) > 1 and (value != usual or values.count(usual) == 1)
        line.put(PARAMETER + n * room, value or NONE, "bold" if deviates else "", room=room - 1)
    return line
