"""Asks nvidia-smi, where NVML itself cannot be loaded."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuSample
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.command import run_tool
from backprop_tui.probes.signs import find_program
from backprop_tui.probes.text import clean, number, within
from backprop_tui.probes.unavailable import NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.probes.command import Output

FIELDS = "index,uuid,name,memory.total,memory.free,temperature.gpu,utilization.gpu,power.draw"
MIG_FIELD = "mig.mode.current"
_BEFORE_NAME, _AFTER_NAME = 2, 5
_MIB = 1 << 20
_NO_DEVICES = 6
_WHY = {
    9: "the NVIDIA driver is not loaded",
    12: "nvidia-smi does not find the library libnvidia-ml.so.1",
    18: "nvidia-smi and the loaded driver are of different versions: the driver was updated; reboot",
}


def sample(env: Mapping[str, str], timeout_s: float) -> Answer:
    """Every GPU that nvidia-smi lists.

    Raises:
        NotInstalled: there is no nvidia-smi on PATH.
        NoAnswer: it hangs.
        ProbeUnavailable: it fails.
    """
    program = find_program("nvidia-smi", env)
    if program is None:
        raise NotInstalled("nvidia-smi is not on PATH")
    options = ("--format=csv,noheader,nounits",)
    output = run_tool((program, f"--query-gpu={FIELDS},{MIG_FIELD}", *options), env=env, timeout_s=timeout_s)
    has_mig = "not a valid field" not in output.out + output.err
    if not has_mig:  # drivers before 450
        output = run_tool((program, f"--query-gpu={FIELDS}", *options), env=env, timeout_s=timeout_s)
    return _judged(output, has_mig)


def _judged(output: Output, has_mig: bool) -> Answer:
    answer = parse(output.out, has_mig=has_mig)
    if output.code and not answer.gpus:
        if output.code == _NO_DEVICES:
            return Answer()
        why = _WHY.get(output.code) or f"exit code {output.code}: {output.first_line}"
        raise ProbeUnavailable(why)
    if not output.code and not answer.gpus and not answer.notes and "no devices" not in output.out.lower():
        raise ProbeUnavailable(f"its answer is not understood: {output.first_line}")
    return answer


def parse(csv: str, *, has_mig: bool = True) -> Answer:
    """Read the CSV of FIELDS (and MIG_FIELD); a value that is not told becomes None."""
    gpus: list[GpuSample] = []
    notes: list[tuple[str, str]] = []
    unread = 0
    for line in csv.splitlines()[:1024]:
        parts = [part.strip() for part in line[:2000].split(",")]
        after = _AFTER_NAME + has_mig
        if len(parts) < _BEFORE_NAME + 1 + after or not parts[0].isdecimal():
            continue
        values = parts[-after:]
        why = _why_unusable(values, has_mig)
        if why:
            notes.append((f"GPU {int(parts[0])}", why))
            unread += 1
            continue
        name = ",".join(parts[_BEFORE_NAME:-after])
        gpus.append(_gpu(str(int(parts[0])), parts[1], name, values))
    return Answer(gpus=tuple(gpus), notes=tuple(notes), unread=unread)


def _why_unusable(values: list[str], has_mig: bool) -> str:
    if any("is lost" in value.lower() for value in values):
        return "is lost"
    if any("requires reset" in value.lower() for value in values):
        return "needs a reset"
    if has_mig and values[-1] == "Enabled":
        return "is in MIG mode, whose slices only NVML can read"
    return ""


def _gpu(index: str, uuid: str, name: str, values: list[str]) -> GpuSample:
    total, free, temp, util, power = (number(value) for value in values[:_AFTER_NAME])
    return GpuSample(
        index=index,
        mask=index,
        uuid=clean(uuid) if uuid.startswith("GPU-") else "",
        name="NVIDIA GPU" if name.startswith("[") else clean(name),
        total_bytes=round(total * _MIB) if total else None,
        free_bytes=round(free * _MIB) if total and free is not None and free >= 0 else None,
        temp_c=within(temp, 1, 200),
        util_percent=within(util, 0, 100),
        power_w=power if power is not None and power >= 0 else None,
    )
