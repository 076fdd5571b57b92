"""The history's index: SQLite, of this host only, a cache that can always be made anew."""

from __future__ import annotations

import os
import sqlite3

from backprop_tui.errors import StoreError
from backprop_tui.store.database import NAMES, PUT, default_path, open_database, row_of, stored
from backprop_tui.store.query import SORTS, conditions
from backprop_tui.store.rows import Row, row_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from typing import Any

    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home

KEYS_AT_ONCE = 5000


class Index:
    """One connection, for the thread that made it.

    Raises StoreError from every method when the database cannot be used.
    """

    def __init__(self, home: Home, path: str | None = None) -> None:
        self.path = path or default_path(home.path)
        self._con = open_database(self.path)
        self._inode = _inode(self.path)

    @property
    def is_current(self) -> bool:
        """Whether the file is still the one that was opened: caches are cleared, and broken ones made anew."""
        return _inode(self.path) == self._inode

    def be_patient(self, busy_ms: int) -> None:
        """Wait so long for other writers from now on."""
        self._con.execute(f"PRAGMA busy_timeout={int(busy_ms)}")

    def close(self) -> None:
        self._con.close()

    def upsert(self, rows: Iterable[Row]) -> None:
        """Put rows in place of what is known of their runs."""
        self._write(PUT, map(stored, rows))

    def refresh(self, folders: Iterable[RunFolder]) -> list[Row]:
        """Read runs and put their rows in; returns these.

        Read inside the transaction: a row that was read earlier can never take the place of a newer one.
        """
        rows: list[Row] = []

        def values() -> Iterator[tuple[Any, ...]]:
            for folder in folders:
                row = row_for(folder)
                rows.append(row)
                yield stored(row)

        self._write(PUT, values())
        return rows

    def remove(self, ids: Iterable[str]) -> None:
        self._write("DELETE FROM runs WHERE id = ?", [(run_id,) for run_id in ids])

    def marks(self) -> dict[str, str]:
        """What each known run's row was made from."""
        return dict(self._read("SELECT id, src FROM runs"))

    def mark_of(self, run_id: str) -> str | None:
        found = self._read("SELECT src FROM runs WHERE id = ?", (run_id,))
        return found[0][0] if found else None

    def page(
        self,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        state: str | None = None,
        text: str = "",
        archived: bool = False,
    ) -> list[Row]:
        """The newest runs first.

        Args:
            limit: at most this many.
            before: (created, id) of the last row of the page before.
            state: only this state.
            text: only runs whose name, id, script, tags or state hold each of these words.
            archived: the archived runs instead of the others.
        """
        where, values = ["archived = ?"], [int(archived)]  # type: list[str], list[Any]
        if before is not None:
            where.append("(created, id) < (?, ?)")
            values += before
        if state:
            where.append("state = ?")
            values.append(state)
        for word in text.lower().split():
            where.append("instr(hay, ?) > 0")
            values.append(word)
        query = f"SELECT {NAMES} FROM runs WHERE {' AND '.join(where)} ORDER BY created DESC, id DESC LIMIT ?"  # noqa: S608
        return [row_of(found) for found in self._read(query, (*values, limit))]

    def keys(
        self, *, text: str = "", sort: str = "age", reverse: bool = False, archived: bool = False, limit: int = -1
    ) -> Generator[list[int]]:
        """The keys of the ended runs that a filter lets through, in order, in portions.

        Args:
            text: the filter, as `query.conditions` reads it.
            sort: one of `query.SORTS`.
            reverse: the other way round than usual.
            archived: the archived runs instead of the others.
            limit: at most so many; -1 for all.
        """
        found = conditions(text)
        where = " AND ".join(("archived = ?", "live = 0", *(condition.sql for condition in found)))
        values = (int(archived), *(value for condition in found for value in condition.values), limit)
        expression, largest_first = SORTS[sort]
        way = "DESC" if largest_first != reverse else "ASC"
        order = f"{expression} IS NULL, {expression} {way}" if sort != "age" else f"{expression} {way}"
        query = f"SELECT key FROM runs WHERE {where} ORDER BY {order}, key {way} LIMIT ?"  # noqa: S608
        try:
            cursor = self._con.execute(query, values)
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the index {self.path}: {error}")
        try:
            while portion := cursor.fetchmany(KEYS_AT_ONCE):
                yield [key for (key,) in portion]
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the index {self.path}: {error}")
        finally:
            cursor.close()  # a half-read one would keep an interrupt in force for ever

    def rows(self, keys: Sequence[int]) -> dict[int, Row]:
        """The rows with these keys, without those that are gone."""
        marks = ",".join("?" * len(keys))
        query = f"SELECT key, {NAMES} FROM runs WHERE key IN ({marks})"  # noqa: S608  # question marks
        return {found[0]: row_of(found[1:]) for found in self._read(query, tuple(keys))}

    def unseen(self, since: float, limit: int) -> list[Row]:
        """The runs that have ended badly since then and that nobody has seen so far, newest first."""
        query = (
            f"SELECT {NAMES} FROM runs WHERE archived = 0 AND live = 0 AND at > ? AND seen < slices "  # noqa: S608
            "AND state IN ('failed', 'diverged', 'lost') ORDER BY at DESC LIMIT ?"
        )
        return [row_of(found) for found in self._read(query, (since, limit))]

    def ended_after(self, since: float, limit: int) -> list[str]:
        """The ids of the runs that have ended since then, newest first."""
        query = "SELECT id FROM runs WHERE archived IN (0, 1) AND live = 0 AND at > ? ORDER BY at DESC LIMIT ?"
        return [found[0] for found in self._read(query, (since, limit))]

    def key_of(self, run_id: str) -> int | None:
        """The key of a run's row."""
        found = self._read("SELECT key FROM runs WHERE id = ?", (run_id,))
        return found[0][0] if found else None

    def interrupt(self) -> None:
        """Let a query that another thread is running fail; safe from any thread."""
        self._con.interrupt()

    def version(self) -> tuple[int, int]:
        """Differs after anybody changed the index."""
        return int(self._read("PRAGMA data_version")[0][0]), self._con.total_changes

    def count_ended(self, *, archived: bool = False) -> int:
        """How many runs the history holds."""
        return int(self._read("SELECT count(*) FROM runs WHERE archived = ? AND live = 0", (int(archived),))[0][0])

    def count(self) -> int:
        return int(self._read("SELECT count(*) FROM runs")[0][0])

    def resolve(self, ref: str) -> list[str]:
        """The ids that a person may mean: one when it is clear, several for an ambiguous prefix, none."""
        if ref.startswith("@"):
            n = ref[1:] or "1"
            if not n.isdecimal() or len(n) > 9 or int(n) == 0:
                return []
            query = "SELECT id FROM runs WHERE archived = 0 ORDER BY created DESC, id DESC LIMIT 1 OFFSET ?"
            return [found[0] for found in self._read(query, (int(n) - 1,))]
        for query, values in (
            ("SELECT id FROM runs WHERE id = ?", (ref,)),
            ("SELECT id FROM runs WHERE name = ? ORDER BY created DESC LIMIT 1", (ref,)),
            ("SELECT id FROM runs WHERE id >= ? AND id < ? LIMIT 11", (ref, ref + "\U0010ffff")),
        ):
            if ref and (ids := [found[0] for found in self._read(query, values)]):
                return ids
        return []

    def meta(self, key: str) -> str | None:
        found = self._read("SELECT value FROM meta WHERE key = ?", (key,))
        return found[0][0] if found else None

    def set_meta(self, key: str, value: str) -> None:
        self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, value)])

    def check(self) -> str:
        """SQLite's own verdict on the file: "ok", or what is wrong."""
        return str(self._read("PRAGMA quick_check(1)")[0][0])

    def _read(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return self._con.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the index {self.path}: {error}")

    def _write(self, query: str, values: Iterable[tuple[Any, ...]]) -> None:
        try:
            self._con.execute("BEGIN IMMEDIATE")
            try:
                self._con.executemany(query, values)
                self._con.execute("COMMIT")
            except BaseException:
                self._con.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(f"cannot write the index {self.path}: {error}")


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
