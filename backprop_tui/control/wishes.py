"""From what a person asks to a plan that a supervisor can carry out."""

from __future__ import annotations

import os
import time

from backprop_tui import __version__
from backprop_tui.config.resolve import Resolved, resolve
from backprop_tui.control.git import git_of
from backprop_tui.errors import EngineError, NothingToResume, UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.model.secrets import MASK, masked
from backprop_tui.model.spec import SliceSpec
from backprop_tui.scripts.interpreter import find_interpreter
from backprop_tui.scripts.place import check_script
from backprop_tui.scripts.source import read_script
from backprop_tui.store.home import exists_already, is_valid_id
from backprop_tui.supervisor.session import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

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
    resume_from = None if wish.resume_from is None else _good_checkpoint(wish.resume_from)
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
        fresh=wish.fresh,
        name=wish.name,
        tags=wish.tags,
        git=git_of(cwd),
        backprop=__version__,
    )
    return Planned(plan=Plan(spec=with_script_facts(spec), is_resume=False, wait_s=wish.wait_s), resolved=resolved)


def with_script_facts(spec: SliceSpec) -> SliceSpec:
    """The spec with what its script says and the interpreter that runs it."""
    asked = spec.settings["framework"].value
    if spec.is_command:
        from backprop_tui.engines.local import find_program

        try:
            find_program(spec.command[0], {**os.environ, **spec.env}, spec.cwd)
        except EngineError as error:
            raise UsageError(error.message, hint=error.hint) from None
        return spec.replace(framework=asked if asked != "auto" else "unknown")
    script = os.path.join(spec.cwd, spec.command[0])
    facts = read_script(script)
    python = spec.settings["python"]
    interpreter = find_interpreter(
        setting=python.value,
        setting_origin=python.origin,
        script=script,
        cwd=spec.cwd,
        env={**os.environ, **spec.env},
    )
    return spec.replace(
        interpreter=interpreter.path,
        interpreter_origin=interpreter.origin,
        framework=facts.framework if asked == "auto" else asked,
        declared_flags=facts.declared_flags,
        whole_number_flags=facts.whole_number_flags,
    )


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


def _good_checkpoint(path: str) -> str:
    from backprop_tui.artifacts.verdict import judge

    absolute = os.path.abspath(os.path.expanduser(path))
    verdict = judge(absolute)
    if not verdict.good:
        raise NothingToResume(
            f"cannot resume from {path}: {verdict.why}", hint="name another checkpoint, or leave out --resume-from"
        )
    return absolute


def recorded_env(env: Mapping[str, str]) -> dict[str, str]:
    """The part of the environment that a record keeps for people to read."""
    return masked({name: env[name] for name in _RECORDED if name in env})


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
