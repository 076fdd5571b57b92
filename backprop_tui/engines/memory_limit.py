"""How a training's own framework is told to take no more GPU memory than it may. Pure: values in, values out."""

from __future__ import annotations

from backprop_tui.model.run import MemoryLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    Means: TypeAlias = tuple[dict[str, str], str, str]
    """What is set in the environment, what keeps the limit ("" for nothing), and a clause that says so."""

_GB = 1024**3
_UNITS = {"MB": 1024**2, "GB": _GB, "TB": 1024**4}
CONTEXT_BYTES = _GB // 2
"""What CUDA and its libraries take beside what a framework's allocator counts; never more than half of the limit."""
TORCH_CUDA, TORCH = "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"
_TORCH_OPTION = "per_process_memory_fraction"
_TORCH_SINCE = 2, 10
_JAX_OLD, _JAX_NEW = "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_CLIENT_MEM_FRACTION"
_JAX_NEW_SINCE = 0, 6
"""Both names together are an error; the old one is read by every version so far."""
_JAX_PREALLOCATE, _JAX_ALLOCATOR = "XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_ALLOCATOR"
_TF_GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"
PACKAGE_OF = {"pytorch": "torch", "jax": "jax", "tensorflow": "tensorflow", "unknown": "torch"}
"""Whose version decides. A script that nobody knows may still use PyTorch, and its variables harm nobody else."""


def limit_bytes(text: str, total: int) -> int:
    """What a setting such as 80%, 8GB or 512MB means on a GPU of `total` bytes; never more than it has."""
    if text.endswith("%"):
        return int(total * min(float(text[:-1]), 100.0) / 100)
    return min(int(float(text[:-2]) * _UNITS[text[-2:]]), total)


def means(
    framework: str, version: str | None, limit: str, totals: Sequence[int], env: Mapping[str, str]
) -> tuple[dict[str, str], MemoryLimit]:
    """How the limit is kept.

    Args:
        framework: pytorch, jax, tensorflow or unknown.
        version: of `PACKAGE_OF[framework]` where the training runs, None where it is not known.
        limit: the setting.
        totals: memory of the chosen NVIDIA GPUs, bytes; there must be one.
        env: the training's environment as it would be without the limit.

    Returns: what is to be set in the environment, and what goes into the record.
    """
    most = min(limit_bytes(limit, total) for total in totals)
    # One fraction counts on all of them: it must keep the limit on the largest.
    share = max(most - CONTEXT_BYTES, most // 2) / max(totals)
    fraction = f"{max(int(share * 10_000), 1) / 10_000:g}"
    if framework == "jax":
        changes, kept_by, clause = _jax(version, fraction, env)
    elif framework == "tensorflow":
        changes, kept_by, clause = _tensorflow(env)
    else:
        changes, kept_by, clause = _torch(version, fraction, env, is_sure=framework == "pytorch")
    on = "on each GPU" if len(totals) > 1 else "on its GPU"
    text = f"at most {_words(most)} {on}: {clause}"
    return changes, MemoryLimit(bytes=most, means=kept_by, text=text)


def watched_only(limit: str, totals: Sequence[int], why: str) -> MemoryLimit:
    """The limit of a training whose framework cannot be told of it, because `why`."""
    most = min(limit_bytes(limit, total) for total in totals)
    return MemoryLimit(bytes=most, means="", text=f"at most {_words(most)} on its GPU: {_watched(why)}")


def _watched(why: str) -> str:
    return f"watched, and stopped beyond it ({why})"


def _torch(version: str | None, fraction: str, env: Mapping[str, str], *, is_sure: bool) -> Means:
    given = {name: env[name] for name in (TORCH_CUDA, TORCH) if env.get(name)}
    # Where both are set, PyTorch reads the CUDA one alone.
    if _TORCH_OPTION in next(iter(given.values()), ""):
        name = next(iter(given))
        return {}, "PyTorch's allocator", f"kept by PyTorch's allocator as your own {name} says, and watched"
    if version is None:
        why = "PyTorch's version is not known here" if is_sure else "it is not known which framework it uses"
        return {}, "", _watched(why)
    if _parts(version) < _TORCH_SINCE:
        return {}, "", _watched(f"PyTorch {_short(version)} has no option for a limit, 2.10 and later have")
    option = f"{_TORCH_OPTION}:{fraction}"
    changes = {name: f"{given[name].rstrip(', ')},{option}" if name in given else option for name in given or _BOTH}
    rest = "" if is_sure else " if it uses PyTorch"
    return changes, "PyTorch's allocator", f"kept by PyTorch's allocator (version {_short(version)}){rest}, and watched"


_BOTH = (TORCH_CUDA, TORCH)


def _jax(version: str | None, fraction: str, env: Mapping[str, str]) -> Means:
    if env.get(_JAX_ALLOCATOR, "").lower() == "platform":
        return {}, "", _watched(f"with {_JAX_ALLOCATOR}=platform JAX knows no limit")
    changes = {} if env.get(_JAX_PREALLOCATE) else {_JAX_PREALLOCATE: "false"}
    own = next((name for name in (_JAX_NEW, _JAX_OLD) if env.get(name)), None)
    if own is not None:
        return changes, "JAX's allocator", f"kept by JAX's allocator as your own {own} says, and watched"
    is_new = version is not None and _parts(version) >= _JAX_NEW_SINCE
    changes[_JAX_NEW if is_new else _JAX_OLD] = fraction
    return changes, "JAX's allocator", "kept by JAX's allocator, and watched"


def _tensorflow(env: Mapping[str, str]) -> Means:
    changes = {} if env.get(_TF_GROWTH) else {_TF_GROWTH: "true"}
    clause = "watched, and stopped beyond it; TensorFlow takes memory only as it needs it"
    return changes, "TensorFlow's memory growth", clause


def _parts(version: str) -> tuple[int, int]:
    """The first two numbers of a version; what is none counts as 0."""
    numbers = [int(part) if part.isdecimal() and len(part) < 9 else 0 for part in version.split(".")[:2]]
    return (*numbers, 0, 0)[0], (*numbers, 0, 0)[1]


def _short(version: str) -> str:
    """A version without what tells builds apart."""
    return version.partition("+")[0][:20]


def _words(count: int) -> str:
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{count / _UNITS['MB']:.0f} MB"
