"""What the name of a metric says: which way is better, and which metrics belong into one chart."""

from __future__ import annotations

import re

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOTALS = ("total_steps", "max_steps")
"""Metrics by which a script may say how many steps there are; they are no curves."""
_HIGH = frozenset(
    [
        "accuracy",
        "acc",
        "reward",
        "rewards",
        "return",
        "returns",
        "auc",
        "auroc",
        "auprc",
        "f1",
        "bleu",
        "rouge",
        "meteor",
        "r2",
        "precision",
        "recall",
        "map",
        "iou",
        "miou",
        "dice",
        "psnr",
        "ssim",
        "score",
        "success",
        "win",
        "em",
        "top1",
        "top5",
        "acc1",
        "acc5",
        "acc@1",
        "acc@5",
        "ndcg",
        "mrr",
        "mcc",
    ]
)
_LOW = frozenset(
    ["loss", "losses", "error", "err", "perplexity", "ppl", "mse", "mae", "rmse", "nll", "cer", "wer", "fid"]
)
_SETS = frozenset(["train", "training", "val", "valid", "validation", "eval", "evaluation", "test", "dev"])


class Family(Frozen):
    """Metrics that are the same thing measured on different data, such as loss and val_loss."""

    title: str
    """In capitals."""
    names: tuple[str, ...]
    labels: tuple[str, ...]
    """What tells each from the others; "" where there is only one."""


def is_higher_better(name: str) -> bool:
    """Whether more of it is better, as far as its name tells: accuracy, reward, test_auc, eval/f1."""
    words = set(_words(name))
    return bool(words & _HIGH) and not words & _LOW


def families(names: Iterable[str]) -> list[Family]:
    """All metrics by what they measure, in the order of their first appearance."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        base, data = _split(name)
        groups.setdefault(base, []).append((name, data))
    return [_family(base, members) for base, members in groups.items()]


def _family(base: str, members: list[tuple[str, str]]) -> Family:
    names = tuple(name for name, _data in members)
    if len(members) == 1:
        return Family(title=_title(names[0]), names=names, labels=("",))
    return Family(title=_title(base), names=names, labels=tuple(data or "train" for _name, data in members))


def _title(name: str) -> str:
    return re.sub(r"[_/.\s]+", " ", name).strip().upper() or name.upper()


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9@]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()) if word]


def _split(name: str) -> tuple[str, str]:
    """What is measured, and on which data ("" where the name does not say)."""
    parts = [part for part in re.split(r"[_/.\-\s]+", name) if part]
    for at in (0, -1):
        if len(parts) > 1 and parts[at].lower() in _SETS:
            rest = parts[1:] if at == 0 else parts[:-1]
            return "_".join(rest).lower(), parts[at].lower()
    return "_".join(parts).lower() or name, ""


def total_steps(last: Mapping[str, float]) -> int | None:
    """How many steps there are in all, by the newest values of a run's metrics; None where no metric says."""
    found = next((last[name] for name in TOTALS if name in last), None)
    return int(found) if found is not None and 0 < found < 1e15 else None
