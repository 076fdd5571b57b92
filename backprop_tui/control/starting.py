"""Starts what was planned: here, in this process, or detached."""

from __future__ import annotations

import os

from backprop_tui.engines.argv import argv_of, environment_of
from backprop_tui.frozen import Frozen
from backprop_tui.supervisor.clock import Clock
from backprop_tui.supervisor.desk import open_desk
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.supervisor.observer import Observer
from backprop_tui.supervisor.session import Plan, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run
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
    """Supervise a slice in this process's main thread until it ends; raises as `Session.run`."""
    return Session(home, plan, open_desk(plan.spec.setting("gpu.probe")), observer, Clock()).run()


def run_detached(home: Home, plan: Plan) -> tuple[str, str]:
    """Start a supervisor of its own; returns (run id, running or queued); raises as `Session.run`."""
    from backprop_tui.supervisor.spawn import start_detached

    return start_detached(home.path, plan)


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
    deadline = Clock().epoch() + float(spec.setting("maxRunMinutes")) * 60
    env = environment_of(spec, os.environ, gpu=admission.gpu, deadline=deadline)
    changed = {name: value for name, value in sorted(env.items()) if os.environ.get(name) != value}
    verdict = "it could start now" if admission.admitted else refusal_text(admission)
    return DryRun(argv=argv_of(spec), env=changed, cwd=spec.cwd, admission=admission, verdict=verdict)
