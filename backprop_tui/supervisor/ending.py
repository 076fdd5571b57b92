"""Why a slice ended badly by itself, read from the end of its output."""

from __future__ import annotations

import os

from backprop_tui.model.states import RunState
from backprop_tui.supervisor.careful import beside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.engines.base import Exit
    from backprop_tui.model.run import Failure, Reason, Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.recorder import Recorder

TAIL_BYTES = 128 * 1024
MAX_LINE = 2000
"""Characters of a line that are looked at."""


class Ending:
    """Of a slice that nobody asked to stop."""

    def __init__(
        self,
        folder: RunFolder,
        spec: SliceSpec,
        recorder: Recorder,
        judge: Callable[[Exit, float | None], tuple[RunState, Reason]],
    ) -> None:
        """`judge` says what came of it."""
        self._log_path = folder.file("output.log")
        self._spec = spec
        self._recorder = recorder
        self._judge = judge

    def ended(self, leader: Exit, loss: float | None) -> tuple[RunState, Reason]:
        """What came of it; why it went wrong, where it did, goes into the record.

        Args:
            leader: how its leading process ended.
            loss: the last loss that it reported.
        """
        state, reason = self._judge(leader, loss)
        if state in (RunState.FAILED, RunState.DIVERGED):
            self._explain(leader)
        return state, reason

    @beside("why the slice failed")
    def _explain(self, leader: Exit) -> None:
        failure = failure_of(self._recorder.run, self._spec, self._log_path, leader)
        self._recorder.amend_slice(failure=failure)


def failure_of(run: Run, spec: SliceSpec, log_path: str, leader: Exit) -> Failure | None:
    """What is known of the bad end of a run's newest slice, by its output and by how it ended."""
    # Loaded here: most slices end well.
    from backprop_tui.model.run import Failure
    from backprop_tui.protocol.failure_words import NOT_A_NUMBER, About
    from backprop_tui.protocol.failures import explain

    newest = run.slice
    if newest is None:
        return None
    if leader.code == 0:
        loss = "not a number" if newest.last_loss is None else f"{newest.last_loss:g}"
        return Failure(kind="nan", sentence=f"It diverged: its last loss was {loss}.", todo=NOT_A_NUMBER)
    about = About(interpreter=spec.interpreter or "", cwd=spec.cwd, added=spec.resume_args)
    lines = last_lines(log_path, newest.log_start, run)
    return explain(lines, exit_code=leader.code, exit_signal=leader.signal, about=about)


def last_lines(log_path: str, start: int, run: Run) -> list[str]:
    """The end of the output from `start` on, cleaned; [] where it cannot be read."""
    from backprop_tui.protocol.text import clean

    try:
        with open(log_path, "rb") as log:
            at = max(start, os.fstat(log.fileno()).st_size - TAIL_BYTES)
            if run.log_gap is not None:
                at, _limit = run.log_gap.around(at, TAIL_BYTES)
            log.seek(at)
            data = log.read(TAIL_BYTES)
    except OSError:
        return []
    lines = data.split(b"\n")
    return [clean(line[: 4 * MAX_LINE].rstrip(b"\r").decode("utf-8", "replace"), MAX_LINE) for line in lines]
