"""Plans the next slice of a run: from its newest good checkpoint, with its own settings."""

from __future__ import annotations

import math
import os
import time

from backprop_tui import __version__
from backprop_tui.artifacts.stepping import step_told_by
from backprop_tui.artifacts.verdict import judge, stamp_of
from backprop_tui.config.resolve import resolve
from backprop_tui.control.git import git_of
from backprop_tui.control.ranking import newest_first, verdict_on
from backprop_tui.control.understanding import AUTO, STOP_SIGNAL, with_script_facts
from backprop_tui.control.wishes import (
    Planned,
    env_again,
    recorded_env,
    with_checkpoint,
    working_directory,
)
from backprop_tui.errors import BackpropError, NothingToResume, RunActive
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Checkpoint
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.session import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.config.resolve import Resolved
    from backprop_tui.governor.going_on import Following
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.store.home import Home

RESUME_ARG = "resume.arg"


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
    box_minutes: float | None = None
    """Of this slice alone, in place of what its settings and its total leave."""
    by_itself: bool = False
    """Nobody asks for it: it follows by itself."""


def plan_resume(home: Home, run_id: str, wish: ResumeWish) -> Planned:
    """Plan the next slice of a run.

    Raises:
        RunActive: it has not ended.
        NothingToResume: there were checkpoints, and none of them is good; or, of a slice that follows by itself,
            there were none.
        RunNotFound, StoreError, UsageError, ConfigError: as their texts say; UsageError also where the script is
            known to refuse the way in which it would be handed its checkpoint.
    """
    folder = home.run(run_id)
    run, spec = folder.read_run(), folder.read_spec()
    if not run.state.is_ended:
        where = f" on {run.owner.host}" if run.owner else ""
        raise RunActive(f"run {run_id} is {run.state} already{where}", hint=f"stop it first: backprop stop {run_id}")
    cwd = spec.cwd if wish.cwd is None else working_directory(wish.cwd)
    resolved = _settings(wish, spec, cwd if os.path.isdir(cwd) else os.getcwd())
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
        resume_args=(),
        resume_how="",
        resume_template="",
        box_minutes=wish.box_minutes,
        fresh=wish.fresh,
        git=git_of(cwd),
        backprop=__version__,
    )
    following = with_script_facts(following, keeps_interpreter="python" not in wish.flags)
    if not wish.by_itself:
        following, said = _with_total(run, following)
        notes = (*said, *notes)
    planned = Planned(
        plan=Plan(spec=following, is_resume=True, wait_s=wish.wait_s, by_itself=wish.by_itself),
        resolved=resolved.replace(settings=following.settings),
        notes=notes,
    )
    if wish.by_itself and not wish.fresh:
        _check_goes_further(home, folder, run, following)
    if chosen is None:
        return planned.replace(notes=(*notes, *_own_ways(following)))
    planned = with_checkpoint(home, planned, chosen.kind, given=wish.args or ())
    return planned.replace(notes=(*planned.notes, *_own_choice(planned.plan.spec, chosen, folder)))


def plan_following(home: Home, spec: SliceSpec, follows: Following) -> Plan:
    """Plan the slice that follows the one of `spec` by itself; it waits for its turn.

    Raises:
        BackpropError: as `plan_resume`.
    """
    wish = ResumeWish(flags={}, env=spec.env, wait_s=math.inf, box_minutes=follows.box_minutes, by_itself=True)
    return plan_resume(home, spec.run_id, wish).plan


def _check_goes_further(home: Home, folder: RunFolder, run: Run, following: SliceSpec) -> None:
    """A slice that would only do again what the one before it did is not begun.

    Raises:
        NothingToResume: it used its time box up and no checkpoint of the run is known.
    """
    from backprop_tui.control.handover import finds_its_own
    from backprop_tui.governor.going_on import has_gone_on_unaided

    if run.state is not RunState.TIMEBOXED or newest_first(folder) or has_gone_on_unaided(run):
        return
    if not finds_its_own(home, following):
        start = "at step 0" if following.resume_from is None else f"at {following.resume_from}"
        raise NothingToResume(
            f"it has saved no checkpoint that was found, and slice {following.n} would begin {start} again. "
            f"Name one: backprop resume {run.id} -r PATH; or say where it saves: --watch PATTERN; "
            f"or that the script finds its own: --resume-arg rerun"
        )


def _with_total(run: Run, spec: SliceSpec) -> tuple[SliceSpec, tuple[str, ...]]:
    """The slice that a person asks for with the box that its total leaves, and what they should hear of it."""
    from backprop_tui.governor.going_on import next_box_minutes, reached

    if not spec.is_chain:
        return spec, ()
    if done := reached(run, spec):
        return spec, (f"{done}: this is one more slice",)
    return spec.replace(box_minutes=next_box_minutes(run, spec)), ()


def _settings(wish: ResumeWish, spec: SliceSpec, cwd: str) -> Resolved:
    """The run's own settings with what is asked for now; what backprop had found by itself is found anew."""
    inherited = dict(spec.settings)
    signal = inherited.get(STOP_SIGNAL)
    if signal is not None and (signal.origin == "default" or signal.origin.startswith(AUTO)):
        inherited[STOP_SIGNAL] = signal.replace(value=None)
    resolved = resolve(flags=wish.flags, env=os.environ, cwd=cwd, config_path=wish.config_path, inherited=inherited)
    # What nobody has ever chosen is not somebody's choice because a run repeats it.
    chosen = {key for key, value in spec.settings.items() if value.origin != "default"}
    kept = {
        key: value if value.origin != "run" or key in chosen else value.replace(origin="default")
        for key, value in resolved.settings.items()
    }
    resolved = resolved.replace(settings=kept)
    if resolved.settings[RESUME_ARG].value is not None or RESUME_ARG in wish.flags:
        return resolved
    # Nobody can know how a script is resumed before it was asked for: what a file says by now counts.
    try:
        now = resolve(flags={}, env=os.environ, cwd=cwd, config_path=wish.config_path)
    except BackpropError:
        return resolved  # what a run brings along is enough to resume it
    return resolved.replace(settings={**resolved.settings, RESUME_ARG: now.settings[RESUME_ARG]})


def _own_ways(spec: SliceSpec) -> tuple[str, ...]:
    """What may surprise a person where no checkpoint is handed over."""
    from backprop_tui.scripts.command import script_of
    from backprop_tui.scripts.resume_facts import read_resume_facts

    script = script_of(spec).script
    finds = read_resume_facts(script, spec.cwd).signs.finds if script else ""
    return (f"{finds}: the script may go on from its newest checkpoint all the same",) if finds else ()


def _own_choice(spec: SliceSpec, chosen: Checkpoint, folder: RunFolder) -> tuple[str, ...]:
    """What is done, or must be, where the script takes what lies in its own place."""
    from backprop_tui.supervisor.safety_copy import takes_its_own

    if not takes_its_own(spec):
        return ()
    if chosen.copy_of:
        return (f"{chosen.copy_of} is put back from this copy; what lies there is kept beside it",)
    saved = (c for c in newest_first(folder) if c.found != "copy")
    taken = next((c.path for c in saved if stamp_of(c.path) is not None), chosen.path)
    if taken == chosen.path:
        return ()
    return (f"the script chooses its checkpoint itself, and may take {taken}: move that away first",)


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
    found = newest_first(home.run(run_id))
    if until is not None:
        found = [checkpoint for checkpoint in found if checkpoint.step is not None and checkpoint.step <= until]
    why, good = "", []
    for n, checkpoint in enumerate(found):
        verdict = verdict_on(checkpoint)
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
    for checkpoint in newest_first(folder):
        verdict = verdict_on(checkpoint)
        if verdict.good and not run.is_sound(checkpoint):
            verdict = verdict.replace(good=False, why="it was saved after the loss had risen")
        if verdict.good:
            at = "" if checkpoint.step is None else f" (step {checkpoint.step:,})"
            return checkpoint.replace(kind=verdict.kind), (*skipped, f"resuming from {checkpoint.path}{at}")
        if len(skipped) < 5:
            skipped.append(f"skipped {checkpoint.path}: {verdict.why}")
    if begun_from is not None:
        verdict = judge(begun_from)
        if verdict.good:
            text = f"resuming from {begun_from}, where the last slice began"
            return _checkpoint_at(begun_from, run, verdict.kind), (*skipped, text)
        skipped.append(f"skipped {begun_from}: {verdict.why}")
    if skipped:
        raise NothingToResume(
            f"run {run.id} has no good checkpoint: " + "; ".join(skipped),
            hint=f"start it from step 0 with: backprop resume {run.id} --fresh",
        )
    return None, ("no checkpoint was reported: starting from step 0 (if it saved a file all the same: -r PATH)",)


def _asked_for(path: str, run: Run) -> Checkpoint:
    absolute = os.path.abspath(os.path.expanduser(path))
    verdict = judge(absolute)
    if not verdict.good:
        raise NothingToResume(
            f"cannot resume from {path}: {verdict.why}", hint="leave out --resume-from to take the newest good one"
        )
    return _checkpoint_at(absolute, run, verdict.kind)


def _checkpoint_at(path: str, run: Run, kind: str) -> Checkpoint:
    known = next((c for c in reversed(run.checkpoints) if c.path == path), None)
    if known is not None:
        return known.replace(kind=kind)
    step = step_told_by(path, kind)
    return Checkpoint(path=path, step=step, t=time.time(), slice=run.slice.n if run.slice else 0, kind=kind)
