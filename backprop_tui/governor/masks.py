"""Which GPUs a user's own mask leaves, read as CUDA reads it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.model.samples import GpuSample


def visible(gpus: Sequence[GpuSample], mask: str | None) -> tuple[GpuSample, ...]:
    """The GPUs that CUDA_VISIBLE_DEVICES (or HIP_VISIBLE_DEVICES) names, in the order of `gpus`.

    Entries are indices or UUIDs, or beginnings of UUIDs that fit only one GPU. An entry that names no GPU
    hides itself and all that follow; a GPU named twice hides everything; the index of a GPU in MIG mode means
    its first slice.
    """
    if mask is None:
        return tuple(gpus)
    chosen: list[GpuSample] = []
    for entry in mask.split(","):
        gpu = _named(gpus, entry.strip())
        if gpu is None:
            break
        if gpu in chosen:
            return ()
        chosen.append(gpu)
    return tuple(gpu for gpu in gpus if gpu in chosen)


def _named(gpus: Sequence[GpuSample], entry: str) -> GpuSample | None:
    if entry.startswith(("GPU-", "MIG-")):
        found = [gpu for gpu in gpus if gpu.uuid.startswith(entry)]
        return found[0] if len(found) == 1 else None
    if not (entry.isascii() and entry.isdecimal()):
        return None
    index = str(int(entry[:9]))
    return next((gpu for gpu in gpus if gpu.index.partition(":")[0] == index), None)


def place(gpu: GpuSample) -> tuple[int, ...]:
    """The index as numbers, for sorting: "0:10" comes after "0:9"."""
    return tuple(int(part) if part.isdecimal() else 0 for part in gpu.index.split(":"))
