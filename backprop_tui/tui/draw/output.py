"""Lines of a script's output."""

from __future__ import annotations


def line_style(text: str) -> str:
    """The colour of a line: saved, warned, or went wrong."""
    lower = text.lower()
    if "checkpoint" in lower and ("saved" in lower or "saving" in lower):
        return "ok"
    if lower.startswith("traceback") or "error:" in lower or "exception:" in lower:
        return "bad"
    return "hold" if "warning" in lower else ""
