"""Runs a slice as a process of this machine, in a session of its own, writing straight to a file."""

from __future__ import annotations

import errno
import os
import signal

from backprop_tui.engines.base import Engine, Exit, Launch
from backprop_tui.errors import EngineError
from backprop_tui.model.run import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RESET = tuple(
    getattr(signal, name)
    for name in (
        "SIGINT",
        "SIGTERM",
        "SIGHUP",
        "SIGQUIT",
        "SIGUSR1",
        "SIGUSR2",
        "SIGCHLD",
        "SIGPIPE",
        "SIGXFSZ",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGALRM",
    )
)
"""Default again in the training, also where nohup or `&` left them ignored."""


class LocalEngine(Engine):
    """One training on this machine.

    The calling thread must outlive the training, and nobody else may wait for the child.
    """

    def __init__(self, start_of: Callable[[int], int]) -> None:
        """`start_of` tells a process's start time in ticks, by pid."""
        self._start_of = start_of
        self._pid = 0
        self._exit: Exit | None = None
        self._log = -1
        self._offset = 0

    def start(self, launch: Launch) -> Process:
        program = find_program(launch.argv[0], launch.env, launch.cwd)
        try:
            log = os.open(launch.log_path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineError(f"cannot write {launch.log_path}: {error.strerror}", hint="is there room on the disk?")
        self._offset = os.fstat(log).st_size
        self._log = log
        here = _open_here()
        try:
            os.chdir(launch.cwd)
            self._pid = os.posix_spawn(
                program,
                launch.argv,
                launch.env,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, log, 1),
                    (os.POSIX_SPAWN_DUP2, log, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=RESET,
            )
        except OSError as error:
            raise _spawn_error(error, launch, program)
        except ValueError as error:  # a NUL
            raise EngineError(f"cannot start {launch.argv[0]}: {error}", hint="an argument or a variable holds a NUL")
        finally:
            os.fchdir(here)
            os.close(here)
        return Process(pid=self._pid, start=self._start_of(self._pid))

    def poll_exit(self) -> Exit | None:
        if self._exit is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._exit = Exit(code=code) if code >= 0 else Exit(signal=-code)
        return self._exit

    @property
    def offset(self) -> int:
        return self._offset

    def read(self, limit: int) -> bytes:
        data = os.pread(self._log, limit, self._offset)
        self._offset += len(data)
        return data

    def free(self, start: int, end: int) -> bool:
        from backprop_tui.files import punch_hole

        return punch_hole(self._log, start, end)

    def close(self) -> None:
        if self._log >= 0:
            os.close(self._log)
            self._log = -1


def _open_here() -> int:
    """The working directory, to come back to; the root where it cannot be opened."""
    try:
        return os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return os.open("/", os.O_RDONLY | os.O_CLOEXEC)


def find_program(name: str, env: Mapping[str, str], cwd: str) -> str:
    """The file that a command's first word means, as the training's own PATH has it.

    Raises:
        EngineError: there is none, or it cannot be executed.
    """
    if "/" in name:
        found = os.path.join(cwd, name)
        _check_program(found, name)
        return found
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        candidate = os.path.join(cwd, folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise EngineError(f"command not found: {name}", hint="give its path, or check PATH of the environment it runs in")


def _check_program(path: str, name: str) -> None:
    if not os.path.lexists(path):
        raise EngineError(f"no such file: {name}", hint="check the path; relative ones count from --cwd")
    if os.path.isdir(path):
        raise EngineError(f"{name} is a folder, not a program", hint="give a script or a command")
    if not os.access(path, os.X_OK):
        raise EngineError(f"{name} cannot be executed", hint=f"chmod +x {name}, or name its interpreter first")


def _spawn_error(error: OSError, launch: Launch, program: str) -> EngineError:
    name = launch.argv[0]
    if error.errno == errno.ENOEXEC:
        return EngineError(
            f"{name} is no program that this machine can execute",
            hint="a shell script needs a first line such as #!/bin/sh",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR) and not os.path.isdir(launch.cwd):
        return EngineError(f"no such working directory: {launch.cwd}", hint="check --cwd")
    if error.errno == errno.ENOENT:
        return EngineError(f"cannot start {program}: the interpreter on its first line does not exist")
    if error.errno == errno.E2BIG:
        return EngineError(
            "the command line and environment are too long for the system", hint="pass arguments in a file"
        )
    return EngineError(f"cannot start {name}: {error.strerror}")
