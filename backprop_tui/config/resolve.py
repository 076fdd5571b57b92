"""One value for each setting, and where it comes from."""

from __future__ import annotations

import os

from backprop_tui import paths
from backprop_tui.config.settings import SETTINGS
from backprop_tui.errors import UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.model.spec import SettingValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.config.settings import Setting


class Resolved(Frozen):
    """All settings, and the files that were read for them."""

    settings: dict[str, SettingValue]
    project_file: str | None
    user_file: str | None


def resolve(
    *,
    flags: Mapping[str, Any],
    env: Mapping[str, str],
    cwd: str,
    config_path: str | None = None,
    inherited: Mapping[str, SettingValue] | None = None,
) -> Resolved:
    """Flag before environment before project before user before default.

    Args:
        flags: what was typed, by key; a bool for a flag without a value.
        env: the environment.
        cwd: where the search for a project file begins.
        config_path: --config, in place of that search.
        inherited: the settings of a run that is resumed: only a flag goes before them.

    Raises:
        UsageError: a flag's value is not allowed.
        ConfigError: the same of a file or the environment.
    """
    project_file = os.path.abspath(config_path) if config_path else paths.project_config_file(cwd)
    project: dict[str, Any] = {}
    if project_file is not None:
        from backprop_tui.config.project import read_project

        project = read_project(project_file)
    user_file: str | None = paths.user_config_file(env)
    user: dict[str, Any] | None = None
    if user_file is not None and os.path.lexists(user_file):
        from backprop_tui.config.user import read_user

        user = read_user(user_file)
    if user is None:
        user_file, user = None, {}
    settings = {}
    for setting in SETTINGS:
        own = _own(setting, flags, inherited)
        settings[setting.key] = own or _around(setting, env, (project, project_file or ""), (user, user_file or ""))
    return Resolved(settings=settings, project_file=project_file, user_file=user_file)


def _own(
    setting: Setting, flags: Mapping[str, Any], inherited: Mapping[str, SettingValue] | None
) -> SettingValue | None:
    typed = flags.get(setting.key)
    if typed is None and not (inherited and setting.key in inherited):
        return None
    from backprop_tui.config.values import from_plain, from_text

    if typed is not None:
        read = from_text if isinstance(typed, str) else from_plain
        value = read(setting, typed, setting.flag, UsageError)
        return SettingValue(value=value, origin=f"flag {setting.flag}")
    assert inherited is not None
    value = from_plain(setting, inherited[setting.key].value, f"the run's record: {setting.key}")
    return SettingValue(value=value, origin="run")


def _around(setting: Setting, env: Mapping[str, str], *sources: tuple[dict[str, Any], str]) -> SettingValue:
    if setting.env in env:
        from backprop_tui.config.values import from_text

        value = from_text(setting, env[setting.env], setting.env)
        return SettingValue(value=value, origin=f"environment {setting.env}")
    for content, path in sources:
        if setting.key in content:
            return SettingValue(value=content[setting.key], origin=path)
    return SettingValue(value=setting.default, origin="default")
