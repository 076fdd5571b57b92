"""What the name of a metric says."""

from __future__ import annotations

import pytest

from backprop_tui.model.metric_names import is_bookkeeping, is_training_loss


@pytest.mark.parametrize(
    "name",
    ["loss", "Loss", "train_loss", "train/loss", "Loss/train", "train.loss", "training loss", "train-loss", "Train Loss",
     "train_loss_step", "total_loss", "loss/total", "epoch_loss"],
)  # fmt: skip
def test_the_training_loss_under_another_name(name: str) -> None:
    assert is_training_loss(name)


@pytest.mark.parametrize(
    "name",
    ["val_loss", "val/loss", "eval_loss", "train/train_loss", "train_loss_epoch", "box_loss", "train/box_loss", "loss_scale",
     "test_loss", "lossy", "train", "", "policy_loss", "value/loss", "loss_g"],
)  # fmt: skip
def test_other_losses_keep_their_name(name: str) -> None:
    assert not is_training_loss(name)


@pytest.mark.parametrize(
    "name",
    ["epoch", "train/epoch", "eval_runtime", "eval/samples_per_second", "time", "data_time", "eta", "time/time_elapsed",
     "loss_scale", "hp_metric", "train/total_flos", "train/train_loss"],
)  # fmt: skip
def test_counters_and_times_are_no_metrics(name: str) -> None:
    assert is_bookkeeping(name)


@pytest.mark.parametrize(
    "name", ["loss", "lr", "accuracy", "rollout/ep_rew_mean", "time/fps", "grad_norm", "epoch_loss"]
)
def test_metrics_are_not_taken_for_counters(name: str) -> None:
    assert not is_bookkeeping(name)
