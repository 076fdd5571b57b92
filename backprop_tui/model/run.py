"""What is so: a run, its slices, its checkpoints (the content of state.json and notes.json)."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.states import RunState


class Reason(Frozen):
    """Why a run is in its state: recorded when it began, never guessed from an exit code."""

    code: str
    """For programs: exit, signal, timebox, person, memory, disk, heat, supervisor_gone, box_gone, spawn, …"""
    text: str
    """One sentence for people, with the values."""
    by: str
    """Who decided: script, timebox, person, governor, watchdog, guard, box."""


class Process(Frozen):
    """A process that cannot be mistaken for another one with the same number."""

    pid: int
    start: int
    """Start time in clock ticks since boot (field 22 of /proc/PID/stat); 0 where it is unknown."""


class Owner(Frozen):
    """Who writes a run: the supervisor that holds its lock."""

    host: str
    boot_id: str
    process: Process
    token: str
    slice: int
    engine: str = "local"


class Checkpoint(Frozen):
    """A checkpoint and what was last found out about it."""

    path: str
    """Absolute."""
    step: int | None
    t: float
    """When it was reported, epoch seconds."""
    slice: int
    kind: str = "unknown"
    size: int | None = None
    """Bytes, a folder's whole content."""
    good: bool | None = None
    """None until it was looked at."""
    why: str = ""
    """What is wrong with it, when it is not good."""


class Slice(Frozen):
    """One process (tree) of a run, from its start to its end."""

    n: int
    state: RunState
    started: float
    box_s: float
    """The time box as extended, seconds."""
    ended: float | None = None
    reason: Reason | None = None
    used_s: float = 0.0
    """Running time without pauses, seconds."""
    paused_s: float = 0.0
    exit_code: int | None = None
    exit_signal: int | None = None
    resumed_from: str | None = None
    first_step: int | None = None
    last_step: int | None = None
    last_loss: float | None = None
    metric_lines: int = 0
    log_start: int = 0
    """Offset in output.log of the slice's first byte."""
    log_end: int | None = None
    metrics_start: int = 0
    """Offset in metrics.jsonl of the slice's first line."""
    gpus: tuple[str, ...] = ()
    forced: bool = False
    """SIGKILL was needed."""
    survivors: int = 0
    """Processes that could not be ended."""


class Gap(Frozen):
    """A part of output.log that was given back to the disk; offsets behind it did not change."""

    start: int
    end: int

    def around(self, at: int, limit: int) -> tuple[int, int]:
        """Where to read, and at most how much, so that nothing of the gap is read (it would be zero bytes)."""
        if at < self.start:
            return at, min(limit, self.start - at)
        return max(at, self.end), limit


class Resources(Frozen):
    """What the process tree of the running slice uses."""

    rss_bytes: int = 0
    peak_rss_bytes: int = 0
    cpu_cores: float = 0.0
    """Cores kept busy since the last sample."""
    processes: int = 0
    gpu_used_bytes: int | None = None
    """Of the leased GPU, whoever uses it."""


class Run(Frozen):
    """A run as its state.json says it is."""

    id: str
    state: RunState
    created: float
    updated: float
    """Heartbeat: when this was last written, epoch seconds."""
    reason: Reason | None = None
    owner: Owner | None = None
    training: Process | None = None
    """The leader of the running slice's process tree."""
    slices: tuple[Slice, ...] = ()
    step: int | None = None
    last: dict[str, float] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """The newest value of each metric."""
    best_loss: float | None = None
    metric_lines: int = 0
    output_bytes: int = 0
    """How far output.log was understood: the end of the last whole line."""
    log_gap: Gap | None = None
    metrics_bytes: int = 0
    """Size of metrics.jsonl when this was written; what lies beyond was read from later output."""
    checkpoints: tuple[Checkpoint, ...] = ()
    """The newest 20, oldest first; all of them are in checkpoints.jsonl."""
    checkpoint_count: int = 0
    resources: Resources = Resources()
    warnings: tuple[str, ...] = ()
    """What a person should know: a guessed setting, a blind probe, a gap in the log."""

    @property
    def slice(self) -> Slice | None:
        """The newest slice."""
        return self.slices[-1] if self.slices else None

    @property
    def loss(self) -> float | None:
        return self.last.get("loss")

    @property
    def good_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint known to be good, by order of saving."""
        return next((c for c in reversed(self.checkpoints) if c.good), None)


class Notes(Frozen):
    """What people say of a run."""

    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    star: bool = False
    archived: bool = False
    seen: int = 0
    """The newest slice whose bad end a person has seen."""
