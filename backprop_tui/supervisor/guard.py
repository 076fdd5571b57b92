"""The guard: a tiny process beside each training that stops it gracefully if the supervisor dies.

It holds one end of a pipe. When the pipe closes without a goodbye, it runs the stop ladder alone and writes
guard.json, and nothing else.
"""

from __future__ import annotations

import os
import time

from backprop_tui import files
from backprop_tui.frozen import Frozen
from backprop_tui.model.run import Process
from backprop_tui.supervisor.signals import forget_after_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_GOODBYE = b"bye\n"
LOAD_AFTER_S = 1.0


class GuardOrders(Frozen):
    """What a guard must know when it is born."""

    token: str
    """The slice's, in the environment of its processes."""
    report_path: str
    """guard.json"""
    grace_s: float
    stop_signal: int
    lock_fd: int
    """The run's lock stays taken until the guard is done: nobody may resume before that."""
    lease_fd: int = -1
    """And so does the lease: what the training holds is not free before it is gone."""


class Guard:
    """The supervisor's end of a guard."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self._pipe = pipe

    @classmethod
    def start(cls, orders: GuardOrders) -> Guard:
        """Fork a guard. Cheap while the process is small and has one thread."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(writer)  # held by the guard itself, the pipe would never close
            _be_guard(orders, reader)
        os.close(reader)
        return cls(pid, writer)

    def watch(self, training: Process, checkpoints: tuple[str, ...] = ()) -> None:
        """Tell it what to stop, and where checkpoints were written."""
        said = {"pid": training.pid, "start": training.start, "checkpoints": checkpoints}
        self._send(files.to_json(said) + b"\n")

    def say_goodbye(self) -> None:
        """The slice has ended, nothing is left to guard."""
        self._send(_GOODBYE)
        os.close(self._pipe)

    def wait(self) -> None:
        """Until it has gone, and with it its hold on the run's lock."""
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass

    def is_dead(self) -> bool:
        """Whether somebody killed it; reaps it then."""
        try:
            pid, _status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid:
            os.close(self._pipe)
        return pid != 0

    def _send(self, line: bytes) -> None:
        try:
            files.write_all(self._pipe, line)
        except BrokenPipeError:
            pass


def _be_guard(orders: GuardOrders, pipe: int) -> NoReturn:
    code = 70
    try:
        forget_after_fork()
        os.setsid()
        # Nothing more until the training is there: its start must not wait for a processor.
        first = os.read(pipe, 65536)
        _let_go(keep={pipe, orders.lock_fd, orders.lease_fd})
        # Silence: the supervisor was killed in the moment of the start.
        last = _listen(pipe, first) if first else _unannounced(orders.token)
        if last is not None:
            _stop(orders, last)
        code = 0
    finally:
        os._exit(code)


def _let_go(keep: set[int]) -> None:
    """Be a process of one's own: place, files, name."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    highest = os.sysconf("SC_OPEN_MAX")
    try:
        open_fds = {int(name) for name in os.listdir("/proc/self/fd")}
    except OSError:
        open_fds = set(range(3, min(highest, 4096)))
    for fd in open_fds - keep - {0, 1, 2}:
        try:
            os.close(fd)
        except OSError:
            pass
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as comm:
            comm.write("backprop-guard")
    except OSError:
        pass


def _listen(pipe: int, first: bytes) -> dict[str, object] | None:
    """The last thing the supervisor said before it vanished; None after a goodbye or before a training."""
    import select

    unread, data = b"", first
    last: bytes | None = None
    has_loaded = False
    while data:
        *lines, unread = (unread + data).split(b"\n")
        for line in lines:
            if line + b"\n" == _GOODBYE:
                return None
            last = line
        if not has_loaded and not select.select([pipe], [], [], LOAD_AFTER_S)[0]:
            # Not when it is needed: the package may have been updated by then. Nor at once: the training starts.
            import json  # noqa: F401

            from backprop_tui.probes import catching  # noqa: F401
            from backprop_tui.supervisor import addressees, descent, tree  # noqa: F401

            has_loaded = True
        data = os.read(pipe, 65536)
    return None if last is None else files.from_json(last)


def _unannounced(token: str) -> dict[str, object] | None:
    from backprop_tui.supervisor.tree import find_root

    root = find_root(token)
    return None if root is None else {"pid": root.pid, "start": root.start}


def _stop(orders: GuardOrders, last: dict[str, object]) -> None:
    from backprop_tui.supervisor.descent import climb_down
    from backprop_tui.supervisor.tree import TrainingTree

    training = Process(pid=int(str(last["pid"])), start=int(str(last["start"])))
    paths = last.get("checkpoints")
    tree = TrainingTree(orders.token, training, adopts=False)
    began = time.time()
    descent = climb_down(
        tree,
        grace_s=orders.grace_s,
        stop_signal=orders.stop_signal,
        checkpoints=tuple(str(path) for path in paths) if isinstance(paths, list) else (),
    )
    report = {"version": 1, "began": began, "ended": time.time(), **descent.plain()}
    files.write_atomic(orders.report_path, files.to_json(report))
