"""What the dashboard knows, apart from how it is shown. Only the UI thread changes it."""

from __future__ import annotations

import os
import time
from collections import deque

from backprop_tui.frozen import Frozen
from backprop_tui.tui.draw import orders
from backprop_tui.tui.draw.gpus import HELP
from backprop_tui.tui.draw.measures import DISK, STALE_S
from backprop_tui.watch.figures import age, count, duration, loss, room
from backprop_tui.watch.metrics import label
from backprop_tui.watch.orders import Orders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.store.rows import Row
    from backprop_tui.tui.draw.active import ActiveRow
    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.watch.box import BoxSample
    from backprop_tui.watch.record import Record
    from backprop_tui.watch.watcher import Snapshot

USE_EVERY_S = 2.0
MINUTE_OF_USE = 30


class Problem(Frozen):
    """A run that ended badly, until somebody has seen it."""

    run_id: str
    name: str
    state: str
    reason: str
    t: float
    """Epoch seconds."""


class Event(Frozen):
    """Something that happened, for the news line."""

    t: float
    state: str
    """The run's, "" where it is about no run."""
    text: str


class State:
    """Everything at hand."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.rows: tuple[ActiveRow, ...] = ()
        self.box: BoxSample | None = None
        self.orders = Orders()
        self.me = _user_name()
        """Who looks at this screen."""
        self.use: dict[str, deque[float]] = {}
        """Utilisation of each GPU in the last minute, percent, every two seconds."""
        self._use_t = float("-inf")
        self.problems: list[Problem] = []
        """Newest first."""
        self.news: Event | None = None
        self.awaited: set[str] = set()
        """Runs that were asked to stop here: their end is an answer."""
        self._seen: dict[str, float] = {}
        """What was seen here, until the history says so itself."""

    @property
    def counts(self) -> dict[str, int]:
        """Runs in progress, by state."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row.state] = found.get(row.state, 0) + 1
        return found

    @property
    def users(self) -> dict[str, str]:
        """Which run of ours is on a GPU, by the GPU's index; of several the first and how many more."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for index in row.gpus if row.state != "queued" else ():
                found.setdefault(index, []).append(row.name)
        return {
            index: names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}" for index, names in found.items()
        }

    @property
    def box_problems(self) -> list[str]:
        """What is wrong with the box itself."""
        box, found = self.box, []
        if self.snapshot is not None:
            found += [f"A record in progress cannot be read: {text}" for text in self.snapshot.broken]
            age_s = time.time() - self.snapshot.t
            if self.rows and age_s > STALE_S:
                found.append(f"What runs was last read {age_s:.0f} s ago.")
        if box is None:
            return found
        if box.gpus.failed:
            why = "; ".join(why for _probe, why in box.gpus.tried[:1])
            found.append(f"The GPUs cannot be read: {why}" if why else "The GPUs cannot be read.")
        else:
            found += [f"{name.partition(' ')[2]} {why}" for name, why in box.gpus.tried if why in HELP]
        free, total = box.disk_free_bytes, box.disk_total_bytes
        if free is not None and total and free / total < DISK[1]:
            found.append(f"The disk of the records is nearly full: {room(free)} free")
        return found

    @property
    def needs(self) -> int:
        """How many things need a person."""
        return len(self.problems) + len(self.box_problems)

    def take_runs(self, snapshot: Snapshot, rows: tuple[ActiveRow, ...], ordered: Orders) -> None:
        """What runs now, and what was ordered for all of it."""
        self.snapshot, self.rows, self.orders = snapshot, rows, ordered

    def take_box(self, sample: BoxSample) -> None:
        """A sample of the box."""
        self.box = sample
        is_next = sample.t // USE_EVERY_S != self._use_t // USE_EVERY_S
        for gpu in sample.gpus.gpus:
            kept = self.use.setdefault(gpu.index, deque(maxlen=MINUTE_OF_USE))
            if is_next or not kept:
                kept.append(float(gpu.util_percent or 0))
        self._use_t = sample.t

    def take_problems(self, rows: Iterable[Row]) -> None:
        """The runs that have ended badly and that nobody has seen."""
        found = [
            Problem(
                run_id=row.id, name=row.name or row.id, state=row.state, reason=row.reason, t=row.ended or row.created
            )
            for row in rows
        ]
        self._seen = {p.run_id: p.t for p in found if self._seen.get(p.run_id) == p.t}
        self.problems = [problem for problem in found if problem.run_id not in self._seen]

    def forget(self, run_id: str) -> bool:
        """A person has seen this run's problem; False if it had none."""
        found = [problem for problem in self.problems if problem.run_id == run_id]
        self._seen |= {problem.run_id: problem.t for problem in found}
        self.problems = [problem for problem in self.problems if problem.run_id != run_id]
        return bool(found)

    def take_ended(self, record: Record) -> str:
        """A run has ended: news. Returns what to answer the person who asked for it, "" if nobody did."""
        run, name = record.run, record.notes.name or record.run.id
        state = str(run.state)
        t = run.slice.ended if run.slice and run.slice.ended else run.updated
        took = duration(run.slice.used_s) if run.slice else ""
        figure = f", {label(run.main[0])} {loss(run.main[1])}" if run.main is not None else ""
        why = f": {run.failure.sentence}" if run.failure is not None and run.failure.kind else ""
        if state == "stopped" and run.reason is not None and run.reason.by != "person":
            why = f": {run.reason.text}"
        self.news = Event(t=t, state=state, text=f"{name} {state} after {took}{figure}{why}")
        if run.id not in self.awaited:
            return ""
        self.awaited.discard(run.id)
        saved = run.good_checkpoint
        if saved is None or run.slice is None or saved.t < run.slice.started:
            return f"{name} {state}; no checkpoint of it was seen."
        step = f"step {count(saved.step)}" if saved.step is not None else saved.path
        return f"{name} {state}, saved at {step}."

    def tell(self, text: str) -> None:
        """Something for the news line that is about no run."""
        self.news = Event(t=time.time(), state="", text=text)

    def headline(self, glyphs: Glyphs) -> tuple[str, str, str]:
        """The news line: its text, its style, and what stands at its right."""
        more = "! show" if self.needs == 1 else f"! shows all {self.needs}"
        fresh = self.news is not None and not self.news.state and time.time() - self.news.t < 10
        if self.problems and not fresh:
            newest = self.problems[0]
            since = age(max(0.0, time.time() - newest.t))
            reason = f": {newest.reason}" if newest.reason else ""
            return f"{glyphs.state(newest.state)} {newest.name} {newest.state} {since} ago{reason}", "bad", more
        if self.box_problems and not fresh:
            return f"{glyphs.state('failed')} {self.box_problems[0]}", "bad", more
        ordered = orders.sentences(self.orders)
        if ordered and not fresh:
            return f"{glyphs.state('paused')} {ordered[0]}.", "hold", ""
        if self.news is None:
            return "", "muted", ""
        clock = time.strftime("%H:%M:%S", time.localtime(self.news.t))
        sign = f"{glyphs.state(self.news.state)} " if self.news.state else ""
        return f"{sign}{clock} {self.news.text}", "muted", ""


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
