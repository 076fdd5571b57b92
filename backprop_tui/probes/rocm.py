"""Asks AMD's kernel driver through sysfs, or else rocm-smi."""

from __future__ import annotations

import json
import os
import re

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.command import run_tool
from backprop_tui.probes.kfd import KFD, processes_by_minor
from backprop_tui.probes.signs import find_program
from backprop_tui.probes.text import clean, number, within
from backprop_tui.probes.unavailable import NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.model.samples import GpuProcess

SYSFS = "/sys/class/drm"
_OPTIONS = (
    *("--showtemp", "--showuse", "--showmeminfo", "vram", "--showpower"),
    *("--showproductname", "--showuniqueid", "--json"),
)
_AMD = "0x1002"
_INTEGRATED_BYTES = 1 << 30
"""Less memory of its own than this is the share of an integrated GPU, which trains nothing."""


def sample(
    env: Mapping[str, str], timeout_s: float, processes: bool = False, *, sysfs: str = SYSFS, kfd: str = KFD
) -> Answer:
    """Every AMD GPU, if asked for with the numbers of the processes that compute on it.

    Raises:
        NotInstalled: neither the driver nor rocm-smi is here.
        NoAnswer: rocm-smi hangs.
        ProbeUnavailable: rocm-smi fails.
    """
    answer = read_sysfs(sysfs, processes_by_minor(kfd) if processes else None)
    if answer.gpus or answer.notes:
        return answer
    program = find_program("rocm-smi", env)
    if program is None:
        raise NotInstalled("no AMD GPU in /sys/class/drm, and rocm-smi is not on PATH")
    output = run_tool((program, *_OPTIONS), env=env, timeout_s=timeout_s)
    answer = parse(output.out)
    if output.code and not answer.gpus:
        raise ProbeUnavailable(f"rocm-smi, exit code {output.code}: {output.first_line}")
    return answer


def read_sysfs(root: str = SYSFS, users: Mapping[str, tuple[GpuProcess, ...]] | None = None) -> Answer:
    """The cards that AMD's driver shows below `root`, numbered by PCI address as HIP does.

    `users` are the processes by render device, if they are wanted and told.
    """
    try:
        cards = [name for name in os.listdir(root) if re.fullmatch(r"card\d{1,4}", name)]
    except OSError:
        return Answer()
    devices = []
    for card in cards:
        device = f"{root}/{card}/device"
        if _line(f"{device}/vendor") == _AMD and _line(f"{device}/mem_info_vram_total"):
            devices.append((os.path.basename(os.path.realpath(device)), device))
    gpus: list[GpuSample] = []
    notes: list[tuple[str, str]] = []
    for index, (_address, device) in enumerate(sorted(devices)):
        gpu = _from_sysfs(str(index), device)
        if gpu.total_bytes is not None and gpu.total_bytes < _INTEGRATED_BYTES:
            notes.append((f"GPU {index}", "is integrated graphics with too little memory of its own"))
        else:
            gpus.append(gpu if users is None else gpu.replace(processes=users.get(_render_minor(device), ())))
    return Answer(gpus=tuple(gpus), notes=tuple(notes))


def _from_sysfs(index: str, device: str) -> GpuSample:
    total = number(_line(f"{device}/mem_info_vram_total"))
    used = number(_line(f"{device}/mem_info_vram_used"))
    sensors = _sensors(device)
    millidegrees = number(_line(f"{sensors}/temp1_input"))
    critical = number(_line(f"{sensors}/temp1_crit"))
    power_w = _watts(_line(f"{sensors}/power1_average") or _line(f"{sensors}/power1_input"))
    unique = _line(f"{device}/unique_id")
    return GpuSample(
        index=index,
        mask=index,
        uuid=f"GPU-{clean(unique)}" if unique else "",
        name=clean(_line(f"{device}/product_name")) or f"AMD GPU {clean(_line(f'{device}/device'))}".strip(),
        total_bytes=_bytes(total),
        free_bytes=_free(total, used),
        temp_c=within(None if millidegrees is None else millidegrees / 1000, 1, 200),
        util_percent=within(number(_line(f"{device}/gpu_busy_percent")), 0, 100),
        power_w=power_w,
        power_limit_w=_watts(_line(f"{sensors}/power1_cap")) or None,
        slowdown_c=within(None if critical is None else critical / 1000, 60, 150),
        vendor="amd",
    )


def _watts(microwatts: str) -> float | None:
    value = number(microwatts)
    return None if value is None or value < 0 else value / 1e6


def _render_minor(device: str) -> str:
    try:
        names = os.listdir(f"{device}/drm")
    except OSError:
        names = []
    return next((name.removeprefix("renderD") for name in names if name.startswith("renderD")), "")


def _sensors(device: str) -> str:
    try:
        names = sorted(os.listdir(f"{device}/hwmon"))
    except OSError:
        names = []
    return f"{device}/hwmon/{names[0]}" if names else f"{device}/hwmon/none"


def _line(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(4096).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def parse(text: str) -> Answer:
    """Read the JSON of rocm-smi, which may follow warnings.

    Raises:
        ProbeUnavailable: there is no JSON in it.
    """
    start = text.find("{")
    try:
        # Only the first document: warnings may follow it as well.
        cards, _end = json.JSONDecoder().raw_decode(text, start) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        cards = None
    if not isinstance(cards, dict):
        raise ProbeUnavailable(f"the answer of rocm-smi is not understood: {clean(text, 100)}")
    numbered = []
    for key, values in cards.items():
        if (match := re.fullmatch(r"card(\d{1,4})", key)) and isinstance(values, dict):
            numbered.append((int(match[1]), values))
    return Answer(gpus=tuple(_from_json(str(n), values) for n, values in sorted(numbered, key=_first)))


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def _from_json(index: str, values: dict[str, Any]) -> GpuSample:
    def find(*keys: str) -> str:
        return next((str(values[key]) for key in keys if values.get(key) not in (None, "", "N/A")), "")

    total = number(find("VRAM Total Memory (B)"))
    used = number(find("VRAM Total Used Memory (B)"))
    unique = find("Unique ID").removeprefix("0x")
    power = number(find("Average Graphics Package Power (W)", "Current Socket Graphics Package Power (W)"))
    temp = find(*(f"Temperature (Sensor {place}) (C)" for place in ("edge", "junction")))
    return GpuSample(
        index=index,
        mask=index,
        uuid=f"GPU-{clean(unique)}" if unique else "",
        name=clean(find("Card Series", "Card series", "Card Model", "Card model")) or "AMD GPU",
        total_bytes=_bytes(total),
        free_bytes=_free(total, used),
        temp_c=within(number(temp), 1, 200),
        util_percent=within(number(find("GPU use (%)")), 0, 100),
        power_w=power if power is not None and power >= 0 else None,
        vendor="amd",
    )


def _bytes(value: float | None) -> int | None:
    return int(value) if value is not None and value > 0 else None


def _free(total: float | None, used: float | None) -> int | None:
    if not total or used is None or used < 0:
        return None
    return max(0, int(total - used))
