"""Compares a checkpoint that may have been cut with the ones before it."""

from __future__ import annotations

import os

from backprop_tui.artifacts.content import look
from backprop_tui.model.ordering import numbers_in
from backprop_tui.text import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.artifacts.content import Content


def family_of(path: str) -> tuple[str, str]:
    """What checkpoints have in common that differ only in the numbers of their names: folder and name."""
    folder, name = os.path.split(path)
    return folder, numbers_in(name)[0]


def missing_part(path: str, content: Content, known: Iterable[str]) -> str:
    """A file that the newest other checkpoint of its family holds and this folder does not; "" if there is none.

    Args:
        path: the folder.
        content: what lies in it.
        known: paths of checkpoints, the newest last.
    """
    family = family_of(path)
    for other in reversed(tuple(known)):
        if other != path and family_of(other) == family and (sibling := _look(other)) is not None:
            missing = sorted(_names(sibling) - _names(content))
            return short(missing[0], 80) if missing else ""
    return ""


def _look(path: str) -> Content | None:
    try:
        content = look(path)
    except OSError:
        return None
    return content if content is not None and content.form == "folder" else None


def _names(content: Content) -> set[str]:
    return {numbers_in(entry.name)[0] for entry in content.entries if entry.form == "file"}
