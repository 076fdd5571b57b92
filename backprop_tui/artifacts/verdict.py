"""Judges a checkpoint: is it there, and is it whole as its kind says?"""

from __future__ import annotations

import os

from backprop_tui.artifacts.content import is_temporary, look
from backprop_tui.artifacts.folders import judge_folder, judge_prefix
from backprop_tui.artifacts.kinds import judge_file
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.artifacts.content import Content

FORMLESS = frozenset(("file", "folder"))
"""Kinds without a form of their own: being there is all that can be asked of them."""


class Verdict(Frozen):
    """What was found out about a checkpoint."""

    kind: str
    """torch, safetensors, hf-trainer, …; "file" and "folder" for what has no form of its own."""
    good: bool
    why: str = ""
    """What is wrong with it, one sentence about "it"; empty when it is good."""
    size: int = 0
    """Bytes, a folder's whole content."""
    stamp: tuple[int, int] = (0, 0)
    """Size and newest mtime in ns, taken before it was judged."""


def judge(path: str) -> Verdict:
    """The verdict on what lies at this path now. Never runs any of its content, never reads all of it."""
    try:
        content = look(path)
    except OSError as error:
        return Verdict(kind="unknown", good=False, why=f"it cannot be looked at: {error.strerror or error}")
    if content is None:
        return Verdict(kind="missing", good=False, why="it is not there")
    kind, why = _find(path, content)
    stamp = content.stamp
    return Verdict(kind=kind, good=not why, why=why, size=stamp[0], stamp=stamp)


def stamp_of(path: str) -> tuple[int, int] | None:
    """Size and newest mtime in ns of what lies at a path; None where nothing does or it cannot be looked at."""
    try:
        content = look(path)
    except OSError:
        return None
    return None if content is None else content.stamp


def _find(path: str, content: Content) -> tuple[str, str]:
    name = os.path.basename(path.rstrip("/"))
    if content.form == "special":
        return "special", "it is not a file but a pipe, a socket or a device"
    if is_temporary(name):
        return "temporary", f"it is a temporary {'folder' if content.form == 'folder' else 'file'}"
    if content.form == "file":
        return judge_file(path, content.entries[0].size)
    if content.form == "prefix":
        return judge_prefix(content)
    return judge_folder(name, content)
