"""All settings for a person to change: what holds now, who said so, and what else could be said."""

from __future__ import annotations

from backprop_tui.config.dashboard import defaults, preferences
from backprop_tui.config.describe import value_text
from backprop_tui.config.resolve import resolve
from backprop_tui.config.screen import DASHBOARD
from backprop_tui.config.settings import SETTINGS
from backprop_tui.config.wording import allowed
from backprop_tui.errors import ConfigError
from backprop_tui.frozen import Frozen
from backprop_tui.model.spec import SettingValue
from backprop_tui.paths import user_config_file
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.config.settings import Setting

DEFAULT, USER, PROJECT, ENVIRONMENT = "default", "you", "project", "environment"
RUNS, SCREEN = "RUNS", "DASHBOARD"


class Entry(Frozen):
    """One setting."""

    setting: Setting
    group: str
    """RUNS or SCREEN."""
    value: str
    """As people read it."""
    raw: object
    """As it is kept; None where nothing is set."""
    source: str
    """DEFAULT, USER, PROJECT or ENVIRONMENT."""
    origin: str
    """The file or the variable."""

    @property
    def key(self) -> str:
        return self.setting.key

    @property
    def choices(self) -> tuple[str, ...]:
        """What it can be, where that is a short list."""
        return ("true", "false") if self.setting.kind == "boolean" else self.setting.choices

    @property
    def allowed(self) -> str:
        """What it can be, in words."""
        return allowed(self.setting)


class Listing(Frozen):
    """All settings, and what is wrong with where they come from."""

    entries: tuple[Entry, ...]
    problem: str = ""
    """Words for a person; the defaults are listed where a source cannot be read."""


def listing(*, cwd: str, env: Mapping[str, str]) -> Listing:
    """The settings of a run that would be started in `cwd`, and the dashboard's."""
    problems: list[str] = []
    runs = {setting.key: SettingValue(value=setting.default, origin=DEFAULT) for setting in SETTINGS}
    try:
        runs = resolve(flags={}, env=env, cwd=cwd).settings
    except ConfigError as error:
        problems.append(_said(error))
    screen = defaults().settings
    try:
        screen = preferences(env).settings
    except ConfigError as error:
        problems.append(_said(error))
    user_file = printable(user_config_file(env))
    entries = [_entry(setting, RUNS, runs[setting.key], user_file) for setting in SETTINGS]
    entries += [_entry(setting, SCREEN, screen[setting.key], user_file) for setting in DASHBOARD]
    return Listing(entries=tuple(entries), problem=problems[0] if problems else "")


def _entry(setting: Setting, group: str, found: SettingValue, user_file: str) -> Entry:
    word, _, rest = found.origin.partition(" ")
    if found.origin == DEFAULT:
        source, origin = DEFAULT, ""
    elif found.origin == user_file:
        source, origin = USER, user_file
    elif word == ENVIRONMENT:
        source, origin = ENVIRONMENT, rest
    else:
        source, origin = PROJECT, found.origin
    return Entry(
        setting=setting,
        group=group,
        value=value_text(setting, found.value),
        raw=found.value,
        source=source,
        origin=origin,
    )


def _said(error: ConfigError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
