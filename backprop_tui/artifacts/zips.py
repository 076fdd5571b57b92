"""Judges checkpoints that are zip files: PyTorch's, Keras', numpy's, Stable-Baselines3's, any other."""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib

from backprop_tui.artifacts.content import open_file
from backprop_tui.artifacts.pickles import storage_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_MAX_PICKLE = 64 * 1024 * 1024
_PIECE = 1 << 20
_KERAS_WEIGHTS = ("model.weights.h5", "model.weights.json", "model.weights.npz")
_SB3_MARKS = ("policy.pth", "policy.optimizer.pth", "pytorch_variables.pth")
_SB3_LAST = ("_stable_baselines3_version", "system_info.txt")
_TORCH_MARKS = {b"pytorch-lightning_version": "lightning", b"ultralytics.nn": "ultralytics"}
"""What a PyTorch pickle of a known tool holds."""
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, RuntimeError, LookupError)


def judge_zip(path: str, end: str) -> tuple[str, str]:
    """Kind and fault of a zip file whose name ends so.

    Raises:
        OSError: it cannot be read.
    """
    kind = {".keras": "keras", ".npz": "npz"}.get(end, "zip")
    with open_file(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except (*_BROKEN, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a place before the file's beginning
                raise
            return kind, "its zip directory is missing or broken: it was not written to its end"
        with archive:
            return _judge(archive, kind)


def _judge(archive: zipfile.ZipFile, kind: str) -> tuple[str, str]:
    names = archive.NameToInfo
    if not names:
        return kind, "it is a zip file without content"
    if max(info.header_offset + info.compress_size for info in names.values()) > archive.start_dir:
        return kind, "its zip directory names more bytes than there are"
    if kind == "keras":
        return kind, _missing_of_keras(names)
    pickled = next((name for name in names if name.endswith("data.pkl") and _is_torch_root(name[:-8])), None)
    if pickled is not None:
        return _judge_torch(archive, names[pickled], pickled[:-8])
    if any(name.endswith(".data/serialization_id") for name in names):
        return "torch", "its data.pkl is missing"
    if any(name in names for name in _SB3_MARKS):
        missing = [name for name in _SB3_LAST if name not in names]
        return "sb3", f"{missing[0]} is missing from it" if missing else ""
    return kind, ""


def _is_torch_root(prefix: str) -> bool:
    return prefix == "" or (prefix.endswith("/") and prefix.count("/") == 1)


def _missing_of_keras(names: Container[str]) -> str:
    missing = [name for name in ("metadata.json", "config.json") if name not in names]
    if not any(name in names for name in _KERAS_WEIGHTS):
        missing.append(_KERAS_WEIGHTS[0])
    return f"{missing[0]} is missing from it" if missing else ""


def _judge_torch(archive: zipfile.ZipFile, info: zipfile.ZipInfo, root: str) -> tuple[str, str]:
    if info.file_size > _MAX_PICKLE:
        return "torch", ""
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "torch", "its data.pkl is packed in a way that PyTorch does not write"
    try:
        with archive.open(info) as record:
            pickled = b"".join(iter(lambda: record.read(_PIECE), b""))
    except _BROKEN:
        return "torch", "its data.pkl cannot be unpacked"
    kind = next((kind for mark, kind in _TORCH_MARKS.items() if mark in pickled), "torch")
    return kind, _missing_tensors(archive, pickled, root)


def _missing_tensors(archive: zipfile.ZipFile, pickled: bytes, root: str) -> str:
    """Every tensor that the pickle names must have its record: an interrupted save leaves some out."""
    try:
        keys = storage_keys(pickled)
    except ValueError as error:
        return f"its data.pkl is no whole pickle: {error}"
    found = sum(f"{root}data/{key}" in archive.NameToInfo for key in keys)
    if found == len(keys):
        return ""
    return f"it holds {found} of its {len(keys)} tensors: the save was interrupted"
