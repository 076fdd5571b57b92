"""The history's index: SQLite, of this host only, a cache that can always be made anew."""

from __future__ import annotations

import math
import os
import sqlite3

from backprop_tui import files, paths
from backprop_tui.errors import StoreError
from backprop_tui.store.rows import Row, row_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home

SCHEMA = 1
BUSY_MS = 20_000
_COLUMNS = Row._fields
_REAL = {"created", "started", "ended", "took_s", "loss", "best_loss"}
_WHOLE = {"steps", "checkpoints", "star", "archived", "slices"}
_NAN = "NaN"
"""SQLite stores a NaN as NULL: this text stands in its place."""


def _column(name: str) -> str:
    kind = "REAL" if name in _REAL else "INTEGER" if name in _WHOLE else "TEXT"
    return f"{name} {kind}{' PRIMARY KEY' if name == 'id' else ''}"


class Index:
    """One connection, for the thread that made it.

    Raises StoreError from every method when the database cannot be used.
    """

    def __init__(self, home: Home, path: str | None = None) -> None:
        self.path = path or default_path(home.path)
        self._con = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            files.make_private_dir(os.path.dirname(self.path))
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                    raise
                self._set_aside()
                return self._connect()
        except (sqlite3.Error, OSError, TimeoutError) as error:
            raise StoreError(f"cannot use the index {self.path}: {error}", hint="backprop doctor looks into it")

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(self.path, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            # A cache: what a power loss takes from it, the records give back.
            con.execute("PRAGMA synchronous=NORMAL")
            version = con.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA:
                self._make_schema(con, version)
        except BaseException:
            con.close()
            raise
        return con

    def _make_schema(self, con: sqlite3.Connection, version: int) -> None:
        # A switch of the journal mode fails at once when another connection is at it: one at a time.
        with files.FileLock(self.path + ".lock"):
            if con.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
                return
            if version:
                raise sqlite3.DatabaseError(f"made by another version of backprop (schema {version})")
            con.execute(f"PRAGMA journal_mode={'WAL' if is_local(self.path) else 'DELETE'}")
            con.execute("BEGIN IMMEDIATE")
            con.execute(f"CREATE TABLE IF NOT EXISTS runs ({', '.join(map(_column, _COLUMNS))}) WITHOUT ROWID")
            con.execute("CREATE INDEX IF NOT EXISTS by_age ON runs (archived, created DESC, id DESC)")
            con.execute("CREATE INDEX IF NOT EXISTS by_name ON runs (name, created DESC)")
            con.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
            con.execute(f"PRAGMA user_version={SCHEMA}")
            con.execute("COMMIT")

    def _set_aside(self) -> None:
        with files.FileLock(self.path + ".lock"):
            try:
                con = sqlite3.connect(self.path)
                usable = con.execute("PRAGMA user_version").fetchone()[0] == SCHEMA
                con.close()
            except sqlite3.DatabaseError:
                usable = False
            if not usable:
                for suffix in ("", "-wal", "-shm"):
                    if os.path.lexists(self.path + suffix):
                        os.unlink(self.path + suffix)

    def be_patient(self, busy_ms: int) -> None:
        """Wait so long for other writers from now on."""
        self._con.execute(f"PRAGMA busy_timeout={int(busy_ms)}")

    def close(self) -> None:
        self._con.close()

    def upsert(self, rows: Iterable[Row]) -> None:
        """Put rows in place of what is known of their runs."""
        marks = ",".join("?" * len(_COLUMNS))
        values = [tuple(_stored(row, name) for name in _COLUMNS) for row in rows]
        self._write(f"INSERT OR REPLACE INTO runs VALUES ({marks})", values)  # noqa: S608  # question marks

    def refresh(self, folders: Iterable[RunFolder]) -> list[Row]:
        """Read runs and put their rows in; returns these.

        Read inside the transaction: a row that was read earlier can never take the place of a newer one.
        """
        marks = ",".join("?" * len(_COLUMNS))
        rows: list[Row] = []

        def values() -> Iterator[tuple[Any, ...]]:
            for folder in folders:
                row = row_for(folder)
                rows.append(row)
                yield tuple(_stored(row, name) for name in _COLUMNS)

        self._write(f"INSERT OR REPLACE INTO runs VALUES ({marks})", values())  # noqa: S608  # question marks
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
        query = f"SELECT * FROM runs WHERE {' AND '.join(where)} ORDER BY created DESC, id DESC LIMIT ?"  # noqa: S608
        return [_row(found) for found in self._read(query, (*values, limit))]

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


_NETWORK = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "afs", "9p", "fuse.sshfs")


def is_local(path: str) -> bool:
    """Whether a path lies on a filesystem of this host; a write-ahead log needs memory that writers share."""
    real, best, kind = os.path.realpath(path), "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
            for line in mounts:
                _device, point, found, *_rest = line.split(" ")
                point = point.replace("\\040", " ")
                inside = real == point or real.startswith(point.rstrip("/") + "/")
                if inside and len(point) >= len(best):
                    best, kind = point, found
    except (OSError, ValueError):
        return True
    return not kind.startswith(_NETWORK)


def default_path(home: str) -> str:
    """The index of a home, in this host's caches (which hosts may share)."""
    import zlib

    real = f"{os.uname().nodename}:{os.path.realpath(home)}".encode(errors="surrogateescape")
    return os.path.join(paths.cache_dir(), f"index-{zlib.crc32(real):08x}.sqlite3")


def _stored(row: Row, name: str) -> Any:
    value = getattr(row, name)
    if isinstance(value, float) and math.isnan(value):
        return _NAN
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and abs(value) >= 2**63:
        return float(value)
    return value


def _row(found: tuple[Any, ...]) -> Row:
    values = dict(zip(_COLUMNS, found, strict=True))
    for name in ("loss", "best_loss"):
        if values[name] == _NAN:
            values[name] = float("nan")
    return Row(**values)
