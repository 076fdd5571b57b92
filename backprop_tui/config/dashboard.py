"""What a person wants of the dashboard: the user's own, never a project's, a flag's or a run's."""

from __future__ import annotations

from backprop_tui.config.resolve import is_there
from backprop_tui.config.screen import DASHBOARD
from backprop_tui.config.settings import DASHBOARD_ENV_PREFIX
from backprop_tui.config.values import from_text
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError
from backprop_tui.frozen import Frozen
from backprop_tui.model.spec import SettingValue
from backprop_tui.paths import user_config_file
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ACCESSIBLE_ENV = "ACCESSIBLE"
"""Understood by other terminal programs too."""
_NO = ("", "0", "false", "no", "off")


class Preferences(Frozen):
    """What holds now."""

    settings: dict[str, SettingValue]
    """By key, all of `DASHBOARD`, in its order."""
    keys: dict[str, str]
    """By action id: the keys that a person gave it, with commas."""
    user_file: str | None = None

    def text(self, key: str) -> str:
        """The value of a choice.

        Raises:
            KeyError: there is no such setting.
        """
        return str(self.settings[key].value)

    def flag(self, key: str) -> bool:
        """The value of a boolean.

        Raises:
            KeyError: there is no such setting.
        """
        return bool(self.settings[key].value)


def defaults() -> Preferences:
    """What holds where nobody has said anything, or it cannot be read."""
    found = {setting.key: SettingValue(value=setting.default, origin="default") for setting in DASHBOARD}
    return Preferences(settings=found, keys={})


def preferences(env: Mapping[str, str]) -> Preferences:
    """Environment, else the user's file, else the default.

    Raises:
        ConfigError: a variable or the file holds what is not allowed.
    """
    values: dict[str, SettingValue] = {}
    keys: dict[str, str] = {}
    path = user_config_file(env)
    has_file = is_there(path)
    if has_file:
        from backprop_tui.config.user import read_dashboard

        read, keys = read_dashboard(path)
        values = {key: SettingValue(value=value, origin=printable(path)) for key, value in read.items()}
    values |= _from_env(env)
    start = defaults()
    return Preferences(
        settings={key: values.get(key, value) for key, value in start.settings.items()},
        keys=keys,
        user_file=path if has_file else None,
    )


def _from_env(env: Mapping[str, str]) -> dict[str, SettingValue]:
    by_name = {setting.env: setting for setting in DASHBOARD}
    values: dict[str, SettingValue] = {}
    if env.get(ACCESSIBLE_ENV, "").strip().lower() not in _NO:
        values["dashboard.accessible"] = SettingValue(value=True, origin=f"environment {ACCESSIBLE_ENV}")
    for name, text in env.items():
        if not name.startswith(DASHBOARD_ENV_PREFIX):
            continue
        setting = by_name.get(name)
        if setting is None:
            from backprop_tui.config.document import nearest

            raise ConfigError(f"the environment variable {shown(name)} sets nothing", hint=nearest(name, list(by_name)))
        if text.strip():
            value = from_text(setting, text, f"${name}")
            values[setting.key] = SettingValue(value=value, origin=f"environment {name}")
    return values
