"""What is so: a run, its slices, its checkpoints (the content of state.json and notes.json)."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_SAVING_S = 1.0
"""By so much the time of a checkpoint, or of a report, may be off."""


class Reason(Frozen):
    """Why a run is in its state: recorded when it began, never guessed from an exit code."""

    code: str
    """For programs: exit, signal, timebox, person, memory, disk, heat, supervisor_gone, box_gone, spawn, …"""
    text: str
    """One sentence for people, with the values."""
    by: str
    """Who decided: script, timebox, person, governor, watchdog, guard, box."""


class Failure(Frozen):
    """Why a slice ended badly by itself, as far as its output and its end tell."""

    kind: str
    """What for programs: gpu memory, memory, killed, module, file, nan, error (any other exception), …; "" where
    nothing is known."""
    sentence: str
    """What happened."""
    todo: str = ""
    """What can be done about it."""


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
    found: str = "event"
    """What told of it: event (the script's JSON), phrase (its output), folder (seen on disk), copy (backprop's own)."""
    copy_of: str = ""
    """The path of what it is a copy of."""


class Seam(Frozen):
    """Where a slice took the training up: does it go on from where the one before it stood?"""

    step: int
    """The slice's first."""
    redone: int
    """Steps that were done again."""
    before: float | None
    """Loss around that step before the seam."""
    after: float | None
    noise: float | None
    """How far the loss scatters there by itself."""
    verdict: str
    """faithful, suspicious or unclear."""
    text: str
    """One sentence, with the values."""


class Rise(Frozen):
    """Where a loss began to rise that is no finite number now."""

    step: int | None
    """The last step before it; None where the loss was never finite in this slice."""
    t: float
    """When the first report after that step was read, epoch seconds."""

    def is_before(self, checkpoint: Checkpoint, slice_n: int) -> bool:
        """Whether a checkpoint was saved before it; `slice_n` is the slice whose loss it is.

        Of a slice before only the time tells: a roll-back counts its steps once more.
        """
        is_later = checkpoint.t > self.t + _SAVING_S
        if checkpoint.slice < slice_n:
            return self.step is None or not is_later
        if self.step is None or is_later:
            return False
        return checkpoint.step is None or checkpoint.step <= self.step


class Slice(Frozen):
    """One process (tree) of a run, from its start to its end."""

    n: int
    state: RunState
    started: float
    box_s: float
    """The time box as extended, seconds."""
    by_itself: bool = False
    """Nobody asked for it: it followed the slice before, or was taken up after a loss."""
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
    best: float | None = None
    """The best value in it of the metric that speaks for the run."""
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
    seam: Seam | None = None
    failure: Failure | None = None
    """Why it ended badly, if it did so by itself."""
    rise: Rise | None = None
    """Where its loss began to rise, if it is no finite number now."""
    peak_rss_bytes: int = 0
    peak_gpu_bytes: int | None = None
    """The most that its tree used on one GPU; None where that could not be told."""


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
    """Of the leased GPUs together, whoever uses them."""
    gpu_tree_bytes: int | None = None
    """What the tree itself uses on them; None where that cannot be told."""


class MemoryLimit(Frozen):
    """The limit of a slice's GPU memory, and what keeps it."""

    bytes: int
    """On each GPU."""
    means: str
    """What the training's own framework was told, such as "PyTorch's allocator"; "" where there is no such means."""
    text: str
    """One sentence."""


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
    best_score: float | None = None
    """Of the metric that speaks for the run, where that is one of which more is better."""
    total_steps: int | None = None
    """How many there will be, as far as the output tells."""
    epoch: float | None = None
    epochs: float | None = None
    metric_sources: tuple[str, ...] = ()
    """What gave the metrics: json, recognisers by name, tensorboard, csv, trainer_state."""
    reading: dict[str, Any] = {}  # noqa: RUF012  # never changed: a Frozen's default
    """What the reader of the output must know to go on: counters of epochs and the like."""
    metric_lines: int = 0
    output_bytes: int = 0
    """How far output.log was understood: the end of the last whole line."""
    log_gap: Gap | None = None
    metrics_bytes: int = 0
    """Size of metrics.jsonl when this was written; what lies beyond was read from later output."""
    checkpoints: tuple[Checkpoint, ...] = ()
    """The newest 20, oldest first; all of them are in checkpoints.jsonl."""
    checkpoint_count: int = 0
    """Paths, however often each was saved to."""
    resources: Resources = Resources()
    goes_on: bool = False
    """Once its slice has ended the next one follows by itself."""
    held: str = ""
    """Who asked that it waits in the queue; "" for nobody."""
    memory_limit: MemoryLimit | None = None
    """Of the newest slice, if it has one."""
    warnings: tuple[str, ...] = ()
    """What a person should know: a guessed setting, a blind probe, a gap in the log."""

    @property
    def is_over(self) -> bool:
        """It has ended, and nothing of it follows by itself."""
        return self.state.is_ended and not self.goes_on

    @property
    def slice(self) -> Slice | None:
        """The newest slice."""
        return self.slices[-1] if self.slices else None

    @property
    def failure(self) -> Failure | None:
        """Why its newest slice ended badly by itself."""
        newest = self.slice
        return newest.failure if newest is not None else None

    @property
    def why(self) -> str:
        """Why it is in its state, in one sentence: what went wrong, where that is known, else the reason."""
        if self.failure is not None and self.failure.kind:
            return self.failure.sentence
        return self.reason.text if self.reason else ""

    @property
    def main(self) -> tuple[str, float] | None:
        """The metric that speaks for the run, and its newest value."""
        from backprop_tui.model.naming import main_metric

        name = main_metric(self.last)
        return None if name is None else (name, self.last[name])

    @property
    def loss(self) -> float | None:
        """The newest value of the metric that speaks for the run, if it is a loss or an error."""
        from backprop_tui.model.naming import is_loss_like

        main = self.main
        return main[1] if main is not None and is_loss_like(main[0]) else None

    @property
    def good_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint known to be good, by order of saving."""
        return next((c for c in reversed(self.checkpoints) if c.good), None)

    def is_sound(self, checkpoint: Checkpoint) -> bool:
        """Whether it was saved before the loss rose and was no number any more, if it did: in the slice that saved
        it, or in a later one, where that is known to have begun before.
        """
        return all(
            piece.rise.is_before(checkpoint, piece.n)
            for piece in self.slices
            if piece.n >= checkpoint.slice and piece.state is RunState.DIVERGED and piece.rise is not None
        )

    @property
    def sound_checkpoint(self) -> Checkpoint | None:
        """The newest of those at hand that is known to be good, and sound."""
        return next((c for c in reversed(self.checkpoints) if c.good and self.is_sound(c)), None)


class Notes(Frozen):
    """What people say of a run."""

    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    star: bool = False
    archived: bool = False
    seen: int = 0
    """The newest slice whose bad end a person has seen."""
