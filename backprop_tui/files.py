"""Small file operations that everything kept on disk stands on. Raises OSError as it comes."""

from __future__ import annotations

import errno
import fcntl
import math
import os
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

_FALLOC_KEEP_SIZE, _FALLOC_PUNCH_HOLE = 1, 2  # linux/falloc.h
MAX_RECORD_BYTES = 64 * 1024 * 1024


def to_json(value: Any, *, indent: int | None = None) -> bytes:
    """JSON that every parser reads: numbers that are not finite become strings ("NaN", "Infinity").

    Raises:
        TypeError: something in `value` has no JSON form.
    """
    if indent is None and "json" not in sys.modules:
        # Loading json takes 3 ms of the 15 that a start needs; what a start writes is mostly plain.
        plain = _plain_json(value)
        if plain is not None:
            return plain.encode("ascii")
    import json

    separators = None if indent else (",", ":")
    try:
        text = json.dumps(value, allow_nan=False, indent=indent, separators=separators)
    except ValueError:
        text = json.dumps(_finite(value), allow_nan=False, indent=indent, separators=separators)
    return text.encode("ascii")


def from_json(data: bytes | str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    import json

    return json.loads(data)


def _plain_json(value: Any) -> str | None:
    """As json.dumps writes it; None where that takes more than joining."""
    kind = type(value)
    if isinstance(value, str):
        text = str.__str__(value)  # of an enum's member its value
        return f'"{text}"' if text.isascii() and text.isprintable() and not ("\\" in text or '"' in text) else None
    if kind is int:
        return str(value)
    if value is None or kind is bool:
        return "null" if value is None else "true" if value else "false"
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    if kind is dict:
        parts = [(_plain_json(key) if isinstance(key, str) else None, _plain_json(item)) for key, item in value.items()]
        whole = all(key is not None and item is not None for key, item in parts)
        return "{" + ",".join([f"{key}:{item}" for key, item in parts]) + "}" if whole else None
    if kind is list or kind is tuple:
        items = [item for item in map(_plain_json, value) if item is not None]
        return "[" + ",".join(items) + "]" if len(items) == len(value) else None
    return None


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def read_bytes(path: str, limit: int = MAX_RECORD_BYTES) -> bytes:
    """A regular file's content.

    Raises:
        OSError: it cannot be read, is no regular file (EINVAL) or is longer than `limit` (EFBIG).
    """
    # O_NONBLOCK: a planted FIFO must not hang the reader.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if info.st_size > limit:
            raise OSError(errno.EFBIG, f"longer than {limit} bytes", path)
        parts = []
        while part := os.read(fd, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def write_atomic(path: str, data: bytes, *, durable: bool = False, mode: int = 0o600) -> None:
    """Replace a file in one step; readers see the old content or the new, never a part.

    `durable` also waits for the disk (file and folder).
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{time.monotonic_ns():x}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(fd, data)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise
    if durable:
        sync_folder(folder)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, however few the system takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(folder: str) -> None:
    """Make renames in a folder survive a power loss."""
    fd = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network filesystems cannot
            raise
    finally:
        os.close(fd)


def make_private_dir(path: str) -> None:
    """Make a folder (and its parents) that only its owner can look into."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def punch_hole(fd: int, start: int, end: int) -> bool:
    """Free a part of a file, which then reads as zero bytes; False where the system or filesystem cannot."""
    import ctypes

    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        return False
    flags = _FALLOC_KEEP_SIZE | _FALLOC_PUNCH_HOLE
    return bool(fallocate(fd, flags, ctypes.c_int64(start), ctypes.c_int64(end - start)) == 0)


class Appender:
    """A file that only grows, a whole line at a time; a torn last line of an earlier writer is closed off."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = os.fstat(self._fd).st_size
        try:
            if self.size and os.pread(self._fd, 1, self.size - 1) != b"\n":
                self.append(b"\n")
        except OSError:
            self.close()  # tried again, it must not leave one open each time
            raise

    def append(self, data: bytes) -> None:
        """Add whole lines; when the disk takes only a part, that part is cut off again and OSError raised."""
        try:
            write_all(self._fd, data)
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += len(data)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class FileLock:
    """An flock, freed by the kernel when its holder dies, however it dies."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1

    @property
    def is_held(self) -> bool:
        return self._fd >= 0

    def try_acquire(self) -> bool:
        """Take the lock if it is free; False if another holds it."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The file may have been unlinked between open and flock: a lock on it would exclude nobody.
            if os.fstat(fd).st_ino != os.stat(self.path).st_ino:
                os.close(fd)
                return False
        except FileNotFoundError:
            os.close(fd)
            return False
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        self._fd = fd
        return True

    def acquire(self, timeout_s: float) -> None:
        """Wait for the lock.

        Raises:
            TimeoutError: another held it for `timeout_s`.
        """
        end = time.monotonic() + timeout_s
        pause_s = 0.001
        while not self.try_acquire():
            if time.monotonic() >= end:
                text = f"locked by another process for {timeout_s:g} s"
                raise TimeoutError(errno.ETIMEDOUT, text, self.path)
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.05)

    def excludes(self) -> bool:
        """Whether holding it keeps others out, which it does not on every network filesystem."""
        second = FileLock(self.path)
        try:
            return not second.try_acquire()
        finally:
            second.release()

    def fileno(self) -> int:
        return self._fd

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        if not self.is_held:
            self.acquire(30.0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
