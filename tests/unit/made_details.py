"""Runs in full, as the dashboard knows them, made by hand."""

from __future__ import annotations

import math
import random
from typing import Any

from backprop_tui.model.pace import Steps
from backprop_tui.model.run import Checkpoint, Notes, Process, Reason, Resources, Run, Slice
from backprop_tui.model.samples import GpuReport, GpuSample, HostSample
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.tui.detail import Detail, made
from backprop_tui.tui.draw.glyphs import UNICODE, Glyphs
from backprop_tui.tui.draw.place import Place
from backprop_tui.watch.box import BoxSample
from backprop_tui.watch.comparing import Compared
from backprop_tui.watch.curves import Curve
from backprop_tui.watch.record import Record

G = 1 << 30
NOW = 1_800_000_000.0
BEGAN = NOW - 138
FIRST_BEGAN = NOW - 2000
CWD = "/home/anna/work"
OUTPUT = (
    "step 1150  checkpoint saved -> ckpt/step-1150.pt (1.2 GB, 0.9 s)",
    "step 1160  loss 2.2107  lr 1.60e-4  tok/s 11,790",
    "UserWarning: None of the inputs have requires_grad=True",
    "step 1180  loss 2.1966  lr 1.59e-4  tok/s 11,822",
    "val   loss 2.3110  ppl 10.08",
    "step 1200  loss 2.1841  lr 1.58e-4  tok/s 11,815",
)
TRACE = (
    "Traceback (most recent call last):",
    f'  File "{CWD}/train_ner.py", line 140, in <module>',
    "    main()",
    f'  File "{CWD}/train_ner.py", line 118, in main',
    "    loss = model(**batch).loss",
    "           ^^^^^^^^^^^^^^",
    '  File "/home/anna/venv/lib/python3.12/site-packages/transformers/models/bert/modeling_bert.py", line 1684, in forward',
    "    outputs = self.bert(input_ids)",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 1 has a total capacity of 23.64 GiB "
    "of which 1.10 GiB is free. Including non-PyTorch memory, this process has 22.50 GiB memory in use.",
)
EVENTS: tuple[dict[str, Any], ...] = (
    {"t": NOW - 2001, "event": "decision", "rule": "gpu_memory", "ok": True, "text": "GPU 0: 23.1 GB free, 2.5 GB wanted"},
    {"t": FIRST_BEGAN, "event": "state", "state": "running"},
    {"t": NOW - 1400, "event": "signal", "signal": "SIGINT", "rung": "asked"},
    {"t": NOW - 1399, "event": "state", "state": "timeboxed", "reason": {"text": "the time box of 10 min ended"}},
    {"t": NOW - 140, "event": "decision", "rule": "ram", "ok": False, "text": "RAM: 3.1 GB free, 4.0 GB wanted"},
    {"t": BEGAN, "event": "state", "state": "running"},
    {"t": NOW - 60, "event": "request", "verb": "extend", "who": "anna", "ok": True, "text": "5 min more"},
)  # fmt: skip


def place(width: int, height: int, glyphs: Glyphs = UNICODE, *, has_box: bool = True) -> Place:
    gpu = GpuSample(
        index="0", mask="0", uuid="", name="RTX 4090", total_bytes=24 * G, free_bytes=3 * G, temp_c=71, util_percent=97
    )
    host = HostSample(t=NOW, cores=32, load1=12.1, ram_total_bytes=128 * G, ram_free_bytes=66 * G)
    box = BoxSample(t=NOW, name="trainbox-3", host=host, gpus=GpuReport(t=NOW, probe="nvml", gpus=(gpu,)))
    return Place(width=width, height=height, glyphs=glyphs, now=NOW, box=box if has_box else None)


def curve(name: str, points: list[tuple[float, float, float]]) -> Curve:
    """Points are (step, epoch seconds, value)."""
    found = Curve(name)
    for step, t, value in points:
        found.add(step, t, value)
    return found


def falling(name: str, *, every: int = 1, noise: float = 0.0, start: float = 4.0, floor: float = 2.0) -> Curve:
    """900 steps in a first slice, then on from step 850 to 1,204 in the second one."""
    dice = random.Random(7)
    points = []
    for first, last, began in ((0, 900, FIRST_BEGAN), (850, 1205, BEGAN)):
        span = 600 if began == FIRST_BEGAN else 138
        for step in range(first, last, every):
            value = floor + (start - floor) * math.exp(-step / 300) + dice.uniform(-noise, noise)
            if began == BEGAN or step < 850:
                points.append((float(step), began + span * (step - first) / (last - first), value))
    return curve(name, points)


def steps() -> Steps:
    """Where the second slice was."""
    found = Steps()
    for step in range(850, 1205):
        found.add(BEGAN + 138 * (step - 850) / 355, step)
    return found


def metrics(*, noise: float = 0.15) -> dict[str, Curve]:
    accuracy = curve("accuracy", [(n * 10.0, FIRST_BEGAN + n, 0.7 - 0.6 * math.exp(-n / 25)) for n in range(90)])
    return {
        "loss": falling("loss", noise=noise),
        "val_loss": falling("val_loss", every=50, floor=2.2),
        "accuracy": accuracy,
        "grad_norm": falling("grad_norm", noise=0.6, start=3.0, floor=0.9),
        "lr": falling("lr", every=10, start=1.7e-4, floor=1.5e-4),
    }


def checkpoint(step: int, t: float, **more: Any) -> Checkpoint:
    fields = {
        "path": f"{CWD}/ckpt/step-{step}.pt",
        "step": step,
        "t": t,
        "slice": 2 if t >= BEGAN else 1,
        "size": int(1.2 * G),
        "good": True,
    }
    return Checkpoint(**{**fields, **more})


def record(state: str = "running", *, name: str | None = "llama-lora-r16", **more: Any) -> Record:
    """A run in its second slice, 138 s after that began."""
    ended = RunState(state).is_ended
    reason = more.pop("reason", None)
    last = {
        "n": 2, "state": RunState(state), "started": BEGAN, "box_s": 600.0, "first_step": 850, "last_step": 1204,
        "resumed_from": f"{CWD}/ckpt/step-850.pt", "gpus": ("0",), "ended": NOW - 120 if ended else None,
        "used_s": 134.0 if ended else 0.0, "exit_code": 1 if state == "failed" else None,
    }  # fmt: skip
    slices = (
        Slice(n=1, state=RunState.TIMEBOXED, started=FIRST_BEGAN, box_s=600.0, ended=FIRST_BEGAN + 600, used_s=600.0,
              first_step=0, last_step=899),
        Slice(**{**last, **more.pop("newest", {})}),
    )  # fmt: skip
    run = {
        "id": "0k3f9x2", "state": RunState(state), "created": FIRST_BEGAN, "updated": NOW, "reason": reason,
        "training": Process(pid=7, start=1), "slices": slices, "step": 1204, "last": {"loss": 2.184},
        "checkpoints": (checkpoint(850, NOW - 1400), checkpoint(1050, NOW - 80), checkpoint(1150, NOW - 33)),
        "checkpoint_count": 3,
        "resources": Resources(rss_bytes=11 * G, peak_rss_bytes=12 * G, cpu_cores=3.1, processes=5, gpu_used_bytes=21 * G),
    }  # fmt: skip
    spec = SliceSpec(
        run_id="0k3f9x2", n=2, created=BEGAN, command=("examples/train_lora.py", "--rank", "16", "--lr", "2e-4"),
        is_command=False, cwd=CWD, interpreter=f"{CWD}/.venv/bin/python", interpreter_origin="venv beside the script",
        framework="pytorch", declared_flags=(), env={"HF_TOKEN": "hf_abc", "RANK": "0"}, recorded_env={"LANG": "C.UTF-8"},
        settings={
            "maxRunMinutes": SettingValue(value=10, origin="default"),
            "checkpointEveryMinutes": SettingValue(value=5, origin="default"),
        },
        git={"commit": "9f31c2a77b0e14", "branch": "main"},
    )  # fmt: skip
    spec = more.pop("spec", spec)
    notes = Notes(name=name, tags=("lora", "sweep"))
    return Record(run=Run(**{**run, **more}), spec=spec, notes=notes, t=NOW, folder="/home/anna/.backprop/runs/0k3f9x2")


def detail(state: str = "running", *, total: int | None = 3500, noise: float = 0.1, **more: Any) -> Detail:
    """A run in full; `total` None for one that does not say how many steps there are."""
    curves = more.pop("curves", None)
    lines = more.pop("lines", OUTPUT)
    events = more.pop("events", EVENTS)
    last = {"loss": 2.184} | ({"total_steps": float(total)} if total else {})
    found = made(
        "0k3f9x2",
        record(state, **{"last": last, **more}),
        metrics(noise=noise) if curves is None else curves,
        lines,
        events,
        steps(),
    )
    used = tuple(
        Resources(rss_bytes=(8 + n % 3) * G, cpu_cores=2 + n % 4, gpu_used_bytes=20 * G, processes=5) for n in range(60)
    )
    return found.replace(used=used if found.record is not None else (), gone=frozenset())


def failed() -> Detail:
    reason = Reason(code="exit", text="exited with code 1", by="script")
    return detail(
        "failed", lines=(*OUTPUT, *TRACE), reason=reason, name="bert-ner-07", checkpoints=(), checkpoint_count=0
    )


def diverged() -> Detail:
    points = [(float(n), BEGAN + n / 3, 4.0 + (n - 140) ** 2 / 14_000) for n in range(0, 140, 2)]
    points += [(float(n), BEGAN + n / 3, 4.0 + (n - 140) ** 2 / 1970) for n in range(140, 231, 2)]
    points += [(231.0, BEGAN + 77, math.nan), (232.0, BEGAN + 78, math.nan)]
    reason = Reason(code="nan", text="ended with exit code 0, but its last loss was nan", by="script")
    kept = (checkpoint(60, NOW - 180), checkpoint(120, NOW - 150))
    return detail(
        "diverged", curves={"loss": curve("loss", points)}, total=5000, reason=reason, name="gpt2-lr3e-3",
        checkpoints=kept, checkpoint_count=2, step=233, newest={"first_step": 0, "resumed_from": None},
    )  # fmt: skip


def compared(
    name: str, parameters: dict[str, str], *, last: int = 12_400, floor: float = 2.0, metric: str = "loss"
) -> Compared:
    points = [(float(n), BEGAN + n / 20, floor + 2 * math.exp(-n / 2500)) for n in range(20, last + 1, 20)]
    found = record("stopped", name=name, step=last, newest={"first_step": 0, "last_step": last}, last={metric: floor})
    found = found.replace(run=found.run.replace(slices=found.run.slices[1:]))
    same = {f"--same-{n}": "1" for n in range(11)}
    return Compared(record=found, curves={metric: curve(metric, points)}, parameters={**parameters, **same})


def compared_three(metric: str = "loss") -> list[Compared]:
    first = {"--rank": "8", "--lr": "2e-4", "GPU": "1"}
    second = {"--rank": "4", "--lr": "1e-4", "GPU": "1"}
    third = {"--rank": "16", "--lr": "2e-4", "GPU": "0"}
    return [
        compared("llama-lora-r8", first, metric=metric),
        compared("llama-lora-r4", second, last=9920, floor=2.2, metric=metric),
        compared("llama-lora-r16", third, last=5580, floor=1.7, metric=metric),
    ]
