"""Which checkpoint a file is, or belongs to: by its name, by the folders around it, by what a person watches."""

from __future__ import annotations

import os

from backprop_tui.artifacts.names import (
    FOLDER_MARKS,
    WEIGHTS,
    WHOLE,
    Name,
    is_passing,
    read_file_name,
    read_folder_name,
)
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.artifacts.places import Places
    from backprop_tui.artifacts.watching import Watch

_EXPORT = "saved_model.pb"


class Part(Frozen):
    """The checkpoint that a file is a part of."""

    path: str
    name: Name
    is_watched: bool = False
    """A person asked to watch it: its name needs to say nothing."""


class Belonging:
    """Answers for the files of one look: a folder's marks are looked for once."""

    def __init__(self, places: Places, watch: Watch | None) -> None:
        self._places = places
        self._watch = watch
        self._marks: dict[str, str] = {}

    def of(self, path: str) -> Part | None:
        """The outermost folder that is a checkpoint, else the file itself if it is one."""
        for folder in self._folders_above(path):
            base = os.path.basename(folder)
            is_top = folder in self._places.tops
            if is_passing(base) and not is_top:
                return None
            if self._watch is not None and self._watch.matches(folder, is_folder=True):
                return Part(path=folder, name=read_folder_name(base) or _sure(base), is_watched=True)
            name = None if is_top else read_folder_name(base)
            mark = self._mark_in(folder)
            if mark:
                found = name or _sure(base, WEIGHTS if mark == _EXPORT else WHOLE)
                return Part(path=folder, name=found.replace(level="sure"))
            if name is not None and name.level == "sure":
                return Part(path=folder, name=name)
        return self._alone(path)

    def _alone(self, path: str) -> Part | None:
        folder, base = os.path.split(path)
        name = read_file_name(base)
        if self._watch is not None and self._watch.matches(path) and not is_passing(base):
            return Part(path=path, name=(name or _sure(base)).replace(name=base), is_watched=True)
        return None if name is None else Part(path=os.path.join(folder, name.name), name=name)

    def _folders_above(self, path: str) -> list[str]:
        """The folders around a file up to where its walk began, outermost first; the working directory is none."""
        found: list[str] = []
        folder = os.path.dirname(path)
        while folder not in self._places.tops and len(folder) > 1:
            found.append(folder)
            folder = os.path.dirname(folder)
        if folder in self._places.tops and folder != self._places.cwd:
            found.append(folder)
        return found[::-1]

    def _mark_in(self, folder: str) -> str:
        if folder not in self._marks:
            self._marks[folder] = mark_in(folder)
        return self._marks[folder]


def mark_in(folder: str) -> str:
    """The file that makes this folder a checkpoint, "" if there is none."""
    return next((mark for mark, also in FOLDER_MARKS.items() if _has(folder, mark) and _has(folder, also)), "")


def is_checkpoint_folder(path: str) -> bool:
    """Whether a folder is a checkpoint by its name or by its marks."""
    name = read_folder_name(os.path.basename(path))
    return (name is not None and name.level == "sure") or bool(mark_in(path))


def _has(folder: str, name: str) -> bool:
    return os.path.lexists(os.path.join(folder, name))


def _sure(base: str, rank: int = WHOLE) -> Name:
    return Name(name=base, level="sure", rank=rank)
