"""A box where no time passes: its clock stands still, it has two GPUs, and its runs were recorded by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from backprop_tui.model.decisions import Decision
from backprop_tui.model.run import Seam
from backprop_tui.model.samples import GpuReport, GpuSample, HostSample
from backprop_tui.store.home import Home
from backprop_tui.tui import app, whyfeed
from backprop_tui.watch.box import BoxSample
from backprop_tui.watch.why import Why
from tests.box import Box
from tests.tui.records import G, Records, falling

NOW = 1_800_000_007.0
"""08:00:07 on 15 January 2027, UTC."""
CHECKPOINTS = "/home/anna/work/ckpt"
SEAM = Seam(
    step=856, redone=48, before=2.241, after=2.236, noise=0.004, verdict="faithful",
    text="went on at step 856 from checkpoint step 852, redone 48 steps: loss 2.24 before, 2.24 after, noise 0.004: faithful",
)  # fmt: skip
TRACE = (
    "Traceback (most recent call last):",
    '  File "/home/anna/work/train_ner.py", line 140, in <module>',
    "    main()",
    '  File "/home/anna/work/train_ner.py", line 118, in main',
    "    loss = model(**batch).loss",
    '  File "/home/anna/work/.venv/lib/python3.12/site-packages/torch/nn/modules/module.py", line 1751, in _call_impl',
    "    return forward_call(*args, **kwargs)",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 1 has a total capacity of 23.64 GiB "
    "of which 1.10 GiB is free.",
)
HEAT = ("heat", "GPU 1: 84 °C, limit 83 °C; waits for 75 °C", "governor")
WAITS = (
    "waiting",
    "waits: GPU 0: 2.7 GB free, 16.0 GB wanted (llama-lora-r16 has 18.0 GB, its box ends in 8 min); "
    "first in line, about 8 min",
    "governor",
)
RULES = (
    Decision(rule="slots", ok=True, text="3 runs in progress, 4 allowed", value=3, limit=4),
    Decision(rule="ram", ok=True, text="RAM: 66.8 GB free, 4.0 GB wanted", value=66.8 * G, limit=4.0 * G, age_s=1),
    Decision(
        rule="gpu_memory", ok=False, text="GPU 0: 2.7 GB free, 16.0 GB wanted", value=2.7 * G, limit=16.0 * G, age_s=1,
        help="free GPU memory, or lower --gpu-min-vram",
    ),
    Decision(
        rule="gpu_memory", ok=False, text="GPU 1: 12.2 GB free, 16.0 GB wanted", value=12.2 * G, limit=16.0 * G, age_s=1,
        help="free GPU memory, or lower --gpu-min-vram",
    ),
    Decision(rule="gpu_temp", ok=True, text="GPU 1: 79 °C, below 83 °C wanted", value=79, limit=83, age_s=1),
    Decision(rule="queue", ok=True, text="first in line"),
)  # fmt: skip
HISTORY = (
    ("mnist-smoke", "completed", 52.0, 938, 0.04),
    ("gpt2-lr3e-3", "diverged", 80.0, 233, 4.0),
    ("vit-b16-base", "timeboxed", 600.0, 6744, 0.28),
    ("resnet-sweep-11", "stopped", 311.0, 1200, 1.1),
    ("qwen-sft-3b", "lost", 421.0, 8200, 1.5),
    ("whisper-ft-da", "timeboxed", 600.0, 310, 1.2),
)


def recorded(box: Box) -> Records:
    """Four runs in progress, and seven that have ended."""
    records = Records(box.home, NOW)
    records.run(
        "k3f9x2", "running", name="llama-lora-r16", ago=138, took=137, total=3500, gpus=("0",), star=True,
        losses=[point for point in falling(1204, every=4) if point[0] > 852], epoch=1.0, epochs=3.0,
        slices=[{"ago": 1400, "took": 600, "losses": [point for point in falling(1204, every=4) if point[0] <= 900]}],
        seam=SEAM, resumed_from=f"{CHECKPOINTS}/step-852.pt",
        saved=[(f"{CHECKPOINTS}/step-{n}.pt", n, ago, int(1.2 * G)) for n, ago in ((852, 880), (1150, 56))],
        log=[f"step {n}  loss {2 + 2 / n:.4f}  lr 1.6e-4  tok/s 11,8{n % 90 + 10}" for n in range(900, 1205, 4)],
        command=("examples/train_lora.py", "--rank", "16", "--lr", "2e-4"), tags=("lora", "sweep"),
        events=[{"ago": 139, "event": "decision", "rule": "gpu_memory", "ok": True, "text": "GPU 0: 23.1 GB free, 2.5 GB wanted"},
                {"ago": 138, "event": "state", "state": "running"},
                {"ago": 134, "event": "seam", "slice": 2, "verdict": SEAM.verdict, "text": f"slice 2 {SEAM.text}"}],
    )  # fmt: skip
    records.run(
        "b7a2qd", "paused", name="vit-b16-aug", ago=320, took=200, reason=HEAT, gpus=("1",), losses=falling(900),
        settings={"gpu.maxTempC": 83, "gpu.resumeTempC": 75, "slices": 6}, goes_on=True,
        events=[{"ago": 48.1, "event": "decision", "rule": "gpu_temp", "ok": False, "value": 84.0, "limit": 83.0,
                 "text": "GPU 1: 84 °C, limit 83 °C"}],
    )  # fmt: skip
    records.run("n5w8tz", "starting", name="qwen-sft-seq2048", ago=12, took=12, gpus=("1",))
    records.run(
        "c9d4hm", "queued", name="resnet-sweep-12", ago=75, took=0, reason=WAITS,
        events=[{"ago": 75, "event": "decision", "rule": "gpu_memory", "ok": False, "value": free * G, "limit": 16.0 * G,
                 "text": f"GPU {n}: {free} GB free, 16.0 GB wanted"} for n, free in enumerate((2.7, 12.2))],
    )  # fmt: skip
    records.run(
        "e2x7pk", "failed", name="bert-ner-07", ago=254, took=134, total=1160, losses=falling(412), log=TRACE, gpus=("1",),
        command=("train_ner.py", "--bs", "32"), reason=("exit", "exited with code 1", "script"),
    )  # fmt: skip
    for n, (name, state, took, steps, floor) in enumerate(HISTORY):
        bad = [(steps + 1, float("nan"))] if state == "diverged" else []
        records.run(
            f"h{n}aaaa", state, name=name, ago=3700.0 * (n + 1) + took, took=took, star=name.startswith("whisper"),
            losses=falling(steps, every=max(1, steps // 100), floor=floor) + bad,
            command=(f"train_{name.partition('-')[0]}.py", "--lr", "3e-3" if n % 2 else "1e-3"),
        )  # fmt: skip
    return records


class Meter:
    """Takes the same sample again and again."""

    def __init__(self, *_where: str) -> None:
        """As `BoxMeter`."""

    def sample(self, _t: float) -> BoxSample:
        host = HostSample(t=NOW, cores=32, load1=12.1, ram_total_bytes=128 * G, ram_free_bytes=67 * G)
        gpus = (gpu(0, 21.3, 71, 97, 402), gpu(1, 11.8, 79, 0, 61))
        return BoxSample(
            t=NOW, name="trainbox-3", host=host, gpus=GpuReport(t=NOW, probe="nvml", gpus=gpus), cpu_percent=38.0,
            disk_free_bytes=212 * G, disk_total_bytes=1000 * G,
        )  # fmt: skip

    def close(self) -> None:
        """Nothing to let go of."""


def gpu(index: int, used: float, temp: int, util: int, watts: float) -> GpuSample:
    return GpuSample(
        index=str(index), mask=str(index), uuid=f"GPU-{index}", name="NVIDIA GeForce RTX 4090", total_bytes=24 * G,
        free_bytes=int((24 - used) * G), temp_c=temp, util_percent=util, power_w=watts, power_limit_w=450.0,
    )  # fmt: skip


def rules(home: Home, run_id: str) -> Why:
    """What the rules say, whatever this box has."""
    run = home.run(run_id).read_run()
    return Why(run=run, now=() if run.state.is_ended else RULES)


@contextmanager
def standing_still(box: Box) -> Iterator[None]:
    """It is `NOW`, in UTC, on this very box."""
    really, clock = time.strftime, time.localtime
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.setattr(time, "time", lambda: NOW)
        patch.setattr(time, "strftime", lambda form, t=None: really(form, t if t is not None else clock(NOW)))
        patch.setattr(app, "BoxMeter", Meter)
        patch.setattr(whyfeed, "why", rules)
        box.env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        try:
            yield
        finally:
            patch.undo()
            time.tzset()
