"""Starts what was planned: here, in this process, or detached."""

from __future__ import annotations

import os

from backprop_tui.engines.argv import argv_of, environment_of
from backprop_tui.frozen import Frozen
from backprop_tui.supervisor.chain import Chain
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.desk import open_desk
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.supervisor.observer import Observer
from backprop_tui.supervisor.session import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.governor.going_on import Following
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home

__all__ = ["DryRun", "Observer", "dry_run", "reap", "run_detached", "run_here"]


class DryRun(Frozen):
    """What a start now would do."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """What backprop adds to or changes in the environment."""
    cwd: str
    admission: Admission
    verdict: str
    """In words."""


def run_here(home: Home, plan: Plan, observer: Observer) -> Run:
    """Supervise a run in this process's main thread until it goes on no more; raises as `Chain.run`."""
    return Chain(home, open_desk(plan.spec.setting("gpu.probe")), observer, Clock(), _plan_next).run(plan)


def run_detached(home: Home, plan: Plan, env: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Start a supervisor of its own, in this environment or another; returns (run id, running or queued); raises as
    `Chain.run`."""
    from backprop_tui.supervisor.spawn import start_detached

    return start_detached(home.path, plan, env)


def _plan_next(home: Home, spec: SliceSpec, follows: Following) -> Plan:
    """The slice after that of `spec`, which has ended."""
    from backprop_tui.control.resuming import plan_following

    return plan_following(home, spec, follows)


def reap() -> None:
    """Reap the supervisors that this process has started and that have ended."""
    from backprop_tui.supervisor import spawn

    spawn.reap()


def dry_run(plan: Plan) -> DryRun:
    """What would run, where, and whether the Governor would let it; starts nothing."""
    from backprop_tui.governor.summary import refusal_text

    spec = plan.spec if plan.spec.run_id else plan.spec.replace(run_id="<new>")
    desk = open_desk(spec.setting("gpu.probe"))
    desk.open()
    admission = desk.look(request_of(spec, os.environ))
    deadline = Clock().epoch() + spec.box_s
    env = environment_of(spec, os.environ, gpus=admission.gpus, deadline=deadline)
    changed = {name: value for name, value in sorted(env.items()) if os.environ.get(name) != value}
    verdict = "it could start now" if admission.admitted else refusal_text(admission)
    return DryRun(argv=argv_of(spec), env=changed, cwd=spec.cwd, admission=admission, verdict=verdict)
