"""Numbers, times and states as people read them."""

from __future__ import annotations

import os
import stat

from backprop_tui.watch.figures import NONE, age, count, duration, loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Checkpoint, Run

__all__ = [
    "NONE",
    "age",
    "checkpoints",
    "chosen",
    "count",
    "duration",
    "loss",
    "loss_and_best",
    "next_steps",
    "size",
    "verdict",
]


def loss_and_best(run: Run) -> str:
    """The newest loss, and the best one where there is one."""
    best = "" if run.best_loss is None else f" (best {loss(run.best_loss)})"
    return loss(run.loss) + best


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


def next_steps(run: Run) -> list[str]:
    """How to go on with a run that has ended before it was done."""
    if run.state == "completed":
        return []
    if run.checkpoint_count:
        return [f"go on with it: backprop resume {run.id}"]
    return [
        f"from a file that it saved: backprop resume {run.id} -r PATH",
        f"from step 0: backprop resume {run.id}",
    ]


def chosen(admission: Admission) -> str:
    """Where a slice runs, as the Governor decided."""
    if admission.gpu is None:
        return "CPU"
    wanted = f"GPU {admission.gpu.index}"
    texts = [d.text for d in admission.decisions if d.rule == "gpu_memory" and d.ok]
    return next((text for text in texts if wanted in text), wanted)
