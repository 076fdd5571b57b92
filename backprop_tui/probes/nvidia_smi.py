"""Asks nvidia-smi, where NVML itself cannot be loaded."""

from __future__ import annotations

from backprop_tui.errors import ProbeUnavailable
from backprop_tui.model.samples import GpuProcess, GpuSample
from backprop_tui.probes.answer import Answer
from backprop_tui.probes.command import run_tool
from backprop_tui.probes.signs import find_program
from backprop_tui.probes.text import clean, number, within
from backprop_tui.probes.unavailable import NotInstalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backprop_tui.probes.command import Output

_FIRST = ("index", "uuid", "name")
_BASE = ("memory.total", "memory.free", "temperature.gpu", "utilization.gpu", "power.draw")
_MIG, _LIMIT, _LEFT = "mig.mode.current", "enforced.power.limit", "temperature.gpu.tlimit"
_HEAT = ("sw_thermal_slowdown", "hw_thermal_slowdown")
FIELDS = (
    (*_BASE, _MIG, _LIMIT, *(f"clocks_event_reasons.{name}" for name in _HEAT), _LEFT),
    (*_BASE, _MIG, _LIMIT, *(f"clocks_throttle_reasons.{name}" for name in _HEAT)),
    (*_BASE, _MIG),
    _BASE,
)
"""What drivers can be asked for, newest first: a single field that one does not know costs the whole answer."""
_FORM = "--format=csv,noheader,nounits"
_MAX_LINES, _MAX_CHARS = 1024, 2000
_MIB = 1 << 20
_NO_DEVICES = 6
_WHY = {
    9: "the NVIDIA driver is not loaded",
    12: "nvidia-smi does not find the library libnvidia-ml.so.1",
    18: "nvidia-smi and the loaded driver are of different versions: the driver was updated; reboot",
}


class NvidiaSmi:
    """The program, and what was learned of its version."""

    def __init__(self, env: Mapping[str, str], timeout_s: float) -> None:
        self._env = env
        self._timeout_s = timeout_s
        self._level = 0
        """Of FIELDS, the first that the driver knows."""
        self._slowdown: dict[str, int] | None = None
        """Slowdown points by index; they never change."""

    def sample(self, processes: bool = False) -> Answer:
        """Every GPU that nvidia-smi lists, if asked for with the numbers of the processes that compute on it.

        Raises:
            NotInstalled: there is no nvidia-smi on PATH.
            NoAnswer: it hangs.
            ProbeUnavailable: it fails.
        """
        program = find_program("nvidia-smi", self._env)
        if program is None:
            raise NotInstalled("nvidia-smi is not on PATH")
        output = self._query(program)
        while "not a valid field" in output.out + output.err and self._level < len(FIELDS) - 1:
            self._level += 1
            output = self._query(program)
        answer = _judged(output, FIELDS[self._level])
        gpus = self._with_slowdown(program, answer)
        if processes:
            told = self._extra(program, "--query-compute-apps=gpu_uuid,pid,used_memory", _FORM)
            if told is not None:
                listed = parse_processes(told)
                gpus = tuple(gpu.replace(processes=tuple(listed.get(gpu.uuid, ()))) for gpu in gpus)
        return answer.replace(gpus=gpus)

    def _query(self, program: str) -> Output:
        return self._run(program, f"--query-gpu={','.join((*_FIRST, *FIELDS[self._level]))}", _FORM)

    def _run(self, *argv: str) -> Output:
        return run_tool(argv, env=self._env, timeout_s=self._timeout_s)

    def _extra(self, *argv: str) -> str | None:
        """What is good to have: None, if it fails."""
        try:
            output = self._run(*argv)
        except ProbeUnavailable:
            return None
        return None if output.code else output.out

    def _with_slowdown(self, program: str, answer: Answer) -> tuple[GpuSample, ...]:
        """Older GPUs tell the point itself, in the long listing only."""
        if all(gpu.slowdown_c is not None for gpu in answer.gpus):
            return answer.gpus
        if self._slowdown is None:
            indices = [*(gpu.index for gpu in answer.gpus), *(name.removeprefix("GPU ") for name, _ in answer.notes)]
            listing = self._extra(program, "-q", "-d", "TEMPERATURE") or ""
            self._slowdown = parse_slowdown(listing, sorted(indices, key=int))
        points = self._slowdown
        return tuple(
            gpu if gpu.slowdown_c is not None else gpu.replace(slowdown_c=points.get(gpu.index)) for gpu in answer.gpus
        )


def _judged(output: Output, fields: Sequence[str]) -> Answer:
    answer = parse(output.out, fields)
    if output.code and not answer.gpus:
        if output.code == _NO_DEVICES:
            return Answer()
        why = _WHY.get(output.code) or f"exit code {output.code}: {output.first_line}"
        raise ProbeUnavailable(why)
    if not output.code and not answer.gpus and not answer.notes and "no devices" not in output.out.lower():
        raise ProbeUnavailable(f"its answer is not understood: {output.first_line}")
    return answer


def parse(csv: str, fields: Sequence[str]) -> Answer:
    """Read the CSV of index, uuid, name and these fields; a value that is not told becomes None."""
    gpus: list[GpuSample] = []
    notes: list[tuple[str, str]] = []
    unread = 0
    for line in csv.splitlines()[:_MAX_LINES]:
        parts = [part.strip() for part in line[:_MAX_CHARS].split(",")]
        if len(parts) < len(_FIRST) + len(fields) or not parts[0].isdecimal():
            continue
        values = dict(zip(fields, parts[-len(fields) :], strict=True))
        why = _why_unusable(values)
        if why:
            notes.append((f"GPU {int(parts[0])}", why))
            unread += 1
            continue
        name = ",".join(parts[len(_FIRST) - 1 : -len(fields)])  # a name may hold commas
        gpus.append(_gpu(str(int(parts[0])), parts[1], name, values))
    return Answer(gpus=tuple(gpus), notes=tuple(notes), unread=unread)


def _why_unusable(values: Mapping[str, str]) -> str:
    if any("is lost" in value.lower() for value in values.values()):
        return "is lost"
    if any("requires reset" in value.lower() for value in values.values()):
        return "needs a reset"
    if values.get(_MIG) == "Enabled":
        return "is in MIG mode, whose slices only NVML can read"
    return ""


def _gpu(index: str, uuid: str, name: str, values: Mapping[str, str]) -> GpuSample:
    total, free, temp, util, power = (number(values[field]) for field in _BASE)
    limit, left = (number(values.get(field, "")) for field in (_LIMIT, _LEFT))
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
        power_limit_w=limit if limit is not None and limit > 0 else None,
        slowdown_c=None if temp is None or left is None else within(temp + left, 60, 150),
        is_slowed=_is_slowed([value for field, value in values.items() if field.endswith(_HEAT)]),
    )


def _is_slowed(reasons: Sequence[str]) -> bool | None:
    if "Active" in reasons:
        return True
    return False if "Not Active" in reasons else None


def parse_processes(csv: str) -> dict[str, list[GpuProcess]]:
    """The processes of each GPU, by its UUID."""
    found: dict[str, list[GpuProcess]] = {}
    for line in csv.splitlines()[:_MAX_LINES]:
        parts = [part.strip() for part in line[:_MAX_CHARS].split(",")]
        if len(parts) == 3 and parts[1].isdecimal() and len(parts[1]) < 10:
            used = number(parts[2])
            process = GpuProcess(pid=int(parts[1]), used_bytes=None if used is None else round(used * _MIB))
            found.setdefault(parts[0], []).append(process)
    return found


def parse_slowdown(listing: str, indices: Sequence[str]) -> dict[str, int]:
    """Slowdown points from `nvidia-smi -q -d TEMPERATURE`, which lists the GPUs in this order, without index."""
    points: list[int | None] = []
    for line in listing.splitlines()[: 100 * _MAX_LINES]:
        if line.startswith("GPU "):
            points.append(None)
        key, _, value = line.partition(":")
        if points and key.strip() == "GPU Slowdown Temp":
            points[-1] = within(number(value.strip().removesuffix("C")), 60, 150)
    if len(points) != len(indices):  # one is missing, and nobody can tell which
        return {}
    return {index: point for index, point in zip(indices, points, strict=True) if point is not None}
