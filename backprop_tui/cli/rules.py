"""The Governor's rules as a table: verdict, rule, value, limit, age, and the sentence."""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.text import printable
from backprop_tui.watch.why import age_text, limit_text, value_text, verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.decisions import Decision

_TITLES = ("", "RULE", "VALUE", "LIMIT", "AGE")
_LEAST_TEXT = 24


def show_rules(decisions: Sequence[Decision]) -> None:
    """One rule a line, those that refuse first, what counts for nothing last, below each what would help."""
    decisions = sorted(decisions, key=lambda decision: (decision.ok, decision.is_aside))
    rows = [(verdict(d), d.rule, value_text(d), limit_text(d), age_text(d)) for d in decisions]
    widths = [max(output.width(row[n]) for row in (_TITLES, *rows)) for n in range(len(_TITLES))]
    room = output.columns()
    taken = sum(widths) + len(output.GAP) * len(widths)
    if room is not None and room - taken < _LEAST_TEXT:  # the sentence tells them as well
        rows = [(row[0], row[1], "", "", "") for row in rows]
        widths[2:] = [0, 0, 0]
    output.emit(_line(_TITLES if widths[2] else _TITLES[:2], widths).rstrip())
    for row, decision in zip(rows, decisions, strict=True):
        head = _line(row, widths)
        output.emit_wrapped(head, printable(decision.text))
        if decision.help and not decision.ok:
            output.emit_wrapped(" " * output.width(head), f"what helps: {printable(decision.help)}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - output.width(cell)) for cell, width in zip(cells, widths, strict=False) if width or cell
    ]
    return output.GAP.join(padded) + output.GAP
