"""The runs of a home: pages of the history, and which run a person means."""

from __future__ import annotations

import os

from backprop_tui.errors import RunNotFound, StoreError
from backprop_tui.store import importing
from backprop_tui.store.home import Home
from backprop_tui.store.rows import Row, row_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.store.index import Index

WITHOUT_INDEX = 1000
"""Runs that are shown when the index cannot be used."""


class History:
    """The runs of a home as the index has them, brought up to date when opened."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.warning = ""
        """Why the index is not used, if it is not."""
        self._index: Index | None = None
        self._rows: list[Row] | None = None
        if not os.path.isdir(home.runs) and not os.path.exists(home.experiments):
            self._rows = []
            return
        try:
            importing.import_foreign(home)
        except (StoreError, OSError) as error:
            self.warning = f"experiments.json could not be imported: {error}"
        self._open()

    def _open(self) -> None:
        from backprop_tui.store.index import Index
        from backprop_tui.store.sync import sync

        try:
            self._index = Index(self.home)
            sync(self.home, self._index)
        except (StoreError, OSError) as error:
            self.warning = f"{error}; reading the newest {WITHOUT_INDEX} records instead"
            self._index, self._rows = None, self._read_folders()

    def page(
        self,
        *,
        limit: int,
        state: str | None = None,
        text: str = "",
        archived: bool = False,
    ) -> list[Row]:
        """The newest runs first; `text` is looked for in names, ids, scripts and tags."""
        text = _encodable(text)
        if self._index is not None:
            return self._index.page(limit=limit, state=state, text=text, archived=archived)
        words = text.lower().split()
        return [
            row
            for row in self._rows or []
            if row.archived == archived and (not state or row.state == state) and all(word in row.hay for word in words)
        ][:limit]

    def active(self) -> list[Row]:
        """The runs that have not ended, oldest first."""
        home = self.home
        rows = [row_for(home.run(run_id)) for run_id in home.active_ids() if home.has(run_id)]
        return sorted(rows, key=lambda row: row.created)

    def resolve(self, ref: str) -> str:
        """The id of the run that a person means: an id, a unique prefix, a name, @ or @2.

        Raises:
            RunNotFound: there is none, or several begin so.
        """
        ref = _encodable(ref)
        found = self._find(ref)
        if not found and (alias := importing.resolve_alias(self.home, ref)):
            return alias
        if len(found) == 1:
            return found[0]
        if found:
            some = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
            raise RunNotFound(f"{ref!r} is the beginning of several runs: {some}", hint="give more of the id")
        raise RunNotFound(f"no run {ref!r:.80}", hint="see all runs with: backprop list")

    def _find(self, ref: str) -> list[str]:
        if self._index is not None:
            return self._index.resolve(ref)
        rows = self._rows or []
        if ref.startswith("@"):
            number = ref[1:] or "1"
            at = int(number) - 1 if number.isdecimal() and len(number) < 10 else -1
            return [rows[at].id] if 0 <= at < len(rows) else []
        tests: tuple[Callable[[Row], bool], ...] = (
            lambda row: row.id == ref,
            lambda row: row.name == ref,
            lambda row: row.id.startswith(ref),
        )
        for place, test in enumerate(tests):
            if ref and (found := [row.id for row in rows if test(row)]):
                return found[:1] if place == 1 else found
        return []

    def _read_folders(self) -> list[Row]:
        folders = [self.home.run(run_id) for run_id in self.home.ids()]
        by_age = sorted(folders, key=lambda folder: os.stat(folder.path).st_mtime, reverse=True)
        rows = [row_for(folder) for folder in by_age[:WITHOUT_INDEX]]
        return sorted(rows, key=lambda row: (row.created, row.id), reverse=True)

    def close(self) -> None:
        if self._index is not None:
            self._index.close()


def _encodable(words: str) -> str:
    """What no encoding holds is in no name."""
    return words.encode("utf-8", "replace").decode()
