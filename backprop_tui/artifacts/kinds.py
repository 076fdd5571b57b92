"""Judges one file by what it is: by its first bytes, and by its name where those say nothing."""

from __future__ import annotations

import os

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.formats import HDF5_SIGNATURE, judge_hdf5, judge_json, judge_safetensors

_ZIP_MAGIC = b"PK\x03\x04"
_EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_MUST_BE_ZIP = {".keras": "keras", ".npz": "npz", ".zip": "zip"}
_HDF5_NAMES = (".h5", ".hdf5")

KNOWN_NAMES = (
    ".pt", ".pth", ".bin", ".ckpt", ".tar", ".safetensors", ".json", *_HDF5_NAMES, *_MUST_BE_ZIP,
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
    if end == ".json":
        return "json", judge_json(path, size)
    if head.startswith(_TORCH_LEGACY_MAGIC):
        return "torch-legacy", ""
    return "file", ""


def _begins(head: bytes, magic: bytes) -> bool:
    """Whether a file begins so; one that was cut off within its first bytes does too."""
    return head[: len(magic)] == magic[: len(head)]
