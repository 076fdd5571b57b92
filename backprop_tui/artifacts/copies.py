"""Safety copies of checkpoints that are written over in place, and putting them back.

A copy lies in a folder of its own under the name of the original, so that a script takes it as it would the
original. Where the filesystem can, it shares the original's blocks and takes no room.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from functools import partial

from backprop_tui.artifacts.content import MAX_ENTRIES, look, open_file
from backprop_tui.artifacts.verdict import judge
from backprop_tui.files import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.artifacts.content import Content

KEPT = 2
LEFT_FREE_BYTES = 2 * 1024**3
BROKEN = ".broken"
_FICLONE = 0x40049409  # linux/fs.h
_PIECE = 8 * 1024 * 1024
_UNFINISHED = ".unfinished"
_CANNOT_SHARE = frozenset((errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM))


class NoRoom(OSError):
    """A copy would leave too little room on the disk."""


class Interrupted(Exception):
    """Whoever wanted a copy no longer does."""


def copy_of(path: str, folder: str, *, wanted: Callable[[], bool] | None = None) -> str:
    """Copy a checkpoint into a numbered folder beneath `folder`; returns where it is.

    Older copies are removed, all but the newest two. A copy is there wholly or not at all.

    Args:
        path: a file, a folder, or the prefix of files that are one checkpoint.
        folder: where copies of this run are kept.
        wanted: asked now and then; once it answers False, the copy is given up.

    Raises:
        OSError: it cannot be copied.
        NoRoom: it would fill the disk.
        Interrupted: it is no longer wanted.
    """
    content = _content(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _clear(folder)
    number = max(_numbers(folder), default=0) + 1
    unfinished = os.path.join(folder, f"{number}{_UNFINISHED}")
    done = os.path.join(folder, str(number))
    os.mkdir(unfinished, 0o700)
    copier = _Copier(wanted, spares=content.stamp[0])
    try:
        if content.form == "folder":
            copier.copy_folder(path, content, os.path.join(unfinished, os.path.basename(path)))
        else:
            for entry in content.entries:
                copier.copy_file(entry.path, os.path.join(unfinished, os.path.basename(entry.path)))
        os.rename(unfinished, done)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    for old in sorted(_numbers(folder))[:-KEPT]:
        shutil.rmtree(os.path.join(folder, str(old)), ignore_errors=True)
    return os.path.join(done, os.path.basename(path))


def restore(copy: str, original: str) -> None:
    """Put a copy in its original's place; what lay there is kept beside it as NAME.broken, NAME.2.broken and so on.

    The copy stays; where its original is just like it, nothing is done. A file is replaced in one step.

    Raises:
        OSError: it cannot be put back; the original's place is as it was.
    """
    content = _content(copy)
    there = look(original)
    if there is not None and _files_of(there) == _files_of(content):
        return
    os.makedirs(os.path.dirname(original), exist_ok=True)
    if content.form == "folder":
        _put_back(original, partial(_Copier().copy_folder, copy, content), is_folder=True)
        return
    stem = len(os.path.basename(copy))
    for entry in content.entries:
        place = original + os.path.basename(entry.path)[stem:]
        _put_back(place, partial(_Copier().copy_file, entry.path), is_folder=False)


def _put_back(original: str, make: Callable[[str], None], *, is_folder: bool) -> None:
    made = f"{original}{_UNFINISHED}"
    _remove(made)
    try:
        make(made)
        if os.path.lexists(original):
            _set_aside(original, _place_aside(original), is_folder=is_folder)
        os.replace(made, original)
    except BaseException:
        _remove(made)
        raise


def _files_of(content: Content) -> frozenset[tuple[str, int, int]]:
    """Its files with their sizes and times, which a copy keeps."""
    return frozenset((e.name, e.size, e.mtime_ns) for e in content.entries if e.form == "file")


def _place_aside(original: str) -> str:
    """A free name for what is set aside; only what is known to be broken makes room for it."""
    number, place = 1, original + BROKEN
    while os.path.lexists(place):
        if not judge(place).good:
            _remove(place)
            break
        number += 1
        place = f"{original}.{number}{BROKEN}"
    return place


def _set_aside(original: str, broken: str, *, is_folder: bool) -> None:
    if not is_folder:
        try:
            os.link(original, broken, follow_symlinks=False)  # the original's place is never empty
            return
        except OSError:
            pass  # a filesystem without hard links
    os.rename(original, broken)


def _content(path: str) -> Content:
    content = look(path)
    if content is None:
        raise FileNotFoundError(errno.ENOENT, "it is not there", path)
    if len(content.entries) >= MAX_ENTRIES:
        raise OSError(errno.EFBIG, "it holds too many files", path)
    return content


class _Copier:
    """Copies files with their times: in which order a checkpoint's files were written tells whether it is whole."""

    def __init__(self, wanted: Callable[[], bool] | None = None, spares: int = 0) -> None:
        """`spares` bytes must fit into the free room three times over, unless no room is taken."""
        self._wanted = wanted
        self._spares = spares

    def copy_folder(self, source: str, content: Content, target: str) -> None:
        os.mkdir(target)
        for entry in sorted(content.entries, key=lambda entry: entry.name):
            path = os.path.join(target, entry.name)
            if entry.form == "folder":
                os.makedirs(path, exist_ok=True)
            elif entry.form == "file":
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self.copy_file(entry.path, path)
        shutil.copystat(source, target)

    def copy_file(self, source: str, target: str) -> None:
        with open_file(source) as reader:
            info = os.fstat(reader.fileno())
            mode = stat.S_IMODE(info.st_mode)
            writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            try:
                if not _share_blocks(reader.fileno(), writer):
                    self._copy_bytes(reader.fileno(), writer, info.st_size)
                os.utime(writer, ns=(info.st_atime_ns, info.st_mtime_ns))
            finally:
                os.close(writer)

    def _copy_bytes(self, reader: int, writer: int, size: int) -> None:
        if self._spares:
            disk = os.fstatvfs(writer)
            if disk.f_bavail * disk.f_frsize - self._spares < max(LEFT_FREE_BYTES, 2 * self._spares):
                raise NoRoom(errno.ENOSPC, "there is too little room on the disk")
            self._spares = 0
        while size > 0:
            if self._wanted is not None and not self._wanted():
                raise Interrupted
            data = os.read(reader, min(size, _PIECE))
            if not data:
                raise OSError(errno.EIO, "it became shorter while it was copied")
            size -= len(data)
            write_all(writer, data)


def _share_blocks(reader: int, writer: int) -> bool:
    """Let a new file share the content of another, which takes neither time nor room; False where that cannot be."""
    try:
        fcntl.ioctl(writer, _FICLONE, reader)
    except OSError as error:
        if error.errno in _CANNOT_SHARE:
            return False
        raise
    return True


def _clear(folder: str) -> None:
    """Remove what was not copied to its end."""
    for name in os.listdir(folder):
        if name.endswith(_UNFINISHED):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def _numbers(folder: str) -> list[int]:
    return [int(name) for name in os.listdir(folder) if name.isdecimal() and len(name) < 10]


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
