"""The settings screen on files of its own: what is shown, what is written, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from backprop_tui.config.screen import DASHBOARD
from backprop_tui.config.settings import SETTINGS
from backprop_tui.tui import terminal
from backprop_tui.tui.palette import Palette, themes
from backprop_tui.tui.screens.settings import SettingsScreen
from backprop_tui.tui.widgets.canvas import Canvas

SIZES = [(80, 24), (120, 40), (60, 18), (40, 12), (20, 6)]


class Host(App[None]):
    """Nothing but the screen."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, folder: Path, env: dict[str, str], **wishes: str) -> None:
        super().__init__()
        self.user = folder / "config" / "backprop" / "config.toml"
        self.told: list[str] = []
        look = terminal.choose(env=env, colour_system="truecolor", **wishes)  # type: ignore[arg-type]
        palette = Palette(look.tier, dark=look.dark)
        for theme in themes():
            self.register_theme(theme)
        self.theme = palette.theme
        self.settings = SettingsScreen(palette, look, cwd=str(folder), env=env, on_change=self.told.append)

    async def on_mount(self) -> None:
        await self.push_screen(self.settings)

    @property
    def text(self) -> str:
        canvases = sorted(self.settings.query(Canvas), key=lambda canvas: canvas.region.y)
        return "\n".join(canvas.text for canvas in canvases)

    @property
    def written(self) -> str:
        return self.user.read_text() if self.user.exists() else ""

    @property
    def cursor(self) -> str:
        entry = self.settings.current
        return entry.key if entry else ""


Play = Callable[[Host, Pilot[None]], Awaitable[None]]


@pytest.fixture
def perform(tmp_path, monkeypatch):
    """Show the screen over a project's folder and let it be played with."""

    def user_file(env):
        return str(tmp_path / "config" / "backprop" / "config.toml")

    for module in ("config.resolve", "config.dashboard", "config.listing", "tui.screens.settings"):
        monkeypatch.setattr(f"backprop_tui.{module}.user_config_file", user_file)
    (tmp_path / ".git").mkdir()

    def perform(play: Play, *, size=(80, 24), env=None, user="", project="", **wishes):
        if user:
            Path(user_file({})).parent.mkdir(parents=True)
            Path(user_file({})).write_text(user)
        if project:
            (tmp_path / "backprop.config.json").write_text(project)

        async def show() -> None:
            host = Host(tmp_path, {"TERM": "xterm", **(env or {})}, **wishes)
            async with host.run_test(size=size) as pilot:
                await pilot.pause()
                await play(host, pilot)

        asyncio.run(show())

    return perform


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def go_to(host: Host, pilot: Pilot[None], key: str) -> None:
    for _ in range(len(SETTINGS) + len(DASHBOARD)):
        if host.cursor == key:
            return
        await press(pilot, "j")
    raise AssertionError(f"{key} is not in the list")


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(perform, size):
    async def play(host, pilot):
        assert "maxRunMinutes" in host.text or size[0] < 40
        assert all(len(line) <= size[0] - 2 for line in host.text.splitlines())
        inside = host.settings.query_one("#settings").region
        assert inside.width <= size[0]
        assert inside.height <= size[1]
        await press(pilot, "G")
        assert "accessible" in host.text or size[0] < 40

    perform(play, size=size)


def test_all_settings_are_listed_with_value_and_source(perform):
    async def play(host, pilot):
        seen = host.text
        for _ in range(4):
            await press(pilot, "pagedown")
            seen += host.text
        for setting in (*SETTINGS, *DASHBOARD):
            assert setting.key in seen
        assert "RUNS" in seen
        assert "DASHBOARD" in seen

    perform(play)


def test_moving(perform):
    first, last = SETTINGS[0].key, DASHBOARD[-1].key

    async def play(host, pilot):
        for keys, expected in [
            (["j"], SETTINGS[1].key),
            (["down", "k", "up"], first),
            (["k"], first),
            (["G"], last),
            (["j"], last),
            (["pageup"] * 9, first),
            (["end"], last),
            (["g"], first),
        ]:
            await press(pilot, *keys)
            assert host.cursor == expected
            assert f"{host.settings._look.glyphs.cursor} {expected}" in host.text

    perform(play)


def test_what_the_one_under_the_cursor_is_about(perform):
    async def play(host, pilot):
        assert SETTINGS[0].help in host.text
        await go_to(host, pilot, "dashboard.theme")
        assert "[auto]   dark    light" in host.text

    perform(play)


def test_a_choice_is_changed_at_once_and_told(perform):
    async def play(host, pilot):
        await go_to(host, pilot, "dashboard.theme")
        await press(pilot, "enter")
        assert host.written == '[dashboard]\ntheme = "dark"\n'
        assert "[dark]" in host.text
        assert "your settings" in host.text
        await press(pilot, "right")
        assert 'theme = "light"' in host.written
        await press(pilot, "right", "left", "left")
        assert 'theme = "dark"' in host.written
        assert host.told == ["dashboard.theme"] * 5

    perform(play)


def test_a_boolean_turns(perform):
    async def play(host, pilot):
        await go_to(host, pilot, "dashboard.mouse")
        await press(pilot, "enter")
        assert "mouse = false" in host.written
        await press(pilot, "enter")
        assert "mouse = true" in host.written

    perform(play)


def test_a_value_is_typed(perform):
    async def play(host, pilot):
        await press(pilot, "enter")
        assert host.settings.value.placeholder.startswith("minutes above 0")
        assert host.settings.value.value == "10"
        await press(pilot, "4", "5", "s", "enter")
        assert host.written == "maxRunMinutes = 0.75\n"
        assert "45 s" in host.text
        assert host.focused is None

    perform(play)


def test_a_wrong_value_is_said_and_can_be_mended(perform):
    async def play(host, pilot):
        await press(pilot, "enter", "j", "q", "enter")
        assert host.settings.value.value == "jq"
        assert 'maxRunMinutes: found "jq", allowed: minutes above 0' in host.text
        assert (host.written, host.told) == ("", [])
        await press(pilot, "backspace", "backspace", "3")
        assert "found" not in host.text
        await press(pilot, "enter")
        assert host.written == "maxRunMinutes = 3\n"

    perform(play)


def test_escape_leaves_a_value_as_it_is(perform):
    async def play(host, pilot):
        await press(pilot, "enter", "3", "escape")
        assert host.focused is None
        assert host.screen is host.settings
        assert host.written == ""
        await press(pilot, "escape")
        assert host.screen is not host.settings

    perform(play)


def test_none_is_a_value_where_there_is_a_word_for_it(perform):
    async def play(host, pilot):
        await go_to(host, pilot, "maxLogMB")
        await press(pilot, "enter", *"none", "enter")
        assert host.written == 'maxLogMB = "none"\n'
        await press(pilot, "enter")
        assert host.settings.value.value == ""

    perform(play)


@pytest.mark.parametrize("key", ["d", "backspace"])
def test_back_to_the_default(perform, key):
    async def play(host, pilot):
        assert "30 minutes" in host.text
        await press(pilot, key)
        assert host.written == "# mine\n"
        assert "10 minutes" in host.text
        assert host.told == ["maxRunMinutes"]

    perform(play, user="# mine\nmaxRunMinutes = 30\n")


def test_filter_while_typing(perform):
    async def play(host, pilot):
        await press(pilot, "slash", *"graph")
        assert host.cursor == "dashboard.graphs"
        assert "maxRunMinutes" not in host.text
        await press(pilot, "enter")
        assert host.focused is None
        await press(pilot, "enter")
        assert 'graphs = "braille"' in host.written
        await press(pilot, "escape")
        assert "resume.arg" in host.text
        assert host.screen is host.settings
        assert host.cursor == "dashboard.graphs"

    perform(play)


def test_a_filter_that_nothing_matches(perform):
    async def play(host, pilot):
        await press(pilot, "slash", *"zzz", "enter")
        assert "No setting matches. esc clears." in host.text
        await press(pilot, "enter", "d", "right", "j", "pagedown")
        assert host.written == ""
        await press(pilot, "escape")
        assert "maxRunMinutes" in host.text

    perform(play)


def test_who_stands_above_the_user_is_said_and_the_change_is_kept(perform, tmp_path):
    async def play(host, pilot):
        assert "project file wins here" in host.text
        await press(pilot, "enter", "3", "enter")
        assert host.written == "maxRunMinutes = 3\n"
        assert "20 minutes" in host.text
        assert "backprop.config.json wins here" in host.text
        await go_to(host, pilot, "dashboard.notify")
        assert "environment BACKPROP_SET_DASHBOARD_NOTIFY wins here" in host.text

    perform(play, project='{"maxRunMinutes": 20}', env={"BACKPROP_SET_DASHBOARD_NOTIFY": "off"})


def test_a_broken_file_is_said_and_left_alone(perform):
    async def play(host, pilot):
        assert "broken TOML" in host.text
        await press(pilot, "G", "enter")
        assert "broken TOML" in host.text
        assert (host.written, host.told) == ("theme = \n", [])

    perform(play, user="theme = \n")


def test_comments_that_could_not_be_kept_are_named(perform):
    async def play(host, pilot):
        await go_to(host, pilot, "gpu.maxTempC")
        await press(pilot, "enter", "7", "0", "enter")
        assert "maxTempC = 70" in host.written
        assert "its comments are kept in" in host.text

    perform(play, user='gpu = {probe = "none"} # mine\n', size=(120, 40))


def test_hostile_values_are_text(perform):
    async def play(host, pilot):
        await press(pilot, "slash", *"interpreter", "enter")
        assert "[red]\\x1b[31m" in host.text
        assert "\x1b" not in host.text

    perform(play, project='{"python": "[red]\\u001b[31m"}')


@pytest.mark.parametrize(("glyphs", "env"), [("ascii", {}), ("ascii", {"NO_COLOR": "1"})])
def test_in_ascii_all_is_ascii(perform, glyphs, env):
    async def play(host, pilot):
        for _ in range(3):
            assert host.text.isascii()
            await press(pilot, "pagedown")
        assert host.settings.has_class("-ascii")

    perform(play, glyphs=glyphs, env=env)


def test_other_colours_and_signs_while_it_is_open(perform):
    async def play(host, pilot):
        look = terminal.choose(env={"TERM": "xterm"}, colour_system="256", theme="light", glyphs="ascii")
        host.settings.use(Palette(look.tier, dark=look.dark), look)
        await pilot.pause()
        assert "> maxRunMinutes" in host.text
        assert all(canvas.palette.theme == "backprop-256-light" for canvas in host.settings.query(Canvas))

    perform(play, glyphs="unicode")


def test_the_mouse_moves_the_cursor_and_changes(perform):
    async def play(host, pilot):
        await pilot.click("#list", offset=(5, 3))
        await pilot.pause()
        assert host.cursor == SETTINGS[2].key
        await pilot.click("#list", offset=(5, 0))
        await pilot.pause()
        assert host.cursor == SETTINGS[2].key
        framework = next(n for n, setting in enumerate(SETTINGS, 1) if setting.key == "framework")
        await pilot.click("#list", offset=(5, framework), times=2)
        await pilot.pause()
        assert 'framework = "pytorch"' in host.written

    perform(play)
