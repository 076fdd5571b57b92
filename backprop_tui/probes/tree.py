"""Processes, and which of them belong to a training."""

from __future__ import annotations

import os
import sys

from backprop_tui.probes.proc import Proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set

    from backprop_tui.model.run import Process

_IS_LINUX = sys.platform == "linux"
_PROC = "/proc"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MAX_ENVIRONMENT_BYTES = 16 << 20
_MAX_TASKS = 1024
"""So many threads are looked at in one measurement; of the others the same share is taken to run."""

TOOLS: set[int] = set()
"""Vendors' tools that this process has started and not yet waited for: they are no training's."""


def read_table(only_uid: int | None = None) -> dict[int, Proc]:
    """Every process by pid, or those of one user; one that ends meanwhile may be missing."""
    if not _IS_LINUX:
        from backprop_tui.probes import tree_psutil

        return tree_psutil.read_table(only_uid)
    table = {}
    for name in os.listdir(_PROC):
        if name.isdecimal():
            process = _read_stat(f"{_PROC}/{name}/stat", only_uid)
            if process is not None:
                table[process.pid] = process
    return table


def read_process(pid: int) -> Proc | None:
    """One process, None if there is none of that number."""
    if not _IS_LINUX:
        from backprop_tui.probes import tree_psutil

        return tree_psutil.read_process(pid)
    return _read_stat(f"{_PROC}/{pid}/stat", None)


def start_of(pid: int) -> int:
    """When the process of that number started, 0 if there is none."""
    process = read_process(pid)
    return process.start if process else 0


def is_alive(process: Process) -> bool:
    """Whether this very process still runs."""
    now = read_process(process.pid)
    return now is not None and not now.is_dead and process.start in (0, now.start)


def parse_stat(data: bytes) -> Proc | None:
    """Read the content of /proc/PID/stat; None if it is cut short."""
    # The name stands in parentheses and may hold spaces and parentheses itself.
    end = data.rfind(b")")
    fields = data[end + 1 :].split()
    try:
        return Proc(
            pid=int(data[: data.index(b"(")]),
            ppid=int(fields[1]),
            pgid=int(fields[2]),
            sid=int(fields[3]),
            state=fields[0].decode("ascii", "replace"),
            start=int(fields[19]),
            cpu_ticks=int(fields[11]) + int(fields[12]),
            rss_bytes=int(fields[21]) * _PAGE_BYTES,
            threads=int(fields[17]),
        )
    except (ValueError, IndexError):
        return None


def tree_of(
    table: Mapping[int, Proc],
    root: Process,
    known: Iterable[Process],
    *,
    adopter: int | None,
    exclude: Set[int],
) -> list[Proc]:
    """The living members of a training's process tree, oldest first.

    Members are: the root; whoever is in a session or group that it leads; whoever was a member before
    (`known`) and still lives; orphans that came to `adopter`; and all descendants of these.

    Args:
        table: all processes.
        root: the training's leading process, which may have ended.
        known: members found earlier.
        adopter: pid of the subreaper whose children are the training's, None if there is none.
        exclude: pids that are never members, besides `TOOLS`; what descends from them is not followed either.
    """
    seeds = [*_known_alive(table, root, known), *_led_by(table, root)]
    if adopter is not None:
        seeds += [p for p in table.values() if p.ppid == adopter and p.start >= root.start]
    members = _with_descendants(table, seeds, exclude | TOOLS)
    return sorted((p for p in members if not p.is_dead), key=lambda p: (p.start, p.pid))


def _known_alive(table: Mapping[int, Proc], root: Process, known: Iterable[Process]) -> Iterator[Proc]:
    for process in (root, *known):
        found = table.get(process.pid)
        if found is not None and process.start in (0, found.start):
            yield found


def _led_by(table: Mapping[int, Proc], root: Process) -> Iterator[Proc]:
    holder = table.get(root.pid)
    if holder is not None and root.start not in (0, holder.start):
        return  # the kernel gives a pid away only when its session and group are empty
    for process in table.values():
        if root.pid in (process.sid, process.pgid) and process.start >= root.start:
            yield process


def _with_descendants(table: Mapping[int, Proc], seeds: Iterable[Proc], exclude: Set[int]) -> list[Proc]:
    children: dict[int, list[Proc]] = {}
    for process in table.values():
        children.setdefault(process.ppid, []).append(process)
    members: dict[int, Proc] = {}
    queue = list(seeds)
    while queue:
        process = queue.pop()
        if process.pid in members or process.pid in exclude:
            continue
        members[process.pid] = process
        queue += children.get(process.pid, ())
    return list(members.values())


def processes_with_variable(name: str, value: str, table: Mapping[int, Proc]) -> list[Proc]:
    """This user's living processes that were started with NAME=VALUE in their environment."""
    if not _IS_LINUX:
        from backprop_tui.probes import tree_psutil

        return tree_psutil.processes_with_variable(name, value, table)
    wanted, uid = b"\0" + os.fsencode(f"{name}={value}") + b"\0", os.getuid()
    return [p for p in table.values() if not p.is_dead and wanted in _environment(p.pid, uid)]


def usage_of(processes: Iterable[Proc]) -> tuple[int, int, int, int]:
    """Sums over processes: resident bytes, CPU ticks, how many, and how many of their threads want a core."""
    rss = ticks = count = runnable = 0
    tasks_left = _MAX_TASKS
    for process in processes:
        rss += process.rss_bytes
        ticks += process.cpu_ticks
        count += 1
        runnable += _runnable(process, tasks_left)
        tasks_left = max(1, tasks_left - process.threads)
    return rss, ticks, count, runnable


def _runnable(process: Proc, limit: int) -> int:
    """Threads in state R or D: those that the kernel counts as load."""
    if process.threads <= 1 or not _IS_LINUX:
        return process.state in "RD"
    folder = f"{_PROC}/{process.pid}/task"
    try:
        tasks = os.listdir(folder)
    except OSError:
        return process.state in "RD"
    looked_at = tasks[:limit]
    states = [_read_stat(f"{folder}/{task}/stat", None) for task in looked_at]
    busy = sum(task is not None and task.state in "RD" for task in states)
    return round(busy * len(tasks) / len(looked_at)) if looked_at else 0


def _read_stat(path: str, only_uid: int | None) -> Proc | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if only_uid is not None and os.fstat(fd).st_uid != only_uid:
            return None
        return parse_stat(os.read(fd, 4096))
    except OSError:
        return None
    finally:
        os.close(fd)


def _environment(pid: int, uid: int) -> bytes:
    """The variables between NULs, one also before the first; b"" if they are not ours to read."""
    try:
        fd = os.open(f"{_PROC}/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if os.fstat(fd).st_uid != uid:
            return b""
        data = bytearray(b"\0")
        while len(data) < _MAX_ENVIRONMENT_BYTES and (part := os.read(fd, 1 << 18)):
            data += part
        return bytes(data) + b"\0"
    except OSError:
        return b""
    finally:
        os.close(fd)


def count_backprop(besides: set[int]) -> int:
    """How many backprop processes there are besides these and ourselves."""
    count = 0
    for pid in read_table(os.getuid()):
        if pid in besides or pid == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read(4096).split(b"\0")[:4]
        except OSError:
            continue
        count += any(word.endswith(b"/backprop") or b"backprop_tui" in word for word in words)
    return count


def children_of_self() -> set[int]:
    """Our own direct children besides `TOOLS`, where the kernel lists them."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return {int(pid) for pid in file.read().split()} - TOOLS
    except OSError:
        return set()
