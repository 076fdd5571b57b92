"""The Governor's rules for one run: each with its value, its limit, how old that is, and what it says."""

from __future__ import annotations

from backprop_tui.tui.draw.place import wrapped
from backprop_tui.watch.why import age_text, limit_text, value_text, verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Decision
    from backprop_tui.tui.draw.line import Line
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.why import Why

TABLE = 72
"""From this width on figures have columns of their own; below it the sentence tells them."""
RULE_AT, RULE_ROOM = 4, 11
VALUE, LIMIT, AGE = (16, 8), (25, 8), (34, 4)
_WORDS = {"gpu": "GPU", "ram": "RAM", "cpu": "CPU", "temp": "heat", "vram": "VRAM"}


def rules(why: Why, place: Place) -> list[Line]:
    """The table; what stands in the way comes first. Nothing for a run that no rule holds for."""
    if not why.now and not why.problem:
        return []
    has_figures = place.width >= TABLE
    title = place.band(f"RULES NOW {len(why.now)}" if why.now else "RULES NOW")
    if has_figures:
        for (at, room), text in ((VALUE, "VALUE"), (LIMIT, "LIMIT"), (AGE, "AGE")):
            title.put(at, text, "title", room=room, right=True)
    out = [title]
    if why.problem:
        out += place.text(f"They cannot be applied now: {why.problem}.", "bad")
    found = sorted(why.now, key=lambda decision: (decision.ok, decision.is_aside))
    for decision, after in zip(found, [*found[1:], None], strict=True):
        # The same advice for several GPUs is given once, below the last of them.
        helps = "" if decision.ok or (after is not None and after.help == decision.help) else decision.help
        out += _rule(decision, helps, place, has_figures=has_figures)
    return out


def _rule(decision: Decision, helps: str, place: Place, *, has_figures: bool) -> list[Line]:
    sign = "-" if decision.is_aside else place.glyphs.state("completed" if decision.ok else "failed")
    style = {"ok": "ok", "no": "hold bold", "never": "bad bold", "--": "muted"}[verdict(decision)]
    first = place.line().put(2, sign, style)
    first.put(RULE_AT, rule_words(decision.rule), "" if decision.ok else style, room=RULE_ROOM)
    at = AGE[0] + AGE[1] + 2 if has_figures else RULE_AT + RULE_ROOM + 1
    if has_figures:
        figures = ((VALUE, value_text(decision)), (LIMIT, limit_text(decision)), (AGE, age_text(decision)))
        for (start, room), text in figures:
            first.put(start, text, "muted" if start == AGE[0] else "", room=room, right=True)
    texts = [(text, "muted" if decision.ok else "") for text in wrapped(decision.text, place.width - at - 1)]
    if helps:
        texts += [(text, "muted") for text in wrapped(f"what helps: {helps}", place.width - at - 1)]
    lines = [first, *(place.line() for _ in texts[1:])]
    for line, (text, its_style) in zip(lines, texts, strict=False):
        line.put(at, text, its_style, room=max(0, place.width - at - 1))
    return lines


def rule_words(rule: str) -> str:
    """GPU memory, RAM, disk: a rule's name as people say it."""
    return " ".join(_WORDS.get(word, word) for word in rule.split("_"))
