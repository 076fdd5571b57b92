"""Reads one value, from text or from JSON and TOML, or says what was found and what is allowed."""

from __future__ import annotations

import math

from backprop_tui.config.wording import SHOWN, allowed, shown
from backprop_tui.errors import BackpropError, ConfigError
from backprop_tui.model.spec import RERUN
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from backprop_tui.config.setting import Setting

MAX_PATH = 4096
"""Characters; no system takes a longer one."""
MAX_NUMBER_TEXT = 40
"""Characters of a number or a time."""
MAX_PATTERN = 1000
MAX_ITEMS = 50
COUNTERS = frozenset({"step", "epoch", "total"})
"""Groups of a metric pattern that count."""
PLACEHOLDERS = ("checkpoint", "checkpoint_dir", "step")
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
DURATION_PATTERN = (
    rf"^(?=[0-9.])(?:({_NUMBER}) ?d ?)?(?:({_NUMBER}) ?h ?)?(?:({_NUMBER}) ?m(?:in)? ?)?(?:({_NUMBER}) ?s)?$"
)
MEMORY_PATTERN = rf"^({_NUMBER}) ?(%|[MmGgTt](?:[Ii]?[Bb])?)?$"
NUMBER_PATTERN = rf"^{_NUMBER}$"
_UNIT_SECONDS = (86400, 3600, 60, 1)
_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class _NotAllowed(ValueError):
    """Becomes a message that says what is allowed."""


def from_text(setting: Setting, text: str, where: str, error: type[BackpropError] = ConfigError) -> Any:
    """The value that a flag's or a variable's text stands for.

    Args:
        setting: what is set.
        text: what a person wrote.
        where: the flag or the variable, as errors name it.
        error: the class to raise.

    Raises:
        BackpropError: of class `error`, when the text stands for no allowed value.
    """
    plain: Any = text if setting.kind == "path" else text.strip()
    try:
        if setting.none_word and plain == setting.none_word:
            plain = None
        elif setting.kind in ("number", "integer"):
            plain = _text_number(plain)
        elif setting.kind == "boolean":
            plain = _TRUTH[plain.lower()]
        return _read(setting, plain)
    except (ValueError, KeyError) as problem:
        raise error(_complaint(setting, text, where, problem)) from None


def from_plain(setting: Setting, value: Any, where: str, error: type[BackpropError] = ConfigError) -> Any:
    """The value that JSON's or TOML's value stands for; its type counts.

    Args:
        setting: what is set.
        value: as the parser gave it.
        where: the file and the key, as errors name them.
        error: the class to raise.

    Raises:
        BackpropError: of class `error`, when it is no allowed value.
    """
    try:
        return _read(setting, value)
    except (ValueError, OverflowError) as problem:
        raise error(_complaint(setting, value, where, problem)) from None


def _read(setting: Setting, value: Any) -> Any:
    if setting.none_word and (value is None or value == setting.none_word):
        return None
    return _READERS[setting.kind](setting, value)


def _complaint(setting: Setting, found: Any, where: str, problem: Exception) -> str:
    why = f" ({problem})" if isinstance(problem, _NotAllowed) and problem.args else ""
    return f"{where}: found {shown(found)}{why}, allowed: {allowed(setting)}"


def _minutes(setting: Setting, value: Any) -> int | float:
    return _in_range(setting, _duration(value, 60))


def _seconds(setting: Setting, value: Any) -> int | float:
    return _in_range(setting, _duration(value, 1))


def _duration(value: Any, unit_s: int) -> float:
    if not isinstance(value, str):
        return _plain_number(value)
    try:
        return _text_number(value)
    except ValueError:
        import re

        match = re.fullmatch(DURATION_PATTERN, value) if len(value) <= MAX_NUMBER_TEXT else None
        if match is None:
            raise
        parts = zip(match.groups(), _UNIT_SECONDS, strict=True)
        return sum(float(amount) * seconds for amount, seconds in parts if amount) / unit_s


def _number(setting: Setting, value: Any) -> int | float:
    return _in_range(setting, _plain_number(value))


def _integer(setting: Setting, value: Any) -> int:
    number = _number(setting, value)
    if not isinstance(number, int):
        raise _NotAllowed
    return number


def _text_number(text: str) -> float:
    # float() alone would also read nan, inf, 1_000 and the digits of every script.
    if len(text) > MAX_NUMBER_TEXT or not set(text) <= set("0123456789.eE+-"):
        raise _NotAllowed
    return float(text)


def _plain_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _NotAllowed
    return float(value)


def _in_range(setting: Setting, number: float) -> int | float:
    too_small = number <= setting.minimum if setting.is_minimum_excluded else number < setting.minimum
    if not math.isfinite(number) or too_small or number > setting.maximum:
        raise _NotAllowed
    return int(number) if number.is_integer() else number


def _choice(setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or value not in setting.choices:
        raise _NotAllowed
    return value


def _signal(setting: Setting, value: Any) -> str:
    if not isinstance(value, str):
        raise _NotAllowed
    return _choice(setting, "SIG" + value[:SHOWN].upper().removeprefix("SIG"))


def _path(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_PATH or "\0" in value:
        raise _NotAllowed
    return value


def _boolean(_setting: Setting, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _NotAllowed
    return value


def _memory(setting: Setting, value: Any) -> str:
    """One form for all who read it later: a plain number followed by %, MB, GB or TB."""
    amount, unit = _memory_parts(value if isinstance(value, str) else f"{_plain_number(value):.6f}")
    plain = f"{amount:.6f}".rstrip("0").rstrip(".")
    if plain == "0" or amount > setting.maximum:
        raise _NotAllowed
    return plain + (unit if unit == "%" else f"{unit}B")


def _memory_parts(text: str) -> tuple[float, str]:
    import re

    match = re.fullmatch(MEMORY_PATTERN, text) if len(text) <= MAX_NUMBER_TEXT else None
    if match is None:
        raise _NotAllowed
    amount, unit = float(match[1]), (match[2] or "G")[0].upper()
    if unit == "%" and amount > 100:
        raise _NotAllowed
    return amount, unit


def _pattern(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATTERN:
        raise _NotAllowed
    import re

    try:
        groups = re.compile(value).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        raise _NotAllowed(printable(str(error))[:SHOWN])
    if not set(groups) - COUNTERS:
        raise _NotAllowed("it has no group for a metric")
    return value


def _list(value: Any) -> tuple[str, ...]:
    """A list, or text with commas between; blanks around an item and empty items do not count."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or len(items) > MAX_ITEMS:
        raise _NotAllowed
    if not all(isinstance(item, str) and len(item) <= MAX_PATH and "\0" not in item for item in items):
        raise _NotAllowed
    return tuple(dict.fromkeys(item.strip() for item in items if item.strip()))


def _names(setting: Setting, value: Any) -> tuple[str, ...]:
    return tuple(_choice(setting, name) for name in _list(value))


def _globs(_setting: Setting, value: Any) -> tuple[str, ...]:
    return _list(value)


def _template(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_PATH or "\0" in value:
        raise _NotAllowed
    if value.strip() == RERUN:
        return RERUN
    import re
    import shlex

    try:
        words = shlex.split(value)
    except ValueError as error:
        raise _NotAllowed(str(error).lower())
    used = [name for word in words for name in re.findall(r"\{([^{}]*)\}", word)]
    unknown = next((name for name in used if name not in PLACEHOLDERS), None)
    if unknown is not None:
        raise _NotAllowed(f"{{{printable(unknown)[:SHOWN]}}} means nothing")
    if not used and not any(word.startswith("-") or "=" in word for word in words):
        raise _NotAllowed("it names no option")
    return value.strip()


def _goals(_setting: Setting, value: Any) -> tuple[str, ...]:
    from backprop_tui.model.goals import goal_from

    try:
        return tuple(dict.fromkeys(goal_from(item).text for item in _list(value)))
    except _NotAllowed:
        raise
    except ValueError as error:
        raise _NotAllowed(str(error))


def _command(_setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_PATH or "\0" in value:
        raise _NotAllowed
    return value


_READERS: dict[str, Callable[[Setting, Any], Any]] = {
    "minutes": _minutes,
    "seconds": _seconds,
    "number": _number,
    "integer": _integer,
    "choice": _choice,
    "signal": _signal,
    "path": _path,
    "boolean": _boolean,
    "memory": _memory,
    "pattern": _pattern,
    "names": _names,
    "globs": _globs,
    "template": _template,
    "goals": _goals,
    "command": _command,
}
