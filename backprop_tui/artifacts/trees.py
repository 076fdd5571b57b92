"""Models of boosted trees: XGBoost's UBJSON and JSON, LightGBM's text. Each returns what is wrong, or nothing."""

from __future__ import annotations

from backprop_tui.artifacts.content import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io

_MAX_VALUES = 50_000
"""So many values of a UBJSON file are passed over one by one; a longer one is judged by its end."""
_MAX_DEPTH = 100
_MAX_TAIL = 1 << 20
_MAX_NAME = 4096
_XGBOOST_LAST = b"version"
_CUT_SHORT = "it ends in the middle: it was not written to its end"
_WIDTHS = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1, b"T": 0, b"F": 0, b"Z": 0, b"N": 0}
"""Bytes behind the sign of a value of fixed length."""
_WHOLE = frozenset((b"i", b"U", b"I", b"l", b"L"))
_TEXTS = frozenset((b"S", b"H"))


def judge_ubjson(path: str, size: int) -> str:
    """Its outermost object must end where the file does."""
    with open_file(path) as file:
        if file.read(1) != b"{":
            return "it does not begin like the UBJSON object that its name promises"
        file.seek(max(0, size - 64))
        if not file.read(64).endswith(b"}"):
            return _CUT_SHORT
        file.seek(0)
        try:
            is_done = _Walk(file, size).pass_over()
        except ValueError as error:
            return str(error)
        if is_done:
            return "" if file.tell() == size else "it goes on behind its end"
        file.seek(max(0, size - 64))
        return "" if _XGBOOST_LAST in file.read(64) else _CUT_SHORT


class _Walk:
    """Passes over the values of a UBJSON file, the long ones without reading them."""

    def __init__(self, file: io.FileIO, size: int) -> None:
        # Raw: a reader that fetches ahead would read all of the numbers that are stepped over.
        self._file = file
        self._size = size
        self._at = 0
        self._part = b""
        self._part_at = 0

    def pass_over(self) -> bool:
        """Leave the file behind the first value; False if there was more in it than is looked at.

        Raises:
            ValueError: it is not whole.
        """
        waiting: list[tuple[bool, int | None, bytes]] = []
        """Open containers: is it an object, how many values it still holds (None: until its end), their type."""
        self._value(self._take(1), waiting)
        for _ in range(_MAX_VALUES):
            if not waiting:
                self._file.seek(self._at)
                return True
            is_object, left, kind = waiting[-1]
            if left == 0:
                waiting.pop()
                continue
            sign = self._take(1) if left is None or is_object or not kind else b""
            if left is None and sign == (b"}" if is_object else b"]"):
                waiting.pop()
                continue
            if left is not None:
                waiting[-1] = (is_object, left - 1, kind)
            if is_object:
                self._skip(self._length(sign))
                sign = b""
            self._value(kind or sign or self._take(1), waiting)
        return False

    def _value(self, sign: bytes, waiting: list[tuple[bool, int | None, bytes]]) -> None:
        if sign in _WIDTHS:
            self._skip(_WIDTHS[sign])
        elif sign in _TEXTS:
            self._skip(self._length(self._take(1)))
        elif sign in (b"{", b"["):
            if len(waiting) >= _MAX_DEPTH:
                raise ValueError("it is nested too deeply")
            self._open(sign == b"{", waiting)
        else:
            raise ValueError("it is no whole UBJSON")

    def _open(self, is_object: bool, waiting: list[tuple[bool, int | None, bytes]]) -> None:
        kind, left = b"", None
        if self._peek() == b"$":
            self._take(1)
            kind = self._take(1)
        if self._peek() == b"#":
            self._take(1)
            left = self._length(self._take(1))
        elif kind:
            raise ValueError("it is no whole UBJSON")
        if left is not None and not is_object and kind in _WIDTHS:
            self._skip(left * _WIDTHS[kind])
            return
        if left is not None and left > self._size:
            raise ValueError(_CUT_SHORT)
        waiting.append((is_object, left, kind))

    def _length(self, sign: bytes) -> int:
        if sign not in _WHOLE:
            raise ValueError("it is no whole UBJSON")
        length = int.from_bytes(self._take(_WIDTHS[sign]), "big", signed=sign != b"U")
        if length < 0:
            raise ValueError("it is no whole UBJSON")
        return length

    def _peek(self) -> bytes:
        return self._bytes(1)

    def _take(self, count: int) -> bytes:
        found = self._bytes(count)
        self._at += count
        return found

    def _bytes(self, count: int) -> bytes:
        start = self._at - self._part_at
        if start < 0 or start + count > len(self._part):
            self._file.seek(self._at)
            self._part, self._part_at, start = self._file.read(_MAX_NAME), self._at, 0
        found = self._part[start : start + count]
        if len(found) < count:
            raise ValueError(_CUT_SHORT)
        return found

    def _skip(self, count: int) -> None:
        self._at += count
        if self._at > self._size:
            raise ValueError(_CUT_SHORT)


def judge_lightgbm(path: str, size: int) -> str:
    """The parameters stand at the end; only Python's note on categories may follow."""
    with open_file(path) as file:
        file.seek(max(0, size - _MAX_TAIL))
        tail = file.read(_MAX_TAIL)
    _, mark, rest = tail.rpartition(b"\nend of parameters")
    rest = rest.lstrip(b"\r\n")
    if mark and (not rest or (rest.startswith(b"pandas_categorical:") and rest.endswith(b"\n"))):
        return ""
    return "its parameters, written last, are not there to their end"
