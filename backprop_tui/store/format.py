"""The version of the records, and how they are written."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.frozen import Frozen

VERSION = 1


def to_record(value: Frozen) -> dict[str, Any]:
    """The JSON form, with the format's version."""
    return {"version": VERSION, **value.plain()}
