"""Why a run in progress is not simply running, in as few words as a row has room for, and in more. Pure."""

from __future__ import annotations

import re

from backprop_tui.tui.draw.chain import person
from backprop_tui.watch.figures import count, duration, gigabytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.decisions import Decision
    from backprop_tui.model.run import Run, Slice
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.watch.record import Record

SHORT_ROOM = 41
"""Columns of a reason on a screen of 80."""
SLOW_START_S = 120.0
ORDERED = {
    "drained": ("the box is drained; H ends that", "the box is drained: no slice starts; H ends that"),
    "yielded": ("GPUs given back; Y brings it back", "the GPUs are given back for a while; Y brings it back now"),
}
"""What a run waits for that a person ordered for the whole box."""
_LINE = re.compile(r"\b(first|second|third|\d+(?:st|nd|rd|th)) in line\b")
_ABOUT = re.compile(r"\b(?:about|under) [\d.]+ (?:s|min|h)\b")
_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd"}


def reasons(record: Record, decisions: Sequence[Decision] = ()) -> tuple[str, str]:
    """Short and long; "" for a run of which there is nothing to say.

    Args:
        record: of the run.
        decisions: what the Governor objected to last, where it holds the run.
    """
    run, newest = record.run, record.run.slice
    state, reason = str(run.state), run.reason
    if newest is None:
        return "", ""
    if state == "starting":
        return _starting(record, newest)
    if state == "queued":
        return _queued(record, decisions)
    if run.state.is_ended:
        return _between(run)
    if reason is None:
        return "", ""
    if state == "paused" and reason.by == "person":
        return "by you; p continues", f"{reason.text}; p continues"
    if state == "paused":
        return _hot(decisions, record.spec) or (reason.text, reason.text)
    return reason.text, reason.text


def _starting(record: Record, newest: Slice) -> tuple[str, str]:
    since = max(0.0, record.t - newest.started)
    if since > SLOW_START_S:
        text = f"no first step after {duration(since)}; l shows why"
        return text, text
    step = next((found.step for found in record.run.checkpoints if found.path == newest.resumed_from), None)
    if newest.resumed_from and step is not None:
        at = f"step {count(step)}"
        return f"loading {at}, {since:.0f} s so far", f"resuming from {at}: loading, {since:.0f} s so far"
    what = f"resuming from {newest.resumed_from}" if newest.resumed_from else "loading"
    return f"loading, {since:.0f} s so far", f"{what}, {since:.0f} s so far"


def _queued(record: Record, decisions: Sequence[Decision]) -> tuple[str, str]:
    run = record.run
    if run.held:
        who = person(run.held)
        return f"held by {who}; h releases", f"held by {who}; h releases it into the queue"
    text = run.reason.text.removeprefix("waits: ") if run.reason is not None else ""
    code = run.reason.code if run.reason is not None else ""
    if code in ORDERED:
        return ORDERED[code]
    wanted = _wanted(decisions, with_all=False)
    if not wanted:
        return text, text
    all_wanted = _wanted(decisions, with_all=True)
    return _with_place(wanted, text, SHORT_ROOM), _with_place(all_wanted, text, None) if all_wanted else text


def _between(run: Run) -> tuple[str, str]:
    """A slice has ended and the next one follows."""
    why = f"{run.reason.text}; " if run.reason is not None and str(run.state) != "timeboxed" else ""
    return "the next slice follows by itself", f"{why}the next slice follows by itself"


def _wanted(decisions: Sequence[Decision], *, with_all: bool) -> str:
    """What is missing, with values; "" where there are no short words for it."""
    if not decisions or any(d.value is None or d.limit is None for d in decisions):
        return ""
    rules = {decision.rule for decision in decisions}
    if rules == {"gpu_memory"} and with_all and len(decisions) > 1:
        free = ", ".join(f"{_subject(d)} {gigabytes(d.value)}G" for d in decisions)
        return f"needs {gigabytes(decisions[0].limit)}G VRAM; free: {free}"
    if len(rules) > 1 and with_all:
        return ""
    # Of several GPUs the one that is nearest to it says how much is missing.
    first = max((d for d in decisions if d.rule == decisions[0].rule), key=_nearness)
    return _short(first)


def _nearness(decision: Decision) -> float:
    value = decision.value or 0.0
    return value if decision.rule in ("gpu_memory", "ram", "disk") else -value


def _short(decision: Decision) -> str:
    value, limit = decision.value or 0.0, decision.limit or 0.0
    match decision.rule:
        case "gpu_memory":
            return f"needs {gigabytes(limit)}G VRAM, {gigabytes(value)}G free"
        case "ram":
            return f"needs {gigabytes(limit)}G RAM, {gigabytes(value)}G free"
        case "disk":
            return f"disk: {gigabytes(value)}G free, {gigabytes(limit)}G must stay free"
        case "slots" if value > limit:
            return f"{value:.0f} runs in progress, {limit:.0f} allowed"
        case "slots":
            return f"{value:.0f} of {limit:.0f} runs in progress"
        case "cpu":
            return f"others' load {value:.2f} a core, limit {limit:.2f}"
        case "gpu_temp":
            return f"{_subject(decision)} at {value:.0f}°, starts below {limit:.0f}°"
    return ""


def _subject(decision: Decision) -> str:
    """GPU 1, as the decision's own words begin."""
    subject = decision.text.partition(":")[0]
    return subject if subject.startswith("GPU ") and len(subject) <= 10 else "GPU"


def _with_place(wanted: str, text: str, room: int | None) -> str:
    """With the place in the queue and about when, as much as there is room for."""
    line, about = _LINE.search(text), _ABOUT.search(text[text.rfind(" in line") :] if " in line" in text else "")
    if line is None:
        return wanted
    if room is None:
        return f"{wanted}; {line[0]}{f', {about[0]}' if about else ''}"
    place = _ORDINALS.get(line[1], line[1])
    forms = [f"{wanted}; {place}, {about[0]}"] if about else []
    forms += [f"{wanted}; {place}, {about[0].partition(' ')[2]}"] if about else []
    return next((form for form in [*forms, f"{wanted}; {place}"] if len(form) <= room), wanted)


def _hot(decisions: Sequence[Decision], spec: SliceSpec | None) -> tuple[str, str] | None:
    """GPU 1 hit 84°, limit 83; waits for 75°"""
    hot = next((d for d in decisions if d.rule == "gpu_temp" and d.value is not None and d.limit is not None), None)
    if hot is None or hot.value is None or hot.limit is None or spec is None:
        return None
    subject, at = _subject(hot), min(float(spec.resume_temp_c), hot.limit - 1)
    return (
        f"{subject} hit {hot.value:.0f}°, limit {hot.limit:.0f}; waits for {at:.0f}°",
        f"{subject} hit {hot.value:.0f}°C, its limit is {hot.limit:.0f}; continues by itself at {at:.0f}",
    )
