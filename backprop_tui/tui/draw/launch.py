"""The launch form around its fields: scripts that match, the Governor's answer, what ran before, the keys."""

from __future__ import annotations

import os

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw.line import Line
from backprop_tui.watch.figures import age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.model.decisions import Admission
    from backprop_tui.store.rows import Row
    from backprop_tui.tui.draw.glyphs import Glyphs

DECISIONS = 4
NEVER = "never: this box cannot give what it needs"
SAYING = 64
"""From this width on it is said of a script how often it ran."""


class Form(Frozen):
    """What is known beside the fields."""

    width: int
    glyphs: Glyphs
    now: float
    """Epoch seconds."""
    matches: Sequence[str] = ()
    recent: Sequence[Row] = ()
    chosen: int = -1
    """Among the matches, or among the recent runs."""
    is_in_recent: bool = False
    said: Sequence[tuple[str, str]] = ()
    """The Governor's lines with their styles, the verdict first."""
    is_checking: bool = False
    verb: str = "launch"
    """What enter does; "" for nothing."""

    def line(self, base: str = "panel") -> Line:
        """An empty line."""
        return Line(self.width, base=base, glyphs=self.glyphs)


def matches(form: Form, times: Mapping[str, tuple[int, float]]) -> list[Line]:
    """Scripts that match; `times` says of each how often it ran, and when last."""
    return [_match(form, n, text, times.get(text, (0, 0.0))) for n, text in enumerate(form.matches)]


def _match(form: Form, n: int, text: str, times: tuple[int, float]) -> Line:
    count, newest = times
    runs = f"{count} run{'' if count == 1 else 's'}, last {age(form.now - newest)} ago" if count else "never run"
    says = form.width >= SAYING and not text.endswith("/")
    line = form.line("cursor" if n == form.chosen else "panel")
    line.put(13, text, "", room=form.width - 14 - (26 if says else 0))
    return line.put(form.width - 26, runs, "muted", room=25, right=True) if says else line


def governed(admission: Admission, glyphs: Glyphs) -> list[tuple[str, str]]:
    """What the Governor says of a start, with styles: the verdict, then each rule, what stands in the way first."""
    refusals = admission.refusals
    if admission.admitted:
        verdict = ("can start now", "ok")
    elif any(decision.is_final for decision in refusals):
        refusals = tuple(sorted(refusals, key=lambda decision: not decision.is_final))
        verdict = (NEVER, "bad")
    else:
        about = f", about {soon(admission.expected_s)}" if admission.expected_s is not None else ""
        verdict = (f"not now: it waits in the queue{about}", "hold")
    bad, good = glyphs.state("failed"), glyphs.state("completed")
    said = [verdict]
    for decision in refusals:
        said.append((f"{bad} {decision.text}", "bad" if decision.is_final else "hold"))
        if decision.is_final and decision.help:
            said.append((f"  {decision.help}", "muted"))
    passing = sorted((decision for decision in admission.decisions if decision.ok), key=lambda d: d.is_aside)
    return said + [(f"- {d.text}", "muted") if d.is_aside else (f"{good} {d.text}", "") for d in passing]


def soon(seconds: float) -> str:
    """A time that is only expected, in whole minutes."""
    if seconds < 60:
        return "1 min"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def governor(form: Form) -> list[Line]:
    """What a start now would meet."""
    verdict = form.line().put(1, "GOVERNOR", "title")
    if form.said:
        text, style = form.said[0]
        verdict.put(11, text, f"{style} bold".strip(), room=form.width - 12)
    elif form.is_checking:
        verdict.put(11, "checking...", "muted")
    more = [form.line().put(1, text, style, room=form.width - 2) for text, style in form.said[1 : 1 + DECISIONS]]
    return [form.line(), verdict, *more]


def recent(form: Form, room: int) -> list[Line]:
    """What ran before, as many as there is room for."""
    rows = form.recent[: max(0, room - 2)]
    if not rows:
        return []
    lines = [form.line(), form.line().put(1, "RECENT", "title").add("  ctrl+r, enter fills the form", "muted")]
    for n, row in enumerate(rows):
        is_here = form.is_in_recent and n == form.chosen
        line = form.line("cursor" if is_here else "panel")
        line.put(1, form.glyphs.cursor if is_here else "", "accent").put(3, row.name or row.id, "", room=18)
        line.put(22, f"{os.path.basename(row.script)} {row.args}", "muted", room=form.width - 36)
        ago = f"{age(form.now - row.created)} ago"
        lines.append(line.put(form.width - 12, ago, "muted", room=11, right=True))
    return lines


def hints(form: Form) -> Line:
    """The keys that make sense now."""
    keys = [("enter", "take it"), ("up down", "choose"), ("esc", "cancel")]
    if not form.is_in_recent and not (form.matches and form.chosen >= 0):
        keys = [("enter", form.verb), ("tab", "next field"), ("ctrl+r", "recent"), ("esc", "cancel")]
        if form.matches:
            keys[1:1] = [("up down", "choose")]
        if not form.verb:
            del keys[0]
        if not form.recent:
            keys.remove(("ctrl+r", "recent"))
    line = form.line()
    for key, words in keys:
        line.put(line.at + (3 if line.at else 1), key, "key").add(f" {words}", "muted")
    return line
