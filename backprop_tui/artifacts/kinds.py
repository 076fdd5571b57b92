"""Judges one file by what it is: by its first bytes, and by its name where those say nothing."""

from __future__ import annotations

import os

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.formats import (
    HDF5_SIGNATURE,
    NUMPY_SIGNATURE,
    judge_hdf5,
    judge_json,
    judge_numpy,
    judge_pickle,
    judge_safetensors,
)
from backprop_tui.text import short

_ZIP_MAGIC = b"PK\x03\x04"
_EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_LIGHTGBM_HEAD = b"tree\n"
_XGBOOST_JSON_HEAD = b'{"learner"'
_TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_MUST_BE_ZIP = {".keras": "keras", ".npz": "npz", ".zip": "zip"}
_HDF5_NAMES = (".h5", ".hdf5")
_PICKLE_NAMES = (".pkl", ".pickle")
_TORCH_NAMES = (".pt", ".pth", ".ckpt")
_TAG = "last_checkpoint"
"""A text file that detectron2 and MMEngine write behind each checkpoint: it names the newest one."""
_MAX_TAG = 4096
_XGBOOST_HEAD = b"{L\x00\x00\x00\x00\x00\x00\x00\x07learn"

KNOWN_NAMES = (
    ".pt", ".pth", ".bin", ".ckpt", ".tar", ".safetensors", ".json", ".ubj", ".npy", *_HDF5_NAMES, *_PICKLE_NAMES,
    *_MUST_BE_ZIP,
)  # fmt: skip
"""Ends of file names that promise a form which can be checked."""


def judge_file(path: str, size: int) -> tuple[str, str]:
    """A regular file's kind and, if it is not whole, what is wrong with it."""
    if size == 0:
        return "file", "it is empty"
    try:
        with open_file(path) as file:
            return _judge(file.read(16), path, size)
    except OSError as error:
        return "file", f"it cannot be read: {error.strerror or error}"


def proves_itself(path: str) -> bool:
    """Whether a file's first bytes can be those of a model; a folder needs no such proof."""
    try:
        with open_file(path) as file:
            head = file.read(16)
    except OSError:
        return os.path.isdir(path)
    return head.startswith((_ZIP_MAGIC, _TORCH_LEGACY_MAGIC, _XGBOOST_JSON_HEAD, _XGBOOST_HEAD, _LIGHTGBM_HEAD))


def _judge(head: bytes, path: str, size: int) -> tuple[str, str]:
    end = os.path.splitext(path)[1].lower()
    if _begins(head, _ZIP_MAGIC) or _begins(head, _EMPTY_ZIP_MAGIC):
        # Not at the top: only this needs zipfile, and a supervisor may never meet a zip.
        from backprop_tui.artifacts.zips import judge_zip

        return judge_zip(path, end)
    if end in _MUST_BE_ZIP:
        return _MUST_BE_ZIP[end], "it does not begin like the zip file that its name promises"
    if end == ".safetensors":
        return "safetensors", judge_safetensors(path, size)
    if end in _HDF5_NAMES or head.startswith(HDF5_SIGNATURE):
        return "hdf5", judge_hdf5(path, size)
    if end in (".json", ".ubj") or head.startswith((_LIGHTGBM_HEAD, _XGBOOST_HEAD)):
        return _judge_text(head, path, size, end)
    return _judge_rest(head, path, size, end)


def _judge_text(head: bytes, path: str, size: int, end: str) -> tuple[str, str]:
    if end == ".json":
        return "xgboost" if _begins(head, _XGBOOST_JSON_HEAD) else "json", judge_json(path, size)
    from backprop_tui.artifacts.trees import judge_lightgbm, judge_ubjson

    if head.startswith(_LIGHTGBM_HEAD):
        return "lightgbm", judge_lightgbm(path, size)
    return "xgboost" if _begins(head, _XGBOOST_HEAD) else "ubjson", judge_ubjson(path, size)


def _judge_rest(head: bytes, path: str, size: int, end: str) -> tuple[str, str]:
    if head.startswith(_TORCH_LEGACY_MAGIC):
        return "torch-legacy", ""
    if head.startswith(NUMPY_SIGNATURE):
        return "npy", judge_numpy(path, size)
    if end == ".npy":
        return "npy", "it does not begin like the numpy file that its name promises"
    if end in _PICKLE_NAMES and head.startswith(b"\x80"):
        return "pickle", judge_pickle(path, size)
    if os.path.basename(path) == _TAG:
        return "tag", _judge_tag(path, size)
    if end in _TORCH_NAMES and not head.strip(b"\0"):
        return "torch", "it begins with zero bytes: it did not reach the disk"
    return "file", ""


def _judge_tag(path: str, size: int) -> str:
    """The file that it names must be there and whole."""
    if size > _MAX_TAG:
        return "it is too long for the name of a file"
    with open_file(path) as file:
        name = os.fsdecode(file.read(_MAX_TAG)).strip()
    target = os.path.join(os.path.dirname(path), name)
    if not name or os.path.basename(target) == _TAG:
        return "it names no file"
    try:
        length = os.stat(target).st_size if os.path.isfile(target) else -1
    except (OSError, ValueError):
        length = -1
    if length < 0:
        return f"it names {short(name, 80)}, which is not there"
    _, why = judge_file(target, length)
    return why and f"it names {short(name, 80)}, which is not whole: {why}"


def _begins(head: bytes, magic: bytes) -> bool:
    """Whether a file begins so; one that was cut off within its first bytes does too."""
    return head[: len(magic)] == magic[: len(head)]
