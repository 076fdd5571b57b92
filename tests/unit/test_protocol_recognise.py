from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_tui.model.events import CheckpointReport, Metric, Progress
from backprop_tui.protocol.names import (
    BATCH,
    EPOCH,
    EXTRA,
    MEASURE,
    NOISE,
    STEP,
    TOTAL,
    canonical,
    eval_prefix,
    kind_of,
)
from backprop_tui.protocol.reading import Reading
from backprop_tui.protocol.recognise.bars import find_bar, looks_like_bar
from backprop_tui.protocol.recognise.pairs import read_pairs
from backprop_tui.protocol.recognise.phrases import read_phrase
from backprop_tui.protocol.trim import unprefixed, without_escapes
from tests.captures.hostile import HOSTILE, N
from tests.captures.table import CAPTURES, ORDINARY, lines_of
from tests.unit.test_protocol_reading import ALL
from tests.unit.test_protocol_reading import lines_of as lines_of_text


class TestNames:
    @pytest.mark.parametrize(
        ("kind", "names"),
        [
            (
                MEASURE,
                "loss Loss train_loss val/loss lossD l2loss binary_logloss acc Acc@1 acc1 mAP50 mIoU bbox_AP f1 perplexity ep_rew_mean",
            ),
            (MEASURE, "train-auc eval_reward test-mae weighted_loss total_loss"),
            (EXTRA, "lr learning_rate grad_norm entropy D(x) gnorm approx_kl beta kl precision"),
            (
                NOISE,
                "loss_scale loss_weight loss_coef best_loss time data_time eta samples_per_second runtime fps v_num gpu_mem seed",
            ),
            (
                NOISE,
                "batch_size momentum weight_decay num_workers n_steps max_mem epochs steps warmup_steps version params ms",
            ),
            (STEP, "step global_step iter iteration total_timesteps num_updates train_step round"),
            (EPOCH, "epoch train_epoch"),
            (BATCH, "batch batch_idx"),
            (TOTAL, "max_steps total_iters"),
        ],
    )
    def test_kind(self, kind, names):
        assert {name: kind_of(name) for name in names.split()} == dict.fromkeys(names.split(), kind)

    @pytest.mark.parametrize(
        ("printed", "kept"),
        [
            ("Loss", "loss"),
            ("LOSS", "loss"),
            ("val loss", "val_loss"),
            ("Val Loss", "val_loss"),
            ("Average loss", "loss"),
            ("avg.loss", "loss"),
            ("loss (batch)", "loss"),
            ("Acc@1", "Acc@1"),
            ("mAP50", "mAP50"),
            ("Loss_D", "Loss_D"),
            ("train's auc", "train's_auc"),
            ("Train loss/train/total", "loss/train/total"),
            ("loss\x1b[2J", "loss"),
        ],
    )
    def test_canonical(self, printed, kept):
        assert canonical(printed) == kept

    @pytest.mark.parametrize(
        ("text", "prefix"),
        [
            ("Test: ", "test_"),
            ("Validation loss", "val_"),
            ("[val] epoch", "val_"),
            ("Epoch(val)", "val_"),
            ("Eval num", "eval_"),
            ("train epoch val", ""),
            ("latest value", ""),
            ("interval", ""),
        ],
    )
    def test_evaluation(self, text, prefix):
        assert eval_prefix(text) == prefix


@pytest.mark.parametrize(
    ("line", "message", "rank"),
    [
        ("2026-11-23 22:42:56,153 - train - INFO - step=0", "step=0", None),
        ("11/23/2026 23:04:55 - INFO - accelerate.accelerator - [RANK 0] Saving", "Saving", 0),
        ("[11/23 10:00:00 d2.utils.events]:  iter: 19", "iter: 19", None),
        ("I1123 22:00:00.000000 140 train.py:52] [10] loss", "[10] loss", None),
        ("[rank1]: epoch 1", "epoch 1", 1),
        ("[default0]:[1] step=3", "[1] step=3", 0),
        ("INFO:tensorflow:loss = 2.3", "loss = 2.3", None),
        ("[2026-01-01 10:00:00,123][__main__][INFO] - epoch 1", "epoch 1", None),
        ("2024-05-01 10:00:00.123 | INFO     | __main__:train:45 - Epoch 1", "Epoch 1", None),
        ("(RayTrainWorker pid=123, ip=10.0.0.1) epoch 1", "epoch 1", None),
        ("[1,3]<stdout>:epoch 1", "epoch 1", 3),
        ("[10] loss=3", "[10] loss=3", None),
        ("[epoch=1][batch=5/100]:", "[epoch=1][batch=5/100]:", None),
        ("[1,  2000] loss", "[1,  2000] loss", None),
        ("- epoch 1", "- epoch 1", None),
        ("loss: 0.3 - acc: 0.4", "loss: 0.3 - acc: 0.4", None),
    ],
)
def test_prefixes(line, message, rank):
    assert unprefixed(line) == (message, rank)


def test_escapes():
    assert without_escapes("\x1b[1m 1/32\x1b[0m \x1b[A\x1b]0;title\x07x\x1b(B") == " 1/32 x"


class TestPairs:
    @pytest.mark.parametrize(
        "line",
        [
            "loss is nan at step 10",
            "ValueError: step 10 loss: 0.5",
            "UserWarning: loss: 0.5, step: 3",
            "AdamW(lr=0.002, loss=0.9, step=1)",
            "log(step=10, loss=0.5)",
            "self.log('loss', 0.5, step=10)",
            "if step == 10: loss = 0.5",
            "for (int epoch = 0; loss = 0.5;) step = 3;",
            "--loss 0.5 --epoch 3",
            "python train.py --loss=0.5 --step=3",
            "LOSS=0.5",
            "step 3 loss 0.5-0.6",
            "step 3 loss 12:30",
            "step 3 loss 1.2.3",
            "step 3 loss 5/10",
            "step 3 loss 0.5s",
            'step 3 "loss" 0.5',
            "args: step=3, loss=0.5",
            "Namespace(step=3, loss=0.5)",
            "Best loss: 0.5 at step 3",
            "Loaded checkpoint of step 3, loss 0.5",
            "the model of epoch 3 with loss: 0.5",
            "a method that lowers the loss: 0.5 at step 3 of every training",
            "https://example.org/?loss=0.5&step=3",
            "│ loss = 0.5 step = 3 │",
            "step=1 loss_scale=0.5",
            "step=1 lr=0.5",
        ],
    )
    def test_what_tells_no_measure(self, line):
        report = read_pairs(line, line.lower())
        assert report is None or not report.values

    @pytest.mark.parametrize("blank", [" ", "\t", ", ", " | ", "; "])
    @pytest.mark.parametrize("sign", ["=", ": ", " = ", ":", " "])
    def test_separators(self, blank, sign):
        line = f"step{sign}3{blank}loss{sign}0.5"
        report = read_pairs(line, line)
        assert report is not None
        assert (report.counters.step, report.values) == (3, {"loss": 0.5})

    @pytest.mark.parametrize(
        "number", ["1", "-1.5", "1.", ".5", "1e-5", "1.5E+03", "+2", "nan", "NaN", "inf", "-inf", "Infinity"]
    )
    def test_numbers(self, number):
        report = read_pairs(f"step 3 loss: {number}", f"step 3 loss: {number.lower()}")
        assert report is not None
        assert repr(report.values["loss"]) == repr(float(number))


class TestBars:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("  5%|5         | 1/20 [00:00<00:19,  1.00it/s]", (1, 20, {}, None, None)),
            (
                "Epoch 1/2:  10%|#| 2/20 [00:00<00:01, 14.93it/s, loss=12.1, lr=0.001]",
                (2, 20, {"loss": 12.1, "lr": 0.001}, 1, 2),
            ),
            ("Epoch 3 | loss=0.5:  10%|#| 2/20 [00:00<?, ?it/s]", (2, 20, {"loss": 0.5}, 3, None)),
            ("1|12|Loss: 1.2345:  12%|#| 12/100 [00:10<01:10,  1.2it/s]", (12, 100, {"loss": 1.2345}, None, None)),
            (
                "Training: |          | 5/? [00:00<00:00, 39.9it/s, v_num=2, train_loss=0.0214]",
                (5, None, {"train_loss": 0.0214}, None, None),
            ),
            ("12it [00:01, 10.3it/s, loss=nan]", (12, None, {"loss": float("nan")}, None, None)),
            (
                " 10%|#| 2/20 [00:00<00:01, 1.0s/it, loss: 12.1 acc: 0.5]",
                (2, 20, {"loss": 12.1, "acc": 0.5}, None, None),
            ),
            (" 10%|#| 2/20 [00:00<00:01, 1.0s/it, lr=[0.1], loss=2]", (2, 20, {"loss": 2.0}, None, None)),
            ("Epoch 1/3 : |##---| 5.00% [2/40 00:00<00:00... 7.7840]".replace("#", "█"), (2, 40, {}, 1, 3)),
            (
                "Epoch 8/199 ━━━━    51/100 0:00:00 • 0:00:01 53.51it/s v_num: 0.000 train_loss: 0.023",
                (51, 100, {"train_loss": 0.023}, 9, 200),
            ),
        ],
    )
    def test_found(self, line, expected):
        assert looks_like_bar(line)
        bar, rest, was_bar = find_bar(line)
        assert was_bar
        assert bar is not None
        assert repr((bar.n, bar.of, bar.values, bar.epoch, bar.epochs)) == repr(expected)
        assert rest == ""

    @pytest.mark.parametrize(
        "described",
        [
            "Validation DataLoader 0",
            "Evaluating",
            "Sanity Checking",
            "Loading checkpoint shards",
            "Map (num_proc=4)",
            "Epoch 1 [val]",
            "Testing",
            "Folding",
        ],
    )
    def test_other_work(self, described):
        line = f"{described}:  10%|#| 2/20 [00:00<00:01, 14.93it/s]"
        assert find_bar(line) == (None, "", True)

    def test_what_follows_is_kept(self):
        line = " 10%|#| 2/20 [00:00<00:01, 14.93it/s, lr=0.001]2026-11-23 22:42:56,153 - INFO - step=0"
        assert find_bar(line)[1] == "2026-11-23 22:42:56,153 - INFO - step=0"

    @pytest.mark.parametrize("line", ["100% sure | 3/4 [of them]", "50%|half", "it [was] nothing", "a • b", "1/? | x"])
    def test_no_bar(self, line):
        assert find_bar(line) == (None, line, False)


@pytest.mark.parametrize(
    ("line", "path", "step", "is_begun"),
    [
        ("Epoch 1: saving model to w.weights.h5", "w.weights.h5", None, True),
        ("Epoch 1: finished saving model to w.weights.h5", "w.weights.h5", None, False),
        ("Saving model checkpoint to out/rl_model_1000_steps.zip", "out/rl_model_1000_steps.zip", 1000, True),
        ("Saving current state to a/checkpoint_0", "a/checkpoint_0", None, True),
        ("saving checkpoint to out", "out", None, True),
        ("Epoch 0 | Training snapshot saved at a/snapshot_000050.pt", "a/snapshot_000050.pt", None, False),
        ("Epoch 00005: val_loss improved from inf to 0.12345, saving model to /x/y.h5", "/x/y.h5", None, True),
        (
            "Epoch 0, global step 20: 'val_loss' reached 0.1 (best 0.1), saving model to '/a b/e=0.ckpt' as top 1",
            "/a b/e=0.ckpt",
            20,
            True,
        ),
        (
            "Saved checkpoint checkpoints/checkpoint1.pt (epoch 1 @ 100 updates, score 2.3)",
            "checkpoints/checkpoint1.pt",
            100,
            False,
        ),
        ("saving checkpoint at iteration    1000 to checkpoints/gpt", "checkpoints/gpt", 1000, True),
        ("=> saving checkpoint 'ckpt/x.pth'", "ckpt/x.pth", None, True),
        ("Saved model to: out/model.pt", "out/model.pt", None, False),
        ("Model saved in runs/model.pth.", "runs/model.pth", None, False),
        ("Saved checkpoint: ./ck/step_100.pt", "./ck/step_100.pt", 100, False),
        ("checkpoint saved at ckpt/last.ckpt", "ckpt/last.ckpt", None, False),
        ("Model checkpoint of size 0.50 GiB saved to /tmp/x/ft.safetensors", "/tmp/x/ft.safetensors", None, False),
        ("Saving model weights to weights/epoch_3.pt ...", "weights/epoch_3.pt", None, True),
        ("Saving model checkpoint to out/checkpoint-500", "out/checkpoint-500", 500, True),
        ("Best model saved to best_model.pth (val loss 0.3)", "best_model.pth", None, False),
        ("Wrote checkpoint to a/b.msgpack", "a/b.msgpack", None, False),
    ],
)
def test_phrases(line, path, step, is_begun):
    assert read_phrase(line, line.lower()) == (CheckpointReport(path=path, step=step, found="phrase"), is_begun)


@pytest.mark.parametrize(
    "line",
    [
        "Checkpoints will be saved to /home/ana/mm.",
        "Saving checkpoint at 1 epochs",
        "Saved state to x-10",
        "Checkpoint 5 saved !",
        "Saving checkpoint to disk",
        "Configuration saved in out/config.json",
        "Optimizer state saved in out/optimizer.bin",
        "Model weights saved in out/model.safetensors",
        "Saving figure to plots/a.png",
        "Saved model summary to a/summary.txt",
        "The model is saved every 10 epochs to /x/y",
        "Saving checkpoint for step 100 to gs://x/y",
        "torch.save(model.state_dict(), 'model.pt')",
        "model not saved to a/b.pt",
        "Loaded model saved at a/b.pt",
        "Saving the dataset (1/1 shards)",
        "saving model to weights.{epoch:02d}.h5" + " " * 600,
    ],
)
def test_no_phrases(line):
    assert read_phrase(line, line.lower()) is None


PIECES = [
    *{line[:200] for path in [*CAPTURES, *ORDINARY] for line in lines_of(path)[:12]},
    *(line for text, _expected in ALL.values() for line in lines_of_text(text)),
]
SIGNS = "0123456789 ,000 .,:;=|/[]{}()'\"%-_<>+\t\x1b\x07━█•\u0661é" + "losepchtravin"
ANY_LINE = st.one_of(
    st.sampled_from(sorted(PIECES)),
    st.text(max_size=120),
    st.text(alphabet=SIGNS, max_size=200),
    st.lists(st.sampled_from(sorted(PIECES)), max_size=3).map("".join),
    st.tuples(st.sampled_from(sorted(PIECES)), st.integers(0, 99), st.text(alphabet=SIGNS, max_size=9)).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    ),
)


@given(st.lists(ANY_LINE, max_size=30), st.data())
@settings(max_examples=300)
def test_any_text_is_harmless_however_it_is_cut(lines, data):
    whole = Reading()
    found = [*whole.feed(lines), *whole.rest()]
    parts = Reading()
    again: list[object] = []
    at = 0
    while at < len(lines):
        size = data.draw(st.integers(1, len(lines) - at))
        again += parts.feed(lines[at : at + size])
        at += size
    again += parts.rest()
    assert repr([one for one in again if not isinstance(one, Progress)]) == repr(
        [one for one in found if not isinstance(one, Progress)]
    )
    assert repr(parts.context) == repr(whole.context)
    assert parts.sources == whole.sources
    for one in found:
        if isinstance(one, Metric):
            assert one.values
            assert all(0 < len(name) <= 64 and name.isprintable() for name in one.values)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_tells_nothing_and_breaks_nothing(name):
    """Patterns that run wild would not come to an end here; the benchmark of recognising tells the times."""
    reading = Reading()
    found = [*reading.feed([HOSTILE[name][:N], "step 5 loss 0.5", "step 6 loss 0.25"]), *reading.rest()]
    assert 0.25 in [one.values.get("loss") for one in found if isinstance(one, Metric)]


def test_longer_lines_are_no_reports():
    assert Reading().feed(["step 1 loss 0.5 " + "x" * 4000]) == []
