"""Reads a project's settings: backprop.config.json or .backprop.json, or the file that --config names."""

from __future__ import annotations

import json

from backprop_tui.config.document import read_text, settings_of
from backprop_tui.config.settings import PROJECTS, SETTINGS, USERS_OWN
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError
from backprop_tui.paths import user_config_file
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class _Refused(ValueError):
    """JSON's grammar allows it, or Python's reader does; settings do not."""


def read_project(path: str) -> dict[str, Any]:
    """The settings in a project file, checked, by key.

    Raises:
        ConfigError: the file cannot be read, is not JSON (with line and column), or a key or value is wrong.
    """
    name = printable(path)
    text = read_text(path)
    if not text.strip():
        raise ConfigError(f"{name} is empty", hint="the smallest project file is {}")
    data = _parsed(text, name)
    tables = {setting.key.partition(".")[0] for setting in SETTINGS if setting.is_users_own}
    own = next((key for key in (*USERS_OWN, *sorted(tables)) if isinstance(data, dict) and key in data), "")
    if own:
        raise ConfigError(
            f"{name}: {own} is no setting of a project: each person decides it for themselves",
            hint=f"write it to {printable(user_config_file())}",
        )
    return settings_of(data, path, settings=PROJECTS)


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError(f"{name}: broken JSON at {place}: {error.msg}", hint=_hint(text, error.pos)) from None
    except _Refused as error:
        raise ConfigError(f"{name}: {error}") from None
    except (ValueError, RecursionError):  # digits without end, brackets without end
        raise ConfigError(f"{name}: a number is too long or the nesting too deep for settings") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Refused(f"the key {shown(twice)} is there twice; keep one")
    return data


def _no_constant(word: str) -> NoReturn:
    raise _Refused(f"found {word}, which is not JSON; allowed: finite numbers")


def _hint(text: str, position: int) -> str:
    rest = text[position : position + 2]
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments"
    if rest.startswith("'"):
        return 'JSON quotes with " only'
    if rest[:1] in ("}", "]", ",") and text[:position].rstrip().endswith(","):
        return "remove the comma before it"
    if rest.startswith(",") and text[position + 1 :].lstrip()[:1] in ("}", "]"):
        return "remove this comma"
    return ""
