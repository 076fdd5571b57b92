"""The run under the cursor, in the right column of a wide screen."""

from __future__ import annotations

import shlex

from backprop_tui.model.secrets import masked_args
from backprop_tui.tui.draw import curves, facts
from backprop_tui.tui.draw.answer import answer, checkpoint_at, forecast, summary
from backprop_tui.tui.draw.ending import ending
from backprop_tui.tui.draw.glyphs import sign_style, word_style
from backprop_tui.tui.draw.place import exactly
from backprop_tui.watch.figures import epoch_words, rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.line import Line
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.record import Record

CHART_ROWS = 17
"""With its title and its x axis."""
LEAST_CHART = 7
DECISIONS, CHECKPOINTS = 4, 4
LEAST_LOG = 5
"""With its title."""


def column(detail: Detail, place: Place) -> list[Line]:
    """State, what is to come, curve, resources, checkpoints, decisions, output; exactly as high as its place.

    Sections drop from the bottom, but never the output.
    """
    record = detail.record
    if record is None:
        said = [place.band("SELECTED"), place.line().put(1, "Its record cannot be read.", "bad")]
        return exactly(said, place.height, place.width)
    head = [_title(detail, record, place), *_state(detail, record, place), *_summary(detail, record, place)]
    room = place.height - len(head) - LEAST_LOG - 2
    chart_rows = min(CHART_ROWS, room)
    sections = [curves.main(detail, place.replace(height=chart_rows))] if chart_rows >= LEAST_CHART else []
    sections += [
        facts.resources(detail, record, place),
        facts.checkpoints(detail, record, place, CHECKPOINTS),
        facts.governor(detail, place, DECISIONS),
    ]
    out = list(head)
    for section in sections:
        if section and len(out) + 1 + len(section) + 1 + LEAST_LOG > place.height:
            break
        out += [place.line(), *section] if section else []
    log = place.replace(height=max(0, place.height - len(out) - 1))
    return exactly([*out, place.line(), *facts.output(detail, log)], place.height, place.width)


def _title(detail: Detail, record: Record, place: Place) -> Line:
    line = place.band("SELECTED").put(11, record.notes.name or detail.run_id, "bold", room=max(0, place.width - 20))
    return line.put(line.at + 2, detail.run_id if record.notes.name else "", "muted")


def _state(detail: Detail, record: Record, place: Place) -> list[Line]:
    """The sign and the word of its state, and the answer line; of a bad end what happened."""
    state = str(record.run.state)
    line = place.line().put(1, place.glyphs.state(state), sign_style(state)).add(f" {state} ", word_style(state))
    if record.run.state.is_ended:
        said = ending(detail, record, place.replace(height=0))
        return [answer(detail, record, place), *said]
    inner = answer(detail, record, place.replace(width=max(0, place.width - line.at)))
    for span in inner.spans():
        line.add(span.text, span.style)
    return [line]


def _summary(detail: Detail, record: Record, place: Place) -> list[Line]:
    rows = summary(detail, record, place)
    lines = [] if rows or record.run.state.is_ended else [forecast(detail, record, place)]
    if detail.speed is not None:
        rows.append(("Speed", f"{rate(detail.speed)} steps/s"))
    if epoch := epoch_words(record.run):
        rows.append(("Epoch", epoch.removeprefix("epoch ").replace("/", " of ")))
    newest = record.run.slice
    if newest is not None and newest.seam is not None:
        rows.append(("Seam", facts.seam_words(newest.seam)))
    rows += facts.governing(record, place)
    saved = checkpoint_at(record, place)
    if not record.run.state.is_ended or saved:
        rows.append(("Saved", f"{saved}; {record.run.checkpoint_count} in all" if saved else "nothing yet"))
    if record.spec is not None:
        rows.append(("Command", shlex.join(masked_args(record.spec.command))))
    return [*lines, *facts.pairs(rows, place)]
