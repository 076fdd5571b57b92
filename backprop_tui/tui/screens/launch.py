"""The form that launches a run: a few fields, the Governor's answer while one types, and what ran before."""

from __future__ import annotations

import os
import time

from textual import on
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from backprop_tui.config.resolve import resolve
from backprop_tui.control.starting import dry_run
from backprop_tui.errors import BackpropError
from backprop_tui.tui.draw import launch as draw
from backprop_tui.tui.draw.launch import NEVER, governed
from backprop_tui.tui.draw.line import showable
from backprop_tui.tui.folders import current_folder
from backprop_tui.tui.screens.filled import SETTINGS, Filled, completions, filled_from
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.tui.widgets.field import Field
from backprop_tui.watch.figures import short_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from backprop_tui.control.wishes import Planned
    from backprop_tui.store.home import Home
    from backprop_tui.store.rows import Row
    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.terminal import Look

__all__ = ["Filled", "LaunchForm", "filled_from"]

CHECK_AFTER_S = 0.25
MATCHES, RECENT = 5, 6
WIDTH, WHOLE_BELOW = 92, 110
"""Narrower than this it takes the whole screen."""
UNITS = {"maxRunMinutes": "minutes", "gpu.minFreeVramMB": "MB free at least", "minFreeRamGB": "GB free at least"}


class LaunchForm(ModalScreen["Planned"]):
    """Dismissed with what is to be started."""

    CSS_PATH = "launch.tcss"
    DEFAULT_CLASSES = "dialog"
    AUTO_FOCUS = "Input"
    BINDINGS = [  # noqa: RUF012  # Textual reads it once
        Binding("escape", "leave", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("ctrl+r", "recent", show=False),
        Binding("tab", "take_or_next", show=False, priority=True),
    ]

    def __init__(self, home: Home, palette: Palette, look: Look, history: Sequence[Row], filled: Filled) -> None:
        super().__init__()
        self._home, self._palette, self._look = home, palette, look
        self._recent = [] if filled.resumes else _distinct(history)
        self._times = _times(history)
        self.filled = filled
        self.is_held = False
        """The Governor would let it wait."""
        self._matches: list[str] = []
        self._chosen = -1
        self._in_recent = False
        self._planned: Planned | None = None
        self._wants_launch = False
        """Enter was pressed before the answer was there."""
        self._asked = 0
        self._said: list[tuple[str, str]] = []
        self.matches, self.below = Canvas(palette, id="matches"), Canvas(palette, id="below")
        self.hints = Canvas(palette, id="hints")

    def compose(self) -> ComposeResult:
        with Container(id="form", classes="box"):
            with Container(id="fields"):
                for key, label, hint in self.filled.fields:
                    with Horizontal(classes="field"):
                        yield Label(label)
                        value = self.filled.values.get(key, "")
                        yield Field(value, id=_id(key), compact=True, placeholder=hint, select_on_focus=key == "script")
                    if key == "script":
                        yield self.matches
                yield self.below
            yield self.hints

    def on_mount(self) -> None:
        title = "Resume with other arguments" if self.filled.resumes else "Launch a run"
        self.query_one("#form").border_title = Content(title)
        for field in self.query(Input):
            field.cursor_blink = False
        self._say_what_is_in_force()
        self._check()
        self._draw()

    def _say_what_is_in_force(self) -> None:
        """An empty field stands for the setting."""
        try:
            settings = resolve(flags={}, env=os.environ, cwd=self.filled.cwd or current_folder()).settings
        except (BackpropError, OSError):
            return  # the Governor's line says it
        if not self.filled.resumes:
            self.query_one("#cwd", Input).placeholder = showable(short_path(current_folder()))
        for key in SETTINGS:
            unit = f" {UNITS[key]}" if key in UNITS else ""
            self.query_one(f"#{_id(key)}", Input).placeholder = f"{settings[key].value}{unit}"

    # --- what is typed

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        values = {key: self.query_one(f"#{_id(key)}", Input).value for key, *_rest in self.filled.fields}
        if values == {key: self.filled.values.get(key, "") for key in values}:
            return  # the form is only being filled
        self.filled = self.filled.replace(values={**self.filled.values, **values})
        self._in_recent = False
        if message.input.id == "script":
            self._complete()
        self._check()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self._in_recent and self._chosen >= 0:
            self._fill(self._recent[self._chosen])
        elif self._matches and self._chosen >= 0:
            self._take()
        elif self._planned is not None:
            self.dismiss(self._planned)
        else:
            self._wants_launch = True
            self._ask(self._asked)

    def action_leave(self) -> None:
        """What was typed is kept for the next form."""
        self.dismiss(None)

    def action_choose(self, by: int) -> None:
        """Move among the scripts that match, or among what ran before."""
        count = len(self._recent) if self._in_recent else len(self._matches)
        if by < 0 and not self._in_recent and self._chosen < 0:
            self.action_recent()
        elif self._in_recent and self._chosen + by < 0:
            self._in_recent, self._chosen = False, -1
            self._draw()
        elif count:
            self._chosen = min(count - 1, max(-1, self._chosen + by))
            self._draw()
        elif by > 0:
            self.focus_next(Input)

    def action_recent(self) -> None:
        """Choose among what ran before."""
        self._in_recent = bool(self._recent)
        self._chosen = 0 if self._recent else -1
        self._draw()

    def action_take_or_next(self) -> None:
        """Take the script that matches; then the next field."""
        if self._matches and not self._in_recent and self.focused is not None and self.focused.id == "script":
            self._chosen = max(0, self._chosen)
            self._take()
        self.focus_next(Input)

    def _take(self) -> None:
        field = self.query_one("#script", Input)
        field.value = self._matches[self._chosen]
        field.cursor_position = len(field.value)
        self._matches, self._chosen = [], -1
        self._draw()

    def _fill(self, row: Row) -> None:
        self._in_recent, self._chosen = False, -1
        self._asked, self._planned = self._asked + 1, None  # what was planned is not what is chosen now

        def work() -> None:
            from backprop_tui.watch.record import read_record

            filled = filled_from(read_record(self._home, row.id))
            self.app.call_from_thread(self._fill_with, filled)

        self.app.run_worker(work, thread=True, exit_on_error=False)

    def _fill_with(self, filled: Filled) -> None:
        if not self.is_mounted:
            return
        for key, *_rest in filled.fields:
            field = self.query_one(f"#{_id(key)}", Input)
            field.value = filled.values.get(key, "")
            field.cursor_position = len(field.value)
        self._matches = []
        self._draw()

    def _complete(self) -> None:
        typed = self.filled.values.get("script", "")
        known = list(dict.fromkeys(row.script for row in self._recent))
        is_command = typed.startswith("--")
        self._matches = [] if is_command else completions(typed, known, self.filled.cwd)[:MATCHES]
        if self._matches == [typed]:
            self._matches = []
        self._chosen = -1

    # --- what the Governor says

    def _check(self) -> None:
        self._asked += 1
        asked = self._asked
        self._planned, self._wants_launch = None, False
        self.set_timer(CHECK_AFTER_S, lambda: self._ask(asked))

    def _ask(self, asked: int) -> None:
        is_empty = not self.filled.resumes and not self.filled.values.get("script", "").strip()
        if asked != self._asked or is_empty:
            if asked == self._asked:
                self._said = [("choose a script first", "bad")] if self._wants_launch else []
                self._draw()
            return
        filled = self.filled

        def work() -> None:
            try:
                planned = filled.plan(self._home)
                found = dry_run(planned.plan)
            except (BackpropError, ValueError) as error:
                hint = getattr(error, "hint", "")
                words = str(getattr(error, "message", error))
                answer = [(f"{words}{f' ({hint})' if hint else ''}", "bad")]
                self.app.call_from_thread(self._answered, asked, None, answer)
                return
            said = governed(found.admission, self._look.glyphs)
            never = any(decision.is_final for decision in found.admission.refusals)
            self.app.call_from_thread(self._answered, asked, None if never else planned, said)

        self.app.run_worker(work, thread=True, exit_on_error=False)

    def _answered(self, asked: int, planned: Planned | None, said: list[tuple[str, str]]) -> None:
        if asked != self._asked or not self.is_mounted:
            return
        self._planned, self._said = planned, said
        self.is_held = planned is not None and said[0][1] != "ok"
        if self._wants_launch and planned is not None:
            self.dismiss(planned)
            return
        self._wants_launch = False
        self._draw()

    # --- drawing

    @property
    def _verb(self) -> str:
        """What enter does."""
        if self._planned is None and self._said and self._said[0][0] == NEVER:
            return ""
        return "queue it" if self.is_held else "resume" if self.filled.resumes else "launch"

    def _draw(self) -> None:
        screen = self.app.size
        form = self.query_one("#form")
        form.styles.width = "100%" if screen.width < WHOLE_BELOW else WIDTH
        known = self._known((screen.width if screen.width < WHOLE_BELOW else WIDTH) - 2)
        count = len(known.matches)
        self.matches.display = bool(count)
        self.matches.styles.height = max(1, count)
        self.matches.show(draw.matches(known, self._times))
        lines = draw.governor(known)
        lines += draw.recent(known, screen.height - 2 - len(self.filled.fields) - count - len(lines) - 2)
        form.styles.height = 2 + len(self.filled.fields) + count + len(lines) + 1
        self.below.styles.height = len(lines)
        self.below.show(lines)
        self.hints.show([draw.hints(known)])

    def _known(self, width: int) -> draw.Form:
        return draw.Form(
            width=width,
            glyphs=self._look.glyphs,
            now=time.time(),
            matches=[] if self._in_recent else self._matches,
            recent=self._recent,
            chosen=self._chosen,
            is_in_recent=self._in_recent,
            said=self._said,
            is_checking=self._planned is None and bool(self.filled.values.get("script", "").strip()),
            verb=self._verb,
        )

    def on_resize(self) -> None:
        if self.is_mounted:
            self._draw()


def _id(key: str) -> str:
    return key.replace(".", "-")


def _distinct(rows: Sequence[Row]) -> list[Row]:
    seen: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.script:
            seen.setdefault((row.script, row.args), row)
    return list(seen.values())[:RECENT]


def _times(rows: Sequence[Row]) -> dict[str, tuple[int, float]]:
    """How often each script ran, and when last."""
    found: dict[str, tuple[int, float]] = {}
    for row in rows:
        count, newest = found.get(row.script, (0, 0.0))
        found[row.script] = count + 1, max(newest, row.created)
    return found
