"""The dashboard's application: it starts the feeds, hears them, and hands what they say to the screens."""

from __future__ import annotations

import os
import time

from textual import events, on
from textual.widgets import Input

from backprop_tui.config.dashboard import preferences
from backprop_tui.config.resolve import resolve
from backprop_tui.errors import ConfigError
from backprop_tui.tui import actions, messages, osc, terminal
from backprop_tui.tui.detail import DetailFeed
from backprop_tui.tui.feeds import BoxFeed, Feed, HistoryFeed, RunsFeed, SettleFeed
from backprop_tui.tui.folders import current_folder
from backprop_tui.tui.keymap import keymap
from backprop_tui.tui.painting import terse
from backprop_tui.tui.palette import Palette, themes
from backprop_tui.tui.screens.main import MainScreen
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.screens.questions import KillDialog
from backprop_tui.tui.screens.run import RunPage
from backprop_tui.tui.screens.settings import SettingsScreen
from backprop_tui.tui.state import State
from backprop_tui.tui.verbs.governing import GoverningVerbs
from backprop_tui.tui.verbs.looking import LookingVerbs
from backprop_tui.tui.verbs.records import RecordVerbs
from backprop_tui.tui.verbs.running import RunningVerbs
from backprop_tui.tui.whyfeed import WhyFeed
from backprop_tui.tui.widgets.history import HistoryPane
from backprop_tui.tui.widgets.pane import ListPane
from backprop_tui.watch.box import BoxMeter
from backprop_tui.watch.pages import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rich.console import RenderableType
    from textual.screen import Screen

    from backprop_tui.store.home import Home

FILTER_DELAY_S = 0.08
BLURRED_TICK_S, ACCESSIBLE_TICK_S = 5, 10
TICK_AFTER_S = 0.05


class Dashboard(LookingVerbs, RecordVerbs, RunningVerbs, GoverningVerbs):
    """The full-screen view of a home."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "backprop"

    def __init__(self, home: Home) -> None:
        """
        Raises:
            ConfigError: a setting is not allowed.
        """
        env = dict(os.environ)  # Textual takes NO_COLOR out of the environment
        super().__init__(ansi_color=True if env.get("NO_COLOR") else None)
        self.home, self.env = home, env
        self.state, self.undoing = State(), []
        self.settings = resolve(flags={}, env=env, cwd=current_folder()).settings
        self.preferences = preferences(env)
        self._choose_look()
        self.main = MainScreen(self.state, self.palette, self.look, gauges=self.preferences.text("dashboard.gauges"))
        self.history = HistoryFeed(home, self.post_message)
        self.detail = DetailFeed(home, self.post_message)
        self.rules = WhyFeed(home, self.post_message)
        self._feeds: list[Feed] = []
        self._box: BoxFeed | None = None
        self._second, self._is_blurred = 0, False
        for theme in themes():
            self.register_theme(theme)
        self._wear_look()
        self._apply_keys()

    # --- life

    async def on_mount(self) -> None:
        await self.push_screen(self.main)
        self._feeds = [RunsFeed(self.home, self.post_message), SettleFeed(self.home, self.post_message)]
        self._feeds += [self.history, self.detail, self.rules]
        for feed in self._feeds:
            feed.start()
        self._follow_box()
        self.history.show(View())
        # On the second, after the feeds.
        self.set_timer(1.0 + TICK_AFTER_S - time.time() % 1.0, lambda: self.set_interval(1.0, self._tick))

    def _follow_box(self) -> None:
        """Sample the box as the settings say; what was sampled otherwise ends."""
        if self._box is not None:
            self._box.stop()
        meter = BoxMeter(os.path.dirname(self.home.path), str(self.settings["gpu.probe"].value))
        self._box = BoxFeed(meter, self.post_message)
        self._box.start()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, terse(renderable))

    def on_unmount(self) -> None:
        feeds = [*self._feeds, *([self._box] if self._box is not None else [])]
        for feed in feeds:
            feed.stop()
        for feed in feeds:
            feed.join(1.0)

    def _tick(self) -> None:
        """A second has passed; where nobody looks, every few."""
        self._second += 1
        every = ACCESSIBLE_TICK_S if self.look.accessible else BLURRED_TICK_S if self._is_blurred else 1
        if self._second % every == 0:
            self.main.tick()
            if self.look.accessible:
                self.main.take_runs()

    @on(events.AppBlur)
    def _blurred(self) -> None:
        self._is_blurred = True

    @on(events.AppFocus)
    def _focused(self) -> None:
        self._is_blurred = False

    # --- what the feeds say

    @property
    def is_up(self) -> bool:
        """Whether the main screen is there to be drawn on: what arrives later is for nobody."""
        return self.is_running and self.main.is_mounted and self.main.is_attached and not self._exit

    @on(messages.RunsSeen)
    def _runs_seen(self, message: messages.RunsSeen) -> None:
        if not self.is_up:
            return
        before = [(row.id, row.state) for row in self.state.rows]
        self.state.take_runs(message.snapshot, message.rows, message.orders)
        if isinstance(self.screen, KillDialog) and (record := message.snapshot.get(self.screen.run_id)) is not None:
            self.screen.take(record)
        if not self.look.accessible or [(row.id, row.state) for row in self.state.rows] != before:
            self.main.take_runs()
            self.main.tick()

    @on(messages.RunsEnded)
    def _runs_ended(self, message: messages.RunsEnded) -> None:
        if not self.is_up:
            return
        for record in message.records:
            if answer := self.state.take_ended(record):
                self.say(answer)
            self.alert(f"{record.notes.name or record.run.id} {record.run.state}")
            if isinstance(self.screen, KillDialog) and self.screen.run_id == record.run.id:
                self.screen.has_ended()
        self.main.draw_frame()

    @on(messages.BoxSeen)
    def _box_seen(self, message: messages.BoxSeen) -> None:
        if not self.is_up:
            return
        is_first = self.state.box is None
        self.state.take_box(message.sample)
        if is_first:
            self.main.lay_out()

    @on(messages.HistoryChanged)
    def _history_changed(self) -> None:
        if not self.is_up:
            return
        self.main.history.forget()
        self.history.show(self.main.history.view.replace(text=self.main.filter.value))

    @on(messages.ProblemsSeen)
    def _problems_seen(self, message: messages.ProblemsSeen) -> None:
        if self.is_up:
            self.state.take_problems(message.rows)
            self.main.draw_frame()

    @on(messages.HistoryListed)
    def _history_listed(self, message: messages.HistoryListed) -> None:
        if not self.is_up:
            return
        self.main.history.take_listing(message.listing)
        self.main.welcome()
        self.call_after_refresh(self.main.welcome)

    @on(messages.RowsRead)
    def _rows_read(self, message: messages.RowsRead) -> None:
        if self.is_up:
            self.main.history.take_rows(message.rows, message.asked)

    @on(messages.DetailSeen)
    def _detail_seen(self, message: messages.DetailSeen) -> None:
        if not self.is_up:
            return
        self.main.take_detail(message.detail)
        for screen in self.screen_stack:
            if isinstance(screen, RunPage):
                screen.take(message.detail)

    @on(messages.Answer)
    def _answer(self, message: messages.Answer) -> None:
        self.say(message.text)

    @on(messages.FeedFailed)
    def _feed_failed(self, message: messages.FeedFailed) -> None:
        self.say(f"{message.what}: {message.error}", severity="error")

    # --- what the panes want

    @on(MainScreen.LookingAt)
    def _looking_at(self, message: MainScreen.LookingAt) -> None:
        if not any(isinstance(screen, RunPage) for screen in self.screen_stack):  # a page keeps its run
            self.detail.look_at(message.run_id)

    @on(ListPane.Chosen)
    def _double_clicked(self) -> None:
        self.action_open()

    @on(MainScreen.ViewWanted)
    def _view_wanted(self, message: MainScreen.ViewWanted) -> None:
        self.history.show(self.main.history.view.replace(archived=message.archived))

    @on(MainScreen.Unmarked)
    def _unmarked(self, message: MainScreen.Unmarked) -> None:
        self.undo_with("unmarking", lambda: self.call_from_thread(self.main.mark_again, message.targets))

    @on(HistoryPane.RowsWanted)
    def _rows_wanted(self, message: HistoryPane.RowsWanted) -> None:
        self.history.read(message.keys)

    @on(Input.Changed, "#history-filter")
    def _filter_changed(self, message: Input.Changed) -> None:
        view = self.main.history.view.replace(text=message.value)
        self.set_timer(FILTER_DELAY_S, lambda: self._show_if_wanted(view))

    def _show_if_wanted(self, view: View) -> None:
        if self.is_up and self.main.filter.value == view.text:
            self.history.show(view)

    # --- settings

    def action_settings(self) -> None:
        """All settings; what is changed there holds at once."""
        self.push_screen(
            SettingsScreen(self.palette, self.look, cwd=current_folder(), env=self.env, on_change=self._setting_changed)
        )

    def _setting_changed(self, key: str) -> None:
        try:
            self.settings = resolve(flags={}, env=self.env, cwd=current_folder()).settings
            self.preferences = preferences(self.env)
            self._apply_keys()
        except ConfigError as error:
            self.say(str(error), severity="error")
            return
        if key == "gpu.probe":
            self._follow_box()
        elif key == "dashboard.gauges":
            self.main.gauge_mode = self.preferences.text(key)
        elif key == "dashboard.mouse":
            terminal.set_mouse(self, wanted=self.preferences.flag(key))
        self._choose_look()
        self._wear_look()
        for screen in self.screen_stack:
            if isinstance(screen, (Page, SettingsScreen)):
                screen.use(self.palette, self.look)

    def _choose_look(self) -> None:
        """Colours and signs, as the terminal and the settings have it."""
        chosen = self.preferences
        self.look = terminal.choose(
            env=self.env,
            colour_system=self.console.color_system,
            glyphs=chosen.text("dashboard.glyphs"),
            theme=chosen.text("dashboard.theme"),
            graphs=chosen.text("dashboard.graphs"),
            accessible=chosen.flag("dashboard.accessible"),
        )
        self.palette = Palette(self.look.tier, dark=self.look.dark, is_ascii=self.look.glyphs.is_ascii)

    def _wear_look(self) -> None:
        self.theme = self.palette.theme
        self.set_class(self.look.glyphs.is_ascii, "-ascii")
        self.main.max_temp_c = int(self.settings["gpu.maxTempC"].value or 0)

    def _apply_keys(self) -> None:
        self.keymap = keymap(self.preferences.keys, actions.ACTIONS)
        self.set_keymap(self.keymap)

    def alert(self, text: str) -> None:
        """A sign for who looks elsewhere: a run has ended, or needs a person."""
        how = self.preferences.text("dashboard.notify")
        if how in ("bell", "both"):
            osc.write(self, osc.BELL)
        if how in ("osc9", "both"):
            osc.write(self, osc.notify(text, self.env))
