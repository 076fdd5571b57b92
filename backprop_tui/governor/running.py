"""The rules that a running slice is held to: each a value, a limit and a verdict, now."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.governor.words import free_and_wanted, load_and_limit
from backprop_tui.model.decisions import Decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backprop_tui.model.samples import DiskSample, GpuSample, HostSample
    from backprop_tui.model.spec import SliceSpec

GB = 1 << 30
STALE_S = 10.0
"""A value older than this decides nothing, unless it is measured so seldom that it takes longer to be replaced."""
MISSED = 3.0
"""What is measured every so often is old after so many periods."""
SLOWDOWN_MARGIN_C = 3
RUNNING_OUT = 0.25
"""With less than this part of minFreeRamGB free, memory is running out."""
NO_RAM = 2.0
"""Beyond the least by this factor, it is a run's turn also if younger ones should end first and do not."""
TURN_LOOKS = 30
"""So many looks each of the younger ones is left."""
CALMER = 0.75
"""Others' load must have fallen to this part of the limit before a run goes on."""
IDLE_CORES = 0.25
"""Others who keep less than this part of the cores busy are no reason to pause, whatever the load average says."""


class Limits(Frozen):
    """What a slice must keep to."""

    max_temp_c: int
    resume_temp_c: int
    max_load_per_core: float
    min_free_ram_bytes: int
    max_ram_bytes: int | None
    min_free_disk_bytes: int
    """0: the disk is not guarded."""
    max_paused_s: float | None
    gpu_bytes: int | None = None
    """On each GPU."""


class Reading(Frozen):
    """What is known of a slice and its box at one moment; what was not measured is None or empty."""

    t: float
    """Now, epoch seconds."""
    gpus: tuple[GpuSample, ...] = ()
    """The run's own."""
    gpus_t: float | None = None
    """When they were sampled."""
    gpus_every_s: float = 0.0
    """So far apart their samples are; a driver that is slow to answer is asked less often."""
    gpu_trouble: str = ""
    """Why they cannot be read now."""
    gpu_tree: dict[str, int] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """Bytes that the run uses, by GPU index."""
    is_whole_gpu: bool = False
    """`gpu_tree` is what all have taken of the GPU since the slice's start: the driver does not tell who."""
    shared_gpus: frozenset[str] = frozenset()
    """Indices of those that others use or have used as well since the slice's start."""
    host: HostSample | None = None
    others_load: float | None = None
    """Of the load average, what is not backprop's."""
    others_cores: float | None = None
    """Cores that others keep busy."""
    load_t: float | None = None
    ram_bytes: int | None = None
    """Of the run's processes, pages that they share counted once."""
    ram_t: float | None = None
    disks: tuple[DiskSample, ...] = ()
    disks_t: float | None = None
    checkpoint_bytes: int = 0
    """Size of the newest checkpoint, 0 if there is none."""
    is_saving: bool = False
    """A checkpoint is being written: its room is in use already."""
    younger: int = 0
    """How many runs of this user on this box started later and keep the rule on RAM, too."""
    paused_s: float = 0.0
    """How long the Governor has had it paused this time."""
    yield_to: str = ""
    """Who asked all runs to make room; "" for nobody."""


class Finding(Frozen):
    """One rule applied, and what it takes to act on it."""

    decision: Decision
    about: str
    """The rule and what it is applied to, such as "gpu_temp 0"."""
    t: float | None
    """When the value was measured, None for what is known at once; an old value is not judged twice."""
    is_fresh: bool
    has_recovered: bool = True
    """Far enough on the good side for a paused run to go on."""
    excess: float = 0.0
    """How many times as far as its limit it is; above 1 where it is beyond."""
    was: str = ""
    """What was so, in the words of a pause that may last longer than that."""
    looks: int = 0
    """So many measurements in a row must be beyond the limit; 0 for as many as the rule usually asks."""
    is_own: bool = True
    """It surely is the run's own doing; what may be others' stops nothing."""
    waits_for: str = ""
    """What has to come before a paused run goes on."""


def limits_of(spec: SliceSpec, gpu_bytes: int | None = None) -> Limits:
    """What the settings of a slice ask for; `gpu_bytes` is its GPU memory limit on each GPU."""
    hottest = int(spec.setting("gpu.maxTempC"))
    max_ram = spec.setting_or("maxRamGB", None)
    paused = spec.setting_or("maxPausedMinutes", None)
    return Limits(
        max_temp_c=hottest,
        resume_temp_c=spec.resume_temp_c,
        max_load_per_core=float(spec.setting("maxCpuLoadPerCore")),
        min_free_ram_bytes=int(float(spec.setting("minFreeRamGB")) * GB),
        max_ram_bytes=None if max_ram is None else int(float(max_ram) * GB),
        min_free_disk_bytes=int(float(spec.setting_or("minFreeDiskGB", 0)) * GB),
        max_paused_s=None if paused is None else float(paused) * 60,
        gpu_bytes=gpu_bytes,
    )


def patience_s(spec: SliceSpec, env: Mapping[str, str]) -> float | None:
    """How long the processes of a training wait for each other while they stand still; None for any time.

    Args:
        spec: what the slice was asked.
        env: those of `PATIENCE_VARIABLES` that its processes have.
    """
    if env.get(_MPS):
        return 0.0  # others on the same GPU may wait for it
    if any(env.get(name) for name in _JAX_CLUSTER):
        return 60.0
    words = {word.rpartition("/")[2] for word in spec.command}
    return 240.0 if words & _LAUNCHERS or any(env.get(name, "1") not in ("", "0", "1") for name in _SIZES) else None


_MPS = "CUDA_MPS_PIPE_DIRECTORY"
_SIZES = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_JAX_CLUSTER = ("JAX_COORDINATOR_ADDRESS", "JAX_COORDINATOR_PORT", "JAX_NUM_PROCESSES")
_LAUNCHERS = frozenset(
    {
        *("torchrun", "torch.distributed.run", "torch.distributed.launch", "accelerate", "deepspeed"),
        *("mpirun", "mpiexec", "horovodrun"),
    }
)
PATIENCE_VARIABLES = frozenset({_MPS, *_SIZES, *_JAX_CLUSTER})
"""What tells that processes wait for each other."""


def rules_now(limits: Limits, reading: Reading) -> tuple[Decision, ...]:
    """Every rule of a running slice with what is known; what cannot be told is passed over."""
    return tuple(finding.decision for finding in findings(limits, reading))


def findings(limits: Limits, reading: Reading) -> tuple[Finding, ...]:
    """As `rules_now`, with what it takes to act."""
    found: list[Finding] = []
    if reading.gpus_t is not None or reading.gpu_trouble:
        found += _gpus(limits, reading)
    found += _box(limits, reading)
    if limits.max_ram_bytes is not None and reading.ram_bytes is not None:
        found.append(_own_ram(limits.max_ram_bytes, reading.ram_bytes, reading))
    found += [_disk(limits, reading, disk) for disk in reading.disks if limits.min_free_disk_bytes > 0]
    if limits.max_paused_s is not None and reading.paused_s > 0:
        found.append(_paused(limits.max_paused_s, reading.paused_s))
    if reading.yield_to:
        text = f"{reading.yield_to} asked all runs to make room"
        found.append(_finding(Decision(rule="yield", ok=False, text=text), "", None, reading))
    return tuple(found)


def _gpus(limits: Limits, reading: Reading) -> Iterator[Finding]:
    age_s = 0.0 if reading.gpus_t is None else reading.t - reading.gpus_t
    if reading.gpu_trouble or age_s > _gpus_stale_s(reading):
        trouble = reading.gpu_trouble
        said = trouble if trouble.startswith("GPU ") else "the GPU cannot be read now" + (trouble and f" ({trouble})")
        last = "" if reading.gpus_t is None else f", last read {max(0.0, age_s):.0f} s ago"
        text = f"{said}{last}: it is not guarded against heat and too much memory"
        yield _finding(Decision(rule="probe", ok=True, text=text, is_aside=True), "", reading.gpus_t, reading)
    for gpu in reading.gpus:
        if gpu.temp_c is not None:
            yield _heat(limits, reading, gpu, gpu.temp_c)
        used = reading.gpu_tree.get(gpu.index)
        if limits.gpu_bytes is not None and used is not None:
            yield _gpu_memory(limits.gpu_bytes, reading, gpu.index, used)


def _heat(limits: Limits, reading: Reading, gpu: GpuSample, temp_c: int) -> Finding:
    limit, why = limits.max_temp_c, ""
    if gpu.slowdown_c is not None and gpu.slowdown_c - SLOWDOWN_MARGIN_C < limit:
        limit = gpu.slowdown_c - SLOWDOWN_MARGIN_C
        why = f", as its driver slows it down at {gpu.slowdown_c} °C"
    resume = min(limits.resume_temp_c, limit - 1)
    ok = temp_c < limit
    text = f"GPU {gpu.index}: {temp_c} °C, {'below' if ok else 'limit'} {limit} °C{' wanted' if ok else ''}{why}"
    decision = Decision(rule="gpu_temp", ok=ok, text=text, value=float(temp_c), limit=float(limit))
    made = _finding(decision, gpu.index, reading.gpus_t, reading, _gpus_stale_s(reading))
    was = f"GPU {gpu.index} was at {temp_c} °C, limit {limit} °C{why}"
    return made.replace(has_recovered=temp_c <= resume, was=was, waits_for=f"{resume} °C")


def _gpu_memory(limit: int, reading: Reading, index: str, used: int) -> Finding:
    ok = used <= limit
    allowed, taken = free_and_wanted(limit, used)
    what = f"{taken} more in use than before it started" if reading.is_whole_gpu else f"the run uses {taken}"
    text = f"GPU {index}: {what}, {allowed} allowed"
    decision = Decision(rule="gpu_memory", ok=ok, text=text, value=float(used), limit=float(limit))
    made = _finding(decision, index, reading.gpus_t, reading, _gpus_stale_s(reading))
    return made.replace(is_own=not reading.is_whole_gpu or index not in reading.shared_gpus)


def _gpus_stale_s(reading: Reading) -> float:
    return max(STALE_S, MISSED * reading.gpus_every_s)


def _box(limits: Limits, reading: Reading) -> Iterator[Finding]:
    host = reading.host
    if host is None:
        return
    if host.ram_free_bytes is not None and limits.min_free_ram_bytes > 0:
        yield _ram(least_free_ram(limits.min_free_ram_bytes), host.ram_free_bytes, host.t, reading)
    if reading.others_load is not None:
        yield _load(limits.max_load_per_core, reading, reading.others_load, max(1, host.cores))


def least_free_ram(min_free_ram_bytes: int) -> int:
    """With less than this free, a run with this setting ends."""
    return int(min_free_ram_bytes * RUNNING_OUT)


def _ram(least: int, free_bytes: int, t: float, reading: Reading) -> Finding:
    excess = least / max(1, free_bytes)
    free, wanted = free_and_wanted(free_bytes, least)
    text = f"RAM: {free} free, {wanted} are the least"
    if free_bytes < least:
        text += ", so the newest run ends first" if reading.younger else ", so the newest run ends"
    ok = free_bytes >= least or (reading.younger > 0 and excess <= NO_RAM)
    decision = Decision(rule="ram", ok=ok, text=text, value=float(free_bytes), limit=float(least))
    made = _finding(decision, "", t, reading)
    return made.replace(excess=excess, looks=TURN_LOOKS * reading.younger)


def _load(limit: float, reading: Reading, load: float, cores: int) -> Finding:
    per_core = max(0.0, load) / cores
    busy = reading.others_cores
    is_idle = busy is not None and busy < IDLE_CORES * cores
    ok = per_core <= limit or is_idle
    shown, allowed = load_and_limit(per_core, limit)
    text = f"CPU: other programs' load is {shown} per core ({cores} core{'' if cores == 1 else 's'}), {allowed} allowed"
    if ok and per_core > limit:
        text += f", but they keep only {busy:.1f} cores busy"
    calm = CALMER * limit
    decision = Decision(rule="cpu", ok=ok, text=text, value=round(per_core, 3), limit=limit)
    made = _finding(decision, "", reading.load_t, reading)
    return made.replace(
        has_recovered=per_core <= calm or is_idle,
        was=text.replace(" load is ", " load was "),
        waits_for=f"a load of {calm:.2f}",
    )


def _own_ram(limit: int, used: int, reading: Reading) -> Finding:
    allowed, taken = free_and_wanted(limit, used)
    text = f"RAM of the run: {taken}, {allowed} allowed"
    decision = Decision(rule="max_ram", ok=used <= limit, text=text, value=float(used), limit=float(limit))
    made = _finding(decision, "", reading.ram_t, reading)
    return made.replace(excess=used / limit)


def _disk(limits: Limits, reading: Reading, disk: DiskSample) -> Finding:
    saved = 0 if reading.is_saving or "checkpoints" not in disk.what else reading.checkpoint_bytes
    least = limits.min_free_disk_bytes + saved
    free, wanted = free_and_wanted(disk.free_bytes, least)
    text = f"disk of the {disk.what}: {free} free, {wanted} wanted"
    if saved:
        text += " with room for a checkpoint"
    ok, value = disk.free_bytes >= least, float(disk.free_bytes)
    decision = Decision(rule="disk", ok=ok, text=text, value=value, limit=float(least))
    made = _finding(decision, disk.path, reading.disks_t, reading)
    return made.replace(excess=least / max(1, disk.free_bytes))


def _paused(limit: float, paused_s: float) -> Finding:
    text = f"the Governor has paused it for {paused_s:.0f} s, {limit:.0f} s allowed"
    decision = Decision(rule="paused", ok=paused_s < limit, text=text, value=round(paused_s, 1), limit=limit)
    return Finding(decision=decision, about="paused", t=None, is_fresh=True)


def _finding(decision: Decision, what: str, t: float | None, reading: Reading, stale_s: float = STALE_S) -> Finding:
    """A rule's verdict; a value that is too old keeps no rule and breaks none, which the text says."""
    age_s = None if t is None else max(0.0, reading.t - t)
    is_fresh = age_s is None or age_s <= stale_s
    text = decision.text
    if not is_fresh and decision.rule != "probe":
        text += f" ({age_s:.0f} s ago: decides nothing)"
    decision = decision.replace(
        text=text,
        ok=decision.ok or not is_fresh,
        age_s=None if age_s is None else round(age_s, 1),
        is_aside=decision.is_aside or not is_fresh,
    )
    return Finding(decision=decision, about=f"{decision.rule} {what}".strip(), t=t, is_fresh=is_fresh)
