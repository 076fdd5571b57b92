"""Words that come from drivers and tools, made fit for a screen and a record."""

from __future__ import annotations


def clean(raw: object, limit: int = 80) -> str:
    """One printable line of at most `limit` characters; bytes are read as UTF-8."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    words = "".join(sign if sign.isprintable() else " " for sign in text[: limit * 4]).split()
    line = " ".join(words)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(raw: str | bytes) -> float | None:
    """A finite number, or None for anything else, such as "[N/A]" or "ERR!"."""
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if -1e18 < value < 1e18 else None


def within(value: float | None, low: float, high: float) -> int | None:
    """The value as a whole number if it lies in the range a sensor can mean, else None."""
    return round(value) if value is not None and low <= value <= high else None
