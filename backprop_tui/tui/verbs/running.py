"""Keys for runs in progress: pause, continue, extend, kill."""

from __future__ import annotations

import time

from backprop_tui.control import requesting
from backprop_tui.frozen import Frozen
from backprop_tui.tui.screens.fields import Asked, FieldsDialog
from backprop_tui.tui.screens.questions import ExtendDialog, KillDialog, KillSeveralDialog
from backprop_tui.tui.verbs.base import Base, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from backprop_tui.control.requesting import Answer
    from backprop_tui.watch.record import Record

STEP = 5
"""Minutes that + and - add and take off."""
LEAST_LEFT_S = 60.0
"""A box is never shortened below this by a key."""
TOGETHER_S = 5.0
"""Extensions that follow each other so soon are told as one."""


class Extended(Frozen):
    """A change of a time box that was asked for."""

    minutes: float
    """With those just before that went the same way."""
    at: float
    """When, epoch seconds."""
    end: float
    """When the box ends then, epoch seconds."""


class RunningVerbs(Base):
    """Nothing is done here: supervisors are asked."""

    _extended: dict[str, Extended]
    """By run: what was asked for last."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._extended = {}

    def action_pause(self) -> None:
        """Pause what runs; continue what stands still."""
        records = self.active("p")
        running = [record for record in records if record.run.state == "running"]
        paused = [record for record in records if record.run.state == "paused"]
        if running:
            self.ask(running, lambda run_id: requesting.pause(self.home, run_id))
            return
        mine = []
        for record in paused:
            reason = record.run.reason
            if reason is not None and reason.by != "person":
                self.say(f"The Governor holds {name_of(record)}: {reason.text}. It continues by itself.")
            else:
                mine.append(record)
        self.ask(mine, lambda run_id: requesting.unpause(self.home, run_id))
        if records and not paused:
            held = " h holds it." if records[0].run.state == "queued" and not records[0].run.held else ""
            self.say(f"p: {name_of(records[0])} is {records[0].run.state}, not running.{held}")

    def action_extend(self, minutes: int) -> None:
        """More time at once, or less: never below a minute."""
        for record in self.active("+" if minutes > 0 else "-"):
            self._extend(record, minutes)

    def _extend(self, record: Record, minutes: float) -> None:
        left = record.left_s
        if left is None:
            self.say(f"{name_of(record)} is {record.run.state}: its time box cannot be changed.")
            return
        now, before = time.time(), self._extended.get(record.run.id)
        if before is not None and now - before.at > TOGETHER_S:
            before = None
        if before is not None:
            left = before.end - now  # what was seen last may be older than what was asked for
        if minutes < 0:
            minutes = -min(-minutes, max(0.0, (left - LEAST_LEFT_S) / 60))
            if minutes > -0.05:
                self.say(f"{name_of(record)} has less than two minutes left; K stops it.")
                return
        in_a_row = before.minutes if before is not None and before.minutes * minutes > 0 else 0.0
        asked_for = Extended(minutes=in_a_row + minutes, at=now, end=now + left + minutes * 60)
        self._extended[record.run.id] = asked_for

        def words(asked: Record) -> str:
            clock = time.strftime("%H:%M:%S", time.localtime(asked_for.end))
            ends = "" if asked.run.state == "paused" else f", now ends {clock}"
            back = " - takes it back." if minutes == STEP else " + gives it back." if minutes == -STEP else ""
            return f"{name_of(asked)}: {asked_for.minutes:+.3g} min{ends}.{back}"

        def request(run_id: str) -> Answer:
            answer = requesting.extend(self.home, run_id, minutes * 60)
            if not answer.ok:
                self._extended.pop(run_id, None)
            return answer

        self.ask([record], request, words)

    def action_box(self) -> None:
        """Ask how much more, or less."""
        records = self.active("t")[:1]
        if not records or records[0].left_s is None:
            if records:
                self.say(f"t: {name_of(records[0])} is {records[0].run.state}: its time box cannot be changed.")
            return
        record = records[0]

        def answered(value: str | None) -> None:
            if value == "other":
                self.push_screen(self._minutes_dialog(record), typed)
            elif value:
                self._extend(record, float(value))

        def typed(values: dict[str, str] | None) -> None:
            if values:
                self._extend(record, float(values["minutes"]))

        self.push_screen(ExtendDialog(self.palette, self.look.glyphs, record), answered)

    def _minutes_dialog(self, record: Record) -> FieldsDialog:
        def check(values: dict[str, str]) -> str:
            try:
                minutes = float(values["minutes"])
            except ValueError:
                return "minutes: a number, such as 15 or -2.5"
            return "" if 0 < abs(minutes) < 1e6 else "minutes: a number other than 0"

        fields = [Asked(key="minutes", label="Minutes", value="", hint="15, or -5 to take some off")]
        return FieldsDialog(self.palette, f"Time box of {name_of(record)}", fields, check)

    def action_kill(self) -> None:
        """Ask: save and stop, or force."""
        records = self.active("K")
        if not records:
            return

        def answered(value: str | None) -> None:
            if value:
                self.state.awaited |= {record.run.id for record in records}
                force = value == "force"
                self.ask(records, lambda run_id: requesting.stop(self.home, run_id, force=force))

        self.push_screen(self._kill_dialog(records), answered)

    def _kill_dialog(self, records: Sequence[Record]) -> KillDialog | KillSeveralDialog:
        if len(records) > 1:
            return KillSeveralDialog(self.palette, self.look.glyphs, records)
        spec = records[0].spec
        grace = requesting.grace_s(spec) if spec is not None else 30.0
        return KillDialog(self.palette, self.look.glyphs, records[0], grace)
