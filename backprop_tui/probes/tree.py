"""Processes and who descends from whom."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backprop_tui.model.run import Process

_IS_LINUX = sys.platform == "linux"
_PAGE = os.sysconf("SC_PAGE_SIZE")
GONE = frozenset("ZXx")
"""States of a process that has ended but was not waited for."""


class Proc:
    """One line of the process table."""

    __slots__ = ("cpu_ticks", "pgid", "pid", "ppid", "rss_bytes", "sid", "start", "state")

    def __init__(
        self,
        pid: int,
        ppid: int,
        pgid: int,
        sid: int,
        state: str,
        start: int,
        cpu_ticks: int = 0,
        rss_bytes: int = 0,
    ) -> None:
        self.pid = pid
        self.ppid = ppid
        self.pgid = pgid
        self.sid = sid
        self.state = state
        """R, S, D, T, Z, … as the kernel writes it."""
        self.start = start
        """Clock ticks since boot."""
        self.cpu_ticks = cpu_ticks
        self.rss_bytes = rss_bytes

    def __repr__(self) -> str:
        return f"Proc(pid={self.pid}, ppid={self.ppid}, sid={self.sid}, state={self.state!r})"


def read_process(pid: int) -> Proc | None:
    """One process, None when there is none of that number."""
    if not _IS_LINUX:
        return _read_elsewhere(pid)
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return _parse_stat(pid, file.read())
    except (OSError, ValueError, IndexError):
        return None


def _parse_stat(pid: int, line: bytes) -> Proc:
    # The name is in brackets and may hold blanks and brackets itself: what counts is the last one.
    fields = line[line.rindex(b")") + 2 :].split()
    return Proc(
        pid,
        int(fields[1]),
        int(fields[2]),
        int(fields[3]),
        chr(fields[0][0]),
        int(fields[19]),
        int(fields[11]) + int(fields[12]),
        int(fields[21]) * _PAGE,
    )


def read_table() -> dict[int, Proc]:
    """Every process that can be seen, by pid."""
    if not _IS_LINUX:
        return _table_elsewhere()
    table = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and (found := read_process(int(name))) is not None:
            table[found.pid] = found
    return table


def start_of(pid: int) -> int:
    """When a process started, in ticks since boot; 0 when it is gone."""
    found = read_process(pid)
    return found.start if found else 0


def is_alive(process: Process) -> bool:
    """Whether exactly this process still runs (a zombie does not)."""
    found = read_process(process.pid)
    return found is not None and found.start == process.start and found.state not in GONE


def tree_of(
    table: Mapping[int, Proc],
    root: Process,
    known: Iterable[Process],
    *,
    adopter: int | None,
    exclude: Iterable[int],
) -> list[Proc]:
    """The living members of a training's tree.

    Args:
        table: all processes.
        root: the training's leading process, also when it has ended.
        known: members seen before; they and their descendants stay members.
        adopter: our own pid if orphans are handed to us: our other children are members too.
        exclude: pids that are never members (we ourselves, the guard).
    """
    left_out = set(exclude)
    children: dict[int, list[int]] = {}
    for proc in table.values():
        children.setdefault(proc.ppid, []).append(proc.pid)
    lead = table.get(root.pid)
    # The root's number, if taken again by a stranger, says nothing about session and group.
    is_taken_again = lead is not None and lead.start != root.start
    seeds = {p.pid for p in known if (found := table.get(p.pid)) is not None and found.start == p.start}
    if adopter is not None:
        seeds.update(children.get(adopter, ()))
    if not is_taken_again:
        seeds.add(root.pid)
        seeds.update(p.pid for p in table.values() if root.pid in (p.sid, p.pgid))
    members: set[int] = set()
    todo = [pid for pid in seeds if pid not in left_out]
    while todo:
        pid = todo.pop()
        if pid not in members:
            members.add(pid)
            todo.extend(child for child in children.get(pid, ()) if child not in left_out)
    return [table[pid] for pid in sorted(members) if pid in table and table[pid].state not in GONE]


def processes_with_variable(name: str, value: str, table: Mapping[int, Proc]) -> list[Proc]:
    """Living processes of ours that were started with NAME=VALUE in their environment."""
    wanted = os.fsencode(f"{name}={value}")
    found = []
    for proc in table.values():
        if proc.state not in GONE and wanted in _environment(proc.pid):
            found.append(proc)
    return found


def _environment(pid: int) -> list[bytes]:
    if not _IS_LINUX:
        return _environment_elsewhere(pid)
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read(1 << 20).split(b"\0")
    except OSError:
        return []


def usage_of(procs: Iterable[Proc]) -> tuple[int, int, int, int]:
    """What processes use together: (resident bytes, processor ticks, how many, how many want a processor)."""
    rss = ticks = count = runnable = 0
    for proc in procs:
        rss += proc.rss_bytes
        ticks += proc.cpu_ticks
        count += 1
        runnable += proc.state in "RD"
    return rss, ticks, count, runnable


def count_backprop(besides: set[int]) -> int:
    """How many other backprop processes of this user there are."""
    count = 0
    if not _IS_LINUX:
        return 0
    for name in os.listdir("/proc"):
        if not name.isdecimal() or int(name) in besides or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read(4096).split(b"\0")[:4]
        except OSError:
            continue
        count += any(word.endswith(b"/backprop") or b"backprop_tui" in word for word in words)
    return count


def _read_elsewhere(pid: int) -> Proc | None:
    import psutil

    try:
        return _from_psutil(psutil.Process(pid))
    except psutil.Error:
        return None


def _table_elsewhere() -> dict[int, Proc]:
    import psutil

    table = {}
    for process in psutil.process_iter():
        try:
            table[process.pid] = _from_psutil(process)
        except (psutil.Error, OSError):
            continue
    return table


def _from_psutil(process: object) -> Proc:
    import psutil

    assert isinstance(process, psutil.Process)
    with process.oneshot():
        pid = process.pid
        state = "Z" if process.status() == psutil.STATUS_ZOMBIE else "S"
        try:
            pgid, sid = os.getpgid(pid), os.getsid(pid)
        except OSError:
            pgid = sid = 0
        try:
            cpu, memory = process.cpu_times(), process.memory_info()
            ticks, rss = int((cpu.user + cpu.system) * 100), int(memory.rss)
        except psutil.Error:
            ticks = rss = 0
        return Proc(pid, process.ppid(), pgid, sid, state, int(process.create_time() * 100), ticks, rss)


def _environment_elsewhere(pid: int) -> list[bytes]:
    import psutil

    try:
        return [os.fsencode(f"{name}={value}") for name, value in psutil.Process(pid).environ().items()]
    except (psutil.Error, OSError):
        return []
