"""What a person sees of a run that is supervised here: the script's output, one live line, a summary."""

from __future__ import annotations

import os

from backprop_tui.cli import diagnostics, words
from backprop_tui.control.starting import Observer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.pump import LiveLine, OutputPump
    from backprop_tui.engines.base import Launch
    from backprop_tui.governor.going_on import Following
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec

BACKLOG_WAIT_S = 0.01


class Foreground(Observer):
    """Shows a run as it goes on."""

    def __init__(self, *, quiet: bool, json: bool, shows_output: bool = True) -> None:
        self._quiet = quiet
        self._shows_output = shows_output
        self._out = 2 if json else 1
        is_terminal = os.isatty(1) and os.isatty(2) and os.environ.get("TERM") not in (None, "dumb")
        self._shows_live = is_terminal and not quiet and not json
        self._live: LiveLine | None = None
        self._pump: OutputPump | None = None
        self._gpus: tuple[str, ...] = ()

    def queued(self, run: Run, admission: Admission) -> None:
        reason = run.reason.text if run.reason else "waits"
        self._say(f"{run.id} is queued, {reason} (ctrl-c leaves the queue)")

    def starting(self, spec: SliceSpec, launch: Launch, admission: Admission) -> None:
        box = words.duration(spec.box_s)
        number = f", slice {spec.n}" if spec.n > 1 else ""
        python = f", {launch.argv[0]}" if not spec.is_command else ""
        limit = spec.setting("gpuMemoryLimit")
        memory = f", GPU memory {limit}" if limit and admission.gpus else ""
        self._say(f"run {spec.run_id}{number}: {words.chosen(admission)}{memory}, time box {box}{_aim(spec)}{python}")
        for decision in admission.decisions:
            if decision.rule == "probe":
                self._say(decision.text)
        self._gpus = tuple(gpu.index for gpu in admission.gpus)

    def started(self, run: Run, log_path: str) -> None:
        from backprop_tui.cli.pump import LiveLine, OutputPump

        start = run.slice.log_start if run.slice else 0
        if self._pump is not None:
            return  # it goes on in the same log
        self._live = LiveLine() if self._shows_live else None
        if self._shows_output:
            self._pump = OutputPump(log_path, start, self._out, live=self._live)

    def turned(self, run: Run, left_s: float) -> float | None:
        has_more = False
        if self._pump is not None:
            self._pump.gap = run.log_gap
            has_more = self._pump.pump()
        if self._live is not None and not has_more:
            self._live.draw(self._line(run, left_s))
        return BACKLOG_WAIT_S if has_more else None

    def said(self, text: str) -> None:
        self._say(text)

    def ended(self, run: Run, follows: Following | None) -> None:
        if follows is None:
            return  # `finish` comes next
        if self._pump is not None:
            self._pump.pump()  # what its reader takes now: a slow one must not hold up the next slice
        newest = run.slice
        number, used = (newest.n, newest.used_s) if newest else (0, None)
        parts = [f"{run.id}, slice {number}: {run.state} after {words.duration(used)}"]
        if run.step is not None:
            parts.append(words.step(run))
        if run.main is not None:
            parts.append(words.figure_and_best(run))
        self._say(", ".join(parts))
        self._say(f"slice {number + 1} follows: {follows.why} (ctrl-c ends the run)")

    def finish(self) -> None:
        """Nothing of a slice goes on: pass on what is left of its output."""
        if self._pump is not None:
            self._pump.drain()
        if self._live is not None:
            self._live.erase()

    def _say(self, text: str) -> None:
        if self._live is not None:
            self._live.erase()
        if not self._quiet:
            diagnostics.say(f"backprop: {text}")

    def _line(self, run: Run, left_s: float) -> str:
        purpose = " to save" if run.state == "stopping" else ""
        parts = [f"{run.state}", f"{words.duration(left_s)} left{purpose}"]
        if run.step is not None:
            parts.append(words.step(run))
        if figure := words.figure(run):
            parts.append(figure)
        if self._gpus:
            parts.append(f"GPU {','.join(self._gpus)} {words.size(run.resources.gpu_used_bytes)}")
        return "[" + " · ".join(parts) + "]"


def _aim(spec: SliceSpec) -> str:
    """What a run goes on to in further slices, "" for one that does not."""
    parts = []
    if (total := spec.setting_or("totalMinutes", None)) is not None:
        parts.append(f"{words.duration(total * 60)} in all")
    if (slices := spec.setting_or("slices", None)) is not None:
        parts.append(f"{slices} slice{'s' if slices != 1 else ''} in all")
    if until := spec.setting_or("until", ()):
        parts.append(f"until {' or '.join(until)}")
    return "".join(f", {part}" for part in parts)


def summary(run: Run) -> list[str]:
    """What came of a slice, in a few lines."""
    newest = run.slice
    used = words.duration(newest.used_s if newest else None)
    lines = [f"backprop: {run.id} {run.state} after {used}: {run.reason.text if run.reason else ''}".rstrip(": ")]
    lines += [f"  {line}" for line in words.failure(run)]
    parts = [f"{len(run.slices)} slice" + ("s" if len(run.slices) != 1 else "")]
    if run.step is not None:
        parts.append(words.step(run))
    if run.main is not None:
        parts.append(words.figure_and_best(run))
    lines.append("  " + ", ".join(parts))
    lines.append("  " + words.checkpoints(run))
    lines += [f"  warning: {warning}" for warning in run.warnings]
    if newest is not None and newest.forced:
        lines.append("  warning: it had to be killed; what counts is what it had saved before")
    if newest is not None and newest.survivors:
        lines.append(f"  warning: {newest.survivors} processes could not be ended")
    lines += [f"  {line}" for line in words.next_steps(run)]
    return lines
