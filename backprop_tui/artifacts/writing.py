"""Sees whether a checkpoint is being written right now."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

QUIET_S = 1.0
"""A file that did not change for this long is not being written."""
_MAX_ENTRIES = 2000
_TEMPORARY = (".tmp", ".part", ".partial", ".incomplete")


class WriteWatch:
    """Watches the folders in which a run's checkpoints lie."""

    def __init__(self) -> None:
        self._suffixes: set[str] = set()
        self.folders: tuple[str, ...] = ()

    def learn(self, path: str) -> None:
        """A checkpoint was saved at this path: its folder and kind of name are watched from now on."""
        self._suffixes.add(os.path.splitext(path)[1])
        folder = os.path.dirname(path)
        if folder not in self.folders:
            self.folders = (*self.folders, folder)[-3:]

    def is_writing(self, epoch: float, finished: Mapping[str, tuple[int, int]]) -> bool:
        """Whether a checkpoint file changed within the last second and is not known to be whole.

        Args:
            epoch: now, seconds.
            finished: (size, mtime in ns) of the checkpoints that were judged good, by path.
        """
        return any(self._is_writing_in(folder, epoch, finished, depth=2) for folder in self.folders)

    def _is_writing_in(
        self, folder: str, epoch: float, finished: Mapping[str, tuple[int, int]], depth: int
    ) -> bool:
        try:
            entries = os.scandir(folder)
        except OSError:
            return False
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
                    fresh = epoch - info.st_mtime < 60.0
                    if fresh and depth > 1 and self._is_writing_in(entry.path, epoch, finished, depth - 1):
                        return True
                elif (
                    epoch - info.st_mtime < QUIET_S
                    and (depth < 2 or self._is_checkpoint_name(entry.name))
                    and finished.get(entry.path) != (info.st_size, info.st_mtime_ns)
                ):
                    return True
        return False

    def _is_checkpoint_name(self, name: str) -> bool:
        lower = name.lower()
        return (
            os.path.splitext(name)[1] in self._suffixes - {""}
            or lower.endswith(_TEMPORARY)
            or lower.startswith(("tmp", ".tmp"))
        )
