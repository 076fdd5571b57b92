"""What a script's source says of the files it writes: folders by their full path, words of names."""

from __future__ import annotations

import os
import re

from backprop_tui.scripts.modules import project_sources

MAX_FOLDERS = 8
_MAX_TEXT = 2_000_000
_WORD = 3
"""Shorter words stand in every source."""
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/opt", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")


class Mentions:
    """Of one script and the modules of its project; of a command without a script nothing is known."""

    def __init__(self, script: str, cwd: str) -> None:
        sources = [data for _, data in project_sources(script, cwd)] if script else []
        self._text = b"\n".join(sources)[:_MAX_TEXT].decode("utf-8", "replace")
        self._cwd = cwd
        self._known: dict[str, bool] = {}

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders outside the working directory that the source names by their full path, the file's for a file's."""
        found: dict[str, None] = {}
        for text in re.findall(r"""["']((?:/|~/)[^"'\n{}%]{2,200})["']""", self._text):
            path = os.path.normpath(os.path.expanduser(text))
            folder = os.path.dirname(path) if os.path.splitext(path)[1] else path
            is_inside = folder == self._cwd or folder.startswith(self._cwd + "/")
            if folder.count("/") > 1 and not is_inside and not folder.startswith(_SYSTEM):
                found[folder] = None
        return tuple(found)[:MAX_FOLDERS]

    def know(self, path: str) -> bool:
        """Whether a word of the path, beneath the working directory, stands in the source; without one, all may."""
        if not self._text:
            return True
        inside = path[len(self._cwd) + 1 :] if path.startswith(self._cwd + "/") else path
        words = {word for word in re.split(r"[\W\d]+|_(?=\d)", os.path.splitext(inside)[0]) if len(word) >= _WORD}
        return any(self._has(word) for word in words)

    def name(self, folder: str) -> bool:
        """Whether a folder's whole name stands in the source, as a text or a part of a path; without one, it may."""
        return not self._text or re.search(rf"""["'/]{re.escape(folder)}["'/]""", self._text) is not None

    def _has(self, word: str) -> bool:
        if word not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[word] = word.strip("_") in self._text
        return self._known[word]
