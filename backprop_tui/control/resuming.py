"""Plans the next slice of a run: from its newest good checkpoint, with its own settings."""

from __future__ import annotations

import os
import time

from backprop_tui import __version__
from backprop_tui.artifacts.verdict import judge
from backprop_tui.config.resolve import resolve
from backprop_tui.control.git import git_of
from backprop_tui.control.wishes import (
    Planned,
    env_again,
    recorded_env,
    with_script_facts,
    working_directory,
)
from backprop_tui.errors import NothingToResume, RunActive
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Checkpoint
from backprop_tui.model.states import RunState
from backprop_tui.scripts.place import check_script
from backprop_tui.scripts.source import read_script
from backprop_tui.supervisor.session import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home

LOOK_BACK = 1000
"""How many checkpoints are walked back through, at most."""


class ResumeWish(Frozen):
    """What a person wants to be different in the next slice."""

    flags: dict[str, Any]
    args: tuple[str, ...] | None = None
    """In place of the script's own arguments."""
    cwd: str | None = None
    env: dict[str, str] = {}  # noqa: RUF012  # never changed: a Frozen's default
    config_path: str | None = None
    resume_from: str | None = None
    fresh: bool = False
    wait_s: float | None = None


def plan_resume(home: Home, run_id: str, wish: ResumeWish) -> Planned:
    """Plan the next slice of a run.

    Raises:
        RunActive: it has not ended.
        NothingToResume: there were checkpoints, and none of them is good.
        RunNotFound, StoreError, UsageError, ConfigError: as their texts say.
    """
    folder = home.run(run_id)
    run, spec = folder.read_run(), folder.read_spec()
    if not run.state.is_ended:
        where = f" on {run.owner.host}" if run.owner else ""
        raise RunActive(f"run {run_id} is {run.state} already{where}", hint=f"stop it first: backprop stop {run_id}")
    cwd = spec.cwd if wish.cwd is None else working_directory(wish.cwd)
    resolved = resolve(
        flags=wish.flags,
        env=os.environ,
        cwd=cwd if os.path.isdir(cwd) else os.getcwd(),
        config_path=wish.config_path,
        inherited=spec.settings,
    )
    chosen, notes = choose_checkpoint(folder, run, wish, begun_from=spec.resume_from)
    if run.state is RunState.COMPLETED:
        notes = (f"run {run_id} is completed; it goes on all the same", *notes)
    args = spec.command[1:] if wish.args is None else wish.args
    following = spec.replace(
        n=run.slice.n + 1 if run.slice else 1,
        created=round(time.time(), 3),
        command=(spec.command[0], *args),
        cwd=cwd,
        settings=resolved.settings,
        env={**env_again({k: v for k, v in spec.env.items() if k not in wish.env}), **wish.env},
        recorded_env=recorded_env(os.environ),
        resume_from=chosen.path if chosen else None,
        resume_step=chosen.step if chosen else None,
        fresh=wish.fresh,
        git=git_of(cwd),
        backprop=__version__,
    )
    following = _refreshed(following, wish)
    notes = (*notes, *_doubts(following))
    return Planned(plan=Plan(spec=following, is_resume=True, wait_s=wish.wait_s), resolved=resolved, notes=notes)


def _doubts(spec: SliceSpec) -> tuple[str, ...]:
    """What a person should know where nothing shows that the script takes up a checkpoint."""
    if spec.is_command or spec.resume_from is None or "--resume-from" in spec.declared_flags:
        return ()
    facts = read_script(os.path.join(spec.cwd, spec.command[0]))
    if "BACKPROP_RESUME_FROM" in facts.reads_variables:
        return ()
    return (
        "the script declares no --resume-from and does not read BACKPROP_RESUME_FROM: if it finds no checkpoint by "
        "itself, it begins at step 0 (its own option can be given: backprop resume RUN -- …)",
    )


def _refreshed(spec: SliceSpec, wish: ResumeWish) -> SliceSpec:
    """With the script read again, and its interpreter kept unless it is gone or another is asked for."""
    if spec.is_command:
        return with_script_facts(spec)
    check_script(spec.command[0], spec.cwd)
    if "python" in wish.flags or spec.interpreter is None or not os.access(spec.interpreter, os.X_OK):
        return with_script_facts(spec)
    facts = read_script(os.path.join(spec.cwd, spec.command[0]))
    asked = spec.settings["framework"].value
    return spec.replace(
        framework=facts.framework if asked == "auto" else asked,
        declared_flags=facts.declared_flags,
        whole_number_flags=facts.whole_number_flags,
    )


class Survey(Frozen):
    """What a run could be resumed from."""

    newest: Checkpoint | None
    """The newest that it has reported."""
    why: str = ""
    """What is wrong with that one, "" if nothing is."""
    good: tuple[Checkpoint, ...] = ()
    """Good ones, newest first."""


def survey(home: Home, run_id: str, *, most: int, until: float | None = None) -> Survey:
    """Look at a run's checkpoints, newest first, until `most` good ones are found.

    Args:
        home: where the run is.
        run_id: which.
        most: so many good ones are enough.
        until: only those saved up to this step.

    Raises:
        RunNotFound, StoreError: as their texts say.
    """
    found = list(reversed(home.run(run_id).checkpoints(LOOK_BACK)))
    if until is not None:
        found = [checkpoint for checkpoint in found if checkpoint.step is not None and checkpoint.step <= until]
    why, good = "", []
    for n, checkpoint in enumerate(found):
        verdict = judge(checkpoint.path)
        if verdict.good:
            good.append(checkpoint)
        elif n == 0:
            why = verdict.why
        if len(good) == most:
            break
    return Survey(newest=found[0] if found else None, why=why, good=tuple(good))


def choose_checkpoint(
    folder: RunFolder, run: Run, wish: ResumeWish, *, begun_from: str | None
) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The checkpoint to go on from, and what a person should hear of the choice.

    Where the run has saved none that is good, it is the one that its last slice began from.

    Raises:
        NothingToResume: the one that was asked for is not good, or none of the run's is.
    """
    if wish.resume_from is not None:
        return _asked_for(wish.resume_from, run), ()
    if wish.fresh:
        return None, ("starting from step 0, as asked for with --fresh",)
    skipped: list[str] = []
    for checkpoint in reversed(folder.checkpoints(LOOK_BACK)):
        verdict = judge(checkpoint.path)
        if verdict.good:
            at = "" if checkpoint.step is None else f" (step {checkpoint.step:,})"
            return checkpoint, (*skipped, f"resuming from {checkpoint.path}{at}")
        if len(skipped) < 5:
            skipped.append(f"skipped {checkpoint.path}: {verdict.why}")
    if begun_from is not None:
        verdict = judge(begun_from)
        if verdict.good:
            text = f"resuming from {begun_from}, where the last slice began"
            return _checkpoint_at(begun_from, run), (*skipped, text)
        skipped.append(f"skipped {begun_from}: {verdict.why}")
    if skipped:
        raise NothingToResume(
            f"run {run.id} has no good checkpoint: " + "; ".join(skipped),
            hint=f"start it from step 0 with: backprop resume {run.id} --fresh",
        )
    return None, ("no checkpoint was reported: starting from step 0 (-r PATH goes on from a file that it saved)",)


def _asked_for(path: str, run: Run) -> Checkpoint:
    absolute = os.path.abspath(os.path.expanduser(path))
    verdict = judge(absolute)
    if not verdict.good:
        raise NothingToResume(
            f"cannot resume from {path}: {verdict.why}", hint="leave out --resume-from to take the newest good one"
        )
    return _checkpoint_at(absolute, run)


def _checkpoint_at(path: str, run: Run) -> Checkpoint:
    step = next((c.step for c in reversed(run.checkpoints) if c.path == path), None)
    return Checkpoint(path=path, step=step, t=time.time(), slice=run.slice.n if run.slice else 0)
