"""Judges checkpoints of several files: those of known tools by their own marks, all others by their files."""

from __future__ import annotations

import re

from backprop_tui.artifacts.content import is_temporary
from backprop_tui.artifacts.kinds import KNOWN_NAMES, judge_file
from backprop_tui.text import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.artifacts.content import Content, Entry

_MAX_JUDGED = 200
"""Files of one folder that are opened; the rest is only measured."""
_SHARD = r"(.+)-([0-9]{5})-of-([0-9]{5})(\.\w+)?"
_ORBAX_MARKS = ("manifest.ocdbt", "_METADATA", "array_metadatas", "commit_success.txt")
_ORBAX_LAST = "_CHECKPOINT_METADATA"
_KERAS_BACKUP = "latest.weights.h5"
_UNCERTAIN_NS = 1_000_000_000
"""Differences of times that copying a folder can make."""


def judge_folder(name: str, content: Content) -> tuple[str, str]:
    """Kind and fault of a folder of this name."""
    entries = [entry for entry in content.entries if not is_temporary(_base(entry.name))]
    top = {entry.name for entry in entries if "/" not in entry.name}
    kind, why = _by_marks(name, top, content)
    return kind, why or _missing_shards(entries) or _fault_inside(entries)


def judge_prefix(content: Content) -> tuple[str, str]:
    """TensorFlow's own form: one .index, and as many .data files as their names say."""
    kind = "tf-checkpoint"
    index = [entry for entry in content.entries if entry.name.endswith(".index")]
    if not index or index[0].size == 0:
        return kind, "its .index file is missing or empty: it is written last"
    if len(index) == len(content.entries):
        return kind, "its .data files are missing"
    return kind, _missing_shards(list(content.entries))


def _by_marks(name: str, top: set[str], content: Content) -> tuple[str, str]:
    """The kind, and what of the files that the tool writes last is missing."""
    if "trainer_state.json" in top or ("training_args.bin" in top and (_has_hf_name(name) or "optimizer.pt" in top)):
        return "hf-trainer", _fault_of_hf(top)
    if "optimizer.bin" in top or any(entry.startswith("random_states_") for entry in top):
        return "accelerate", _fault_of_accelerate(top, content)
    if _ORBAX_LAST in top or (name.isdecimal() and _has_orbax_marks(content)):
        return "orbax", _fault_of_orbax(top, content)
    if any(entry.endswith(".distcp") for entry in top):
        return "torch-distributed", "" if ".metadata" in top else "its .metadata, written last, is missing"
    if "training_metadata.json" in top or _KERAS_BACKUP in top:
        missing = [part for part in (_KERAS_BACKUP, "training_metadata.json") if part not in top]
        return "keras-backup", f"its {missing[0]} is missing" if missing else ""
    if "meta.json" in top and ("config.cfg" in top or _is_spacy(name)):
        return "spacy", _fault_of_spacy(top, content)
    return "folder", ""


def _has_hf_name(name: str) -> bool:
    return name.startswith("checkpoint-") and name.removeprefix("checkpoint-").isdecimal()


def _fault_of_hf(top: set[str]) -> str:
    if "checkpoint-is-incomplete.txt" in top:
        return "it holds checkpoint-is-incomplete.txt: the save was interrupted"
    return "" if "trainer_state.json" in top else "its trainer_state.json, written last, is missing"


def _fault_of_accelerate(top: set[str], content: Content) -> str:
    folders = {entry.name for entry in content.entries if entry.form == "folder"} & top
    if "random_states_0.pkl" not in top:
        return "its random_states_0.pkl, written last, is missing"
    if not folders and not any(name.startswith(("model", "pytorch_model")) for name in top):
        return "it holds no model"
    # DeepSpeed keeps the optimizer's state in the model's folder.
    if not folders and not any(name.startswith("optimizer") for name in top):
        return "it holds no optimizer"
    return ""


def _is_spacy(name: str) -> bool:
    return name in ("model-last", "model-best")


def _fault_of_spacy(top: set[str], content: Content) -> str:
    """It is written over itself each time: what comes last must not be older than what comes first."""
    missing = [part for part in ("config.cfg", "vocab") if part not in top]
    if missing:
        return f"its {missing[0]} is missing"
    times = {entry.name: entry.mtime_ns for entry in content.entries if entry.form == "file"}
    last = max((t for name, t in times.items() if name.startswith("vocab/")), default=None)
    if last is not None and last < times.get("meta.json", 0) - _UNCERTAIN_NS:
        return "its vocab, written last, is older than the rest: the save was interrupted"
    return ""


def _has_orbax_marks(content: Content) -> bool:
    names = (_base(entry.name) for entry in content.entries)
    return any(name in _ORBAX_MARKS or name.startswith("ocdbt.process_") for name in names)


def _fault_of_orbax(top: set[str], content: Content) -> str:
    if _ORBAX_LAST not in top:
        return f"its {_ORBAX_LAST} is missing"
    unfinished = [entry.name for entry in content.entries if ".orbax-checkpoint-tmp" in entry.name]
    return f"{short(unfinished[0], 80)} in it is not finished" if unfinished else ""


def _missing_shards(entries: list[Entry]) -> str:
    """What is said of files of the kind model-00001-of-00003 when not all three are there."""
    groups: dict[tuple[str, str, str], set[str]] = {}
    for entry in entries:
        if "-of-" in entry.name and (match := re.fullmatch(_SHARD, entry.name, re.DOTALL)):
            stem, number, total, end = match.groups("")
            groups.setdefault((stem, total, end), set()).add(number)
    for (stem, total, end), numbers in groups.items():
        if len(numbers) < int(total):
            return f"it holds {len(numbers)} of the {int(total)} parts of {short(_base(stem) + end, 80)}"
    return ""


def _fault_inside(entries: list[Entry]) -> str:
    files = [entry for entry in entries if entry.form == "file"]
    if not any(entry.size for entry in files):
        return "it is a folder without content"
    known = [entry for entry in entries if entry.name.lower().endswith(KNOWN_NAMES)]
    for count, entry in enumerate(known):
        if entry.form == "missing":
            return f"{short(entry.name, 80)} in it is a link to nothing"
        if entry.form != "file" or (count >= _MAX_JUDGED and entry.size):
            continue
        _, why = judge_file(entry.path, entry.size)
        if why:
            return f"{short(entry.name, 80)} in it is not whole: {why}"
    return ""


def _base(name: str) -> str:
    return name[name.rfind("/") + 1 :]
