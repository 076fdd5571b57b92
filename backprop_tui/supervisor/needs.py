"""What a script needs, learned from what its slices took before."""

from __future__ import annotations

import os

from backprop_tui.frozen import Frozen
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home

LONG_ENOUGH_S = 20.0
"""A slice that ended sooner, and badly, had perhaps not allocated all that it needs."""


class Needs(Frozen):
    """What a start of the script has to reckon with; None where nothing was learned."""

    gpu_bytes: int | None = None
    """The most that a recent slice took on one GPU."""
    checkpoint_bytes: int | None = None
    """Size of its last checkpoint."""


def recall_needs(home: Home, spec: SliceSpec) -> Needs:
    """What is known of the spec's script."""
    if not os.path.exists(os.path.join(home.path, "scripts.json")):
        return Needs()
    from backprop_tui.store.scripts import recall

    key = _key(spec)
    if not key:
        return Needs()
    known = recall(home, key)
    return Needs(gpu_bytes=max(known.gpu_peaks, default=None), checkpoint_bytes=known.checkpoint_bytes)


def learn_needs(home: Home, spec: SliceSpec, run: Run, t: float) -> None:
    """Remember what the run's newest slice, now ended, has taken; `t` is epoch seconds. Never raises."""
    newest = run.slice
    if newest is None:
        return
    peak = newest.peak_gpu_bytes
    if newest.used_s <= LONG_ENOUGH_S and newest.state is not RunState.COMPLETED:
        peak = None
    sizes = [c.size for c in run.checkpoints if c.slice == newest.n and c.size and c.good and not c.copy_of]
    key = _key(spec)
    if not key or not (peak or sizes):
        return
    from backprop_tui.store.scripts import remember_needs

    try:
        remember_needs(home, key, gpu_peak=peak or None, checkpoint_bytes=sizes[-1] if sizes else None, t=t)
    except (OSError, TimeoutError):
        pass  # it is learned again


def _key(spec: SliceSpec) -> str:
    from backprop_tui.scripts.command import key_of, script_of

    return key_of(script_of(spec))
