"""What a name on disk says: is it a checkpoint's, what is it good for, at which step was it saved? Pure.

A number is taken for a step where the name says so: checkpoint-500 (a folder), step_500, epoch=1-step=40, iter_500,
rl_model_500_steps, ep1-ba500-rank0.pt, model_0000500.pth, m_500.ubj, model.txt.snapshot_iter_500, 500 (Orbax). The
number of an epoch never is. Any other number (ckpt_500.pt) may be one: `number`.
"""

from __future__ import annotations

import re
from itertools import pairwise

from backprop_tui.artifacts.content import is_temporary
from backprop_tui.artifacts.metric_files.kinds import is_metric_name
from backprop_tui.artifacts.vocabulary import vocabulary
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Level: TypeAlias = Literal["sure", "likely", "proof"]

WHOLE, WEIGHTS, BEST = 0, 1, 2
"""Ranks: made to go on from; weights alone or a last export; the best so far, which is seldom the newest."""

STRONG_ENDS = (
    ".pth.tar", ".pt.tar", ".weights.h5", ".pt", ".pth", ".ckpt", ".safetensors", ".keras", ".ubj",
)  # fmt: skip
"""Hardly anything but a model or a checkpoint is called so."""
_OPEN_ENDS = (
    ".h5", ".hdf5", ".npz", ".npy", ".pkl", ".pickle", ".joblib", ".msgpack", ".model", ".params", ".pdparams", ".bin",
    ".tar",
)  # fmt: skip
"""What such a file holds is said by the rest of its name."""
_PROVEN_ENDS = (".json", ".txt", ".zip")
"""What such a file holds is said by its content alone."""
_METRIC_ENDS = (".csv", ".jsonl")
_TF_INDEX, _TF_DATA, _LIGHTGBM = ".index", ".data-0", ".snapshot_iter_"

_SAVED = vocabulary("checkpoint checkpoints ckpt ckpts chkpt ckp snapshot backup recovery resume restart")
_NEWEST = vocabulary("last latest newest current")
_MODEL = vocabulary(
    "model models weights weight net network policy agent actor critic generator discriminator netg netd "
    "encoder decoder unet lora adapter ema"
)
_VAGUE = vocabulary("state states params parameters training trainer learner")
_STEPS = vocabulary("step steps iter iters iteration iterations it globalstep")
_EPOCHS = vocabulary("epoch epochs ep")
_FINAL = vocabulary("final finished export exported")
_NEVER = vocabulary("replay buffer vecnormalize args arguments hparams tokenizer vocab")
_SIDE = vocabulary("optimizer optim opt scheduler sched scaler rng random sampler")
"""Beside a model; alone they are nothing to go on from."""
_DATA = vocabulary(
    "data dataset datasets vocabulary token tokens embedding embeddings feature features cache cached index "
    "indices labels stats mean std corpus dictionary sample samples preds predictions outputs logits results "
    "metrics history"
)
_SPLITS = vocabulary("train val valid validation test split splits")

_COMPOSER = r"ep\d+-ba(\d+)(?:-rank\d+)?"
_FVCORE = r"model_(\d{7})"
_SHARD = r".*-\d{5}-of-\d{5}"
_FOLDER = (
    r"(?:checkpoint|ckpt|model)?[-_]?(?:(?P<step>global_?step|steps?|iters?|iterations?)|(?P<epoch>epochs?|ep))[-_=]?\d+"
    r"|(?P<hf>checkpoint-\d+)|(?:checkpoint|ckpt|chkpt|snapshot)[-_=]?\d+"
    r"|(?:checkpoint|ckpt|model)[-_](?:last|latest|final|best[-_\w]*)"
    r"|(?:last|latest|final|best)(?:[-_](?:checkpoint|ckpt|model))?"
)

FOLDER_MARKS = {
    "random_states_0.pkl": "",
    "_CHECKPOINT_METADATA": "",
    "training_metadata.json": "latest.weights.h5",
    ".metadata": "__0_0.distcp",
    "meta.json": "config.cfg",
    "rllib_checkpoint.json": "",
    "saved_model.pb": "",
}
"""A file that, with a second one beside it, makes the folder around it a checkpoint, whatever that is called."""


class Name(Frozen):
    """A checkpoint's name."""

    name: str
    """Of the checkpoint; files that share a prefix are one."""
    level: Level
    """Whether it is one: surely; likely, once there is a training; if its content proves it."""
    rank: int = WHOLE
    step: int | None = None
    number: int | None = None
    """The only number in it, which may be a step."""


def may_matter(name: str) -> bool:
    """The quick question for every file of a walk: can it be a checkpoint, a part of one, or a metric file?"""
    lower = name.lower()
    return (
        lower[lower.rfind(".") :] in _ENDS
        or lower.startswith(("checkpoint", "ckpt", "events.out.tfevents"))
        or _LIGHTGBM in lower
        or _TF_DATA in lower
        or name in FOLDER_MARKS
        or is_metric_name(name)
    )


def is_telling(name: str) -> bool:
    """Whether the name alone says so much that even among hundreds of data files it is looked at."""
    return name.lower().endswith(STRONG_ENDS) or name.startswith("events.out.tfevents")


_ENDS = frozenset(end[end.rfind(".") :] for end in STRONG_ENDS) | frozenset(
    (*_OPEN_ENDS, *_PROVEN_ENDS, *_METRIC_ENDS, _TF_INDEX)
)


def read_file_name(name: str) -> Name | None:
    """What the name of a file says; None for one that is no checkpoint's."""
    if is_passing(name):
        return None
    lower = name.lower()
    if _LIGHTGBM in lower:
        number = _whole(lower.rpartition(_LIGHTGBM)[2])
        return None if number is None else Name(name=name, level="sure", step=number, number=number)
    if _TF_DATA in lower or lower.endswith(_TF_INDEX):
        stem = name[: lower.rindex(_TF_DATA) if _TF_DATA in lower else -len(_TF_INDEX)]
        return _judge_words(stem, stem.lower(), ".ckpt")
    end = next((end for end in (*STRONG_ENDS, *_OPEN_ENDS, *_PROVEN_ENDS) if lower.endswith(end)), "")
    stem = lower[: len(lower) - len(end)]
    if re.fullmatch(_SHARD, stem, re.DOTALL):
        return None  # a part says nothing; its folder may
    return _judge_words(name, stem, end)


def is_passing(name: str) -> bool:
    """Whether something of that name is not there to stay: temporary, a copy of the old, hidden."""
    return name.startswith(".") or is_temporary(name) or name.endswith((".bkp", ".bak", ".lock", ".broken", "~"))


def _judge_words(name: str, stem: str, end: str) -> Name | None:
    parts = re.findall(r"[a-z]+|\d+", stem[:255])
    words = set(parts)
    step, number = _numbers(stem, parts, end)
    is_counted = step is not None or _counts_epochs(parts)
    if not _is_fit(words, is_counted=is_counted):
        return None
    level = _level(words, parts, end, is_counted=is_counted)
    if level is None:
        return None
    is_best = any(word.startswith("best") for word in words)
    has_weights_only = end == ".safetensors" or stem in ("pytorch_model", "adapter_model") or bool(words & _FINAL)
    rank = BEST if is_best else WEIGHTS if has_weights_only else WHOLE
    return Name(name=name, level=level, rank=rank, step=step, number=number)


def _is_fit(words: set[str], *, is_counted: bool) -> bool:
    """Whether nothing in the name says that it is something else."""
    if words & _NEVER:
        return False
    if words & (_SIDE | _DATA) and not words & (_SAVED | _MODEL):
        return False
    return not words & _SPLITS or is_counted or bool(words & (_SAVED | _MODEL | _VAGUE))


def _level(words: set[str], parts: list[str], end: str, *, is_counted: bool) -> Level | None:
    says_saved = is_counted or bool(words & (_SAVED | _NEWEST))
    says_model = bool(words & (_MODEL | _VAGUE)) or any(word.startswith("best") for word in words)
    if end in STRONG_ENDS:
        has_number = says_model and parts[-1].isdigit() and parts[-2:-1] != ["v"]
        return "sure" if says_saved or has_number else "likely"
    if end == ".zip" and is_counted:
        return "sure"
    if end in _PROVEN_ENDS:
        return "proof"
    if not end:
        return "likely" if words & _SAVED and parts[-1].isdigit() else "proof" if words & _SAVED else None
    return "likely" if says_saved or says_model else None


def _numbers(stem: str, parts: list[str], end: str) -> tuple[int | None, int | None]:
    """The step, and the only number of the name."""
    numbers = [part for part in parts if part.isdigit()]
    only = _whole(numbers[0]) if len(numbers) == 1 and not _counts_epochs(parts) else None
    if found := re.fullmatch(_COMPOSER, stem) or re.fullmatch(_FVCORE, stem):
        return _whole(found[1]), only
    for word, after in pairwise(parts):
        if word in _STEPS and after.isdigit():
            return _whole(after), only
    for before, word in pairwise(parts):
        if word in _STEPS and before.isdigit():
            return _whole(before), only
    if end == ".ubj" and parts and parts[-1].isdigit():
        return _whole(parts[-1]), only
    return None, only


def _counts_epochs(parts: list[str]) -> bool:
    return any(word in _EPOCHS and after.isdigit() for word, after in pairwise(parts))


def read_folder_name(name: str) -> Name | None:
    """What the name of a folder says; None for one that is no checkpoint's by its name."""
    if is_passing(name):
        return None
    lower = name.lower()
    end = next((end for end in STRONG_ENDS if lower.endswith(end)), "")
    if end:
        return _judge_words(name, lower[: -len(end)], end)
    if name.isdecimal():
        number = _whole(name)
        return Name(name=name, level="proof", step=number, number=number)
    found = re.fullmatch(_FOLDER, lower)
    if found is None:
        return None
    digits = re.findall(r"\d+", lower)
    number = _whole(digits[0]) if len(digits) == 1 and not found["epoch"] else None
    rank = BEST if "best" in lower else WEIGHTS if "final" in lower else WHOLE
    return Name(
        name=name, level="sure", rank=rank, step=number if found["hf"] or found["step"] else None, number=number
    )


def rank_of(name: str) -> int:
    """How fit for going on from a checkpoint of this name is, whether it is a file or a folder."""
    found = read_folder_name(name) or read_file_name(name)
    return WHOLE if found is None else found.rank


def _whole(digits: str) -> int | None:
    return int(digits) if digits.isdecimal() and len(digits) <= 18 else None
