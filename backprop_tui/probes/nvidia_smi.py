"""NVIDIA GPUs by nvidia-smi, where the library cannot be loaded."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.commands import ask
from backprop_tui.probes.gpu import find_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = "index,uuid,name,memory.total,memory.free,temperature.gpu,utilization.gpu,power.draw"
_MIB = 1024**2


def sample_nvidia_smi(env: Mapping[str, str], timeout_s: float) -> tuple[GpuSample, ...]:
    """Every GPU.

    Raises:
        ProbeUnavailable: nvidia-smi is not there, fails or does not answer in time.
    """
    program = find_command("nvidia-smi", env)
    if program is None:
        raise ProbeUnavailable("nvidia-smi is not installed")
    return parse_nvidia_smi(
        ask([program, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"], timeout_s)
    )


def parse_nvidia_smi(text: str) -> tuple[GpuSample, ...]:
    """GPUs from its CSV; lines that are none are passed over, fields that are no number are None."""
    gpus = []
    for line in text.splitlines()[:256]:
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 8 or not fields[0].isdecimal():
            continue
        total, free = _number(fields[3]), _number(fields[4])
        temp, util = _number(fields[5]), _number(fields[6])
        gpus.append(
            GpuSample(
                index=fields[0],
                mask=fields[0],
                uuid=fields[1],
                name=fields[2],
                total_bytes=None if total is None else int(total * _MIB),
                free_bytes=None if free is None else int(free * _MIB),
                temp_c=None if temp is None else int(temp),
                util_percent=None if util is None else int(util),
                power_w=_number(fields[7]),
            )
        )
    return tuple(gpus)


def _number(field: str) -> float | None:
    # What is not known reads [N/A], [Not Supported], [GPU is lost], ERR! and the like.
    try:
        number = float(field)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None
