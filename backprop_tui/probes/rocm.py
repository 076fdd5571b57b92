"""AMD GPUs: by sysfs, which costs nothing, else by rocm-smi."""

from __future__ import annotations

import json
import os
import re

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.commands import ask
from backprop_tui.probes.gpu import find_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_CARD = re.compile(r"card(\d+)")


def sample_rocm(env: Mapping[str, str], timeout_s: float, *, drm: str = "/sys/class/drm") -> tuple[GpuSample, ...]:
    """Every AMD GPU.

    Raises:
        ProbeUnavailable: neither sysfs nor rocm-smi tells of any.
    """
    gpus = read_sysfs(drm)
    if gpus:
        return gpus
    program = find_command("rocm-smi", env)
    if program is None:
        raise ProbeUnavailable("no AMD GPU in sysfs, and rocm-smi is not installed")
    words = ["--showtemp", "--showuse", "--showmeminfo", "vram", "--showproductname", "--json"]
    return parse_rocm_smi(ask([program, *words], timeout_s))


def read_sysfs(drm: str) -> tuple[GpuSample, ...]:
    """AMD GPUs from the kernel's own files."""
    try:
        names = os.listdir(drm)
    except OSError:
        return ()
    cards = sorted(int(match[1]) for name in names if (match := _CARD.fullmatch(name)))
    gpus: list[GpuSample] = []
    for card in cards:
        folder = os.path.join(drm, f"card{card}", "device")
        total, used = _number(f"{folder}/mem_info_vram_total"), _number(f"{folder}/mem_info_vram_used")
        if total is None:
            continue
        # ROCm numbers its GPUs in this order, without the cards of other makers.
        index = str(len(gpus))
        temp = next((t for t in map(_number, _temperatures(folder)) if t is not None), None)
        util = _number(f"{folder}/gpu_busy_percent")
        gpus.append(
            GpuSample(
                index=index,
                mask=index,
                uuid=f"card{card}",
                name="AMD GPU",
                total_bytes=total,
                free_bytes=None if used is None else max(0, total - used),
                temp_c=None if temp is None else temp // 1000,
                util_percent=util,
                vendor="amd",
            )
        )
    return tuple(gpus)


def parse_rocm_smi(text: str) -> tuple[GpuSample, ...]:
    """GPUs from `rocm-smi --json`, whose numbers are all text."""
    start = text.find("{")
    try:
        cards = json.loads(text[start:]) if start >= 0 else {}
    except (ValueError, RecursionError):
        raise ProbeUnavailable("rocm-smi printed no JSON")
    gpus = []
    for key in sorted(cards if isinstance(cards, dict) else {}):
        match, fields = _CARD.fullmatch(key), cards[key]
        if not match or not isinstance(fields, dict):
            continue
        total, used = _of(fields, "VRAM Total Memory (B)"), _of(fields, "VRAM Total Used Memory (B)")
        temp = _of(fields, "Temperature (Sensor edge) (C)")
        if temp is None:
            temp = _of(fields, "Temperature (Sensor junction) (C)")
        util = _of(fields, "GPU use (%)")
        gpus.append(
            GpuSample(
                index=match[1],
                mask=match[1],
                uuid=key,
                name=str(fields.get("Card series") or fields.get("Card Series") or "AMD GPU")[:100],
                total_bytes=None if total is None else int(total),
                free_bytes=None if total is None or used is None else max(0, int(total - used)),
                temp_c=None if temp is None else int(temp),
                util_percent=None if util is None else int(util),
                vendor="amd",
            )
        )
    return tuple(gpus)


def _of(fields: dict[str, Any], key: str) -> float | None:
    try:
        number = float(fields[key])
    except (KeyError, TypeError, ValueError):
        return None
    return number if abs(number) < 1e15 else None


def _temperatures(folder: str) -> list[str]:
    try:
        monitors = sorted(os.listdir(f"{folder}/hwmon"))
    except OSError:
        return []
    return [f"{folder}/hwmon/{name}/temp1_input" for name in monitors]


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return int(file.read(64))
    except (OSError, ValueError):
        return None
