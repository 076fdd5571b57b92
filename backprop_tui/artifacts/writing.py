"""Sees whether a checkpoint is being written right now."""

from __future__ import annotations

import os

from backprop_tui.artifacts.content import is_temporary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET_S = 1.0
"""A file that did not change for this long is not being written."""
LOOK_S = 0.1
_MAX_ENTRIES = 2000
_MAX_KINDS = 16


class WriteWatch:
    """Watches the folders in which a run's checkpoints lie. What counts is that a file grows."""

    def __init__(self) -> None:
        self._suffixes: dict[str, None] = {}
        self._stems: dict[str, None] = {}
        """Names of reported checkpoints without their numbers."""
        self.folders: tuple[str, ...] = ()
        self._sizes: dict[str, int] = {}
        self._looked = float("-inf")
        self._grew: dict[str, float] = {}
        """When each unfinished checkpoint was last seen to grow, epoch seconds."""

    def learn(self, path: str) -> None:
        """A checkpoint was saved at this path: its folder and kind of name are watched from now on."""
        folder, name = os.path.split(path)
        self._suffixes = _with_newest(self._suffixes, os.path.splitext(name)[1])
        self._stems = _with_newest(self._stems, _stem(name))
        if folder not in self.folders:
            self.folders = (*self.folders, folder)[-3:]

    def is_writing(self, epoch: float, finished: Mapping[str, tuple[int, int]]) -> bool:
        """Whether a checkpoint grew within the last second.

        Whoever sees a file for the first time cannot know: one that changed just now and is not known to be whole
        counts, whether or not somebody else has looked before it was there.

        Args:
            epoch: now, seconds.
            finished: (size, mtime in ns) of the checkpoints that were judged good, by path.
        """
        if epoch - self._looked >= LOOK_S:
            self._looked = epoch
            fresh = [found for folder in self.folders for found in self._fresh_in(folder, epoch, depth=2)]
            unknown = [(path, info) for path, info in fresh if finished.get(path) != _stamp(info)]
            for path, info in unknown:
                if path not in self._sizes or info.st_size > self._sizes[path]:
                    self._grew[path] = epoch
            self._sizes = {path: info.st_size for path, info in unknown}
            # One that was judged whole meanwhile is not waited for any longer.
            self._grew = {path: t for path, t in self._grew.items() if path in self._sizes}
        return any(epoch - t < QUIET_S for t in self._grew.values())

    def _fresh_in(self, folder: str, epoch: float, depth: int) -> list[tuple[str, os.stat_result]]:
        """Checkpoint files that changed within the last second."""
        found: list[tuple[str, os.stat_result]] = []
        try:
            entries = os.scandir(folder)
        except (OSError, ValueError):
            return found
        with entries:
            for count, entry in enumerate(entries):
                if count >= _MAX_ENTRIES:
                    break
                try:
                    info = entry.stat(follow_symlinks=False)
                    is_folder = entry.is_dir(follow_symlinks=False)
                except OSError:
                    continue
                if is_folder:
                    if depth > 1 and (_stem(entry.name) in self._stems or is_temporary(entry.name)):
                        found += self._fresh_in(entry.path, epoch, depth - 1)
                elif epoch - info.st_mtime < QUIET_S and (depth < 2 or self._is_checkpoint_name(entry.name)):
                    found.append((entry.path, info))
        return found

    def _is_checkpoint_name(self, name: str) -> bool:
        lower, suffix = name.lower(), os.path.splitext(name)[1]
        return (bool(suffix) and suffix in self._suffixes) or is_temporary(lower)


def _stem(name: str) -> str:
    return "".join(sign for sign in name if not sign.isdigit())[:64]


def _with_newest(known: dict[str, None], text: str) -> dict[str, None]:
    """The newest few different texts; a script may invent one a step."""
    kept = {old: None for old in known if old != text}
    return {**dict.fromkeys(list(kept)[-(_MAX_KINDS - 1) :]), text[:64]: None}


def _stamp(info: os.stat_result) -> tuple[int, int]:
    return info.st_size, info.st_mtime_ns
