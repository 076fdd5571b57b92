"""A run that ended badly: what happened, and what can be done now."""

from __future__ import annotations

from bisect import bisect_right

from backprop_tui.model.secrets import masked_args
from backprop_tui.tui.draw.answer import main_series, saved_of
from backprop_tui.tui.draw.chain import follows
from backprop_tui.tui.draw.line import cells
from backprop_tui.tui.draw.output import line_style
from backprop_tui.watch import failures
from backprop_tui.watch.figures import count, gigabytes, loss
from backprop_tui.watch.metrics import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Checkpoint
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.line import Line
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.failures import Frame
    from backprop_tui.watch.record import Record

TRACE_ROWS = 8
LAST_LINES = 4
_FRAME_STYLES = {"own": "bold", "library": "muted", "error": "bad", "": ""}
_BAD = ("failed", "diverged", "lost")


def ending(detail: Detail, record: Record, place: Place) -> list[Line]:
    """Below the first line of a run that has ended."""
    state = str(record.run.state)
    if state not in _BAD:
        return _quiet(detail, record, place)
    gap = [place.line()] if place.is_airy else []
    happened = _failed(detail, record, place) if state == "failed" else _sentences(detail, record, place)
    known = detail.failure.todo if detail.failure is not None else ""
    tips = place.text(known) if known else []
    tips += [_tip(place, key, text) for key, text in _tips(detail, record, place.width - 6)]
    return [*gap, place.band("WHAT HAPPENED"), *happened, *gap, place.band("WHAT YOU CAN DO"), *tips]


def _quiet(detail: Detail, record: Record, place: Place) -> list[Line]:
    reason = record.run.reason
    said: list[Line] = []
    if reason is not None and reason.by not in ("person", "timebox", "script"):
        # Limits, goals, watchdogs: that it ended is one thing, why is another.
        said = place.text(f"{reason.text[:1].upper()}{reason.text[1:].rstrip('.')}.", "hold")
    if after := follows(record):
        return [*said, *place.text(after)]
    return [*said, *_next(detail, record, place)]


def _next(detail: Detail, record: Record, place: Place) -> list[Line]:
    """What can be done with a run that has ended well, or was stopped."""
    run = record.run
    if str(run.state) == "completed":
        return place.text("There is nothing to resume. R runs it again.", "muted")
    saved = saved_of(detail, run)
    if saved is None:
        return place.text("No checkpoint was reported: nothing to resume from. R runs it again from step 0.", "muted")
    lost = ""
    if run.step is not None and saved.step is not None and run.step > saved.step:
        steps = run.step - saved.step
        lost = f"; {count(steps)} step{' is' if steps == 1 else 's are'} done again"
    return place.text(f"r resumes it from {_where(detail, saved)}{lost}.", "muted")


def _failed(detail: Detail, record: Record, place: Place) -> list[Line]:
    run, known = record.run, detail.failure
    lines: list[Line] = []
    if known is not None:
        lines += place.text(known.sentence, "bold")
        if known.kind in ("memory", "killed") and run.resources.peak_rss_bytes:
            lines += place.text(f"Its processes held {gigabytes(run.resources.peak_rss_bytes)}G of RAM at most.")
    elif run.reason is not None:
        lines += place.text(f"{run.reason.text[:1].upper()}{run.reason.text[1:]}.", "bold")
    if detail.trace:
        rows = TRACE_ROWS if place.is_airy else 5
        gap = [place.line()] if place.height >= 18 else []
        return [
            *lines,
            *gap,
            *(_frame(frame, place) for frame in failures.frames(detail.trace, rows, cwd=_cwd(record))),
        ]
    said = [text for text in detail.lines if text.strip()][-LAST_LINES:]
    return [*lines, *(place.line().put(1, text, line_style(text), room=place.width - 2) for text in said)]


def _sentences(detail: Detail, record: Record, place: Place) -> list[Line]:
    run = record.run
    reason = f"{run.reason.text[:1].upper()}{run.reason.text[1:]}." if run.reason else ""
    lines = place.text(detail.divergence, "bold") if detail.divergence else []
    return lines + (place.text(reason) if reason else [])


def _tips(detail: Detail, record: Record, room: int) -> list[tuple[str, str]]:
    run, has_trace = record.run, bool(detail.trace)
    saved, state = saved_of(detail, run), str(run.state)
    tips = []
    if saved is not None:
        is_known = run.slice is not None and run.slice.rise is not None
        is_lower = saved.step is not None and detail.rise is not None and saved.step <= detail.rise
        before = state == "diverged" and (is_known or is_lower)
        tips.append(("r", f"resume from {_where(detail, saved)}{', saved before the rise' if before else ''}"))
    args = " ".join(masked_args(record.spec.command[1:])) if record.spec is not None else ""
    tips.append(("R", _again(args, room)))
    if state == "failed":
        tips.append(("2", "read the whole log; it opens at the error" if has_trace else "read the whole log"))
    if has_trace:
        tips.append(("y t", "copy the traceback"))
    if state == "diverged":
        tips.append(("c", "compare it with other runs, marked in the history"))
    if state == "lost":
        tips.append(("2", "read its log up to the end"))
    return tips


def _again(args: str, room: int) -> str:
    """Run it again, and with which arguments it ran."""
    if not args:
        return "run it again from step 0"
    full = f"run it again from step 0; change the arguments first (it was {args})"
    return full if cells(full) <= room else f"run it again with other arguments (it was {args})"


def _where(detail: Detail, saved: Checkpoint) -> str:
    """step 120 (loss 4.031), or the file's name."""
    if saved.step is None:
        return saved.path.rpartition("/")[2]
    value = value_at(detail, float(saved.step))
    return f"step {count(saved.step)}" + (f" ({main_label(detail)} {loss(value)})" if value is not None else "")


def main_label(detail: Detail) -> str:
    """What the metric is called that speaks for the run."""
    main = main_series(detail)
    return "loss" if main is None else label(main[0])


def value_at(detail: Detail, step: float) -> float | None:
    """What speaks for the run, where it was at a step; None where it is not known."""
    main = main_series(detail)
    if main is None:
        return None
    points = main[1].points
    at = bisect_right(points.steps, step) - 1
    return points.means[at] if at >= 0 else None


def _tip(place: Place, key: str, text: str) -> Line:
    return place.line().put(1, key, "key").put(5, text, room=place.width - 6)


def _frame(frame: Frame, place: Place) -> Line:
    return place.line().put(1, frame.text, _FRAME_STYLES[frame.kind], room=place.width - 2)


def _cwd(record: Record) -> str:
    return record.spec.cwd if record.spec is not None else ""
