"""Whether a checkpoint is whole. Never raises on what it finds."""

from __future__ import annotations

import os
import stat

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FILES = 10_000
MAX_DEPTH = 8


class Verdict(Frozen):
    """What a look at a checkpoint found."""

    kind: str
    """torch, zip, safetensors, keras, hdf5, json, file; huggingface, accelerate, orbax, folder; missing."""
    good: bool
    why: str = ""
    """What is wrong, in a sentence."""
    size: int = 0
    """Bytes, a folder's whole content."""
    stamp: tuple[int, int] = (0, 0)
    """(size, newest modification in ns): the same as long as nothing was written."""


class NotWhole(Exception):  # noqa: N818  # a finding, caught in this package
    """Something is missing or damaged; the text says what."""


def judge(path: str) -> Verdict:
    """Look at a file or folder. Quick: names and tables of contents are read, data is not."""
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return Verdict(kind="missing", good=False, why="it is not there")
    if _is_temporary(os.path.basename(path)):
        return Verdict(kind="temporary", good=False, why="it is a temporary file of an unfinished save")
    if stat.S_ISDIR(info.st_mode):
        return _judge_folder(path)
    stamp = (info.st_size, info.st_mtime_ns)
    if not stat.S_ISREG(info.st_mode):
        return Verdict(kind="missing", good=False, why="it is not a file", stamp=stamp)
    kind, check = _kind_of_file(path)
    why = _complaint(check, path)
    return Verdict(kind=kind, good=not why, why=why, size=info.st_size, stamp=stamp)


def _complaint(check: Callable[[str], None], path: str) -> str:
    try:
        check(path)
    except NotWhole as finding:
        return str(finding)
    except (OSError, ValueError, EOFError, RecursionError, MemoryError, OverflowError) as error:
        return f"it cannot be read: {error}"[:300] if str(error) else "it cannot be read"
    return ""


_TEMPORARY_ENDS = (".tmp", ".part", ".partial", ".incomplete")


def _is_temporary(name: str) -> bool:
    lower = name.lower()
    return (
        lower.endswith(_TEMPORARY_ENDS)
        or lower.startswith((".tmp", "tmp-checkpoint-", "tmp."))
        or ".orbax-checkpoint-tmp" in lower
    )


def _kind_of_file(path: str) -> tuple[str, Callable[[str], None]]:
    from backprop_tui.artifacts import formats, torch_zip

    name = path.lower()
    with_magic = _first_bytes(path)
    if name.endswith(".safetensors"):
        return "safetensors", formats.check_safetensors
    if name.endswith(".keras"):
        return "keras", formats.check_keras
    if name.endswith((".h5", ".hdf5")) or with_magic.startswith(b"\x89HDF"):
        return "hdf5", formats.check_hdf5
    if name.endswith(".json"):
        return "json", formats.check_json
    if name.endswith((".pt", ".pth", ".bin", ".ckpt", ".tar")) and with_magic.startswith(b"PK"):
        return "torch", torch_zip.check_torch
    if name.endswith((".zip", ".npz")) or with_magic.startswith(b"PK"):
        return "zip", formats.check_zip
    return "file", formats.check_not_empty


def _first_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(8)
    except OSError:
        return b""


def _judge_folder(path: str) -> Verdict:
    try:
        found = list(_walk(path, MAX_DEPTH))
    except OSError as error:
        return Verdict(kind="folder", good=False, why=f"it cannot be read: {error.strerror}")
    size = sum(info.st_size for _path, info in found)
    newest = max((info.st_mtime_ns for _path, info in found), default=0)
    names = {os.path.relpath(file, path): info.st_size for file, info in found}
    kind, why = _folder_kind(path, names)
    if not why and not any(names.values()):
        why = "it holds no data"
    for file, _info in found[:MAX_FILES] if not why else ():
        if _is_temporary(os.path.basename(file)):
            continue
        _file_kind, check = _kind_of_file(file)
        if _file_kind != "file" and (problem := _complaint(check, file)):
            why = f"{os.path.relpath(file, path)}: {problem}"
            break
    return Verdict(kind=kind, good=not why, why=why, size=size, stamp=(size, newest))


def _folder_kind(path: str, names: dict[str, int]) -> tuple[str, str]:
    base = os.path.basename(os.path.normpath(path))
    if "checkpoint-is-incomplete.txt" in names:
        return "huggingface", "its save was not finished (checkpoint-is-incomplete.txt)"
    if "trainer_state.json" in names:
        return "huggingface", ""
    if base.startswith("checkpoint-") and base[11:].isdecimal():
        return "huggingface", "trainer_state.json is missing: its save was not finished"
    if "random_states_0.pkl" in names:
        model = any(name.startswith(("model", "pytorch_model")) for name in names)
        optimizer = any(name.startswith("optimizer") for name in names)
        missing = "the model" if not model else "the optimizer" if not optimizer else ""
        return "accelerate", f"{missing} is missing: its save was not finished" if missing else ""
    if base.startswith("checkpoint_") and base[11:].isdecimal():
        return "accelerate", "random_states_0.pkl is missing: its save was not finished"
    if "_CHECKPOINT_METADATA" in names:
        return "orbax", "" if base.isdecimal() else "its name is no step number"
    return "folder", ""


def _walk(folder: str, depth: int) -> list[tuple[str, os.stat_result]]:
    found: list[tuple[str, os.stat_result]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(found) >= MAX_FILES:
                break
            try:
                info = entry.stat()
            except OSError:
                continue
            if stat.S_ISREG(info.st_mode):
                found.append((entry.path, info))
            elif stat.S_ISDIR(info.st_mode) and depth > 0 and not entry.is_symlink():
                found += _walk(entry.path, depth - 1)[: MAX_FILES - len(found)]
    return found
