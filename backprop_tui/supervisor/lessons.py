"""What a resumed slice teaches of its script: that a way of handing over its checkpoint works, or does not."""

from __future__ import annotations

from backprop_tui.model.run import Reason
from backprop_tui.model.secrets import masked_args
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.outcome import ended_by_itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.engines.base import Exit
    from backprop_tui.model.run import Slice
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.recorder import Recorder

RESUME_ARG = "resume_arg"
"""The reason's code where a script does not know what it was given to resume."""


class Lessons:
    """Of one slice; one that was not handed a checkpoint by a template teaches nothing."""

    def __init__(self, home: Home, spec: SliceSpec, folder: RunFolder, recorder: Recorder) -> None:
        self._home = home
        self._spec = spec
        self._folder = folder
        self._recorder = recorder
        self._refused = ""

    def ended(self, leader: Exit, loss: float | None) -> tuple[RunState, Reason]:
        """As `ended_by_itself`; a script that refused what it was given is told by that."""
        state, reason = ended_by_itself(leader, loss)
        if state is not RunState.FAILED or not leader.code or not self._spec.resume_args:
            return state, reason
        newest = self._recorder.run.slice
        if newest is None or newest.metric_lines:
            return state, reason
        from backprop_tui.scripts.refusing import refusal_in
        from backprop_tui.scripts.template import names_in
        from backprop_tui.supervisor.ending import last_lines

        names = names_in(self._spec.resume_template)
        lines = last_lines(self._folder.file("output.log"), newest.log_start, self._recorder.run)
        said = refusal_in(lines, names or self._spec.resume_args)
        self._refused = " ".join(masked_args(said.split(" ")))
        if not self._refused:
            return state, reason
        text = (
            f"{reason.text}: the script did not take {' '.join(names)}, which backprop gave it to go on from its "
            "checkpoint; --resume-arg says what it does take"
        )
        return state, Reason(code=RESUME_ARG, text=text, by="script")

    @beside("how the script is resumed")
    def learn(self, t: float) -> None:
        """Remember what the slice, now ended, has shown; `t` is epoch seconds. Never raises."""
        run = self._recorder.run
        if not self._spec.resume_template:
            return
        is_doubtful = run.slice is not None and run.slice.seam is not None and run.slice.seam.verdict == "suspicious"
        took = not is_doubtful and took_up(run.slices, self._spec.resume_step)
        if not took and not self._refused:
            return
        from backprop_tui.scripts.command import key_of, script_of
        from backprop_tui.scripts.resume_facts import digest_of
        from backprop_tui.store.scripts import Refusal, remember_refused, remember_taken

        found = script_of(self._spec)
        key, template = key_of(found), self._spec.resume_template
        if not key:
            return
        digest = digest_of(found.script, self._spec.cwd)
        try:
            if took:
                remember_taken(self._home, key, template, digest, t)
            else:
                refusal = Refusal(template=template, digest=digest, said=self._refused)
                remember_refused(self._home, key, refusal, t)
        except (OSError, TimeoutError):
            pass  # it is found out again


def took_up(slices: Sequence[Slice], step: int | None) -> bool:
    """Whether the newest slice surely went on from its checkpoint, by its first step.

    Args:
        slices: the run's.
        step: the checkpoint's, None where that is not known.
    """
    first = slices[-1].first_step if slices else None
    if first is None or first <= 1:
        return False
    fresh = [piece.first_step for piece in slices[:-1] if piece.resumed_from is None and piece.first_step is not None]
    if fresh and first <= max(fresh):
        return False  # it began where a start from step 0 begins
    return bool(fresh) if step is None else step > 0 and first >= step / 2
