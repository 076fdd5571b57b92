"""Writes a living run's record: what happened goes to files that only grow, what is so to state.json.

Nothing here ends a training: what cannot be written is kept, said, and tried again.
"""

from __future__ import annotations

import math

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.model.events import CheckpointReport, Metric, Progress, ScriptEvent
from backprop_tui.model.states import RunState, check_transition
from backprop_tui.supervisor.journal import Journal
from backprop_tui.supervisor.steps import StepTimes
from backprop_tui.supervisor.tally import as_of, metric_line, with_metrics, with_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from backprop_tui.artifacts.candidate import Found as FoundCheckpoint
    from backprop_tui.model.run import Checkpoint, Reason, Run, Slice
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.protocol.parse import Found
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.checkpoints import CheckpointBook
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.publish import Publisher

STATE_EVERY_S = 0.25
HEARTBEAT_S = 10.0
PUBLISH_DELAY_S = 0.1
"""Telling the outside that a run has started must not delay its first moments; many end before that."""
MAX_WARNINGS = 20


class Recorder:
    """The only writer of a run while its supervisor lives."""

    def __init__(
        self,
        folder: RunFolder,
        run: Run,
        spec: SliceSpec,
        publisher: Publisher,
        clock: Clock,
        follows: Callable[[Run], bool] = lambda _run: False,
    ) -> None:
        """`follows`: whether another slice follows by itself, asked when the newest has ended."""
        self._folder = folder
        self.follows = follows
        self.listeners: list[Callable[[list[Metric]], None]] = []
        """Told of every report of metrics, in order, some at a time."""
        self._run = run
        self._publisher = publisher
        self._clock = clock
        self._journal = Journal(folder)
        self._is_dirty = True
        self._has_progress = False
        self._state_written = float("-inf")
        self._written_before = 0
        self._publish_due = math.inf
        self._caught_up = run
        """As it was when all lines were on the disk."""
        self._rereads_owner = False
        self.is_disowned = False
        """Another supervisor has taken the run over: nothing more is written here."""
        self.steps = StepTimes()
        self._cwd = spec.cwd
        self._book: CheckpointBook | None = None

    @property
    def run(self) -> Run:
        return self._run

    @property
    def token(self) -> str:
        """The slice's own; "" for a record without an owner."""
        return self._run.owner.token if self._run.owner else ""

    @property
    def book(self) -> CheckpointBook:
        """The run's checkpoints."""
        if self._book is None:
            from backprop_tui.supervisor.checkpoints import CheckpointBook

            self._book = CheckpointBook(self._cwd, self._run.checkpoints, self._run.checkpoint_count)
        return self._book

    @property
    def is_blocked(self) -> bool:
        """Lines wait for room on the disk: nothing more should be read from the log until they are written."""
        return self._journal.is_behind

    @property
    def is_complete(self) -> bool:
        """Everything is on the disk."""
        return self.is_disowned or not (self._journal.is_behind or self._is_dirty)

    def reread_owner(self) -> None:
        """Look before each write whether the run is still ours: here the run's lock does not exclude others."""
        self._rereads_owner = True

    def _is_ours(self) -> bool:
        if self._rereads_owner and not self.is_disowned and self._run.owner is not None:
            try:
                owner = self._folder.read_run().owner
            except StoreError:
                return True
            self.is_disowned = owner is not None and owner.token != self._run.owner.token
        return not self.is_disowned

    def change(self, state: RunState, reason: Reason | None = None, **fields: Any) -> None:
        """Enter a state, with changes to the newest slice; written at once.

        Raises:
            IllegalTransition: the model forbids it.
        """
        check_transition(self._run.state, state)
        self._run = self._run.replace(state=state, reason=reason)
        self.amend_slice(state=state, reason=reason, **fields)
        if state.is_ended:
            self._run = self._run.replace(goes_on=self.follows(self._run))
        self.event("state", state=state, **({"reason": reason.plain()} if reason else {}))
        self.flush(force=True)
        if state is RunState.RUNNING:
            self._publish_due = self._clock.monotonic() + PUBLISH_DELAY_S
        else:
            self.publish_now()
            if self._is_dirty:  # a complaint
                self.flush(force=True)

    def amend(self, **fields: Any) -> None:
        """Change fields of the run."""
        self._run = self._run.replace(**fields)
        self._is_dirty = True

    def amend_slice(self, **fields: Any) -> None:
        """Change fields of the newest slice."""
        newest = self._newest_slice()
        self.amend(slices=(*self._run.slices[:-1], newest.replace(**fields)))

    def event(self, kind: str, **fields: Any) -> None:
        """One line in events.jsonl."""
        line = {"t": round(self._clock.epoch(), 3), "event": kind, **fields}
        self._append("events.jsonl", files.to_json(line) + b"\n")

    def warn(self, text: str) -> None:
        """Something that a person should know; said once."""
        if text not in self._run.warnings:
            self.amend(warnings=(*self._run.warnings, text)[-MAX_WARNINGS:])
            self.event("warning", text=text)

    def withdraw(self, text: str) -> None:
        """What a warning said is not so any more; that it was said stays in events.jsonl."""
        if text in self._run.warnings:
            self.amend(warnings=tuple(kept for kept in self._run.warnings if kept != text))
            self.event("withdrawn", text=f"no longer so: {text}")

    def take(self, parsed: Iterable[Found], *, is_late: bool = False) -> None:
        """Take up what a script tells, in order; `is_late`: the training may be further on than these metrics."""
        batch: list[Metric] = []
        for item in parsed:
            if type(item) is Metric:
                batch.append(item)
                continue
            self._take_metrics(batch, is_late=is_late)
            batch = []
            if isinstance(item, CheckpointReport):
                self._take_checkpoint(item)
            elif isinstance(item, Progress):
                self._go_on(with_progress(self._run, item))
            elif isinstance(item, ScriptEvent):
                self.event("script", name=item.name, fields=item.fields)
        self._take_metrics(batch, is_late=is_late)

    def _take_metrics(self, batch: list[Metric], *, is_late: bool) -> None:
        if not batch:
            return
        stamp = f"{self._clock.epoch():.3f}"
        new = batch[self._written_before :]
        self._written_before = max(0, self._written_before - len(batch))
        if new:
            self._append("metrics.jsonl", "".join([metric_line(metric, stamp) for metric in new]).encode())
        self._go_on(with_metrics(self._run, batch, is_late=is_late))
        for hear in self.listeners:
            hear(batch)

    def _go_on(self, run: Run) -> None:
        self._run = run
        self.steps.note(self._clock.epoch(), run.step)
        self._is_dirty = self._has_progress = True

    def _take_checkpoint(self, report: CheckpointReport) -> None:
        if report.found == "phrase":
            self.book.announce(report, self._newest_slice().last_step)
            return
        newest = self._newest_slice()
        found = self.book.note(
            report,
            t=self._clock.epoch(),
            now=self._clock.monotonic(),
            slice_n=newest.n,
            step=newest.last_step,
        )
        self._record_checkpoint(found)

    def take_found(self, found: Iterable[FoundCheckpoint]) -> None:
        """Take up checkpoints that were seen on disk."""
        newest, t = self._newest_slice(), self._clock.epoch()
        for one in found:
            self._record_checkpoint(self.book.note_found(one, began=newest.started, t=t, slice_n=newest.n))

    def take_copy(self, copy: Checkpoint, original: str) -> None:
        """Take up a copy that was made of a checkpoint."""
        self.book.note_copy(copy, original)
        self._record_checkpoint(copy)

    def judge(self, *, final: bool = False) -> None:
        """Look at the checkpoints that are due for it."""
        if not self._run.checkpoints:
            return
        for seen in self.book.judge_due(self._clock.monotonic(), self._clock.monotonic, final=final):
            self._record_checkpoint(seen)

    def _record_checkpoint(self, checkpoint: Checkpoint) -> None:
        self._append("checkpoints.jsonl", files.to_json(checkpoint.plain()) + b"\n")
        self.amend(checkpoints=self.book.newest, checkpoint_count=self.book.count)
        self._has_progress = True

    def flush(self, *, force: bool = False, durable: bool = False) -> None:
        """Write what is due: kept lines first, then state.json at most four times a second."""
        self._journal.catch_up()
        now = self._clock.monotonic()
        age = now - self._state_written
        if not (force or (self._is_dirty and age >= STATE_EVERY_S) or age >= HEARTBEAT_S) or not self._is_ours():
            return
        is_behind = self._journal.is_behind
        size = self._journal.size_of("metrics.jsonl")
        self._run = self._run.replace(
            updated=round(self._clock.epoch(), 3), metrics_bytes=self._run.metrics_bytes if size is None else size
        )
        if not is_behind:
            self._caught_up = self._run
        try:
            written = as_of(self._run, self._caught_up) if is_behind else self._run
            self._folder.write_run(written, durable=durable)
        except (OSError, StoreError) as error:
            self._state_written = now
            self._is_dirty = True
            why = error.strerror if isinstance(error, OSError) else error
            self._complain(f"state.json could not be written: {why}")
            return
        self._state_written = now
        self._is_dirty = False

    def publish_now(self) -> None:
        """Let the index and experiments.json say what is so."""
        self._publish_due = math.inf
        if self.is_disowned:
            return
        self._tell(self._publisher.changed(self._run, self._clock.monotonic()))

    def load_publishing(self) -> None:
        """Load what publishing needs while the training loads itself."""
        self._publisher.load()

    def publish_progress(self) -> None:
        """Let experiments.json follow, now and then."""
        if self._clock.monotonic() >= self._publish_due:
            self.publish_now()
        elif (self._has_progress or self._publisher.owes) and not self.is_disowned:
            problems = self._publisher.progressed(self._run, self._clock.monotonic())
            if problems is not None:
                self._has_progress = False
                self._tell(problems)

    def close(self) -> None:
        """Let go of the files; what still cannot be written is lost, which the record says if it can."""
        self._journal.close()

    def take_over(self) -> None:
        """Go on where a supervisor was killed: lines that it wrote after its last state.json are counted in."""
        try:
            with open(self._folder.file("metrics.jsonl"), "rb") as file:
                file.seek(self._run.metrics_bytes)
                self._written_before = sum(line.endswith(b"\n") for line in file)
        except FileNotFoundError:
            return

    def _newest_slice(self) -> Slice:
        newest = self._run.slice
        if newest is None:
            raise StoreError(f"run {self._run.id} has no slice")
        return newest

    def _append(self, name: str, data: bytes) -> None:
        if not self._is_ours():
            return
        if (problem := self._journal.append(name, data)) is not None:
            self._complain(problem)

    def hold_lines(self) -> None:
        """Keep lines back: the training's start comes first."""
        self._journal.hold()

    def release_lines(self) -> None:
        """Write what was held back, and from now on everything at once."""
        self._journal.release()

    def _tell(self, problems: list[str]) -> None:
        for problem in problems:
            self._complain(problem)

    def _complain(self, text: str) -> None:
        if text not in self._run.warnings and len(self._run.warnings) < MAX_WARNINGS:
            self.amend(warnings=(*self._run.warnings, text))
