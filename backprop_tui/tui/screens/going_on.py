"""The questions about going on with a run that has ended, and about taking it away."""

from __future__ import annotations

import time

from backprop_tui.tui.screens.dialog import Choice, Dialog, Said
from backprop_tui.tui.screens.questions import CANCEL, SHOWN
from backprop_tui.watch.figures import age, count, duration, gigabytes, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.control.resuming import Survey
    from backprop_tui.control.starting import DryRun
    from backprop_tui.control.wishes import Planned
    from backprop_tui.model.run import Checkpoint
    from backprop_tui.tui.palette import Palette
    from backprop_tui.watch.record import Record

STEP_MINUTES = 5.0
LEAST_MINUTES = 1.0


class ResumeDialog(Dialog):
    """From where it goes on, and what a start now would meet. Dismissed with minutes, or "args"."""

    def __init__(self, palette: Palette, record: Record, planned: Planned, tried: DryRun, *, why: str = "") -> None:
        """`why` says why it is not the newest checkpoint."""
        self._record, self._planned, self._tried, self._why = record, planned, tried, why
        self.minutes = float(planned.plan.spec.setting("maxRunMinutes"))
        can_start = tried.admission.admitted
        choices = [
            Choice(key="r", label="Resume" if can_start else "Queue it", value="go"),
            Choice(key="plus", label="5 min", value="+", shown="+"),
            Choice(key="minus", label="5 min off", value="-", shown="-"),
            Choice(key="a", label="Arguments first", value="args"),
            CANCEL,
        ]
        super().__init__(palette, f"Resume {record.notes.name or record.run.id}", self._lines(), choices)

    def action_answer(self, value: str) -> None:
        """Answer; + and - change the minutes and ask on."""
        if value in ("+", "-"):
            by = STEP_MINUTES if value == "+" else -STEP_MINUTES
            self.minutes = max(min(self.minutes, LEAST_MINUTES), self.minutes + by)
            self.said = self._lines()
            self.draw()
            return
        super().action_answer(f"{self.minutes:g}" if value == "go" else value)

    def _lines(self) -> list[Said]:
        spec, admission = self._planned.plan.spec, self._tried.admission
        found = next((c for c in reversed(self._record.run.checkpoints) if c.path == spec.resume_from), None)
        if spec.resume_from is None:
            start = "from step 0: no checkpoint was reported"
        elif found is None:
            start = f"from {spec.resume_from}"
        else:
            start = f"from {saved_words(found)}"
        place = ", ".join(f"auto ({gpu.index})  {gigabytes(gpu.free_bytes)}G free" for gpu in admission.gpus)
        said = [
            Said(text=start, style="bold"),
            *([Said(text=self._why, style="hold")] if self._why else []),
            Said(text=f"Minutes        {self.minutes:.4g}" if self.minutes >= 1 else _short(self.minutes)),
            Said(text=f"GPU            {place or 'none: it runs on the CPU'}"),
            Said(text=f"Same command   {' '.join(spec.command)}", style="muted"),
            *self._handed_over(),
            *(Said(text=note, style="hold") for note in self._planned.notes if not note.startswith("resuming from")),
            Said(),
        ]
        if admission.admitted:
            return [*said, Said(text="GOVERNOR  can start now", style="ok")]
        said.append(Said(text="GOVERNOR  not now: it waits in the queue", style="hold"))
        return [*said, *(Said(text=f"  {decision.text}") for decision in admission.refusals)]

    def _handed_over(self) -> list[Said]:
        """How the script learns of the checkpoint; where it does not, a note says what to set."""
        way = self._planned.handover
        if way is None or way.how == "none":
            return []
        return [Said(text=f"Handed over    {way.text}", style="muted")]


class MissingDialog(Dialog):
    """The newest checkpoint is gone or damaged: what is still there. Dismissed with a path, or "fresh"."""

    def __init__(self, palette: Palette, record: Record, survey: Survey) -> None:
        newest = survey.newest
        name = record.notes.name or record.run.id
        said: list[Said] = []
        if newest is not None:
            said = [
                Said(text=f"The newest checkpoint cannot be used: {survey.why}", style="bad"),
                Said(text=f"  {newest.path} (saved {age(max(0.0, time.time() - newest.t))} ago)", style="muted"),
                Said(),
            ]
        choices = []
        if survey.good:
            said.append(Said(text="What is still there:"))
            for n, (key, checkpoint) in enumerate(zip(("enter", "o"), survey.good, strict=False)):
                said.append(Said(text=f"  {key:6} Resume from {saved_words(checkpoint)}"))
                label = "Resume" if n == 0 else "The older one"
                choices.append(Choice(key="r" if n == 0 else key, label=label, value=checkpoint.path))
            said += [Said(), *_again(record, survey.good[0])]
        else:
            said.append(Said(text="No other checkpoint is good.", style="bad"))
        fresh = Choice(key="s", label="Start over at step 0", value="fresh")
        # What is lost by a start from 0 must never be the default.
        choices = [*choices, fresh, CANCEL] if survey.good else [CANCEL, fresh]
        title = f"Can't resume {name} from its newest checkpoint"
        super().__init__(palette, title, said, choices, is_bad=True)


def _again(record: Record, found: Checkpoint) -> list[Said]:
    """What is done twice."""
    run = record.run
    if run.step is None or found.step is None or run.step <= found.step:
        return []
    steps = run.step - found.step
    newest = run.slice
    speed = 0.0
    if newest is not None and newest.used_s > 0 and newest.last_step is not None and newest.first_step is not None:
        speed = (newest.last_step - newest.first_step) / newest.used_s
    took = f" ({duration(steps / speed)})" if speed > 0 else ""
    return [Said(text=f"From step {count(found.step)} about {count(steps)} steps{took} are done again.")]


def saved_words(found: Checkpoint) -> str:
    """A checkpoint in words."""
    at = time.strftime("%H:%M", time.localtime(found.t))
    step = f"step {count(found.step)}" if found.step is not None else found.path
    return f"{step} (checkpoint of {at}, {room(found.size)}, checked)"


class ResumeSeveralDialog(Dialog):
    """Several runs at once. Dismissed with "go"."""

    def __init__(self, palette: Palette, names: Sequence[str]) -> None:
        said = [Said(text=name) for name in names[:SHOWN]]
        if len(names) > SHOWN:
            said.append(Said(text=f"and {len(names) - SHOWN} more", style="muted"))
        said += [Said(), Said(text="Each goes on from its newest good checkpoint; what cannot start now is queued.")]
        super().__init__(
            palette, f"Resume {len(names)} runs?", said, [Choice(key="r", label="Resume", value="go"), CANCEL]
        )


class RemoveDialog(Dialog):
    """Archive, or delete for good. Dismissed with archive or purge."""

    def __init__(self, palette: Palette, names: Sequence[str], size: int) -> None:
        what = names[0] if len(names) == 1 else f"{len(names)} marked runs"
        shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
        said = [
            Said(text=shown if len(names) > 1 else f"{room(size)} of records"),
            *([Said(text=f"{len(names)} runs, {room(size)} of records")] if len(names) > 1 else []),
            Said(),
            Said(text="a  Archive          hides it, keeps everything (undo: u)"),
            Said(text="x  Delete for good  record, log and metrics; checkpoints stay where they are"),
        ]
        choices = [
            Choice(key="a", label="Archive", value="archive"),
            Choice(key="x", label="Delete for good", value="purge"),
            CANCEL,
        ]
        super().__init__(palette, f"Remove {what}", said, choices)


def _short(minutes: float) -> str:
    """A time box of less than a minute."""
    return f"Time box       {minutes * 60:.3g} s"
