"""Small checkpoints made by hand, of the forms that real tools write, and what is asked of their verdicts."""

from __future__ import annotations

import collections
import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

from backprop_tui.artifacts.verdict import judge


class Storage:
    def __init__(self, key: str) -> None:
        self.key = key


class TorchLikePickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ("storage", collections.OrderedDict, obj.key, "cpu", 600)
        return None


def torch_pickle(content: object, protocol: int = 2) -> bytes:
    buffer = io.BytesIO()
    TorchLikePickler(buffer, protocol).dump(content)
    return buffer.getvalue()


def torch_zip(path: Path, content: object, keys: list[str], root: str = "archive/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}data.pkl", torch_pickle(content))
        archive.writestr(f"{root}byteorder", "little")
        for key in keys:
            archive.writestr(f"{root}data/{key}", os.urandom(64))
        archive.writestr(f"{root}version", "3\n")
        archive.writestr(f"{root}.data/serialization_id", "1" * 40)
    return path


def state_dict(count: int) -> dict[str, object]:
    # Module names that are the same text objects as storage keys, so that the pickle refers back to them.
    return {str(i): Storage(str(i)) for i in range(count)} | {"storage": "storage", "epoch": 3}


def safetensors(path: Path, sizes: list[int]) -> Path:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for number, size in enumerate(sizes):
        header[f"t{number}"] = {"dtype": "U8", "shape": [size], "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(at))
    return path


def hdf5(version: int, size: int, end: int, start: int = 0) -> bytes:
    block = b"\x89HDF\r\n\x1a\n" + bytes([version])
    if version < 2:
        block += bytes([0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]) + bytes(4 * version)
    else:
        block += bytes([8, 8, 0])
    block += struct.pack("<QQQQ", start, 2**64 - 1, end, 48)
    return (bytes(start) + block).ljust(size, b"\0")


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def assert_bad(path: Path, kind: str, part: str) -> None:
    verdict = judge(str(path))
    assert (verdict.good, verdict.kind) == (False, kind), verdict
    assert part in verdict.why


def assert_good(path: Path, kind: str) -> None:
    verdict = judge(str(path))
    assert (verdict.good, verdict.kind, verdict.why) == (True, kind, "")
    assert verdict.size > 0


def ubjson(value: object) -> bytes:
    """As XGBoost writes it: objects without counts, arrays with them, arrays of numbers typed."""
    if isinstance(value, dict):
        return b"{" + b"".join(_length(key.encode()) + ubjson(item) for key, item in value.items()) + b"}"
    if isinstance(value, list) and value and all(isinstance(item, float) for item in value):
        return b"[$d#L" + struct.pack(">q", len(value)) + struct.pack(f">{len(value)}f", *value)
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubjson, value))
    if isinstance(value, bool) or value is None:
        return {True: b"T", False: b"F", None: b"Z"}[value]
    if isinstance(value, int):
        return b"i" + struct.pack(">b", value) if -128 <= value < 128 else b"l" + struct.pack(">i", value)
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    return b"S" + _length(str(value).encode())


def _length(text: bytes) -> bytes:
    return b"L" + struct.pack(">q", len(text)) + text


def xgboost_model(trees: int) -> dict[str, object]:
    grown = [{"id": n, "split": [0.5] * 7, "left": [1, -1, 300], "name": f"t{n}", "leaf": True} for n in range(trees)]
    return {"learner": {"attributes": {}, "trees": grown, "none": None}, "version": [3, 2, 0]}


LIGHTGBM = (
    "tree\nversion=v4\nnum_class=1\n\nTree=0\nnum_leaves=2\n\nend of trees\n\n"
    "parameters:\n[objective: binary]\n\nend of parameters\n"
)


def sb3_zip(path: Path, *, names: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names or ("data", "policy.pth", "_stable_baselines3_version", "system_info.txt"):
            archive.writestr(name, b"content" * 50)
    return path


def keras_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, b"content" * 50)
    return path
