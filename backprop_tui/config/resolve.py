"""Decides what each setting is, and remembers who said so.

The readers of files are imported where there is a file: most starts have none.
"""

from __future__ import annotations

import os
import stat

from backprop_tui.config.settings import DASHBOARD_ENV_PREFIX, ENV_PREFIX, SETTINGS, by_key
from backprop_tui.config.values import from_plain, from_text
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError, UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.model.spec import SettingValue
from backprop_tui.paths import project_config_file, user_config_file
from backprop_tui.text import printable, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.config.settings import Setting


class Resolved(Frozen):
    """Every setting's value with its origin, and the files that were read."""

    settings: dict[str, SettingValue]
    """By key, all of them, in the table's order."""
    project_file: str | None = None
    user_file: str | None = None


def resolve(
    *,
    flags: Mapping[str, Any],
    env: Mapping[str, str],
    cwd: str,
    config_path: str | None = None,
    inherited: Mapping[str, SettingValue] | None = None,
) -> Resolved:
    """Flag, else the resumed run's value, else environment, else project, else user, else default.

    Args:
        flags: by key: a flag's text, or a bool for a switch; None counts as not given.
        env: the environment.
        cwd: where the search for a project file starts; the base of a relative `config_path`.
        config_path: the project file that --config names, instead of a search.
        inherited: the settings of the run that is resumed.

    Raises:
        UsageError: a flag's value is not allowed, or there is no file at `config_path`.
        ConfigError: the same for a variable or a file.
        KeyError: `flags` names no setting.
    """
    flags = {by_key(key).key: raw for key, raw in flags.items() if raw is not None}
    known = {key: _from_flag(by_key(key), raw) for key, raw in flags.items()}
    for setting in SETTINGS:
        if setting.key not in known and inherited and setting.key in inherited:
            value = from_plain(setting, inherited[setting.key].value, f"the run's record: {setting.key}")
            known[setting.key] = SettingValue(value=value, origin="run")
    project_file = user_file = None
    layers: list[dict[str, SettingValue]] = [known]
    # What a run brings along is enough to resume it, even where a file is broken by now.
    if config_path is not None or len(known) < len(SETTINGS):
        layers.append(_from_env(env, known))
        project_file, project = _from_project(cwd, config_path)
        user_file, user = _from_user(env)
        layers += [project, user]
    settings = {
        setting.key: next(
            (layer[setting.key] for layer in layers if setting.key in layer),
            SettingValue(value=setting.default, origin="default"),
        )
        for setting in SETTINGS
    }
    return Resolved(settings=settings, project_file=project_file, user_file=user_file)


def _from_flag(setting: Setting, raw: Any) -> SettingValue:
    read = from_text if isinstance(raw, str) else from_plain
    return SettingValue(value=read(setting, raw, setting.flag, UsageError), origin=f"flag {setting.flag}")


def _from_env(env: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, SettingValue]:
    names = [name for name in env if name.startswith(ENV_PREFIX) and not name.startswith(DASHBOARD_ENV_PREFIX)]
    if not names:
        return {}
    by_name = {setting.env: setting for setting in SETTINGS}
    values: dict[str, SettingValue] = {}
    for name in names:
        setting = by_name.get(name)
        if setting is None:
            from backprop_tui.config.document import nearest
            from backprop_tui.config.screen import DASHBOARD

            known_names = [*by_name, *(setting.env for setting in DASHBOARD)]
            raise ConfigError(f"the environment variable {shown(name)} sets nothing", hint=nearest(name, known_names))
        if env[name].strip() and setting.key not in known:  # empty counts as not set
            value = from_text(setting, env[name], f"${name}")
            values[setting.key] = SettingValue(value=value, origin=f"environment {name}")
    return values


def _from_project(cwd: str, config_path: str | None) -> tuple[str | None, dict[str, SettingValue]]:
    if config_path is not None:
        path = os.path.join(cwd, config_path.removeprefix("./"))
        if not config_path or "\0" in path or not os.path.exists(path):
            raise UsageError(f"--config: there is no file {quoted(config_path)}")
    else:
        found = project_config_file(cwd)
        if found is None:
            return None, {}
        _require_trusted(found)
        path = found
    from backprop_tui.config.project import read_project

    return path, _with_origin(read_project(path), path)


def _require_trusted(path: str) -> None:
    """Keep a file that a stranger left in a folder such as /tmp from choosing the interpreter."""
    try:
        owner = os.lstat(path).st_uid
        folder = os.stat(os.path.dirname(path))
    except OSError:
        return  # reading it says why
    if owner not in (os.getuid(), 0, folder.st_uid) and folder.st_mode & stat.S_IWOTH:
        raise ConfigError(
            f"{printable(path)} belongs to another user, in a folder that everyone may write to",
            hint="name it with --config if you trust it, or work in a folder of your own",
        )


def _from_user(env: Mapping[str, str]) -> tuple[str | None, dict[str, SettingValue]]:
    path = user_config_file(env)
    if not is_there(path):
        return None, {}
    from backprop_tui.config.user import read_user

    return path, _with_origin(read_user(path), path)


def is_there(path: str) -> bool:
    """Whether something is at a path, readable or not: reading it says what is wrong with it."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _with_origin(values: dict[str, Any], path: str) -> dict[str, SettingValue]:
    origin = printable(path)
    return {key: SettingValue(value=value, origin=origin) for key, value in values.items()}
