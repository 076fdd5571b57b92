"""Which GPUs a user's own CUDA_VISIBLE_DEVICES leaves visible, read as CUDA reads it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import GpuSample


def visible(gpus: Sequence[GpuSample], mask: str) -> tuple[GpuSample, ...]:
    """The GPUs that a mask names, in its order; an entry that names none hides all that follow it."""
    found: list[GpuSample] = []
    for entry in mask.split(","):
        gpu = _named(gpus, entry.strip())
        if gpu is None:
            break
        if gpu in found:
            return ()  # CUDA refuses a mask that names a GPU twice
        found.append(gpu)
    return tuple(found)


def _named(gpus: Sequence[GpuSample], entry: str) -> GpuSample | None:
    if entry.isdecimal():
        whole = [gpu for gpu in gpus if gpu.index == str(int(entry))]
        # The number of a GPU that is cut into MIG slices means its first slice.
        slices = [gpu for gpu in gpus if gpu.index.startswith(f"{int(entry)}:")]
        return next(iter(whole or slices), None)
    if entry.startswith(("GPU-", "MIG-")):
        named = [gpu for gpu in gpus if gpu.uuid.startswith(entry)]
        return named[0] if len(named) == 1 else None
    return None
