"""Forms that one look at the beginning and the length can check. Each returns what is wrong, or nothing."""

from __future__ import annotations

import json
import re

from backprop_tui.artifacts.content import open_file

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
NUMPY_SIGNATURE = b"\x93NUMPY"

_MAX_SAFETENSORS_HEADER = 100_000_000
"""The format's own limit."""
_READ_AT_ONCE = 1 << 20
_MAX_JSON = 16 * 1024 * 1024
_MAX_NUMPY_HEADER = 10_000
_CUT_SHORT = "it ends too early: {found:,} bytes of {expected:,}"
_TOO_LONG = "it is longer than its own header says: {found:,} bytes, not {expected:,}"


def judge_safetensors(path: str, size: int) -> str:
    """The header must be whole and describe as many bytes as there are."""
    with open_file(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _MAX_SAFETENSORS_HEADER:
            return "its header has no sensible length"
        if 8 + length > size:
            return _CUT_SHORT.format(found=size, expected=8 + length)
        raw = b"".join(iter(lambda: file.read(min(_READ_AT_ONCE, 8 + length - file.tell())), b""))
    try:
        end = _last_offset(json.loads(raw))
    except (ValueError, RecursionError):
        return "its header is not the JSON object that it should be"
    return _compare(size, 8 + length + end)


def _last_offset(header: object) -> int:
    if not isinstance(header, dict):
        raise ValueError("no object")  # it is content, not code, that is wrong
    end = 0
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        match tensor:
            case {"data_offsets": [int(_), int(stop)]}:
                end = max(end, stop)
            case _:
                raise ValueError("no tensor")
    return end


def judge_hdf5(path: str, size: int) -> str:
    """The superblock's end-of-file address must be the file's length: it is set when the file is closed."""
    with open_file(path) as file:
        start = 0
        while True:
            file.seek(start)
            block = file.read(96)
            if block.startswith(HDF5_SIGNATURE) or start + 96 > size or start >= 1 << 20:
                break
            start = start * 2 or 512  # where a user block ends
    if not block.startswith(HDF5_SIGNATURE):
        return "it has no HDF5 signature"
    first = {0: 24, 1: 28, 2: 12, 3: 12}.get(block[8] if len(block) > 8 else -1)
    if first is None:
        return "its HDF5 superblock has an unknown version"
    is_old = first > 12
    width = block[13 if is_old else 9] if len(block) > 13 else 0
    place = first + 2 * width
    if width not in (2, 4, 8) or len(block) < place + width:
        return "its HDF5 superblock is not whole"
    end = int.from_bytes(block[place : place + width], "little")
    if end < size or (block[8] == 3 and block[11] & 1):
        return "it was not closed by its writer"
    return _compare(size, end)


def judge_json(path: str, size: int) -> str:
    """It must parse; of a very long one only the end is looked at."""
    with open_file(path) as file:
        if size > _MAX_JSON:
            file.seek(size - 64)
            return "" if file.read(64).rstrip().endswith((b"}", b"]")) else "its JSON is cut off"
        raw = file.read()
    try:
        json.loads(raw)
    except ValueError:
        return "it is not whole JSON"
    except RecursionError:
        return "its JSON is nested too deeply"
    return ""


def judge_numpy(path: str, size: int) -> str:
    """As long as its header's shape and type say, where these are plain numbers."""
    with open_file(path) as file:
        begin = file.read(12)
        width = 2 if begin[6:7] == b"\x01" else 4
        length = int.from_bytes(begin[8 : 8 + width], "little")
        start = 8 + width + length
        if len(begin) < 12 or length > _MAX_NUMPY_HEADER or start > size:
            return "its header is not whole"
        file.seek(8 + width)
        header = file.read(length).decode("latin-1")
    data = _numpy_bytes(header)
    return "" if data is None else _compare(size, start + data)


def _numpy_bytes(header: str) -> int | None:
    """Bytes of data; None where the header does not tell, as for Python objects and records."""
    found = re.search(r"'descr': '[<>|=]?[biufcSV?](\d*)'.*'shape': \(([\d, ]*)\)", header)
    if found is None:
        return None
    count = 1
    for part in found[2].split(","):
        count *= int(part) if part.strip() else 1
    return count * int(found[1] or 1)


def judge_pickle(path: str, size: int) -> str:
    """Its last byte must be the one that ends every pickle."""
    with open_file(path) as file:
        file.seek(size - 1)
        return "" if file.read(1) == b"." else "it is no whole pickle: its end is missing"


def _compare(found: int, expected: int) -> str:
    if found == expected:
        return ""
    return (_CUT_SHORT if found < expected else _TOO_LONG).format(found=found, expected=expected)
