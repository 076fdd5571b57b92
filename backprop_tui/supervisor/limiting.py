"""Keeps a training within its limit of GPU memory by the means of its framework, where that has any."""

from __future__ import annotations

import os

from backprop_tui.engines.local import find_program
from backprop_tui.engines.memory_limit import PACKAGE_OF, means, watched_only
from backprop_tui.errors import EngineError
from backprop_tui.scripts.installed import version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.model.run import MemoryLimit
    from backprop_tui.model.samples import GpuSample
    from backprop_tui.model.spec import SliceSpec

_FIRST_LINE = 512
_UNKNOWN_TOTAL = 1 << 62


def limited(
    spec: SliceSpec, env: Mapping[str, str], gpus: Sequence[GpuSample]
) -> tuple[dict[str, str], MemoryLimit | None]:
    """What is to be set in the training's environment, and what the record says of it; None without a limit.

    Args:
        spec: what the slice was asked.
        env: the training's environment as it is without the limit.
        gpus: those that it gets.
    """
    limit = spec.setting_or("gpuMemoryLimit", None)
    if limit is None or not gpus:
        return {}, None
    text = str(limit)
    totals = [gpu.total_bytes for gpu in gpus if gpu.total_bytes]
    if len(totals) < len(gpus):
        if text.endswith("%"):
            return {}, None
        return {}, watched_only(text, [_UNKNOWN_TOTAL], "the GPU does not tell how much memory it has")
    if any(gpu.vendor != "nvidia" for gpu in gpus):
        return {}, watched_only(text, totals, "limits of frameworks are known for NVIDIA's GPUs only")
    framework = spec.framework if spec.framework in PACKAGE_OF else "unknown"
    python = _python_of(spec, env)
    version = version_of(PACKAGE_OF[framework], python, env) if python is not None else None
    return means(framework, version, text, totals, env)


def _python_of(spec: SliceSpec, env: Mapping[str, str]) -> str | None:
    """The interpreter that a slice runs in; of a command None where that does not stand in its first line."""
    if spec.interpreter is not None:
        return os.path.join(spec.cwd, spec.interpreter)
    try:
        program = find_program(spec.command[0], env, spec.cwd)
        if _is_python(program):
            return program
        with open(program, "rb") as file:
            line = file.readline(_FIRST_LINE)
    except (EngineError, OSError, ValueError):
        return None
    named = os.fsdecode(line[2:].strip()) if line.startswith(b"#!") and b"\0" not in line else ""
    return named if os.path.isabs(named) and _is_python(named) else None


def _is_python(path: str) -> bool:
    return os.path.basename(path).startswith("python")
