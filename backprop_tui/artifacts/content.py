"""What lies at a checkpoint's path: a file, a folder's files, or the files that share a prefix."""

from __future__ import annotations

import errno
import io
import os
import stat

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

MAX_ENTRIES = 10_000
_MAX_DEPTH = 8
_MAX_READ = 16 * 1024 * 1024
_TEMPORARY_ENDS = (".tmp", ".part", ".partial", ".incomplete")
_TEMPORARY_STARTS = (".tmp", "tmp-", "tmp.")
_RANDOM = 8
"""Characters that tempfile puts behind its own "tmp"."""
_ORBAX_TEMPORARY = ".orbax-checkpoint-tmp"


class Entry(Frozen):
    """A file or folder of a checkpoint."""

    name: str
    """Relative to the checkpoint's folder."""
    path: str
    size: int
    mtime_ns: int
    form: Literal["file", "folder", "special", "missing"]
    """What a link leads to; "missing" when it leads nowhere."""


class Content(Frozen):
    """Everything that makes up one checkpoint."""

    form: Literal["file", "folder", "prefix", "special"]
    entries: tuple[Entry, ...]
    mtime_ns: int = 0
    """Of the folder itself."""

    @property
    def stamp(self) -> tuple[int, int]:
        """Total size in bytes and the newest mtime in ns: changes while the checkpoint is being written."""
        size = sum(entry.size for entry in self.entries if entry.form == "file")
        return size, max((self.mtime_ns, *(entry.mtime_ns for entry in self.entries)))


def look(path: str) -> Content | None:
    """What lies there now; None when nothing does.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        info = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        parts = _with_prefix(path)
        return Content(form="prefix", entries=parts) if parts else None
    except ValueError:  # no filesystem can hold such a name
        return None
    if stat.S_ISDIR(info.st_mode):
        return Content(form="folder", entries=_walk(path, info), mtime_ns=info.st_mtime_ns)
    only = _entry(os.path.basename(path), path, info)
    return Content(form="file" if only.form == "file" else "special", entries=(only,))


def is_temporary(name: str) -> bool:
    """Whether writers give such names to what is not finished."""
    return (
        name.startswith(_TEMPORARY_STARTS)
        or name.endswith(_TEMPORARY_ENDS)
        or _ORBAX_TEMPORARY in name
        or (name.startswith("tmp") and len(name) == 3 + _RANDOM and name.replace("_", "a").isalnum())
    )


def open_file(path: str) -> io.FileIO:
    """A regular file to read from; refuses to read more than 16 MiB at once.

    Raises:
        OSError: it cannot be opened or is no regular file (EINVAL).
    """
    # O_NONBLOCK: a FIFO in the file's place must not hang the reader.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return _BoundedFile(fd)


class _BoundedFile(io.FileIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = max(os.fstat(self.fileno()).st_size - self.tell(), 0)
        if size > _MAX_READ:
            raise OSError(errno.EFBIG, "a part of it is too long to be read")
        return super().read(size) or b""


def _entry(name: str, path: str, info: os.stat_result) -> Entry:
    mode = info.st_mode
    form: Literal["file", "folder", "special"] = (
        "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "special"
    )
    return Entry(name=name, path=path, size=info.st_size, mtime_ns=info.st_mtime_ns, form=form)


def _with_prefix(path: str) -> tuple[Entry, ...]:
    """The files PATH.index and PATH.data-…, which together are one TensorFlow checkpoint."""
    folder, name = os.path.split(path)
    found = []
    try:
        with os.scandir(folder or ".") as listing:
            for count, item in enumerate(listing):
                if count >= MAX_ENTRIES:
                    break
                if name and (item.name == f"{name}.index" or item.name.startswith(f"{name}.data-")):
                    found.append(_entry(item.name, item.path, item.stat()))
    except (OSError, ValueError):
        return ()
    return tuple(found)


def _walk(top: str, info: os.stat_result) -> tuple[Entry, ...]:
    """All that lies below a folder, as far as the limits reach; each folder once, whatever links say."""
    found: list[Entry] = []
    seen = {(info.st_dev, info.st_ino)}
    waiting = [("", top, 1)]
    while waiting:
        prefix, folder, depth = waiting.pop()
        try:
            listing = os.scandir(folder)
        except OSError:
            if depth == 1:
                raise
            continue
        with listing:
            for item in listing:
                if len(found) >= MAX_ENTRIES:
                    return tuple(found)
                entry, identity = _visit(prefix + item.name, item)
                found.append(entry)
                if entry.form == "folder" and depth < _MAX_DEPTH and identity not in seen:
                    seen.add(identity)
                    waiting.append((entry.name + "/", entry.path, depth + 1))
    return tuple(found)


def _visit(name: str, item: os.DirEntry[str]) -> tuple[Entry, tuple[int, int]]:
    try:
        info = item.stat()
    except OSError:
        return Entry(name=name, path=item.path, size=0, mtime_ns=0, form="missing"), (0, 0)
    return _entry(name, item.path, info), (info.st_dev, info.st_ino)
