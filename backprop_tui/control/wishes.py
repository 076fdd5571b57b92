"""From what a person asks to a plan that a supervisor can carry out."""

from __future__ import annotations

import os
import time

from backprop_tui import __version__
from backprop_tui.config.resolve import Resolved, resolve
from backprop_tui.control.git import git_of
from backprop_tui.control.understanding import with_script_facts
from backprop_tui.errors import NothingToResume, UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.model.secrets import MASK, masked
from backprop_tui.model.spec import SliceSpec
from backprop_tui.scripts.place import check_script
from backprop_tui.store.home import exists_already, is_valid_id
from backprop_tui.supervisor.session import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.control.handover import Handover
    from backprop_tui.store.home import Home

_RECORDED = (
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "CUDA_DEVICE_ORDER",
    "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HIP_VISIBLE_DEVICES",
    "LANG",
    "LD_LIBRARY_PATH",
    "MASTER_ADDR",
    "MASTER_PORT",
    "OMP_NUM_THREADS",
    "PATH",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "TORCH_HOME",
    "VIRTUAL_ENV",
    "XLA_FLAGS",
)


class Wish(Frozen):
    """What a person asks to run; settings that they did not name are not in `flags`."""

    command: tuple[str, ...]
    """A script and its arguments, or any command."""
    is_command: bool
    flags: dict[str, Any]
    """By configuration key, as typed."""
    cwd: str | None = None
    env: dict[str, str] = {}  # noqa: RUF012  # never changed: a Frozen's default
    config_path: str | None = None
    run_id: str = ""
    name: str | None = None
    tags: tuple[str, ...] = ()
    resume_from: str | None = None
    fresh: bool = False
    wait_s: float | None = None


class Planned(Frozen):
    """A plan, and what went into it that a person may want to know."""

    plan: Plan
    resolved: Resolved
    notes: tuple[str, ...] = ()
    handover: Handover | None = None
    """How the script learns of its checkpoint; None where it begins without one."""


def plan_start(home: Home, wish: Wish) -> Planned:
    """Plan the first slice of a new run.

    Raises:
        UsageError, ConfigError: the wish or a configuration file cannot be understood.
        NothingToResume: --resume-from names no good checkpoint.
    """
    if wish.run_id:
        if not is_valid_id(wish.run_id):
            raise UsageError(
                f"{wish.run_id!r} cannot be a run id",
                hint="use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
            )
        if home.has(wish.run_id):
            raise exists_already(wish.run_id)
    cwd = working_directory(wish.cwd)
    resolved = resolve(flags=wish.flags, env=os.environ, cwd=cwd, config_path=wish.config_path)
    command = wish.command
    if not wish.is_command:
        command = (_script_word(command[0], cwd), *command[1:])
    resume_from, kind, step = (None, "", None) if wish.resume_from is None else _good_checkpoint(wish.resume_from)
    spec = SliceSpec(
        run_id=wish.run_id,
        n=1,
        created=round(time.time(), 3),
        command=command,
        is_command=wish.is_command,
        cwd=cwd,
        interpreter=None,
        interpreter_origin="",
        framework="unknown",
        declared_flags=(),
        settings=resolved.settings,
        env=wish.env,
        recorded_env=recorded_env(os.environ),
        resume_from=resume_from,
        resume_step=step,
        fresh=wish.fresh,
        name=wish.name,
        tags=wish.tags,
        git=git_of(cwd),
        backprop=__version__,
    )
    spec = with_script_facts(spec)
    if (total := spec.setting_or("totalMinutes", None)) is not None and total < spec.setting("maxRunMinutes"):
        spec = spec.replace(box_minutes=float(total))
    planned = Planned(
        plan=Plan(spec=spec, is_resume=False, wait_s=wish.wait_s),
        resolved=resolved.replace(settings=spec.settings),
        notes=_reached_already(spec),
    )
    return planned if resume_from is None else with_checkpoint(home, planned, kind)


def _reached_already(spec: SliceSpec) -> tuple[str, ...]:
    """What a run that begins from a checkpoint is told to go on to, and has done."""
    if spec.resume_step is None or not spec.setting_or("until", ()):
        return ()
    from backprop_tui.governor.going_on import goals_of

    step = spec.resume_step
    met = [goal.text for goal in goals_of(spec) if goal.metric == "step" and goal.is_met_by(step)]
    return tuple(f"its checkpoint is of step {step:,}: {text} is so already, and ends nothing" for text in met)


def with_checkpoint(home: Home, planned: Planned, kind: str, *, given: tuple[str, ...] = ()) -> Planned:
    """The plan with the way in which its script is handed the checkpoint.

    Args:
        home: where it is remembered what worked.
        planned: its spec names a checkpoint.
        kind: the checkpoint's.
        given: arguments that were typed for this very slice.

    Raises:
        UsageError: the script is known to refuse it.
    """
    from backprop_tui.control.handover import WHAT_TO_SET, hand_over, with_handover

    way = hand_over(home, planned.plan.spec, kind, given=given)
    notes = [*planned.notes, *way.warnings]
    if way.how == "none":
        notes.append(f"{way.reason}: unless it finds its checkpoint by itself, it begins at step 0; {WHAT_TO_SET}")
    plan = planned.plan.replace(spec=with_handover(planned.plan.spec, way))
    return planned.replace(plan=plan, notes=tuple(notes), handover=way)


def working_directory(asked: str | None) -> str:
    """Where the training runs, absolute.

    Raises:
        UsageError: there is no such folder.
    """
    try:
        here = os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder has been deleted", hint="cd to another folder")
    cwd = here if asked is None else os.path.join(here, os.path.expanduser(asked))
    if not os.path.isdir(cwd):
        raise UsageError(f"--cwd: no such folder: {asked}", hint="check the path")
    return cwd if asked is None else os.path.normpath(cwd)


def _script_word(word: str, cwd: str) -> str:
    """The script as the training's command line names it: relative to --cwd, else to the current folder."""
    if os.path.lexists(os.path.join(cwd, word)) or not os.path.lexists(word):
        check_script(word, cwd)
        return word
    return check_script(word, os.getcwd())


def _good_checkpoint(path: str) -> tuple[str, str, int | None]:
    """A checkpoint's absolute path, its kind and, where that can be told, its step."""
    from backprop_tui.artifacts.stepping import step_told_by
    from backprop_tui.artifacts.verdict import judge

    absolute = os.path.abspath(os.path.expanduser(path))
    verdict = judge(absolute)
    if not verdict.good:
        raise NothingToResume(
            f"cannot resume from {path}: {verdict.why}", hint="name another checkpoint, or leave out --resume-from"
        )
    return absolute, verdict.kind, step_told_by(absolute, verdict.kind)


def recorded_env(env: Mapping[str, str]) -> dict[str, str]:
    """The part of the environment that a record keeps for people to read."""
    return masked({name: env[name] for name in _RECORDED if name in env})


def env_as_recorded(recorded: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which what a record keeps is as it was then; its secrets are as they are in `env`."""
    kept = {name: value for name, value in env.items() if name not in _RECORDED or recorded.get(name) == MASK}
    return {**kept, **{name: value for name, value in recorded.items() if value != MASK}}


def env_again(env: dict[str, str]) -> dict[str, str]:
    """What --env asked for, with the secrets that no record keeps taken from the present environment.

    Raises:
        UsageError: such a secret is not there any more.
    """
    again = {}
    for name, value in env.items():
        if value == MASK:
            if name not in os.environ:
                raise UsageError(
                    f"{name} was given with --env, and secrets are not kept in records",
                    hint=f"give it again: --env {name}=…",
                )
            value = os.environ[name]
        again[name] = value
    return again
