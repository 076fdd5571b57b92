"""Numbers, times and states as people read them."""

from __future__ import annotations

import os
import stat

from backprop_tui.watch.figures import NONE, age, count, duration, epoch_words, loss, rate
from backprop_tui.watch.metrics import label, total_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Checkpoint, Run
    from backprop_tui.model.spec import SettingValue
    from backprop_tui.watch.progress import Progress

__all__ = [
    "NONE",
    "age",
    "checkpoints",
    "chosen",
    "count",
    "duration",
    "failure",
    "figure",
    "figure_and_best",
    "loss",
    "next_steps",
    "size",
    "speed",
    "step",
    "stop_signal",
    "value_and_best",
    "verdict",
]


def figure(run: Run) -> str:
    """The metric that speaks for a run, and its newest value: loss 2.1, or acc 0.93; "" where there is none."""
    return "" if run.main is None else f"{label(run.main[0])} {loss(run.main[1])}"


def value_and_best(run: Run) -> str:
    """The newest value of that metric, and the best one where there is one."""
    best = run.best_score if run.loss is None else run.best_loss
    return loss(None if run.main is None else run.main[1]) + ("" if best is None else f" (best {loss(best)})")


def figure_and_best(run: Run) -> str:
    """The same with the metric's name; "" where there is none."""
    return "" if run.main is None else f"{label(run.main[0])} {value_and_best(run)}"


def step(run: Run) -> str:
    """The step that a run has got to, of how many, and in which epoch; "" before the first."""
    if run.step is None:
        return epoch_words(run)
    total = total_steps(run)
    of = f" of {total:,} ({run.step / total:.0%})" if total else ""
    return ", ".join(text for text in (f"step {run.step:,}{of}", epoch_words(run)) if text)


def speed(progress: Progress) -> str:
    """How fast a run is, and when it will be done; "" where that is not known."""
    if progress.speed is None:
        return ""
    done = "" if progress.eta_s is None else f", done in {duration(progress.eta_s)} of training"
    return f"{rate(progress.speed)} steps/s{done}"


def size(value: int | None) -> str:
    """Bytes in the unit that fits."""
    if value is None:
        return NONE
    amount = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"


def checkpoints(run: Run) -> str:
    """How many there are, and how good the newest is."""
    if not run.checkpoint_count:
        return "no checkpoint was reported"
    counted = f"{run.checkpoint_count:,} checkpoint" + ("s" if run.checkpoint_count != 1 else "")
    if not run.checkpoints:
        return counted
    newest = run.checkpoints[-1]
    return f"{counted}, the newest {verdict(newest)}: {newest.path}"


def verdict(checkpoint: Checkpoint) -> str:
    """What is known of a checkpoint, and whether it still lies there as it was saved."""
    if checkpoint.good is None:
        return "not judged"
    if not checkpoint.good:
        return f"not good: {checkpoint.why}"
    try:
        info = os.stat(checkpoint.path)
    except OSError:
        return "good when saved, gone now"
    if stat.S_ISREG(info.st_mode) and checkpoint.size is not None and info.st_size != checkpoint.size:
        return f"good when saved, changed since (now {size(info.st_size)})"
    return "good"


def failure(run: Run) -> list[str]:
    """What went wrong and what can be done, where something did and it is known."""
    found = run.failure
    if found is None or not found.kind:
        return []
    return [found.sentence, *([f"what to do: {found.todo}"] if found.todo else [])]


def next_steps(run: Run) -> list[str]:
    """How to go on with a run that has ended before it was done."""
    if run.state == "completed":
        return []
    if run.reason is not None and run.reason.code == "resume_arg":
        return [f"go on with it: backprop resume {run.id} --resume-arg '--its-option {{checkpoint}}' (or rerun)"]
    if run.state == "diverged" and run.checkpoint_count and run.slice is not None and run.slice.rise is not None:
        return _before_the_rise(run)
    if run.checkpoint_count:
        return [f"go on with it: backprop resume {run.id}"]
    return [
        f"from a file, if it saved one unseen: backprop resume {run.id} -r PATH",
        f"from step 0: backprop resume {run.id}",
    ]


def _before_the_rise(run: Run) -> list[str]:
    """How to go on with a run whose loss was no number any more."""
    sound = run.sound_checkpoint
    if sound is not None:
        at = "" if sound.step is None else f" (step {sound.step:,})"
        return [f"go on from {sound.path}{at}, saved before its loss rose: backprop resume {run.id}"]
    if run.checkpoint_count > len(run.checkpoints) or (run.slice is not None and run.slice.resumed_from):
        return [f"go on from before its loss rose: backprop resume {run.id}"]
    return [f"no checkpoint is from before its loss rose; from step 0: backprop resume {run.id} --fresh"]


def stop_signal(setting: SettingValue) -> str:
    """How a training is asked to save and end, and why so."""
    why = "" if setting.origin == "default" else f" ({setting.origin})"
    return f"{setting.value}{why}"


def chosen(admission: Admission) -> str:
    """Where a slice runs, as the Governor decided."""
    if not admission.gpus:
        return "CPU"
    if len(admission.gpus) > 1:
        return f"GPUs {', '.join(gpu.index for gpu in admission.gpus)}"
    wanted = f"GPU {admission.gpus[0].index}"
    texts = [d.text for d in admission.decisions if d.rule == "gpu_memory" and d.ok]
    return next((text for text in texts if wanted in text), wanted)
