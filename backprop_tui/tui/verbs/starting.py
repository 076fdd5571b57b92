"""Keys that start something: launch, resume, run again, the demo."""

from __future__ import annotations

import os

from backprop_tui.control import logout
from backprop_tui.control.demo import FIRST_SHARE, SECONDS, demo_wish
from backprop_tui.control.resuming import ResumeWish, plan_resume, survey
from backprop_tui.control.starting import dry_run, run_detached
from backprop_tui.control.wishes import plan_start
from backprop_tui.tui.folders import current_folder
from backprop_tui.tui.screens.going_on import MissingDialog, ResumeDialog, ResumeSeveralDialog
from backprop_tui.tui.screens.launch import Filled, LaunchForm, filled_from
from backprop_tui.tui.screens.soon import Soon
from backprop_tui.tui.verbs.base import Base, name_of, plural
from backprop_tui.watch.curves import CurveReader
from backprop_tui.watch.failures import rise_began
from backprop_tui.watch.record import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.control.resuming import Survey
    from backprop_tui.control.wishes import Planned
    from backprop_tui.model.run import Run
    from backprop_tui.store.home import Home
    from backprop_tui.tui.target import Target
    from backprop_tui.watch.record import Record

FOREVER = float("inf")
OFFERED = 2
"""Checkpoints that are named where the newest is not good."""


class StartingVerbs(Base):
    """Plans are made in a thread; questions are asked on the screen."""

    _filled = Filled(values={})

    # --- new runs

    def action_launch(self) -> None:
        """The form as it was left; the first time with the last script, if that ran in this folder."""
        rows = self.main.history.at_hand()
        if self._filled.values or not rows:
            self.open_form(self._filled)
            return
        newest = max(rows, key=lambda row: row.created).id

        def work(soon: Soon) -> None:
            filled = filled_from(read_record(self.home, newest))
            is_here = os.path.realpath(filled.cwd or "/") == os.path.realpath(current_folder())
            kept = {key: filled.values.get(key, "") for key in ("script", "args") if is_here}
            self.call_from_thread(self.open_form, Filled(values=kept), soon)

        self.question(work)

    def open_form(self, filled: Filled, soon: Soon | None = None) -> None:
        """The form with these words in it, after `soon` if that was there first."""
        form = LaunchForm(self.home, self.palette, self.look, self.main.history.at_hand(), filled)

        def answered(planned: Planned | None) -> None:
            if not filled.resumes:
                values = form.filled.values
                # A name is one run's; all else may do for the next one.
                kept = values if planned is None else {key: text for key, text in values.items() if key != "name"}
                self._filled = form.filled.replace(values=kept)
            if planned is not None:
                self.begin(planned)

        if soon is None:
            self.push_screen(form, answered)
        else:
            soon.give_way(form, answered)

    def begin(self, planned: Planned) -> None:
        """Start what was planned; the cursor goes there."""
        spec = planned.plan.spec

        def work() -> None:
            run_id, state = run_detached(self.home, planned.plan)
            self.call_from_thread(self.main.await_run, run_id)
            if state == "queued":
                reason = read_record(self.home, run_id).run.reason
                why = f": {reason.text.removeprefix('waits: ')}" if reason is not None else ""
                self.call_from_thread(self.say, f"{spec.name or run_id} is queued{why}.")
            if warning := logout.first_warning():
                self.call_from_thread(self.say, warning, severity="warning")

        self.background(work)

    def action_demo(self) -> None:
        """A small training on the CPU, for a first look."""
        if self.main.is_first_run:
            self.background(lambda: self.call_from_thread(self.begin, plan_start(self.home, demo_wish(self.home))))
            self.say(f"demo started: its time box ends after {SECONDS * FIRST_SHARE:.0f} s; r resumes it then.")
        else:
            self.say("d: the demo is for an empty history; backprop demo runs it from a shell.")

    def action_again(self) -> None:
        """The form, filled as the run was."""
        target = self.target("R")
        if target is None:
            return

        def work(soon: Soon) -> None:
            record = read_record(self.home, target.id)
            self.call_from_thread(self.open_form, filled_from(record), soon)

        self.question(work)

    # --- runs that have ended

    def action_resume(self) -> None:
        """Go on from the newest good checkpoint."""
        targets = self.targets("r")
        found = [target for target in targets if self.record(target.id) is None]
        if targets and not found:
            self.say(f"r: {targets[0].called} has not ended; K stops it, p pauses it.")
        elif not found:
            return
        elif len(found) > 1:
            self._resume_several(found)
        else:
            self.resume(found[0])

    def resume(self, target: Target) -> None:
        """Go on with a run that has ended."""
        self.question(lambda soon: self._resume(target, soon))

    def _resume(self, target: Target, soon: Soon) -> None:
        """Look at what there is, and ask; in a thread."""
        record = read_record(self.home, target.id)
        if record.run.state == "completed":
            self.call_from_thread(
                self.say, f"{name_of(record)} is completed, there is nothing to resume. R runs it again."
            )
            return
        until = before_the_rise(self.home, record.run) if record.run.state == "diverged" else None
        found = survey(self.home, target.id, most=OFFERED, until=until)
        if found.newest is None and not record.run.checkpoints:
            self.call_from_thread(
                self.say, f"{name_of(record)} has saved no checkpoint: it runs again from step 0, as in this form."
            )
            self.call_from_thread(self.open_form, filled_from(record), soon)
        elif found.why or not found.good:
            self.call_from_thread(self._ask_missing, record, found, soon)
        else:
            why = "the newest one saved before the loss rose" if until is not None else ""
            path = found.good[0].path if why else None
            self._plan(record, ResumeWish(flags={}, wait_s=FOREVER, resume_from=path), soon, why)

    def _plan(self, record: Record, wish: ResumeWish, soon: Soon, why: str = "") -> None:
        """Plan the next slice and ask; in a thread."""
        planned = plan_resume(self.home, record.run.id, wish)
        tried = dry_run(planned.plan)
        dialog = ResumeDialog(self.palette, record, planned, tried, why=why)
        usual = dialog.minutes

        def answered(value: str | None) -> None:
            if value == "args":
                self.open_form(filled_from(record, resumes=record.run.id, resume_from=wish.resume_from))
            elif value and float(value) == usual:
                self.begin(planned)
            elif value:
                longer = wish.replace(flags={**wish.flags, "maxRunMinutes": value})
                self.background(lambda: self.begin_from_thread(record, longer))

        self.call_from_thread(soon.give_way, dialog, answered)

    def begin_from_thread(self, record: Record, wish: ResumeWish) -> None:
        """Plan and start without asking again."""
        planned = plan_resume(self.home, record.run.id, wish)
        self.call_from_thread(self.begin, planned)

    def _ask_missing(self, record: Record, found: Survey, soon: Soon) -> None:
        def answered(value: str | None) -> None:
            if value:
                fresh = value == "fresh"
                wish = ResumeWish(flags={}, wait_s=FOREVER, fresh=fresh, resume_from=None if fresh else value)
                self.background(lambda: self.begin_from_thread(record, wish))

        soon.give_way(MissingDialog(self.palette, record, found), answered)

    def resume_from(self, target: Target, path: str) -> None:
        """Go on from this very checkpoint."""
        wish = ResumeWish(flags={}, wait_s=FOREVER, resume_from=path)
        self.question(lambda soon: self._plan(read_record(self.home, target.id), wish, soon))

    def _resume_several(self, targets: list[Target]) -> None:
        def go_on(target: Target) -> None:
            run_detached(self.home, plan_resume(self.home, target.id, ResumeWish(flags={}, wait_s=FOREVER)).plan)

        def work() -> None:
            begun = self.of_each(targets, go_on)
            self.call_from_thread(self.say, f"{plural(len(begun))} resumed or queued.")

        def answered(value: str | None) -> None:
            if value:
                self.main.unmark()
                self.background(work)

        self.push_screen(ResumeSeveralDialog(self.palette, [target.called for target in targets]), answered)


def before_the_rise(home: Home, run: Run) -> float | None:
    """The last step before a loss rose and was no number any more; None where no metric says."""
    reader = CurveReader(home, run.id)
    while reader.read(run.slices):
        pass
    curve = reader.main
    return None if curve is None else rise_began(curve.steps, curve.lasts, curve.first_bad_step)
