"""The first tab of a run's page, at three widths."""

from __future__ import annotations

from backprop_tui.tui.draw import curves, facts
from backprop_tui.tui.draw.answer import answer, forecast
from backprop_tui.tui.draw.ending import ending
from backprop_tui.tui.draw.place import GAP, LARGE, MEDIUM, View, exactly, side_by_side, stacked
from backprop_tui.watch.metrics import families

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.line import Line
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.record import Record

SIDE = 50
"""Columns of the facts at the right."""
CHART_SHARE = 0.6
LEAST_CHART, LEAST_LOG = 6, 4
WARNING_LINES = 3
FEW_CHECKPOINTS, FEW_EVENTS = 4, 8
NORMAL = View()


def overview(detail: Detail, record: Record, place: Place, view: View = NORMAL) -> list[Line]:
    """How it is, whether it learns, what it says; exactly as high as its place."""
    is_wide = place.width >= MEDIUM
    gap = [place.line()] if is_wide and place.is_airy else []
    is_bad = str(record.run.state) in ("failed", "diverged", "lost")
    head = [*gap, answer(detail, record, place)]
    if record.run.state.is_ended:
        head += ending(detail, record, place)
    else:
        head += [forecast(detail, record, place), *_warning(record, place)]
    rest = place.replace(height=place.height - len(head) - len(gap))
    if is_bad:
        below = _after(detail, record, rest, view) if is_wide else curves.main(detail, rest, view)
    elif is_wide:
        below = _wide(detail, record, rest, gap, view)
    else:
        below = _narrow(detail, rest, view)
    return exactly([*head, *gap, *below], place.height, place.width)


def _warning(record: Record, place: Place) -> list[Line]:
    """What its person should know now: the newest of it."""
    said = record.run.warnings[-1:]
    return [line for text in said for line in place.text(f"{text[:1].upper()}{text[1:]}.", "hold")[:WARNING_LINES]]


def _narrow(detail: Detail, place: Place, view: View) -> list[Line]:
    rows = _chart_rows(place)
    log = place.replace(height=place.height - rows)
    return [*curves.main(detail, place.replace(height=rows), view), *facts.output(detail, log)]


def _wide(detail: Detail, record: Record, place: Place, gap: list[Line], view: View) -> list[Line]:
    """Charts and facts above, output and checkpoints below."""
    left = place.width - SIDE - GAP
    rows = _chart_rows(place)
    low = max(0, place.height - rows - len(gap))
    side = place.replace(width=SIDE, height=rows)
    upper = _charts(detail, place.replace(width=left, height=rows), view)
    right = stacked([facts.facts(detail, record, side), facts.resources(detail, record, side)], rows, SIDE)
    below = facts.output(detail, place.replace(width=left, height=low))
    side = side.replace(height=low)
    events = max(2, low - 3 - min(FEW_CHECKPOINTS, len(record.run.checkpoints) or 2))
    lower = stacked(
        [
            facts.checkpoints(detail, record, side, FEW_CHECKPOINTS),
            facts.governor(detail, side, min(FEW_EVENTS, events)),
        ],
        low,
        SIDE,
    )
    return [
        *side_by_side(upper, right, place, left),
        *gap,
        *side_by_side(below, lower, place, left),
    ]


def _after(detail: Detail, record: Record, place: Place, view: View) -> list[Line]:
    """Below what happened: the curve, and beside it what is left of the run."""
    left = place.width - SIDE - GAP
    side = place.replace(width=SIDE)
    sections = [
        facts.checkpoints(detail, record, side, FEW_CHECKPOINTS) if record.run.checkpoints else [],
        facts.governor(detail, side, FEW_CHECKPOINTS),
        facts.resources(detail, record, side),
    ]
    chart = curves.main(detail, place.replace(width=left), view)
    return side_by_side(chart, stacked(sections, place.height, SIDE), place, left)


def _charts(detail: Detail, place: Place, view: View) -> list[Line]:
    """The first metric; where there is much room the next two beside it."""
    found = families(detail.curves)
    if place.width < LARGE - SIDE - GAP or len(found) < 2:
        return curves.main(detail, place, view)
    first = view.focus % len(found)
    shown = (found[first:] + found[:first])[:3]
    left = (place.width - GAP) * 9 // 16
    right = place.replace(width=place.width - left - GAP)
    half = place.height // 2 if len(shown) == 3 else place.height
    beside = curves.one(detail, shown[1], right.replace(height=half), view)
    if len(shown) == 3:
        beside += curves.one(detail, shown[2], right.replace(height=place.height - half), view)
    return side_by_side(curves.one(detail, shown[0], place.replace(width=left), view), beside, place, left)


def _chart_rows(place: Place) -> int:
    rows = max(LEAST_CHART, int(place.height * CHART_SHARE))
    return max(
        0, min(rows, place.height - LEAST_LOG) if place.height > LEAST_CHART + LEAST_LOG else place.height // 2 + 1
    )
