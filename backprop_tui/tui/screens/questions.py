"""The questions about runs in progress, word for word."""

from __future__ import annotations

import time

from backprop_tui.tui.draw.line import Line
from backprop_tui.tui.screens.dialog import Choice, Dialog, Said
from backprop_tui.watch.figures import ago, count, duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from backprop_tui.tui.draw.glyphs import Glyphs
    from backprop_tui.tui.palette import Palette
    from backprop_tui.watch.record import Record

ARMED_S = 5.0
SHOWN = 5
KEEP = Choice(key="escape", label="Keep running", value="", shown="esc")
CANCEL = Choice(key="escape", label="Cancel", value="", shown="esc")
CLOSE = Choice(key="escape", label="Close", value="", shown="esc")


class ForceDialog(Dialog):
    """Force needs its key twice within five seconds; any other key disarms."""

    lost = ""
    """What a force costs."""
    _armed: Timer | None = None

    def action_answer(self, value: str) -> None:
        """Answer, unless it is the first time for force."""
        if value != "force" or self._armed is not None:
            super().action_answer(value)
            return
        before = self.said
        self.said = [*before, Said(), Said(text=f" F again to force-kill: {self.lost} ", style="alert")]
        self._before = before
        self._armed = self.set_timer(ARMED_S, self.disarm)
        self.draw()

    def disarm(self) -> None:
        """Force would need its key twice again."""
        if self._armed is not None:
            self._armed.stop()
            self._armed = None
            self.said = self._before
            self.draw()

    def other_key(self, key: str) -> None:
        self.disarm()


class KillDialog(ForceDialog):
    """Save and stop, or by a second key without saving. The default keeps it running."""

    def __init__(self, palette: Palette, glyphs: Glyphs, record: Record, grace_s: float) -> None:
        run = record.run
        self.run_id, self._record = run.id, record
        self._glyphs: Glyphs | None = None
        """Set where the question is about a run that trains: its figures are kept up to date."""
        self._grace_s = grace_s
        self._called = record.notes.name or run.id
        self.lost = lost_steps(record)
        reason = run.reason.text if run.reason else ""
        title, state = f"Stop {self._called}?", str(run.state)
        if state == "queued":
            choices = [Choice(key="escape", label="Keep", value="", shown="esc"),
                       Choice(key="y", label="Take out", value="stop")]  # fmt: skip
            super().__init__(palette, f"Take {self._called} out of the queue?", [Said(text=reason)], choices)
            return
        if run.state.is_ended:
            choices = [Choice(key="escape", label="Let it go on", value="", shown="esc"),
                       Choice(key="y", label="End it here", value="stop")]  # fmt: skip
            said = [Said(text="Its slice has ended; the next one would follow by itself.")]
            super().__init__(palette, f"End {self._called} here?", said, choices)
            return
        if state == "stopping":
            choices = [Choice(key="escape", label="Wait", value="", shown="esc"),
                       Choice(key="F", label="Force now", value="force")]  # fmt: skip
            super().__init__(palette, title, [Said(text=f"Still saving: {reason or 'up to its grace'}.")], choices)
            return
        self._glyphs = glyphs
        choices = [
            KEEP,
            Choice(key="y", label="Save and stop", value="stop"),
            Choice(key="F", label="Force now: no save", value="force"),
        ]
        super().__init__(palette, title, self._lines(), choices)

    def take(self, record: Record) -> None:
        """How the run is by now, as long as the same is asked."""
        if self._glyphs is not None and self._armed is None and record.run.state == self._record.run.state:
            self._record, self.lost = record, lost_steps(record)
            self.said = self._lines()
            self.draw()

    def _lines(self) -> list[Said]:
        record, run, state = self._record, self._record.run, str(self._record.run.state)
        assert self._glyphs is not None
        step = f"  step {count(run.step)}" if run.step is not None else ""
        left = f"  {self._glyphs.dot}  {duration(record.left_s)} left" if record.left_s is not None else ""
        saved = run.good_checkpoint
        resumes = "r resumes it there later." if saved is not None else "If it then reports one, r resumes it there."
        if run.goes_on:
            resumes = f"No further slice follows by itself then. {resumes}"
        return [
            Said(text=f"{self._glyphs.state(state)} {state}{step}{left}"),
            Said(),
            self._newest(),
            Said(text=f"backprop asks the script to save, waits up to {self._grace_s:g} s, then stops it."),
            Said(text=resumes, style="muted"),
            Said(text=f"By force: {self.lost}.", style="muted"),
        ]

    def has_ended(self) -> None:
        """The run has ended while the question stood."""
        self.disarm()
        self.said = [Said(text=f"{self._called} has just ended by itself.")]
        self.choices = [CLOSE]
        self.focused_choice = 0
        self.draw()

    def _newest(self) -> Said:
        saved = self._record.run.good_checkpoint
        if saved is None:
            return Said(text=f"No checkpoint of it has been seen yet: {self.lost}.", style="bad")
        step = f"step {count(saved.step)}" if saved.step is not None else "saved"
        return Said(text=f"Newest checkpoint: {step}, {ago(time.time() - saved.t)} ago.")


class KillSeveralDialog(ForceDialog):
    """The same for several runs at once."""

    lost = "nothing more is saved"

    def __init__(self, palette: Palette, glyphs: Glyphs, records: Sequence[Record]) -> None:
        said = []
        for record in records[:SHOWN]:
            saved = record.run.good_checkpoint
            text = f"saved {ago(time.time() - saved.t)} ago" if saved else "no checkpoint seen yet"
            state = str(record.run.state)
            said.append(Said(text=f"{glyphs.state(state)} {record.notes.name or record.run.id}  {text}"))
        if len(records) > SHOWN:
            said.append(Said(text=f"and {len(records) - SHOWN} more", style="muted"))
        said += [Said(), Said(text="backprop asks each script to save, then stops it.")]
        choices = [
            KEEP,
            Choice(key="y", label="Save and stop", value="stop"),
            Choice(key="F", label="Force now: no save", value="force"),
        ]
        super().__init__(palette, f"Stop {len(records)} runs?", said, choices)


def lost_steps(record: Record) -> str:
    """What a stop without saving costs."""
    saved, step = record.run.good_checkpoint, record.run.step
    if step is None:
        return "no save"
    lost = max(0, step - (saved.step or 0) if saved is not None else step)
    return f"{count(lost)} step{' is' if lost == 1 else 's are'} lost"


class ExtendDialog(Dialog):
    """More time, or less. Dismissed with minutes, or "other"."""

    def __init__(self, palette: Palette, glyphs: Glyphs, record: Record) -> None:
        now, left = time.time(), record.left_s or 0.0

        def ends(minutes: float, form: str = "%H:%M") -> str:
            return time.strftime(form, time.localtime(now + left + minutes * 60))

        run = record.run
        stands = run.state == "paused"
        until = f", ends {ends(0, '%H:%M:%S')}" if not stands else f" {glyphs.none} the clock stands still"
        said = [
            Said(text=f"{duration(left)} left{until}."),
            Said(),
            *(
                Said(text=f"{key}   +{minutes} min" + ("" if stands else f"   ends {ends(minutes)}"))
                for key, minutes in (("5", 5), ("1", 10), ("3", 30))
            ),
            Said(text="c   other...   type minutes"),
        ]
        choices = [
            Choice(key="5", label="+5 min", value="5"),
            Choice(key="1", label="+10", value="10"),
            Choice(key="3", label="+30", value="30"),
            Choice(key="c", label="other", value="other"),
            Choice(key="minus", label="Take 5 off", value="-5", shown="-"),
            CANCEL,
        ]
        super().__init__(palette, f"Time box of {record.notes.name or run.id}", said, choices)


class SortDialog(Dialog):
    """What the history is sorted by; the same letter again turns it round."""

    WIDTH = 44

    def __init__(self, palette: Palette, sort: str) -> None:
        self._sort = sort
        choices = [Choice(key=letter, label="", value=name) for letter, name, _words in SORTS]
        super().__init__(palette, "Sort by", [], [*choices, CANCEL])
        self.focused_choice = [name for _letter, name, _words in SORTS].index(sort)

    def draw(self) -> None:
        """The orders, the one that enter takes in reverse."""
        here = self.choices[self.focused_choice].value
        self.said = [
            Said(text=f"{letter}  {words}", style="focused" if name == here else "accent bold" * (name == self._sort))
            for letter, name, words in SORTS
        ]
        super().draw()

    def other_key(self, key: str) -> None:
        if key in ("down", "up"):
            self.action_next(1 if key == "down" else -1)

    def action_enter(self) -> None:
        """The one with the focus; nothing is turned round by a key that only says yes."""
        value = self.choices[self.focused_choice].value
        self.action_answer("" if value == self._sort else value)

    def buttons(self, width: int) -> list[Line]:
        return [Line(width, base="panel").put(2, "the same letter again turns it round", "muted", room=width - 4)]


SORTS = (
    ("a", "age", "age"),
    ("n", "name", "name"),
    ("s", "status", "status"),
    ("t", "took", "took"),
    ("p", "steps", "steps"),
    ("l", "loss", "loss"),
    ("k", "checkpoints", "checkpoints"),
)
