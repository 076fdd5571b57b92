"""All settings: what each is, who said so, and a way to change it that takes effect at once."""

from __future__ import annotations

from textual import on
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from backprop_tui.config.listing import listing
from backprop_tui.config.user import write_user
from backprop_tui.config.values import from_text
from backprop_tui.errors import ConfigError
from backprop_tui.paths import user_config_file
from backprop_tui.text import printable
from backprop_tui.tui.draw import settings as draw
from backprop_tui.tui.widgets.canvas import Canvas
from backprop_tui.tui.widgets.field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual import events
    from textual.app import ComposeResult

    from backprop_tui.config.listing import Entry
    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.terminal import Look

LOW = 16
"""Rows of the dialog's inside below which less is said about a setting."""
_HINTS = {
    "list": [("enter", "change"), ("/", "filter"), ("d", "default"), ("esc", "close")],
    "choice": [("enter", "next"), ("left right", "choose"), ("/", "filter"), ("d", "default"), ("esc", "close")],
    "value": [("enter", "set"), ("esc", "leave as it is")],
    "filter": [("enter", "keep"), ("up down", "move"), ("esc", "clear")],
}


class SettingsScreen(ModalScreen[None]):
    """Dismissed with nothing: each change is written and told as it is made."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = ""
    BINDINGS = [  # noqa: RUF012  # Textual reads it once
        Binding("escape", "back", show=False),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("g,home", "move(-1000)", show=False),
        Binding("G,end", "move(1000)", show=False),
        Binding("pagedown,ctrl+d", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("enter", "change", show=False),
        Binding("right,l,space", "choose(1)", show=False),
        Binding("left,h", "choose(-1)", show=False),
        Binding("d,backspace,delete", "reset", show=False),
        Binding("slash", "filter", show=False),
    ]

    def __init__(
        self, palette: Palette, look: Look, *, cwd: str, env: Mapping[str, str], on_change: Callable[[str], None]
    ) -> None:
        """`on_change` is called with the key of a setting when its change is in the user's file."""
        super().__init__()
        self._palette, self._look = palette, look
        self._cwd, self._env, self._on_change = cwd, env, on_change
        self._listing = listing(cwd=cwd, env=env)
        self._cursor = self._listing.entries[0].key
        self._top = 0
        self._said = self._noted = ""
        """What is wrong, and what is worth a word."""
        self._list = Canvas(palette, id="list")
        self._about = Canvas(palette, id="about")
        self._hints = Canvas(palette, id="hints")
        self.filter = _field("filter")
        self.value = _field("value")
        self._label = Label("", markup=False)

    # --- life

    def compose(self) -> ComposeResult:
        with Container(id="settings"):
            with Horizontal(id="filter-field", classes="field"):
                yield Label("/")
                yield self.filter
            yield self._list
            with Horizontal(id="value-field", classes="field"):
                yield self._label
                yield self.value
            yield self._about
            yield self._hints

    def on_mount(self) -> None:
        self.query_one("#settings").border_title = " Settings "
        self.use(self._palette, self._look)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def use(self, palette: Palette, look: Look) -> None:
        """Draw with other colours and signs from now on."""
        self._palette, self._look = palette, look
        self.set_class(look.glyphs.is_ascii, "-ascii")
        for canvas in (self._list, self._about, self._hints):
            canvas.use(palette)
        self.call_after_refresh(self._draw)

    # --- what is listed

    @property
    def entries(self) -> list[Entry]:
        """Those that the filter leaves."""
        return draw.filtered(self._listing.entries, self.filter.value)

    @property
    def current(self) -> Entry | None:
        """The setting under the cursor."""
        entries = self.entries
        return next((entry for entry in entries if entry.key == self._cursor), entries[0] if entries else None)

    def _draw(self) -> None:
        if not self.is_attached:
            return
        box = self.query_one("#settings").content_size
        if not box.width:
            return
        glyphs, entry, mode = self._look.glyphs, self.current, self._mode
        self._about.styles.height = room = 4 if box.height >= LOW else 2
        height = max(1, box.height - room - 1 - (mode == "value") - self.query_one("#filter-field").display)
        lines = draw.rows(self.entries, box.width, glyphs, cursor=entry.key if entry else "")
        at = draw.keys_by_line(self.entries).index(entry.key) if entry else 0
        # The first setting brings its heading along.
        self._top = max(0, min(max(self._top, at - height + 1), at - (at == 1), max(0, len(lines) - height)))
        self._list.show(lines[self._top : self._top + height])
        wrong = self._said or self._listing.problem
        said = (wrong, "bad bold") if wrong else (self._noted, "hold")
        self._about.show(draw.about(entry, box.width, room, glyphs, said=said, is_edited=mode == "value"))
        self._hints.show([draw.hints(_HINTS[mode], box.width)])

    @property
    def _mode(self) -> str:
        if self.focused is self.value:
            return "value"
        if self.focused is self.filter:
            return "filter"
        return "choice" if self.current is not None and self.current.choices else "list"

    # --- moving

    def action_move(self, by: int) -> None:
        entries, entry = self.entries, self.current
        if entry is not None and self.focused is not self.value:
            at = min(len(entries) - 1, max(0, entries.index(entry) + by))
            self._cursor, self._said, self._noted = entries[at].key, "", ""
            self._draw()

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self._list.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; two change the setting."""
        if event.widget is not self._list or self.focused is self.value:
            return
        line = self._top + event.get_content_offset_capture(self._list).y
        keys = draw.keys_by_line(self.entries)
        if line < len(keys) and keys[line]:
            self._cursor, self._said, self._noted = keys[line], "", ""
            self._draw()
            if event.chain == 2:
                self.action_change()

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)

    # --- filtering

    def action_filter(self) -> None:
        self._show("#filter-field", self.filter)

    @on(Input.Changed, "#filter")
    def _filtered(self) -> None:
        self._draw()

    @on(Input.Submitted, "#filter")
    def _filter_kept(self) -> None:
        self._leave("#filter-field", is_shown=bool(self.filter.value))

    def action_back(self) -> None:
        """Out of the field, then without the filter, then away."""
        self._said = ""
        if self.focused is self.value:
            self._leave("#value-field")
        elif self.focused is self.filter or self.filter.value:
            self.filter.value = ""
            self._leave("#filter-field")
        else:
            self.dismiss()

    # --- changing

    def action_change(self) -> None:
        """The next choice, or a field for a new value."""
        entry = self.current
        if entry is None or entry.choices:
            self.action_choose(1)
            return
        self._said = ""
        self._label.update(entry.key)
        self.value.placeholder = entry.allowed
        self.value.value = "" if entry.raw is None else _typed(entry.raw)
        self._show("#value-field", self.value)
        self.value.action_select_all()

    def action_choose(self, by: int) -> None:
        entry = self.current
        if entry is None or not entry.choices:
            return
        now = _typed(entry.raw)
        at = entry.choices.index(now) if now in entry.choices else -1
        self._write(entry, from_text(entry.setting, entry.choices[(at + by) % len(entry.choices)], entry.key))

    @on(Input.Submitted, "#value")
    def _entered(self) -> None:
        entry = self.current
        if entry is None:
            return
        try:
            value = from_text(entry.setting, self.value.value, entry.key)
        except ConfigError as error:
            self._said = error.message
            self._draw()
            return
        if self._write(entry, entry.setting.none_word if value is None else value):
            self._leave("#value-field")

    @on(Input.Changed, "#value")
    def _typing(self) -> None:
        if self._said:
            self._said = ""
            self._draw()

    def action_reset(self) -> None:
        """Back to the default: out of the user's file."""
        if self.current is not None:
            self._write(self.current, None)

    def _write(self, entry: Entry, value: object) -> bool:
        """Write one setting, and say so to the application; what is wrong is said in the dialog."""
        try:
            kept = write_user(user_config_file(self._env), {entry.key: value})
        except ConfigError as error:
            self._said = f"{error.message} ({error.hint})" if error.hint else error.message
            self._draw()
            return False
        self._said, self._cursor = "", entry.key
        self._noted = f"your file was written anew; its comments are kept in {printable(kept)}" if kept else ""
        self._listing = listing(cwd=self._cwd, env=self._env)
        self._on_change(entry.key)
        self._draw()
        return True

    # --- fields

    def _show(self, field: str, inside: Input) -> None:
        self.query_one(field).display = True
        self.set_focus(inside)  # at once: what is typed next belongs to the field
        self.call_after_refresh(self._draw)

    def _leave(self, field: str, *, is_shown: bool = False) -> None:
        self.query_one(field).display = is_shown
        self.set_focus(None)
        self.call_after_refresh(self._draw)


def _field(name: str) -> Input:
    field = Field(id=name, compact=True, select_on_focus=False)
    field.cursor_blink = False
    return field


def _typed(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
