"""Forms of output that no capture holds, each as its framework or tutorial prints it."""

from __future__ import annotations

import math

import pytest

from backprop_tui.model.events import CheckpointReport, Metric, Progress
from backprop_tui.protocol.lines import LineSplitter
from backprop_tui.protocol.reading import Reading, Rules


def lines_of(text: str) -> list[str]:
    splitter = LineSplitter()
    return [*splitter.feed(text.encode()), *splitter.flush()]


def told(text: str, reading: Reading | None = None) -> list[tuple[float, dict[str, float]]]:
    reading = reading or Reading()
    found = [*reading.feed(lines_of(text)), *reading.rest()]
    return [(one.step, one.values) for one in found if isinstance(one, Metric)]


def newest_progress(text: str, reading: Reading | None = None) -> Progress:
    reading = reading or Reading()
    found = [*reading.feed(lines_of(text)), *reading.rest()]
    return [one for one in found if isinstance(one, Progress)][-1]


def bar(described: str, n: int, of: int, postfix: str = "") -> str:
    head = f"{described}: " if described else ""
    return f"\r{head}{100 * n // of:3d}%|{'█' * (10 * n // of):10}| {n}/{of} [00:01<00:09, 10.00it/s{postfix}]"


BATCHES_UNDER_EPOCHS = "".join(
    f"Starting epoch {epoch}\n  batch     0  avg_loss {epoch}.2  [0.1s]\n  batch     2  avg_loss {epoch}.1  [0.2s]\n"
    f"Epoch {epoch} finished. mean loss 0.{epoch} dev F1 5{epoch}.25 dev loss 1.{epoch}\n"
    for epoch in (2, 3)
)
EPOCHS = {
    "batches under a starting epoch": (
        BATCHES_UNDER_EPOCHS,
        [
            (0, {"avg_loss": 2.2}),
            (2, {"avg_loss": 2.1}),
            (2, {"loss": 0.2, "dev_F1": 52.25, "dev_loss": 1.2}),
            (3, {"avg_loss": 3.2}),
            (5, {"avg_loss": 3.1}),
            (5, {"loss": 0.3, "dev_F1": 53.25, "dev_loss": 1.3}),
        ],
    ),
    "epoch and step of how many": (
        "Epoch [1/2], Step [100/600], Loss: 0.5\nEpoch [1/2], Step [600/600], Loss: 0.4\n"
        "Epoch [2/2], Step [100/600], Loss: 0.3\n",
        [(100, {"loss": 0.5}), (600, {"loss": 0.4}), (700, {"loss": 0.3})],
    ),
    "step of all epochs": (
        "Epoch 1/2 Step 100/600 Loss: 0.5\nEpoch 1/2 Step 300/600 Loss: 0.4\nEpoch 2/2 Step 400/600 Loss: 0.3\n",
        [(100, {"loss": 0.5}), (300, {"loss": 0.4}), (400, {"loss": 0.3})],
    ),
    "epoch and batch in brackets": (
        "[1,  2000] loss: 2.17\n[1, 12000] loss: 1.17\n[2,  2000] loss: 1.07\n",
        [(2000, {"loss": 2.17}), (12000, {"loss": 1.17}), (14000, {"loss": 1.07})],
    ),
    "epoch and fraction": (
        "Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.3\nTrain Epoch: 1 [640/60000 (1%)]\tLoss: 1.3\n"
        "\nTest set: Average loss: 0.0478, Accuracy: 9848/10000 (98%)\n\nTrain Epoch: 2 [0/60000 (0%)]\tLoss: 0.3\n",
        [
            (0, {"loss": 2.3}),
            (640, {"loss": 1.3}),
            (640, {"test_loss": 0.0478, "test_accuracy": 98.0}),
            (60000, {"loss": 0.3}),
        ],
    ),
    "two fractions in brackets": (
        "[0/5][0/1583]\tLoss_D: 2.0\tLoss_G: 6.4\tD(x): 0.5\tD(G(z)): 0.5 / 0.01\n[1/5][50/1583]\tLoss_D: 1.0\n",
        [(0, {"Loss_D": 2.0, "Loss_G": 6.4, "D(x)": 0.5}), (1633, {"Loss_D": 1.0})],
    ),
    "epoch above, count behind": (
        "Epoch 1\n-------------------------------\nloss: 2.31  [   64/60000]\nloss: 2.21  [ 6464/60000]\n"
        "Test Error: \n Accuracy: 37.1%, Avg loss: 2.161 \n\nEpoch 2\n-------------------------------\n"
        "loss: 1.31  [   64/60000]\n",
        [
            (64, {"loss": 2.31}),
            (6464, {"loss": 2.21}),
            (6464, {"test_accuracy": 37.1, "test_loss": 2.161}),
            (60064, {"loss": 1.31}),
        ],
    ),
    "epochs alone": (
        "Epoch 1/3 - loss: 0.51 - val_loss: 0.41 - 12s\nEpoch 2/3 - loss: 0.52 - val_loss: 0.42 - 11s\n",
        [(1, {"loss": 0.51, "val_loss": 0.41}), (2, {"loss": 0.52, "val_loss": 0.42})],
    ),
    "epoch above, phases below": (
        "Epoch 0/2\n----------\ntrain Loss: 0.6 Acc: 0.7\nval Loss: 0.5 Acc: 0.8\n\n"
        "Epoch 1/2\n----------\ntrain Loss: 0.4 Acc: 0.8\nval Loss: 0.3 Acc: 0.9\n",
        [
            (0, {"loss": 0.6, "acc": 0.7}),
            (0, {"val_loss": 0.5, "val_acc": 0.8}),
            (1, {"loss": 0.4, "acc": 0.8}),
            (1, {"val_loss": 0.3, "val_acc": 0.9}),
        ],
    ),
    "what an earlier run reached": (
        "Previous best run: epoch 88, val_loss: 0.0123\nLast best: step 900, loss 0.1\n"
        "Epoch 1/2\n----------\ntrain Loss: 1.0 Acc: 0.5\nval Loss: 0.9 Acc: 0.6\n\n"
        "Epoch 2/2\n----------\ntrain Loss: 0.8 Acc: 0.6\nval Loss: 0.7 Acc: 0.7\n\nTraining complete in 0m 21s\n"
        "Best val Acc: 0.700000\n",
        [
            (1, {"loss": 1.0, "acc": 0.5}),
            (1, {"val_loss": 0.9, "val_acc": 0.6}),
            (2, {"loss": 0.8, "acc": 0.6}),
            (2, {"val_loss": 0.7, "val_acc": 0.7}),
        ],
    ),
    "steps that begin anew": (
        "step 0 loss 0.9\nstep 10 loss 0.8\nstep 0 loss 0.7\nstep 10 loss 0.6\n",
        [(0, {"loss": 0.9}), (10, {"loss": 0.8}), (11, {"loss": 0.7}), (21, {"loss": 0.6})],
    ),
    "a step far behind": (
        "step 100 loss 0.9\nstep 150 loss 0.8\nstep 120 loss 0.7\n",
        [(100, {"loss": 0.9}), (150, {"loss": 0.8})],
    ),
}
LINES = {
    "batches between bars": (
        "| epoch   1 |   200/ 2983 batches | lr 20.00 | ms/batch 12.3 | loss  7.6 | ppl  2058.12\n"
        "| end of epoch   1 | time: 10.5s | valid loss  5.6 | valid ppl  280.1\n",
        [(200, {"lr": 20.0, "loss": 7.6, "ppl": 2058.12}), (200, {"valid_loss": 5.6, "valid_ppl": 280.1})],
    ),
    "iteration of how many": (
        " iteration        1/    1000 | consumed samples:           32 | elapsed time per iteration (ms): 1234.5 | learning "
        "rate: 1.0E-05 | global batch size:    32 | lm loss: 1.045E+01 | loss scale: 65536.0 | grad norm: 12.3 | number of "
        "skipped iterations:   0 |\n validation loss at iteration 1000 | lm loss value: 6.1E+00 | lm loss PPL: 4.5E+02 |\n",
        [
            (1, {"learning_rate": 1e-05, "loss": 10.45, "grad_norm": 12.3}),
            (1000, {"val_lm_loss_value": 6.1, "val_lm_loss_PPL": 450.0}),
        ],
    ),
    "log prefix and updates": (
        "2023-01-01 10:00:00 | INFO | train_inner | epoch 001:    100 / 1000 loss=7.5, ppl=181, wps=123, ups=1, wpb=1, bsz=2, "
        "num_updates=100, lr=1e-05, gnorm=1.2, clip=0, train_wall=1, gb_free=2, wall=5\n"
        "2023-01-01 10:00:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 5.5 | ppl 45 | wps 1 | num_updates 100\n",
        [(100, {"loss": 7.5, "ppl": 181.0, "lr": 1e-05, "gnorm": 1.2}), (100, {"val_loss": 5.5, "val_ppl": 45.0})],
    ),
    "total_loss": (
        "[11/23 10:00:00] d2.utils.events INFO:  eta: 0:03:00  iter: 19  total_loss: 9.6  loss_cls: 4.4  time: 0.29  "
        "last_time: 0.30  data_time: 0.004  lr: 4.9953e-06  max_mem: 2442M\n",
        [(19, {"loss": 9.6, "loss_cls": 4.4, "lr": 4.9953e-06})],
    ),
    "lines under their counters": (
        "[epoch=0][batch=5/100]:\n\t Train time/epoch: 0\n\t Train loss/train/total: 2.05\n"
        "\t Train metrics/train/Accuracy: 0.5\n[epoch=1][batch=10/100]:\n\t Train loss/train/total: 1.05\n",
        [(5, {"loss": 2.05}), (5, {"metrics/train/Accuracy": 0.5}), (110, {"loss": 1.05})],
    ),
    "step and bare pairs": (
        "Step 1 | loss:1.2345 lr:0.0003 tokens_per_second_per_gpu:100 \nStep 2 | loss:1.1345 lr:0.0003\n",
        [(1, {"loss": 1.2345, "lr": 0.0003}), (2, {"loss": 1.1345, "lr": 0.0003})],
    ),
    "learn and test": (
        "0:\tlearn: 0.6853\ttest: 0.6859\tbest: 0.6859 (0)\ttotal: 58ms\tremaining: 58s\n1:\tlearn: 0.6753\ttest: 0.6759\t"
        "best: 0.6759 (1)\ttotal: 58ms\tremaining: 58s\n\nbestTest = 0.6759\nbestIteration = 1\n",
        [(0, {"learn": 0.6853, "test": 0.6859}), (1, {"learn": 0.6753, "test": 0.6759})],
    ),
    "estimator": (
        "INFO:tensorflow:loss = 2.3, step = 0\nINFO:tensorflow:global_step/sec: 81.2\n"
        "INFO:tensorflow:loss = 1.3, step = 100 (1.23 sec)\n",
        [(0, {"loss": 2.3}), (100, {"loss": 1.3})],
    ),
    "value and mean": (
        "Epoch: [0]  [  0/5005]  eta: 1:23:45  lr: 0.1  img/s: 30.1  loss: 7.1 (7.2)  acc1: 0.0 (0.1)  time: 0.1  max mem: 1234\n"
        "Test:   [ 0/50]  eta: 0:00:12  loss: 2.2 (2.2)  acc1: 10.0 (10.0)  time: 0.2\n"
        "Test:   [49/50]  eta: 0:00:00  loss: 2.1 (2.15)  acc1: 10.0 (12.0)  time: 0.2\nTest:  Acc@1 12.000 Acc@5 30.100\n",
        [
            (0, {"lr": 0.1, "loss": 7.1, "acc1": 0.0}),
            (0, {"test_loss": 2.15, "test_acc1": 12.0}),
            (0, {"test_Acc@1": 12.0, "test_Acc@5": 30.1}),
        ],
    ),
    "an evaluation that is not through": ("step 1 loss 1\nTest: [1/50] loss: 2.2 (2.2)\n", [(1, {"loss": 1.0})]),
    "after so many": (
        "Cost after iteration 0: 0.693\nCost after iteration 100: 0.593\n",
        [(0, {"loss": 0.693}), (100, {"loss": 0.593})],
    ),
    "not a number": ("epoch 1 loss nan\nepoch 2 loss: -inf\n", [(1, {"loss": math.nan}), (2, {"loss": -math.inf})]),
    "thousands": ("step 1,000/10,000 loss 0.5,acc=0.25\n", [(1000, {"loss": 0.5, "acc": 0.25})]),
    "percent": ("step 0 loss 0.89, accuracy 50%\n", [(0, {"loss": 0.89, "accuracy": 50.0})]),
    "no counter at all": (
        "loss: 0.5\nloss: 0.4\nloss: 0.3\n",
        [(1, {"loss": 0.5}), (2, {"loss": 0.4}), (3, {"loss": 0.3})],
    ),
    "no counter, only twice": ("loss: 0.5\nloss: 0.4\n", []),
    "an absl prefix": ("I1123 22:00:00.000000 140 train.py:52] [10] loss=0.3\n", [(10, {"loss": 0.3})]),
    "a loguru prefix": (
        "2024-05-01 10:00:00.123 | INFO     | __main__:train:45 - Epoch 1 | loss 0.5 | acc 0.7\n",
        [(1, {"loss": 0.5, "acc": 0.7})],
    ),
    "rank 0 of several": (
        "[rank1]: epoch 1 loss 0.5\n[rank0]: epoch 1 loss 0.4\n[rank0]: epoch 2 loss 0.3[rank1]: epoch 2 loss 0.6\n",
        [(1, {"loss": 0.4}), (2, {"loss": 0.3})],
    ),
    "another value from every rank": (
        "epoch 1 step 5 loss 0.5\nepoch 1 step 5 loss 0.6\nepoch 1 step 10 loss 0.4\n",
        [(5, {"loss": 0.5}), (10, {"loss": 0.4})],
    ),
    "the same from every rank": (
        "step 5 loss 0.5\nstep 5 loss 0.5\nstep 10 loss 0.4\n",
        [(5, {"loss": 0.5}), (10, {"loss": 0.4})],
    ),
    "an estimate beside the loss": (
        "step 0: train loss 4.2, val loss 4.3\niter 0: loss 4.25, time 1.0ms\nstep 10: train loss 3.2, val loss 3.3\n",
        [(0, {"train_loss": 4.2, "val_loss": 4.3}), (0, {"loss": 4.25}), (10, {"train_loss": 3.2, "val_loss": 3.3})],
    ),
    "an evaluation's words": (
        "step 10 loss 0.5\nValidation loss: 0.34, accuracy: 0.9\nEval num_timesteps=20, episode_reward=84.40 +/- 6.62\n",
        [
            (10, {"loss": 0.5}),
            (10, {"validation_loss": 0.34, "val_accuracy": 0.9}),
            (20, {"eval_episode_reward": 84.4}),
        ],
    ),
    "what is no metric beside one": (
        "epoch 1, loss: 0.5, seed: 42, batch_size: 32, momentum: 0.9, loss_weight: 0.4, time: 1.2, eta: 0:03:00, best_loss: 0.1\n",
        [(1, {"loss": 0.5})],
    ),
    "seventeen pairs": ("step=1 loss=0.5 " + " ".join(f"m{n}=0.{n}" for n in range(17)) + "\n", []),
}
BARS = {
    "epochs around batches": (
        bar("Epochs", 0, 2)
        + "".join(bar("", n, 4, f", loss=1.{n}") for n in range(1, 5))
        + bar("Epochs", 1, 2, ", val_loss=0.9")
        + "".join(bar("", n, 4, f", loss=0.{n}") for n in range(1, 5)),
        [
            *((n, {"loss": 1 + n / 10}) for n in (1, 2, 3)),
            (4, {"loss": 1.4}),
            (4, {"val_loss": 0.9}),
            *((4 + n, {"loss": n / 10}) for n in (1, 2, 3, 4)),
        ],
    ),
    "a bar for each epoch, lines between": (
        "".join(
            "".join(bar("", n, 20) for n in (0, 10, 20))
            + "\n"
            + "".join(bar("", n, 5) for n in (0, 5))
            + f"\nEpoch {e}: train loss 0.{e}, val loss 0.{e + 3}\n"
            for e in (1, 2, 3)
        ),
        [(20 * e, {"loss": e / 10, "val_loss": (e + 3) / 10}) for e in (1, 2, 3)],
    ),
    "metrics in the description": (
        "".join(
            f"\repoch {e} iter {n}: train loss 2.{e}{n}. lr 3e-04:  10%|█ | {n}/50 [00:01<00:09, 5.0it/s]"
            for e, n in ((1, 5), (1, 49), (2, 5))
        ),
        [(5, {"loss": 2.15}), (49, {"loss": 2.149}), (55, {"loss": 2.25})],
    ),
    "pictures a second": (
        "\rEpoch 1/2:  10%|█ | 40/400 [00:10<01:30,  4.00img/s, loss (batch)=0.5]\rEpoch 2/2:  10%|█ | 40/400 [00:10<01:30,  4.00img/s, loss (batch)=0.4]",
        [(40, {"loss": 0.5}), (440, {"loss": 0.4})],
    ),
    "without an end": (
        "\r5it [00:01,  4.1it/s, loss=0.5]\r6it [00:01,  4.1it/s, loss=0.4]",
        [(5, {"loss": 0.5}), (6, {"loss": 0.4})],
    ),
    "repeats of an old postfix": (
        "".join(bar("", n, 9, f", loss={loss}") for n, loss in ((1, 0.5), (2, 0.5), (3, 0.5), (4, 0.4))),
        [(1, {"loss": 0.5}), (4, {"loss": 0.4})],
    ),
    "an evaluation's postfix": (
        bar("", 1, 9, ", loss=0.5") + bar("", 1, 3, ", loss=0.9") + bar("Validating", 1, 9, ", loss=0.8"),
        [(1, {"loss": 0.5})],
    ),
    "a bar alone": (bar("", 1, 9) + bar("Epoch 1", 1, 9) + bar("Training", 2, 9, ", lr=0.1"), []),
    "lines that count other steps": (
        "".join(bar("", n, 100) + f"\nstep {n // 4} loss 0.{n}\n" for n in (20, 40, 60)),
        [(5, {"loss": 0.20}), (10, {"loss": 0.40}), (15, {"loss": 0.60})],
    ),
    "a dictionary before its bar": (
        bar("", 0, 20)
        + bar("", 3, 20)
        + "\r{'loss': 0.5, 'epoch': 0.1}\n"
        + bar("", 5, 20)
        + "\r{'eval_loss': 0.4, 'epoch': 0.1}\n"
        + bar("", 0, 2)
        + bar("", 5, 20),
        [(5, {"loss": 0.5}), (5, {"eval_loss": 0.4})],
    ),
    "the sum at the end": (
        bar("", 20, 20)
        + "\r{'loss': '0.5', 'epoch': '1'}\n"
        + bar("", 20, 20)
        + "\n{'train_runtime': 1.2, 'train_loss': 0.7, 'epoch': 1.0}\n",
        [(20, {"loss": 0.5})],
    ),
}
OTHERS = {
    "older Keras": (
        "Epoch 1/2\n\r 1/32 [..............................] - ETA: 36s - loss: 1.29 - accuracy: 0.3\r32/32 "
        "[==============================] - 1s 5ms/step - loss: 1.09 - accuracy: 0.5 - val_loss: 1.2\nEpoch 2/2\n\r32/32 "
        "[==============================] - 1s 5ms/step - loss: 0.99 - accuracy: 0.6 - val_loss: 1.1\n",
        [
            (1, {"loss": 1.29, "accuracy": 0.3}),
            (32, {"loss": 1.09, "accuracy": 0.5, "val_loss": 1.2}),
            (64, {"loss": 0.99, "accuracy": 0.6, "val_loss": 1.1}),
        ],
    ),
    "Keras evaluates and predicts": (
        "Epoch 1/1\n32/32 - 1s - 60ms/step - loss: 1.26\n\r1/8 ━━━━ 0s 30ms/step - loss: 1.1\r8/8 ━━━━ 0s 3ms/step - loss: 1.12\n"
        "\r8/8 ━━━━ 0s 3ms/step\n",
        [(32, {"loss": 1.26}), (32, {"test_loss": 1.12})],
    ),
    "JSON with other counters": (
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.01, "loss": 0.5}\n{"mode": "train", "epoch": 2, "iter": 50, "lr": 0.01, '
        '"loss": NaN}\n{"mode": "val", "epoch": 2, "iter": 500, "lr": 0.01, "bbox_mAP50": 0.3}\n',
        [(50, {"lr": 0.01, "loss": 0.5}), (100, {"lr": 0.01, "loss": math.nan}), (100, {"val_bbox_mAP50": 0.3})],
    ),
    "numbers in wrappers": (
        "epoch 3: {'loss': tensor(0.5, device='cuda:0'), 'acc': np.float64(0.9)}\n",
        [(3, {"loss": 0.5, "acc": 0.9})],
    ),
    "a ruled table in colours": (
        "  epoch    train_loss    valid_acc    valid_loss     dur\n-------  ------------  -----------  ------------  ------\n"
        "      1        \x1b[36m0.6868\x1b[0m       \x1b[32m0.6230\x1b[0m        \x1b[35m0.6557\x1b[0m  0.3452\n",
        [(1, {"loss": 0.6868, "valid_acc": 0.623, "valid_loss": 0.6557})],
    ),
    "a table of the run's steps": (
        "----------------------------\n| Epoch             |    1 |\n| loss/policy_loss  | -0.1 |\n| total_timesteps   | 2048 |\n----------------------------\n",
        [(2048, {"loss/policy_loss": -0.1})],
    ),
}
ALL = {**EPOCHS, **LINES, **BARS, **OTHERS}


@pytest.mark.parametrize("name", ALL)
def test_form(name):
    text, expected = ALL[name]
    assert repr(told(text)) == repr(expected)


@pytest.mark.parametrize("name", ALL)
def test_form_line_by_line(name):
    """However the stream is cut, the same comes out."""
    text, expected = ALL[name]
    reading = Reading()
    found = [one for line in lines_of(text) for one in reading.feed([line])] + reading.rest()
    assert repr([(one.step, one.values) for one in found if isinstance(one, Metric)]) == repr(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bar("", 3, 20), Progress(step=3, total=20)),
        (bar("", 0, 20), Progress(total=20)),
        (bar("Epoch 2/5", 3, 20), Progress(step=23, total=100, epoch=2, epochs=5)),
        (bar("Epoch 0", 3, 20), Progress(step=3, epoch=0)),
        ("Epoch [1/5], Step [100/600], Loss: 0.5\n", Progress(step=100, total=3000, epoch=1, epochs=5)),
        ("Epoch 2/5\n", Progress(epoch=2, epochs=5)),
        ("Epoch 2/5\n-----\ntrain Loss: 0.5 Acc: 0.7\nval Loss: 0.6\n", Progress(step=2, total=5, epoch=2, epochs=5)),
        (BATCHES_UNDER_EPOCHS, Progress(step=5, epoch=3)),
        ("epoch 2/5 loss 0.5\n", Progress(step=2, total=5, epoch=2, epochs=5)),
        ("iter 5/100 loss 0.5\n", Progress(step=5, total=100)),
        ("[5/100] loss: 0.5\n", Progress(step=5, total=100)),
        ("step=5, max_steps=100, loss=0.5\n", Progress(step=5, total=100)),
    ],
)
def test_progress(text, expected):
    assert newest_progress(text) == expected


def test_progress_is_told_once():
    reading = Reading()
    first = reading.feed(lines_of(bar("", 3, 20)))
    assert first == [Progress(step=3, total=20)]
    assert reading.feed(lines_of(bar("", 3, 20))) == []
    assert reading.feed(lines_of(bar("", 4, 20) + bar("", 5, 20))) == [Progress(step=5, total=20)]


def test_bars_of_other_work_are_no_progress():
    text = (
        bar("Downloading model.bin", 1, 9)
        + bar("Map", 1, 9)
        + bar("Folding", 1, 9)
        + "\r 10%|█ | 1/9 [00:01<00:09, 3.1MB/s]"
    )
    assert Reading().feed(lines_of(text)) == []


def test_a_bar_is_told_when_the_output_rests():
    reading = Reading()
    assert told(bar("", 1, 9, ", loss=0.5"), reading) == [(1, {"loss": 0.5})]
    assert told(bar("", 1, 9, ", loss=0.4"), reading) == [(1, {"loss": 0.4})]
    assert told(bar("", 2, 9, ", loss=0.4"), reading) == []  # the old postfix at the new count
    assert told(bar("", 2, 9, ", loss=0.3"), reading) == [(2, {"loss": 0.3})]


def test_a_dictionary_waits_twenty_lines_for_its_bar():
    reading = Reading()
    reading.feed(lines_of(bar("", 3, 20) + "\n{'loss': 0.5, 'epoch': 0.1}\n"))
    assert [one for _ in range(20) for one in reading.feed(["something else"])] == []
    assert reading.feed(["something else"]) == [Metric(3, {"loss": 0.5}), Progress(step=3, total=20, epoch=0.1)]


def test_phrases_come_in_their_place():
    reading = Reading()
    text = "step 1 loss 0.5\nSaving model to out/a.pt\nstep 2 loss 0.4\nSaving model to out/b.pt\n"
    found = [*reading.feed(lines_of(text)), *reading.rest()]
    assert found == [
        Metric(1, {"loss": 0.5}),
        CheckpointReport(path="out/a.pt", found="phrase"),
        Metric(2, {"loss": 0.4}),
        CheckpointReport(path="out/b.pt", found="phrase"),
    ]


@pytest.mark.parametrize("end", ["Epoch 1: finished saving model to a.keras", "step 2"])
def test_begun_and_finished_are_one_checkpoint(end):
    reading = Reading()
    found = [*reading.feed(["Epoch 1: saving model to a.keras", end]), *reading.rest()]
    assert found == [CheckpointReport(path="a.keras", found="phrase")]


def test_a_traceback_tells_nothing_and_what_follows_does():
    text = (
        'step 1 loss 0.5\nTraceback (most recent call last):\n  File "a.py", line 3\n    step = 2; loss = 0.4\n'
        "ValueError: step 3 loss 0.3\nstep 4 loss 0.2\nstep 5 loss 0.1Traceback (most recent call last):\n  step 6 loss 0\nKeyboardInterrupt\n"
    )
    assert told(text) == [(1, {"loss": 0.5}), (4, {"loss": 0.2}), (5, {"loss": 0.1})]


class TestOurJson:
    def test_it_is_believed_alone(self):
        text = '{"step": 1, "loss": 0.5}\nstep 2 loss 0.4\n{"step": 3, "loss": 0.3}\n' + bar("", 4, 9, ", loss=0.2")
        reading = Reading()
        assert told(text, reading) == [(1, {"loss": 0.5}), (3, {"loss": 0.3})]
        assert reading.sources == ("json",)

    def test_checkpoint_phrases_count_beside_it(self):
        found = Reading().feed(['{"step": 1, "loss": 0.5}', "Saved checkpoint: out/a.pt"])
        assert found == [Metric(1, {"loss": 0.5}), CheckpointReport(path="out/a.pt", found="phrase")]

    def test_without_a_measure_it_stands_beside_the_lines(self):
        reading = Reading()
        assert told('{"step": 1, "gpu": 0.5}\nstep 2 loss 0.4\n', reading) == [(1, {"gpu": 0.5}), (2, {"loss": 0.4})]
        assert set(reading.sources) == {"json", "pairs"}

    def test_order_is_kept(self):
        text = 'step 1 loss 0.5\n{"step": 2, "gpu": 0.5}\nstep 3 loss 0.4\n{"step": 4, "gpu": 0.5}\n'
        assert [step for step, _values in told(text)] == [1, 2, 3, 4]

    def test_a_plain_line_may_be_copied(self):
        (metric,) = Reading().feed(['{"step": 3, "loss": 1.0}'])
        assert isinstance(metric, Metric)
        assert metric.raw == '{"step": 3, "loss": 1.0}'


class TestRules:
    TEXT = "step 1 loss 0.5\nEpoch 1/1\n32/32 - 1s - 60ms/step - loss: 1.26\nSaved checkpoint: a.pt\n{'loss': 0.3, 'step': 90}\n"

    @pytest.mark.parametrize("name", ["pairs", "keras", "phrase", "dict"])
    def test_one_left_out(self, name):
        whole, less = Reading(), Reading(Rules(without=(name,)))
        everything = [*whole.feed(lines_of(self.TEXT)), *whole.rest()]
        rest = [*less.feed(lines_of(self.TEXT)), *less.rest()]
        missing = [one for one in everything if one not in rest and not isinstance(one, Progress)]
        assert len(missing) == 1
        assert name not in less.sources

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("bar", bar("", 1, 9, ", loss=0.5")),
            ("rounds", "[1]\ttrain-logloss:0.5\tvalid-logloss:0.6\n"),
            ("columns", "epoch     train_loss  valid_loss\n0         6.018507    6.645110\n"),
            ("table", "-------------\n| loss | 1 |\n| step | 2 |\n-------------\n"),
        ],
    )
    def test_others_left_out(self, name, text):
        reading = Reading()
        assert len(told(text, reading)) == 1
        assert reading.sources == (name,)
        assert told(text, Reading(Rules(without=(name,)))) == []

    def test_all_left_out(self):
        reading = Reading(Rules(without=("all",)))
        assert told(self.TEXT + '{"step": 3, "gpu": 0.5}\n', reading) == [(3, {"gpu": 0.5})]
        assert reading.sources == ("json",)

    def test_the_persons_pattern_comes_first(self):
        rules = Rules(pattern=r"at (?P<step>\d+) of (?P<total>\d+): (?P<train_loss>\S+)", without=("all",))
        reading = Reading(rules)
        text = "at 3 of 9: 0.5 step 1 loss 2\nat 4 of 9: nothing\nat 5 of 9: nan\nstep 6 loss 0.1\n"
        assert repr(told(text, reading)) == repr([(3, {"train_loss": 0.5}), (5, {"train_loss": math.nan})])
        assert reading.sources == ("pattern",)
        assert newest_progress("at 7 of 9: 0.5\n", Reading(rules)).total == 9

    def test_a_pattern_sees_a_thousand_characters(self):
        rules = Rules(pattern=r"(?P<x>\d+)$")
        assert told("step " + "." * 995 + "7777", Reading(rules)) == []
        assert told("." * 990 + " 77", Reading(rules)) == [(1, {"x": 77})]

    @pytest.mark.parametrize("step", ["inf", "nan", "-1", "1e400", "x", "", "9" * 40])
    def test_a_step_that_is_none_is_numbered(self, step):
        rules = Rules(pattern=r"step (?P<step>\S*) epoch (?P<epoch>\S*) of (?P<total>\S*) x (?P<x>\S+)")
        assert told(f"step {step} epoch {step} of {step} x 5\n", Reading(rules)) == [(1, {"x": 5})]

    def test_a_broken_pattern_is_none(self):
        assert told("step 1 loss 0.5\n", Reading(Rules(pattern="("))) == [(1, {"loss": 0.5})]

    def test_an_interrupted_pattern_loses_nothing(self, monkeypatch):
        from backprop_tui.protocol.recognise import pattern

        whole, calls = pattern.read_pattern, []

        def impatient(compiled, line):
            calls.append(line)
            if "slow" in line:
                raise TimeoutError
            return whole(compiled, line)

        monkeypatch.setattr(pattern, "read_pattern", impatient)
        reading = Reading(Rules(pattern=r"x=(?P<x>\d+)"))
        with pytest.raises(TimeoutError):
            reading.feed(["x=1", "slow x=2", "x=3", "step 4 loss 0.5"])
        reading.forget_pattern()
        found = [*reading.feed(["step 5 loss 0.4"]), *reading.rest()]
        assert [one for one in found if isinstance(one, Metric)] == [
            Metric(1, {"x": 1}),
            Metric(4, {"loss": 0.5}),
            Metric(5, {"loss": 0.4}),
        ]
        assert calls == ["x=1", "slow x=2"]


def test_a_bar_whose_line_is_still_open_tells_the_step_of_what_waits():
    reading = Reading(resumed_at=25)
    reading.feed([" 1%|1         | 26/2000 [00:01<00:10,  3.0it/s]", "{'loss': '3.654', 'epoch': '0.1'}"])
    bar = "  2%|2         | 30/2000 [00:01<00:10,  3.0it/s]"
    found = [*reading.rest(bar), *reading.feed([bar]), *reading.rest()]
    assert [one for one in found if isinstance(one, Metric)] == [Metric(30, {"loss": 3.654})]


def test_several_trainings_in_one_script_go_on_one_axis():
    lines = [f"Epoch {epoch}/3 - loss: {trial}.{epoch}" for trial in (1, 2, 3) for epoch in (1, 2, 3)]
    reading = Reading()
    found = [*reading.feed(lines), *reading.rest()]
    told = [(one.step, one.values["loss"]) for one in found if isinstance(one, Metric)]
    assert told == [(3 * trial + epoch, float(f"{trial + 1}.{epoch}")) for trial in (0, 1, 2) for epoch in (1, 2, 3)]
