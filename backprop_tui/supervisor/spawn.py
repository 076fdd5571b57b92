"""Starts a supervisor that outlives whoever started it."""

from __future__ import annotations

import json
import os
import sys

from backprop_tui import errors, files
from backprop_tui.errors import BackpropError, EngineError
from backprop_tui.paths import RUN_VARIABLES
from backprop_tui.supervisor.plans import plan_to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.supervisor.session import Plan

HOST = "backprop_tui.control.hosting"
"""What a detached supervisor runs."""
MAX_REPLY = 1 << 20
_started: set[int] = set()
"""Supervisors that are children of this process."""


def start_detached(home: str, plan: Plan, env: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Start a supervisor in a session of its own; returns (run id, its state: running or queued).

    Args:
        home: where the run is.
        plan: what it is to carry out.
        env: its environment, None for that of this process.

    Raises:
        BackpropError: what the supervisor says stands in the way.
    """
    plan_reader, plan_writer = os.pipe()
    reply_reader, reply_writer = os.pipe()
    inherited = os.environ if env is None else env
    env = {name: value for name, value in inherited.items() if name not in RUN_VARIABLES}
    env["BACKPROP_HOME"] = home
    # -P: a file named like a module of ours in the working directory must not be imported.
    argv = [sys.executable, "-P", "-m", HOST]
    try:
        pid = os.posix_spawn(
            sys.executable,
            argv,
            env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, plan_reader, 0),
                (os.POSIX_SPAWN_DUP2, reply_writer, 1),
                (os.POSIX_SPAWN_DUP2, reply_writer, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        for fd in (plan_writer, reply_reader):
            os.close(fd)
        raise EngineError(f"a supervisor cannot be started: {error.strerror}")
    finally:
        for fd in (plan_reader, reply_writer):
            os.close(fd)
    _started.add(pid)
    try:
        files.write_all(plan_writer, plan_to_json(plan))
    except BrokenPipeError:
        pass  # it died early: its reply says why
    os.close(plan_writer)
    reply = _read(reply_reader)
    os.close(reply_reader)
    return _understand(reply, pid)


def reap() -> None:
    """Take note of supervisors of ours that have ended; for a process that goes on after starting some."""
    for pid in tuple(_started):
        try:
            found, _status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            found = pid
        if found:
            _started.discard(pid)


def _read(fd: int) -> bytes:
    reply = b""
    while len(reply) < MAX_REPLY and (part := os.read(fd, 65536)):
        reply += part
    return reply


def _understand(reply: bytes, pid: int) -> tuple[str, str]:
    lines = reply.decode("utf-8", "replace").strip().splitlines()
    try:
        content = json.loads(lines[-1])
    except (ValueError, IndexError):
        said = lines[-1][:300] if lines else "it said nothing"
        raise EngineError(f"the supervisor (pid {pid}) did not start: {said}")
    if "error" in content:
        kind = getattr(errors, str(content["error"]), BackpropError)
        raise kind(str(content["message"]), hint=str(content["hint"]))
    return str(content["id"]), str(content["state"])
