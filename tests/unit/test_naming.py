"""Which metric speaks for a run, and what names say."""

from __future__ import annotations

import pytest

from backprop_tui.model.naming import is_loss_like, is_score, loss_metric, main_metric, short_name, words
from backprop_tui.watch.metrics import label, main_first


@pytest.mark.parametrize(
    ("names", "main"),
    [
        (["lr", "loss", "accuracy"], "loss"),
        (["epoch", "Loss"], "Loss"),
        (["eval_loss", "learning_rate", "loss"], "loss"),
        (["lr", "eval_loss", "train_loss"], "train_loss"),
        (["train-auc", "train-logloss", "valid-logloss"], "train-logloss"),
        (["rollout/ep_len_mean", "rollout/ep_rew_mean"], "rollout/ep_rew_mean"),
        (["rollout/ep_rew_mean", "train/loss", "train/value_loss"], "rollout/ep_rew_mean"),
        (["rollout/ep_rew_mean", "loss"], "rollout/ep_rew_mean"),
        (["rewards/chosen", "loss"], "loss"),
        (["reward", "kl", "policy_loss"], "reward"),
        (["box_loss", "cls_loss", "GPU_mem"], "box_loss"),
        (["lr", "loss_scale", "grad_norm", "acc"], "acc"),
        (["val_accuracy", "accuracy"], "accuracy"),
        (["metrics/mAP50(B)", "Instances"], "metrics/mAP50(B)"),
        (["train_loss", "valid_loss", "mae"], "train_loss"),
        (["LOSS TEXTCAT", "CATS_SCORE", "SCORE"], "LOSS TEXTCAT"),
        (["lr", "temperature"], "temperature"),
        (["lr", "grad_norm"], "lr"),
        (["total_steps", "max_steps"], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_metric_that_speaks_for_a_run(names: list[str], main: str | None) -> None:
    assert main_metric(names) == main
    assert main_first(names)[:1] == ([] if main is None else [main])
    assert set(main_first(names)) == set(names) - {"total_steps", "max_steps"}


@pytest.mark.parametrize(
    ("names", "loss"),
    [
        (["accuracy"], None),
        (["train/loss", "rollout/ep_rew_mean"], None),
        (["acc", "val_loss"], "val_loss"),
        ([], None),
    ],
)
def test_only_a_loss_counts_as_the_loss(names: list[str], loss: str | None) -> None:
    assert loss_metric(names) == loss


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loss", "loss"), ("Loss", "loss"), ("train_loss", "loss"), ("train/loss", "loss"), ("train-logloss", "logloss"),
        ("rollout/ep_rew_mean", "reward"), ("accuracy", "acc"), ("eval_accuracy", "eval_acc"), ("val_loss", "val_loss"),
        ("train/", "train/"), ("train's auc", "auc"), ("train_", "train_"), ("", ""), ("binary_logloss", "binary_logloss"),
    ],
)  # fmt: skip
def test_what_a_metric_is_called(name: str, said: str) -> None:
    assert label(name) == said


def test_losses_and_scores_exclude_each_other() -> None:
    names = ["loss", "accuracy", "reward_loss", "map_error", "r2", "wer", "f1", "loss_scale", "lr", "crossentropy_loss"]
    assert [name for name in names if is_loss_like(name)] == [
        "loss", "reward_loss", "map_error", "wer", "crossentropy_loss",
    ]  # fmt: skip
    assert [name for name in names if is_score(name)] == ["accuracy", "r2", "f1"]


@pytest.mark.parametrize("name", ["", "_", "模型/损失", "a" * 10_000, "\ud800", "Ünïcode Loss", "---", "AbC"])
def test_no_name_is_too_odd(name: str) -> None:
    assert isinstance(words(name), list)
    assert isinstance(short_name(name), str)
    assert main_metric([name]) == name
