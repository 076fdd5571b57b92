"""What the name of a metric says: which way is better, and which metric speaks for a run. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TOTALS = ("total_steps", "max_steps")
"""Metrics by which a script may say how many steps there are; they are no curves."""
LOSS = "loss"


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SETS = _set("val valid validation eval evaluation test dev")
"""Data that is not trained on."""
_EPISODES = _set("rollout ep episode episodic episodes")
_REWARDS = _set("rew reward rewards return returns")
_HIGH = _REWARDS | _set(
    "accuracy acc acc1 acc5 acc@1 acc@5 top1 top5 auc auroc auprc aucpr f1 precision recall map map50 iou miou dice "
    "bleu rouge meteor r2 psnr ssim score success win em ndcg mrr mcc"
)
_LOW = _set("error err perplexity ppl mse mae rmse rmsle mape nll cer wer fid")
_LOW_ENDS = ("loss", "losses", "error")
_SCALES = _set("scale scaler weight")
"""What belongs to a loss and is none."""
_BESIDE = _set(
    "lr learning rate epoch epochs step steps iter iters iteration iterations time seconds eta fps it grad norm "
    "gradnorm wd momentum memory mem len length samples tokens throughput mfu"
)
"""Words of what goes along with a training and does not say how it does."""


def words(name: str) -> list[str]:
    """The words of a name in lower case: ValLoss, val_loss, val/loss and val-loss are all val and loss."""
    out: list[str] = []
    word = before = ""
    for sign in name:
        if not (sign.isalnum() or sign == "@"):
            out.append(word)
            word = ""
        elif sign.isupper() and before.islower():
            out.append(word)
            word = sign
        else:
            word += sign
        before = sign
    return [found.lower() for found in (*out, word) if found]


def is_plain_loss(name: str) -> bool:
    """Whether it is simply the loss, however it is written."""
    return name.lower() == LOSS


def is_loss_like(name: str) -> bool:
    """Whether it is a loss or an error, of which less is better."""
    found = words(name)
    return any(word in _LOW or word.endswith(_LOW_ENDS) for word in found) and not _SCALES.intersection(found)


def is_score(name: str) -> bool:
    """Whether more of it is better: accuracy, reward, test_auc, eval/f1."""
    return not _HIGH.isdisjoint((*words(name), *words(name.lower()))) and not is_loss_like(name)


def main_metric(names: Iterable[str]) -> str | None:
    """The metric that speaks for a run, of those it has in the order of their first appearance; None of none.

    It is `loss`, unless an agent learns from episodes: its losses say little, its reward does. Without a loss it is any
    reward, a loss or an error on the data that is trained on, one on other data, a score, and only then anything else.
    """
    return min((name for name in names if name not in TOTALS), key=_rank, default=None)  # the first of equals


def loss_metric(names: Iterable[str]) -> str | None:
    """The metric that speaks for a run if it is a loss or an error, else None."""
    found = main_metric(names)
    return found if found is not None and is_loss_like(found) else None


def _rank(name: str) -> int:
    found = set(words(name))
    if found & _REWARDS:
        return 0 if found & _EPISODES else 2
    if is_plain_loss(name):
        return 1
    if is_loss_like(name):
        return 4 if found & _SETS else 3
    if is_score(name):
        return 6 if found & _SETS else 5
    return 8 if found & _BESIDE else 7


_SHORT = {
    "accuracy": "acc",
    "perplexity": "ppl",
    "precision": "prec",
    "learning_rate": "lr",
    "ep_rew_mean": "reward",
    "episode_reward": "reward",
}


def short_name(name: str) -> str:
    """A name as short as it is still understood: rollout/ep_rew_mean is reward, train-logloss logloss."""
    last = name.rpartition("/")[2] or name
    for word in ("train", "training"):
        for sign in ("_", "-", ".", "'s "):
            last = last.removeprefix(word + sign) or last
    for long, short in _SHORT.items():
        if last == long or last.endswith(("_" + long, "-" + long)):
            return last[: -len(long)] + short
    return last
