"""What the name of a metric says: whether it is the training loss under another name, or no metric at all."""

from __future__ import annotations

_LOSS = frozenset(
    [
        "loss",
        "train_loss",
        "training_loss",
        "tr_loss",
        "loss_train",
        "loss_training",
        "train_loss_step",
        "train_step_loss",
        "step_loss",
        "loss_step",
        "batch_loss",
        "lm_loss",
        "epoch_loss",
        "total_loss",
        "loss_total",
        "train_total_loss",
        "train_loss_total",
        "losses_total",
        "loss_train_total",
    ]
)
_BOOKKEEPING = frozenset(
    [
        "step",
        "global_step",
        "iter",
        "iteration",
        "epoch",
        "epochs",
        "time",
        "data_time",
        "last_time",
        "eta",
        "elapsed",
        "time_elapsed",
        "runtime",
        "memory",
        "max_mem",
        "loss_scale",
        "loss_weight",
        "hp_metric",
        "total_flos",
        "total_timesteps",
    ]
)
_SUMS = frozenset(["train/train_loss"])
"""Written once, at the end: the mean of a whole training."""
_BOOKKEEPING_ENDS = ("_per_second", "_runtime", "_time")
_SEPARATORS = str.maketrans("/.- :|", "______")


def is_training_loss(name: str) -> bool:
    """Whether a metric of this name can only be the loss that the training minimises: train/loss, Loss/train."""
    return name.lower().translate(_SEPARATORS) in _LOSS


def is_bookkeeping(name: str) -> bool:
    """Whether numbers of this name count, time or sum up the training, and make no curve of how good it is."""
    last = name.lower().replace("\\", "/").rpartition("/")[2].translate(_SEPARATORS)
    return last in _BOOKKEEPING or last.endswith(_BOOKKEEPING_ENDS) or name in _SUMS
