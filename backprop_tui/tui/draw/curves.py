"""A run's metrics as charts: one, a few beside each other, or all of them in a grid."""

from __future__ import annotations

from backprop_tui.tui.draw import chart
from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.draw.place import GAP, View, side_by_side
from backprop_tui.watch.metrics import families

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.chart import Chart
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.metrics import Family

NO_LOSS = "No loss yet. What it prints is read as it is: progress bars, tables, pairs such as loss=0.5."
NONE_FOUND = "No metric was found in what it printed."
HOW = 'Where that finds nothing, set metrics.pattern to how its lines look, or let it print: {"step": 10, "loss": 0.5}'
FOR_CURVES = 'For curves set metrics.pattern to how its lines look, or let it print: {"step": 10, "loss": 0.5}'
ONE_VALUE = "One value so far: a curve takes two."
READING = "The curves are being read."
LEAST_ROWS, LEAST_COLUMNS = 8, 50
NORMAL = View()


def curves(detail: Detail, place: Place, view: View = NORMAL) -> list[Line]:
    """Every metric that there is room for, the one that is looked at first; zoomed in, that one alone."""
    found = families(detail.curves)
    if not found:
        return place.text(no_curve(detail), "muted")
    first = view.focus % len(found)
    shown = found[first:] + found[:first]
    if view.is_zoomed:
        return one(detail, shown[0], place, view)
    across = 1 if place.width < 2 * LEAST_COLUMNS or len(shown) == 1 else 2 if place.width < 4 * LEAST_COLUMNS else 3
    across = min(across, len(shown))
    down = max(1, min(-(-len(shown) // across), place.height // LEAST_ROWS))
    hidden = len(shown) - across * down
    rest = place.height - (1 if hidden > 0 else 0)
    out: list[Line] = []
    for row in range(down):
        height = rest * (row + 1) // down - rest * row // down
        out += _row(detail, shown[row * across : (row + 1) * across], place.replace(height=height), view, across)
    if hidden > 0:
        out.append(place.line().put(1, f"+{hidden} more: ", "muted").add("m", "key").add(" shows the next", "muted"))
    return out


def no_curve(detail: Detail) -> str:
    """Why there is none, and what to do for one."""
    if detail.is_loading:
        return READING
    if detail.curves:
        return ONE_VALUE
    state = detail.record.run.state if detail.record is not None else None
    if state is None or not state.is_ended:
        return f"{NO_LOSS} {HOW}"
    return NONE_FOUND if str(state) == "failed" else f"{NONE_FOUND} {FOR_CURVES}"


def one(detail: Detail, family: Family, place: Place, view: View = NORMAL) -> list[Line]:
    """One chart with its band, exactly as high as its place."""
    plan = live(detail, family, view)
    drawn = chart.lines(plan, place.width, place.height - 1, place.glyphs, empty=no_curve(detail))
    return [chart.legend(plan, place.width, place.glyphs, title=family.title), *drawn][: max(0, place.height)]


def main(detail: Detail, place: Place, view: View = NORMAL) -> list[Line]:
    """The chart of the metric that speaks for the run."""
    found = families(detail.curves)
    if found:
        return one(detail, found[view.focus % len(found)], place, view)
    said = place.text(no_curve(detail), "muted")
    lines = [place.band("LOSS"), *said]
    return [*lines[: place.height], *(place.line() for _ in range(place.height - len(lines)))]


def live(detail: Detail, family: Family, view: View = NORMAL) -> Chart:
    """What a chart shows; of a run that goes on the x axis reaches to where its slice will end."""
    plan = detail.chart(family.names, family.labels)
    plan = plan.replace(is_log=view.is_log, by_time=view.by_time, shows_all=view.shows_all)
    record = detail.record
    if record is None or record.left_s is None or not plan.series or len(plan.series[0].points.steps) < 2:
        return plan
    left, step = max(0.0, record.left_s), record.run.step
    points = plan.series[0].points
    end = None
    speed = detail.mean_speed or detail.speed
    if speed is not None and step is not None:
        end = step + speed * left
        end = end if detail.total is None else max(float(step), min(end, float(detail.total)))
    return plan.replace(x_end=end, t_end=points.times[-1] + left)


def _row(detail: Detail, shown: Sequence[Family], place: Place, view: View, across: int) -> list[Line]:
    wide = (place.width - GAP * (across - 1)) // across
    out = one(detail, shown[0], place.replace(width=wide if len(shown) > 1 or across > 1 else place.width), view)
    taken = wide
    for n, family in enumerate(shown[1:], 2):
        width = wide if n < across else place.width - taken - GAP
        part = one(detail, family, place.replace(width=width), view)
        out = side_by_side(out, part, place.replace(width=taken + GAP + width), taken)
        taken += GAP + width
    return out
