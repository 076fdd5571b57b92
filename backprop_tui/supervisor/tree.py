"""The living processes of one training, and signals to them."""

from __future__ import annotations

import os
import signal
import sys

from backprop_tui.model.run import Process, Resources
from backprop_tui.paths import SLICE_TOKEN
from backprop_tui.probes import tree as probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backprop_tui.probes.proc import Proc

PAUSE_LOOKS = 5
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def adopt_orphans() -> bool:
    """Let orphans among our descendants become our children, so that none is out of sight."""
    if sys.platform != "linux":
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0) == 0)


class TrainingTree:
    """Everything that descends from a training's leading process, wherever it went.

    Members are found by descent, session, process group and adoption; before the last resort also by the
    slice's token in their environment.
    """

    def __init__(self, token: str, root: Process, *, adopts: bool, exclude: Iterable[int] = ()) -> None:
        self.root = root
        self._token = token
        self._adopter = os.getpid() if adopts else None
        self.exclude = set(exclude) | {os.getpid()}
        self._mark: tuple[str, str] | None = None
        self._strange: set[int] = set()
        """Sessions that are not the training's."""
        self._adopted: set[int] = set()
        """Processes of theirs that came to us when their parents ended."""
        self._known: set[Process] = set()
        self.measured_at: float | None = None
        """Monotonic seconds of the newest measurement."""
        self._ticks: dict[tuple[int, int], int] = {}
        """CPU ticks at the newest measurement, by pid and start time."""
        self.cpu_s = 0.0
        """CPU time that the members have used, also those that have ended, up to the newest measurement."""
        self._reached: set[int] | None = None
        """Who got the stop signal, or was left out of it; None before it was sent."""
        self.resources = Resources()
        self.runnable = 1.0

    def scan(self) -> list[Proc]:
        """The members that live now, the leader first if it lives."""
        table = probe.read_table()
        if self._mark is not None:
            self._exclude_strangers(table, self._mark)
        members = probe.tree_of(table, self.root, self._known, adopter=self._adopter, exclude=self.exclude)
        self._known = {Process(pid=p.pid, start=p.start) for p in members}
        return sorted(members, key=lambda p: (p.pid != self.root.pid, p.start))

    def leave_out(self, pid: int, mark: tuple[str, str]) -> None:
        """A process of ours, in a session of its own, is not the training's, nor is what it starts.

        Args:
            pid: the process.
            mark: a variable and its value in its environment.
        """
        self.exclude.add(pid)
        self._strange.add(pid)
        self._mark = mark

    def _exclude_strangers(self, table: Mapping[int, Proc], mark: tuple[str, str]) -> None:
        """Leave out orphans that came to us from such a process: by their session, or their environment."""
        self.exclude.intersection_update(table)  # a number may be a member's one day
        self._adopted.intersection_update(table)
        self._strange.intersection_update([p.sid for p in table.values()])
        known = {process.pid for process in self._known} | self.exclude
        orphans = {pid: p for pid, p in table.items() if p.ppid == self._adopter and pid not in known}
        if orphans:
            self._adopted |= {pid for pid, p in orphans.items() if p.sid in self._strange}
            self._adopted |= {p.pid for p in probe.processes_with_variable(*mark, orphans)}
            self.exclude |= self._adopted

    @property
    def pids(self) -> tuple[int, ...]:
        """The members that the newest scan found."""
        return tuple(process.pid for process in self._known)

    def scan_thoroughly(self) -> list[Proc]:
        """As `scan`, and whoever else carries this slice's token in the environment."""
        members = self.scan()
        seen = {p.pid for p in members} | self.exclude
        strays = probe.processes_with_variable(SLICE_TOKEN, self._token, probe.read_table()) if self._token else []
        return members + [p for p in strays if p.pid not in seen]

    def measure(self, now: float) -> None:
        """Note what the tree uses; `now` is monotonic seconds."""
        members = self.scan()
        rss, _ticks, count, runnable = probe.usage_of(members)
        ticks = {(member.pid, member.start): member.cpu_ticks for member in members}
        # One by one: the sum falls whenever a member ends.
        used = sum(max(0, count - self._ticks.get(who, 0)) for who, count in ticks.items())
        used_s = used / os.sysconf("SC_CLK_TCK")
        self.cpu_s += used_s
        cores = 0.0
        if self.measured_at is not None and now > self.measured_at:
            cores = used_s / (now - self.measured_at)
        self.measured_at, self._ticks = now, ticks
        # Half the old value: one glance at a moment of waiting must not hide a busy training.
        self.runnable = max(1.0, (self.runnable + runnable) / 2)
        peak = max(rss, self.resources.peak_rss_bytes)
        self.resources = self.resources.replace(
            rss_bytes=rss, peak_rss_bytes=peak, cpu_cores=round(cores, 2), processes=count
        )

    def is_surely_empty(self) -> bool:
        """A cheap look after the leader was reaped: True only if nothing of the tree can be left."""
        if self._adopter is None or not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            return False
        if probe.children_of_self() - self.exclude:
            return False
        try:
            os.killpg(self.root.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def reap_orphans(self) -> None:
        """Wait for adopted processes that have ended; the leader is the engine's."""
        if self._adopter is None:
            return
        for pid in probe.children_of_self() - (self.exclude - self._adopted) - {self.root.pid}:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass

    def signal_group(self, number: int) -> None:
        """Once, to the training's own process group; without those whom only a terminal's signal may reach."""
        told, spared = self._addressees(number)
        self._reached = {member.pid for member in (*told, *spared)}
        if spared:
            self.signal_all(number, told)
            return
        try:
            os.killpg(self.root.pid, number)
        except (ProcessLookupError, PermissionError):
            self.signal_all(number, self.scan())

    def pass_on(self, number: int) -> None:
        """The leader has ended: the same signal to the sessions beside its own, which it may not have told."""
        if self._reached is None:
            return
        others = [member for member in self.scan() if self.root.pid not in (member.sid, member.pgid)]
        leaders = {member.pgid for member in others if member.pid == member.pgid}
        for group in sorted(leaders - self._reached):
            try:
                os.killpg(group, number)
            except (ProcessLookupError, PermissionError):
                pass

    def _addressees(self, number: int) -> tuple[list[Proc], list[Proc]]:
        """Who gets a stop signal, who is left out; none where the whole group gets it."""
        if number == signal.SIGINT or sys.platform != "linux":
            return [], []
        from backprop_tui.probes.catching import catches, is_helper, is_launcher
        from backprop_tui.supervisor.addressees import addressees

        return addressees(
            self.scan(),
            self.root.pid,
            catches=lambda p: catches(p.pid, number),
            is_helper=lambda p: is_helper(p.pid, p.ppid),
            is_launcher=lambda p: is_launcher(p.pid),
        )

    def signal_all(self, number: int, members: Iterable[Proc]) -> None:
        """To each member, in order; one that has gone meanwhile is passed over."""
        for member in members:
            send(Process(pid=member.pid, start=member.start), number)

    def pause(self) -> None:
        """SIGSTOP to all, leader first: a parent must not see its workers stand still."""
        stopped: set[int] = set()
        for _ in range(PAUSE_LOOKS):
            members = [member for member in self.scan() if member.pid not in stopped]
            if not members:
                return
            self.signal_all(signal.SIGSTOP, members)  # what was born meanwhile is found by the next look
            stopped.update(member.pid for member in members)

    def wake(self) -> None:
        """SIGCONT to all, children first."""
        self.signal_all(signal.SIGCONT, reversed(self.scan()))


def find_root(token: str) -> Process | None:
    """The oldest living process that carries a slice's token, for a record that does not name its training."""
    strays = probe.processes_with_variable(SLICE_TOKEN, token, probe.read_table()) if token else []
    oldest = min(strays, key=lambda p: p.start, default=None)
    return Process(pid=oldest.pid, start=oldest.start) if oldest else None


def send(process: Process, number: int) -> bool:
    """Signal exactly this process; False if it has gone (its number may be another's by now)."""
    try:
        if not hasattr(os, "pidfd_open"):
            if probe.start_of(process.pid) != process.start:
                return False
            os.kill(process.pid, number)
            return True
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        if probe.start_of(process.pid) != process.start:
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
