"""Runs a person's own commands when a slice starts, saves, stands still, goes on or ends; none can harm it."""

from __future__ import annotations

import math
import os
import signal
import time

from backprop_tui.engines.local import RESET
from backprop_tui.errors import StoreError
from backprop_tui.model.states import RunState
from backprop_tui.paths import RUN_VARIABLES
from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.outcome import signal_name
from backprop_tui.supervisor.overseer import Order, Overseer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.model.run import Checkpoint, Run
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.folder import RunFolder
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.recorder import Recorder
    from backprop_tui.supervisor.tree import TrainingTree

LIMIT_S = 30.0
LINGER_S = 5.0
"""At the end of the slice, what hooks have left in the background gets so long."""
_GONE_S = 1.0
"""A process in an uninterruptible call is not waited for any longer."""
LOG = "hooks.log"
_MAX_LOG = 1 << 20
"""A longer log is begun anew."""
_MAX_PRINTED = 16 << 20
_MAX_TEXT = 4000
_PREFIX = "BACKPROP_HOOK"
_FOLDER = f"{_PREFIX}_FOLDER"
_POLL_S = 0.05
_IN_FOLDER = 'cd "$0" 2>/dev/null; exec /bin/sh -c "$1"'


class _Started:
    """A command that runs."""

    def __init__(self, kind: str, pid: int, began: float) -> None:
        self.kind = kind
        self.pid = pid
        self.began = began
        self.killed = ""
        """Why we have killed it."""


class Hooks(Overseer):
    """The commands of one slice: at most one of each setting at a time, each within its time."""

    def __init__(
        self,
        spec: SliceSpec,
        folder: RunFolder,
        recorder: Recorder,
        tree: TrainingTree | None,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        """`say` tells the person who watches; without a tree no training runs."""
        self._commands = spec.hooks
        self._spec, self._folder, self._recorder = spec, folder, recorder
        self._tree, self._clock, self._say = tree, clock, say
        self._running: dict[str, _Started] = {}
        self._lingering: list[_Started] = []
        """Those that have ended and are not reaped: as long as they are there, their group's number is theirs."""
        self._waiting: dict[str, tuple[str, dict[str, str]]] = {}
        """What comes next, by setting: only the newest counts."""
        self._has_started = self._was_paused = False
        self._announced: tuple[str, float] | None = None

    def look(self, now: float) -> Order | None:
        if self._commands:
            self._notice()
            self.keep()
        return None

    @beside("the hooks")
    def _notice(self) -> None:
        """Whatever has happened since the last look."""
        run = self._recorder.run
        if not self._has_started and run.state is RunState.RUNNING:
            self._has_started = True
            self._want("start", "start", run)
        if run.state is RunState.PAUSED and not self._was_paused:
            self._was_paused = True
            self._want("pause", "pause", run)
        elif run.state is RunState.RUNNING and self._was_paused:
            self._was_paused = False
            self._want("pause", "continue", run)
        self._notice_checkpoint(run)

    def _notice_checkpoint(self, run: Run) -> None:
        found = next(
            (c for c in reversed(run.checkpoints) if c.good and c.slice == self._spec.n and c.found != "copy"), None
        )
        if found is not None and (found.path, found.t) != self._announced:
            self._announced = found.path, found.t
            self._want("checkpoint", "checkpoint", run, found)

    def keep(self) -> None:
        """Take note of those that have ended, end those that take too long, start those that waited; also called while
        the slice is stopping."""
        now = self._clock.monotonic()
        for name, one in list(self._running.items()):
            code = self._code_of(one, now)
            if code is not None:
                del self._running[name]
                self._lingering.append(one)
                self._tell_end(one, code, now)
        self._end_lingering(now - LIMIT_S)
        self._start_waiting()

    @beside("the hooks")
    def _start_waiting(self) -> None:
        for name in list(self._waiting):
            if name not in self._running:
                kind, env = self._waiting.pop(name)
                self._start(name, kind, env)

    def finish(self, is_asked_to_stop: Callable[[], bool]) -> None:
        """The slice has ended and its record says so: run what is left, and wait for it, no longer than a hook may
        take.

        Args:
            is_asked_to_stop: a person wants an end of this, too.
        """
        if not self._commands:
            return
        self._want_last()
        self.keep()
        end = self._clock.monotonic() + LIMIT_S + 1
        while self._running and not is_asked_to_stop() and self._clock.monotonic() < end:
            time.sleep(_POLL_S)
            self.keep()
        end = self._clock.monotonic() + LINGER_S
        while not is_asked_to_stop() and self._clock.monotonic() < end and self._has_left():
            time.sleep(_POLL_S)
        self._kill_all()
        self._recorder.flush(force=True)

    @beside("the hooks")
    def _want_last(self) -> None:
        run = self._recorder.run
        self._notice_checkpoint(run)
        self._want("end", "end", run)

    def _kill_all(self) -> None:
        for one in self._running.values():
            _kill(one.pid)
        self._waiting.clear()
        end = self._clock.monotonic() + _GONE_S
        while self._running and self._clock.monotonic() < end:
            for name, one in list(self._running.items()):
                if _ended(one.pid) is not None:
                    self._lingering.append(self._running.pop(name))
            time.sleep(_POLL_S if self._running else 0)
        self._running.clear()
        self._end_lingering(math.inf)

    def _end_lingering(self, began: float) -> None:
        """Kill what those that began before that moment have left in the background."""
        for one in [one for one in self._lingering if one.began < began]:
            self._lingering.remove(one)
            _kill(one.pid)
            try:
                os.waitpid(one.pid, os.WNOHANG)
            except ChildProcessError:
                pass

    def _has_left(self) -> bool:
        """Whether something lives on in the background of those that have ended."""
        from backprop_tui.probes.tree import read_table

        groups = {one.pid for one in self._lingering}
        return bool(groups) and any(p.pgid in groups and p.state not in "ZX" for p in read_table().values())

    def _want(self, name: str, kind: str, run: Run, checkpoint: Checkpoint | None = None) -> None:
        if name not in self._commands:
            return
        running = self._running.get(name)
        if name == "pause" and running is not None and running.kind == kind:
            self._waiting.pop(name, None)  # it stands again as that one was told
            return
        self._waiting[name] = kind, self._told(kind, run, checkpoint or run.good_checkpoint)

    def _told(self, kind: str, run: Run, checkpoint: Checkpoint | None) -> dict[str, str]:
        values = {
            "": kind,
            "_RUN_ID": run.id,
            "_NAME": self._name(),
            "_STATE": run.state.value,
            "_REASON": run.reason.text if run.reason else "",
            "_STEP": "" if run.step is None else str(run.step),
            "_LOSS": "" if run.loss is None else f"{run.loss:g}",
            "_CHECKPOINT": checkpoint.path if checkpoint else "",
            "_SLICE": str(self._spec.n),
            "_RECORD": self._folder.file("state.json"),
        }
        told = {_PREFIX + end: _fit(value) for end, value in values.items()}
        return {**told, _FOLDER: self._folder.path}

    def _name(self) -> str:
        try:
            return self._folder.read_notes().name or ""
        except StoreError:
            return self._spec.name or ""

    def _start(self, name: str, kind: str, told: dict[str, str]) -> None:
        self._recorder.flush(force=True)  # what it reads there must be what it is told
        env = {key: value for key, value in os.environ.items() if key not in RUN_VARIABLES}
        try:
            pid = os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", _IN_FOLDER, self._spec.cwd, self._commands[name]],
                {**env, **told},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, self._log_for(kind), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=RESET,
            )
        except (OSError, ValueError) as error:
            self._complain(f"the hook on {kind} could not be started: {error}")
            return
        if self._tree is not None:
            self._tree.leave_out(pid, (_FOLDER, self._folder.path))
        self._running[name] = _Started(kind, pid, self._clock.monotonic())

    def _log_for(self, kind: str) -> str:
        """The path of the log, with a line for what follows; of nowhere if it cannot be written."""
        path = self._folder.file(LOG)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._clock.epoch()))
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return os.devnull
        try:
            if os.fstat(fd).st_size > _MAX_LOG and not self._running:
                os.ftruncate(fd, 0)
            os.write(fd, f"--- {stamp} {kind}\n".encode())
        except OSError:
            pass  # the disk is full: all the more there may be something to be told
        finally:
            os.close(fd)
        return path

    def _code_of(self, one: _Started, now: float) -> int | None:
        """How it has ended, None while it runs; kills what takes too much."""
        code = _ended(one.pid)
        if code is None and not one.killed and (why := self._too_much(now - one.began)):
            one.killed = why
            _kill(one.pid)
        return code

    @beside("the hooks")
    def _tell_end(self, one: _Started, code: int, now: float) -> None:
        took = round(now - one.began, 1)
        self._recorder.event("hook", hook=one.kind, exit_code=code, seconds=took, killed=one.killed)
        if one.killed:
            self._complain(f"the hook on {one.kind} was killed: {one.killed}; see {self._folder.file(LOG)}")
        elif code:
            how = f"failed with exit code {code}" if code > 0 else f"was ended by {signal_name(-code)}"
            self._complain(f"the hook on {one.kind} {how}; see {self._folder.file(LOG)}")

    def _too_much(self, took: float) -> str:
        if took > LIMIT_S:
            return f"it took longer than {LIMIT_S:g} s"
        try:
            size = os.stat(self._folder.file(LOG)).st_size
        except OSError:
            return ""
        return f"it printed more than {_MAX_PRINTED >> 20} MB" if size > _MAX_PRINTED else ""

    def _complain(self, text: str) -> None:
        if text not in self._recorder.run.warnings:
            self._recorder.warn(text)
            self._say(text)


def _ended(pid: int) -> int | None:
    """The exit code of a child that has ended, negative for a signal; it is not reaped."""
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0  # somebody else has reaped it: there is no telling
    if found is None or found.si_pid == 0:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _fit(text: str) -> str:
    """A text as the value of a variable: bounded, and such that the system takes it."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\0", "")[:_MAX_TEXT]
