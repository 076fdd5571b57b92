"""What a person types to find runs, and the SQL that finds them. Pure: text in, text and values out."""

from __future__ import annotations

import re
import time

from backprop_tui.frozen import Frozen
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SORTS: dict[str, tuple[str, bool]] = {
    "age": ("at", True),
    "name": ("name COLLATE NOCASE", False),
    "status": ("state", False),
    "took": ("took_s", True),
    "steps": ("steps", True),
    "loss": ("loss_order", False),
    "checkpoints": ("checkpoints", True),
}
"""By name: (expression, whether the largest comes first unless reversed)."""
_TEXTS = {
    "status": "state", "state": "state", "tag": "tags", "script": "script", "name": "name", "note": "note",
    "reason": "reason", "id": "id", "host": "host",
}  # fmt: skip
_NUMBERS = {"loss": "loss_order", "best": "best_loss", "steps": "steps", "step": "steps", "ckpt": "checkpoints"}
_TIMES = {"age": "at", "took": "took_s"}
_SPAN = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "mo": 2592000.0, "y": 31536000.0}
_COMPARISON = re.compile(r"([a-z]+)(<=|>=|<|>|=)(.+)")
_BEGUN = re.compile(f"({'|'.join((*_NUMBERS, *_TIMES))})(<=|>=|<|>|=)")
_TIME = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(s|m|h|d|w|mo|y)?")
_MAX_WORDS, _MAX_WORD = 16, 200


class Condition(Frozen):
    """One word of a filter as SQL."""

    sql: str
    values: tuple[Any, ...]


def conditions(text: str, now: float | None = None) -> list[Condition]:
    """Each word of a filter; a run must meet all. What is no known form is looked for as it stands.

    Args:
        text: words such as `lora status:failed tag:nlp loss<2 age<2d script:train -smoke *`.
        now: epoch seconds, for ages.
    """
    moment = time.time() if now is None else now
    return [_condition(word, moment) for word in _words(text) if not _is_begun(word)]


def _words(text: str) -> list[str]:
    """The words that count: so many, each so long, and nothing in them that a database cannot hold."""
    clean = text.encode("utf-8", "replace").decode().lower()
    return [word[:_MAX_WORD] for word in clean.split()[:_MAX_WORDS]]


def _is_begun(word: str) -> bool:
    """A field whose value is still to be typed asks for nothing yet."""
    bare = word.lstrip("-")
    return not bare or (bare[-1] == ":" and bare[:-1] in _TEXTS) or _BEGUN.fullmatch(bare) is not None


def _condition(word: str, now: float) -> Condition:
    if word == "*":
        return Condition(sql="star = 1", values=())
    if (bare := word.lstrip("-")) and bare != word:
        inner = _condition(bare, now)
        if (len(word) - len(bare)) % 2 == 0:
            return inner
        return Condition(sql=f"NOT coalesce({inner.sql}, 0)", values=inner.values)
    field, colon, value = word.partition(":")
    if colon and value and field in _TEXTS:
        return _text(_TEXTS[field], value)
    if (match := _COMPARISON.fullmatch(word)) is not None and (found := _compared(*match.groups(), now=now)):
        return found
    return Condition(sql="instr(hay, ?) > 0", values=(word,))


def _text(column: str, value: str) -> Condition:
    if column == "state":
        states = {str(state) for state in RunState if str(state).startswith(value)} or {value}
        marks = ",".join("?" * len(states))
        return Condition(sql=f"state IN ({marks})", values=tuple(sorted(states)))
    if column == "tags":  # a whole tag or its beginning
        return Condition(sql="instr(' ' || lower(tags), ' ' || ?) > 0", values=(value,))
    return Condition(sql=f"instr(lower({column}), ?) > 0", values=(value,))


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def _compared(field: str, sign: str, value: str, *, now: float) -> Condition | None:
    if field in _TIMES:
        match = _TIME.fullmatch(value)
        if match is None:
            return None
        seconds = float(match[1]) * _SPAN[match[2] or "s"]
        if field == "age":  # the younger, the later it ended
            return Condition(sql=f"at {_MIRRORED[sign]} ?", values=(now - seconds,))
        return Condition(sql=f"took_s {sign} ?", values=(seconds,))
    if field not in _NUMBERS:
        return None
    try:
        number = float(value.replace(",", ""))
    except ValueError:
        return None
    return Condition(sql=f"{_NUMBERS[field]} {sign} ?", values=(number,))


def unknown_field(text: str) -> str:
    """The first word of a filter that asks for a field there is none of, or for no value of one; "" if none does."""
    for word in _words(text):
        bare = word.lstrip("-")
        field, colon, _value = bare.partition(":")
        match = _COMPARISON.fullmatch(bare)
        if colon and field.isalpha() and field not in _TEXTS:
            return word
        if match is not None and _compared(*match.groups(), now=0.0) is None:
            return word
    return ""
