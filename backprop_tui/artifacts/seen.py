"""What a walk over a training's folders comes across."""

from __future__ import annotations

from backprop_tui.frozen import Frozen


class Seen(Frozen):
    """A file or folder that changed."""

    path: str
    size: int
    mtime_ns: int
    is_folder: bool = False
