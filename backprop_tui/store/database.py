"""The index's database file: made, opened, and made anew when it is broken or of another version."""

from __future__ import annotations

import math
import os
import sqlite3

from backprop_tui import files, paths
from backprop_tui.errors import StoreError
from backprop_tui.model.states import RunState
from backprop_tui.store.rows import BROKEN, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEMA = 4
BUSY_MS = 20_000
_COLUMNS = Row._fields
_REAL = {"created", "started", "ended", "took_s", "loss", "best_loss", "value"}
_WHOLE = {"steps", "checkpoints", "star", "archived", "slices", "seen"}
_NAN = "NaN"
"""SQLite stores a NaN as NULL: this text stands in its place."""


def _column(name: str) -> str:
    kind = "REAL" if name in _REAL else "INTEGER" if name in _WHOLE else "TEXT"
    return f"{name} {kind}{' NOT NULL UNIQUE' if name == 'id' else ''}"


_ENDED = ", ".join(f"'{state}'" for state in RunState if state.is_ended)
_DERIVED = (
    # What an order goes by: runs that are not over yet are not history, NaN sorts last.
    f"live INTEGER AS (state NOT IN ({_ENDED}, '{BROKEN}')) STORED",
    "at REAL AS (coalesce(ended, created)) STORED",
    f"loss_order REAL AS (CASE WHEN loss = '{_NAN}' THEN 9e999 ELSE loss END) VIRTUAL",
)
NAMES = ", ".join(_COLUMNS)
_MARKS = ",".join("?" * len(_COLUMNS))
_SETS = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "id")
# The key of a row stays when the row is replaced: views hold on to it.
PUT = f"INSERT INTO runs ({NAMES}) VALUES ({_MARKS}) ON CONFLICT (id) DO UPDATE SET {_SETS}"  # noqa: S608


def open_database(path: str) -> sqlite3.Connection:
    """A connection for the thread that asks.

    Raises:
        StoreError: the database cannot be used.
    """
    try:
        files.make_private_dir(os.path.dirname(path))
        try:
            return _connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            _set_aside(path)
            return _connect(path)
    except (sqlite3.Error, OSError, TimeoutError) as error:
        raise StoreError(f"cannot use the index {path}: {error}", hint="backprop doctor looks into it")


def _connect(path: str) -> sqlite3.Connection:
    con = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
    try:
        # A cache: what a power loss takes from it, the records give back.
        con.execute("PRAGMA synchronous=NORMAL")
        version = con.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA:
            _make_schema(path, con, version)
    except BaseException:
        con.close()
        raise
    return con


def _make_schema(path: str, con: sqlite3.Connection, version: int) -> None:
    # A switch of the journal mode fails at once when another connection is at it: one at a time.
    with files.FileLock(path + ".lock"):
        if con.execute("PRAGMA user_version").fetchone()[0] == SCHEMA:
            return
        if version:
            raise sqlite3.DatabaseError(f"made by another version of backprop (schema {version})")
        con.execute(f"PRAGMA journal_mode={'WAL' if is_local(path) else 'DELETE'}")
        con.execute("BEGIN IMMEDIATE")
        columns = ", ".join(("key INTEGER PRIMARY KEY", *map(_column, _COLUMNS), *_DERIVED))
        con.execute(f"CREATE TABLE IF NOT EXISTS runs ({columns})")
        con.execute("CREATE INDEX IF NOT EXISTS by_age ON runs (archived, created DESC, id DESC)")
        # With what a search looks through in it: a word is looked for without touching the table.
        con.execute("CREATE INDEX IF NOT EXISTS by_end ON runs (archived, live, at DESC, key DESC, hay)")
        con.execute("CREATE INDEX IF NOT EXISTS by_name ON runs (name, created DESC)")
        con.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        con.execute(f"PRAGMA user_version={SCHEMA}")
        con.execute("COMMIT")


def _set_aside(path: str) -> None:
    with files.FileLock(path + ".lock"):
        try:
            con = sqlite3.connect(path)
            usable = con.execute("PRAGMA user_version").fetchone()[0] == SCHEMA
            con.close()
        except sqlite3.DatabaseError:
            usable = False
        if not usable:
            for suffix in ("", "-wal", "-shm"):
                if os.path.lexists(path + suffix):
                    os.unlink(path + suffix)


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
    """The index of a home, in this host's caches (which hosts may share); each version of it has its own."""
    import zlib

    real = f"{os.uname().nodename}:{os.path.realpath(home)}".encode(errors="surrogateescape")
    return os.path.join(paths.cache_dir(), f"index-{zlib.crc32(real):08x}-{SCHEMA}.sqlite3")


def stored(row: Row) -> tuple[Any, ...]:
    """A row's values in the order of `NAMES`."""
    return tuple(_stored(getattr(row, name)) for name in _COLUMNS)


def _stored(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return _NAN
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and abs(value) >= 2**63:
        return float(value)
    return value


def row_of(found: tuple[Any, ...]) -> Row:
    """The row that was stored as these values."""
    values = dict(zip(_COLUMNS, found, strict=True))
    for name in ("loss", "best_loss", "value"):
        if values[name] == _NAN:
            values[name] = float("nan")
    return Row(**values)
