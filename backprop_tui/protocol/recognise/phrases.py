"""Sentences that tell where a checkpoint was saved: `Saving model checkpoint to out/checkpoint-500`."""

from __future__ import annotations

from backprop_tui.model.events import CheckpointReport
from backprop_tui.protocol.later import later

_WHAT = r"(?:checkpoints?|ckpt|model|state|snapshot|weights|pipeline|network|params|parameters|progress|training state)"
_TO = (
    r"(?: (?:to|at|in|into|as|under)(?: (?:file|path|folder|directory))?:?|:)\s{1,4}"
    r"(?=['\"`]|\S{0,400}?(?:/|\.\w)|[A-Za-z][\w.-]{0,80}+\s*\Z)"
)
_VERB_FIRST = later(
    rf"(?i:\b(?P<verb>saving|saved|save|wrote|writing|dumped|dumping|stored|storing|finished saving)\b"
    rf"(?P<what>[^:'\"`/]{{0,60}}?)\b{_WHAT}\b(?P<about>[^:'\"`/\\]{{0,48}}?)"
    rf"{_TO})(?P<path>.+)"
)
_NOUN_FIRST = later(
    rf"(?i:\b{_WHAT}\b(?P<about>[^:'\"`/\\]{{0,48}}?)"
    r" (?:was |has been |successfully )?(?P<verb>saved|written|stored|dumped)"
    rf"{_TO})(?P<path>.+)"
)
_SAVING_QUOTED = later(rf"(?i:=> (?P<verb>saving|saved) (?:\w{{1,20}} ){{0,2}}{_WHAT} )(?P<path>['\"`].+)")
_SAVED_PATH = later(
    r"(?i:\b(?P<verb>saved|saving|wrote|writing) (?:model|checkpoint) )(?P<path>[\w.~/-]{0,400}?[/.]\w.*)"
)
_FORMS = (_VERB_FIRST, _NOUN_FIRST, _SAVING_QUOTED, _SAVED_PATH)
_MAX_SENTENCE = 600
_QUOTED = later(r"(['\"`])(.{1,4000}?)\1")
_KINDS = (
    ".pt", ".pth", ".ckpt", ".bin", ".tar", ".safetensors", ".keras", ".h5", ".hdf5", ".zip", ".pkl", ".pickle", ".npz",
    ".msgpack", ".joblib", ".onnx", ".model", ".ubj", ".cbm", ".orbax", ".distcp", ".pdparams", ".params", ".eqx",
)  # fmt: skip
_NOT_KINDS = (
    ".json", ".txt", ".csv", ".tsv", ".yaml", ".yml", ".png", ".jpg", ".jpeg", ".svg", ".pdf", ".log", ".md", ".html",
    ".mp4", ".gif", ".wav", ".py", ".toml", ".parquet", ".arrow", ".jsonl",
)  # fmt: skip
_PARTS = later(
    r"(?:model(?:-\d+-of-\d+)?\.safetensors|pytorch_model(?:-\d+-of-\d+)?\.bin|optimizer\.\w+|scheduler\.\w+|sampler\w*\.\w+"
    r"|random_states_\d+\.pkl|rng_state\w*\.pth|scaler\.pt|custom_checkpoint_\d+\.pkl|training_args\.bin)\Z"
)
_OTHER_THINGS = (
    "config", "tokenizer", "optimizer state", "scheduler", "sampler", "random state", "special token", "vocab",
    "will be", "would be", "summary", "graph", "plot", "figure", "image", "log", "prediction", "embedding",
    "dataset", "diagram", "card", "not ", "n't", "failed", "unable", "skip", "every", "if ", "when ", "state of ",
    "replay buffer", "loading", "loaded",
)  # fmt: skip
"""Sentences with one of these speak of something else, or of something that is not saved yet."""
_STORES = frozenset({"disk", "memory", "cloud", "s3", "hub", "file", "storage", "ram", "gpu", "cpu", "the", "a", "it"})
_STEP = later(r"(?i:(?:global[ _]?step|iteration|\bstep|\biter)s?[ :=#]{1,8}(\d{1,12}+)|@ (\d{1,12}+) updates)")
_STEP_IN_PATH = later(
    r"(?:checkpoint-(\d{1,12}+)|(\d{1,12}+)_steps|(?:global_)?step[=_-]?(\d{1,12}+)|iter[=_-](\d{1,12}+))\b"
)


def read_phrase(text: str, low: str) -> tuple[CheckpointReport, bool] | None:
    """The checkpoint that the line speaks of, and whether it is only begun."""
    if not ("sav" in low or "wr" in low or "dump" in low or "stor" in low) or len(text) > _MAX_SENTENCE:
        return None
    for form in _FORMS:
        found = form.search(text)
        if found is not None:
            break
    else:
        return None
    sentence = low[: found.start("path")]
    if any(thing in sentence for thing in _OTHER_THINGS):
        return None
    path = _path(found["path"], is_bare_allowed="checkpoint to" in sentence)
    if path is None:
        return None
    is_begun = (
        found["verb"].lower() in ("saving", "save", "writing", "dumping", "storing") and "finished" not in sentence
    )
    return CheckpointReport(path=path, step=_step(text, path), found="phrase"), is_begun


def _path(rest: str, *, is_bare_allowed: bool) -> str | None:
    """The path that the rest of the sentence begins with."""
    quoted = _QUOTED.match(rest)
    if quoted is not None:
        path = quoted[2]
    else:
        words = rest.split(None, 1)
        path = words[0].rstrip(".,;:!)]}'\"`…") if words else ""
        is_bare_allowed = is_bare_allowed and len(words) == 1
    if not path or "://" in path or "\0" in path or path[0] in "<{$(%":
        return None
    low = path.lower()
    name = low.rstrip("/").rpartition("/")[2]
    if low.endswith(_NOT_KINDS) or _PARTS.match(name) or not name.strip("."):
        return None
    if "/" in path or low.endswith(_KINDS):
        return path
    return path if is_bare_allowed and low not in _STORES and low[0].isalpha() else None


def _step(text: str, path: str) -> int | None:
    found = _STEP.search(text.partition(path)[0]) or _STEP.search(text.partition(path)[2]) or _STEP_IN_PATH.search(path)
    return int(next(one for one in found.groups() if one)) if found is not None else None
