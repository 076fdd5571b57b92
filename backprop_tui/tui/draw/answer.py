"""The two lines that answer the first questions: how long is left, how far is it, where will it get to."""

from __future__ import annotations

import math

from backprop_tui.tui.draw import chart, graphs
from backprop_tui.tui.draw.chain import follows, person
from backprop_tui.tui.draw.glyphs import word_style
from backprop_tui.tui.draw.line import cells
from backprop_tui.tui.draw.place import MEDIUM, clock
from backprop_tui.watch import pace
from backprop_tui.watch.figures import ago, count, duration, epoch_words, loss, rate
from backprop_tui.watch.metrics import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Checkpoint, Run, Slice
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.chart import Series
    from backprop_tui.tui.draw.line import Line
    from backprop_tui.tui.draw.place import Place
    from backprop_tui.watch.record import Record

SMALL = 76
"""Below it the bar is short."""
SOON_S = 60.0
PLUS_S = 300.0
"""What the key + adds."""
_DECIDERS = {"governor": " by the Governor", "watchdog": " by a watchdog", "guard": " by its guard"}
"""Who ended a run, where it was no person; why stands below."""
_ENDINGS = {
    "completed": "Completed",
    "timeboxed": "Time was up",
    "stopped": "Stopped",
    "failed": "Failed",
    "diverged": "Diverged",
    "lost": "Lost",
}


def answer(detail: Detail, record: Record, place: Place) -> Line:
    """How long is left, how far it is, how the loss is; of a run that has ended, how and where."""
    run, newest = record.run, record.run.slice
    line = place.line()
    if run.state.is_ended:
        return _ended(detail, record, line)
    if newest is None:
        return line.put(1, str(run.state), word_style(str(run.state)))
    left = record.left_s if record.left_s is not None else newest.box_s
    if str(run.state) == "queued":
        line.put(1, duration(newest.box_s), "muted").add(" once it starts", "muted")
    elif str(run.state) == "stopping":
        after = place.now - newest.started - newest.paused_s
        line.put(1, "stopping", "hold bold").add(f" after {duration(after)}", "muted")
    else:
        style = "muted" if str(run.state) != "running" else "hold bold" if left < SOON_S else "bold"
        line.put(1, duration(left), style).add(f" left of {duration(newest.box_s)} ", "muted")
        share = left / newest.box_s if newest.box_s else None
        full, rest = graphs.bar(share, _bar_room(place.width), place.glyphs)
        line.add(full, "bar").add(rest, "faint")
    return _progress(detail, run, place, line)


def forecast(detail: Detail, record: Record, place: Place) -> Line:
    """When this slice ends and where it will be then; or what it waits for."""
    run, newest, line = record.run, record.run.slice, place.line()
    state, reason = str(run.state), run.reason.text if run.reason else ""
    if newest is None:
        return line
    if state == "queued":
        text = f"Waits: {reason.removeprefix('waits: ')}" if reason else "Waits for its turn."
        if run.held:
            text = f"Held by {person(run.held)}: it waits until h releases it."
        return line.put(1, text, "hold", room=place.width - 2)
    if state == "stopping":
        text = f"{reason[:1].upper()}{reason[1:]}: it" if reason else "It"
        return line.put(1, f"{text} may save now, then it ends.", "hold", room=place.width - 2)
    if state == "paused":
        text = f"{reason[:1].upper()}{reason[1:]}. " if reason else ""
        how = "p continues." if run.reason is None or run.reason.by == "person" else "It continues by itself."
        options = [f"{text}The clock stands still. {how}", f"{text}{how}", text.rstrip()]
        text = next((option for option in options if cells(option) <= place.width - 2), options[-1])
        return line.put(1, text, "hold", room=place.width - 2)
    left = max(0.0, record.left_s or 0.0)
    ends = f"ends {clock(place.now + left)}"
    if state == "starting":
        since = max(0.0, place.now - newest.started)
        where = f" from {_resumed_at(run, newest)}" if newest.resumed_from else ""
        return line.put(1, f"Loading{where}, {since:.0f} s so far. This slice {ends}.", "muted", room=place.width - 2)
    options = _running(detail, record, left, place)
    text = next((text for text in options if cells(text) <= place.width - 2), options[-1])
    return line.put(1, text, "muted", room=place.width - 2)


def summary(detail: Detail, record: Record, place: Place) -> list[tuple[str, str]]:
    """When this slice ends, and what is missing then, as names and values."""
    left, run = record.left_s, record.run
    if left is None:
        return []
    end = f"ends {clock(place.now + left)}" if str(run.state) != "paused" else "paused, its clock stands still"
    if detail.speed is None or run.step is None or str(run.state) != "running":
        return [("This slice", end)]
    ahead = pace.forecast(run.step, detail.total, detail.mean_speed or detail.speed, left)
    rows = [("This slice", f"{end}, near step {count(round(ahead.end_step))}")]
    if ahead.done_s is not None:
        rest = max(0.0, ahead.done_s - left)
        text = f"at about {clock(place.now + ahead.done_s)[:5]}, before this slice ends"
        rows.append(("To finish", text if ahead.is_within else f"about {about(rest)} more: {_keys(rest)}"))
    return rows


def steps(step: int, total: int | None) -> str:
    """step 1,204 of 3,500 (34%)"""
    if not total:
        return f"step {count(step)}"
    return f"step {count(step)} of {count(total)} ({min(1.0, step / total):.0%})"


def about(seconds: float) -> str:
    """A length of time, not more exactly than it is known."""
    if seconds < 90:
        return "1 min"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def saved_of(detail: Detail, run: Run) -> Checkpoint | None:
    """What the run can go on from: the newest good checkpoint that is still there, of a diverged one from before."""
    kept = (c for c in reversed(run.checkpoints) if c.good and c.path not in detail.gone)
    return next((c for c in kept if run.is_sound(c)), None)


def checkpoint_at(record: Record, place: Place) -> str:
    """step 1,150, 33 s ago; "" where there is no good one."""
    saved = record.run.good_checkpoint
    if saved is None:
        return ""
    where = f"step {count(saved.step)}" if saved.step is not None else saved.path.rpartition("/")[2]
    return f"{where}, {ago(place.now - saved.t)} ago"


def _ended(detail: Detail, record: Record, line: Line) -> Line:
    run = record.run
    state = str(run.state)
    used = sum(piece.used_s or (piece.ended or piece.started) - piece.started for piece in run.slices)
    by = _DECIDERS.get(run.reason.by, "") if state == "stopped" and run.reason is not None else ""
    line.put(1, f"{_ENDINGS.get(state, state)}{by} after {duration(used)}", word_style(state) or "bold")
    if run.step is not None:
        line.add(f" at {steps(run.step, detail.total)}")
    if state == "diverged":
        line.add(": the loss is not a number.")
    elif state == "failed":
        kept = run.checkpoint_count
        line.add(
            ". No checkpoint was reported." if not kept else f". {kept} checkpoint{'s' if kept > 1 else ''} saved."
        )
    elif state == "lost":
        line.add(": nothing watched over it any more.")
    elif state == "stopped" and run.reason is not None and run.reason.by == "person":
        forced = ", by force" if run.slice is not None and run.slice.forced else ""
        line.add(f": {run.reason.text.rstrip('.')}{forced}.")
    elif run.main is not None:
        line.add(f", {label(run.main[0])} ", "muted").add(loss(run.main[1]), "bold")
    return line


def _progress(detail: Detail, run: Run, place: Place, line: Line) -> Line:
    """Progress and loss behind how long is left, as much of it as there is room for."""
    steps, main = _steps(detail, run, place), _loss(detail, run, place)
    # The epoch is for those who have room for it behind all else.
    wanted = sum(cells(text) for part in (*steps, *main, *_epoch(run)) for text, _style in part)
    for part in (*steps, *(_epoch(run) if line.at + wanted < place.width else ()), *main):
        if line.at + sum(cells(text) for text, _style in part) > place.width - 1:
            break
        for text, style in part:
            line.add(text, style)
    return line


def _epoch(run: Run) -> list[list[tuple[str, str]]]:
    words = epoch_words(run)
    return [[(f"  {words}", "muted")]] if words else []


def _steps(detail: Detail, run: Run, place: Place) -> list[list[tuple[str, str]]]:
    if run.step is None:
        return []
    if not detail.total:
        return [[("  step ", "muted"), (count(run.step), "")]]
    step = [("  step " if place.width >= MEDIUM else "  ", "muted"), (count(run.step), "")]
    share = f"  {min(1.0, run.step / detail.total):.0%}"
    return [[(share, "")], [*step, (f" of {count(detail.total)}", "muted")]]


def _loss(detail: Detail, run: Run, place: Place) -> list[list[tuple[str, str]]]:
    main = main_series(detail)
    if main is None:
        return []
    name, series = main
    is_number = series.last is not None and math.isfinite(series.last)
    parts = [[(f"   {label(name)} ", "muted"), (loss(series.last), "bold" if is_number else "bad bold")]]
    sign, style = chart.trend(series, place.glyphs)
    if series.trend and str(run.state) == "running":
        parts.append([(" " + " ".join(word for word in (sign, series.trend) if word), style)])
    return parts


def main_series(detail: Detail) -> tuple[str, Series] | None:
    """The metric that speaks for a run."""
    return next(iter(detail.curves.items()), None)


def _running(detail: Detail, record: Record, left: float, place: Place) -> list[str]:
    """What a running slice will come to, from the longest to the shortest way to say it."""
    run, after = record.run, follows(record)
    ends = f"This slice ends {clock(place.now + left)}"
    if detail.speed is None or run.step is None:
        return [f"{ends}. Speed is still being measured."]
    ahead = pace.forecast(run.step, detail.total, detail.mean_speed or detail.speed, left)
    if ahead.is_within and ahead.done_s is not None:
        return [f"Finishes at about {clock(place.now + ahead.done_s)[:5]}, before this slice ends."]
    where = f"near step {count(round(ahead.end_step))}"
    if detail.total is None or ahead.done_s is None:
        if after:
            return [f"{ends} {where}. {after}", f"{ends} {where}."]
        return [f"{ends} {where}. {rate(detail.speed)} steps/s.", f"{ends} {where}."]
    rest = about(ahead.done_s - left)
    where += f" ({min(1.0, ahead.end_step / detail.total):.0%})"
    if after:
        return [
            f"{ends} {where}. {after} About {rest} of training after it.",
            f"{ends} {where}. {after}",
            f"{ends} {where}. The next follows.",
        ]
    return [
        f"{ends} {where}. The rest takes about {rest} more: + now, or r afterwards.",
        f"{ends} {where}. About {rest} short: + adds 5.",
        f"{ends} {where}.",
    ]


def _bar_room(width: int) -> int:
    return 26 if width >= MEDIUM else 14 if width >= SMALL else 8


def _keys(rest_s: float) -> str:
    """Which keys make up for what is missing."""
    times = math.ceil(rest_s / PLUS_S)
    return "+ once" if times <= 1 else f"+ {times} times" if times <= 4 else "r afterwards"


def _resumed_at(run: Run, newest: Slice) -> str:
    step = next((found.step for found in run.checkpoints if found.path == newest.resumed_from), None)
    return f"step {count(step)}" if step is not None else (newest.resumed_from or "").rpartition("/")[2]
