"""Processes where there is no /proc (macOS), through psutil."""

from __future__ import annotations

import os

import psutil

from backprop_tui.probes.proc import Proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_STATES = {
    psutil.STATUS_RUNNING: "R",
    psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_STOPPED: "T",
    psutil.STATUS_ZOMBIE: "Z",
    psutil.STATUS_DEAD: "X",
}


def read_table(only_uid: int | None) -> dict[int, Proc]:
    """Every process by pid, or those of one user."""
    table = {}
    for pid in psutil.pids():
        process = read_process(pid, only_uid)
        if process is not None:
            table[pid] = process
    return table


def read_process(pid: int, only_uid: int | None = None) -> Proc | None:
    """One process, None if there is none of that number, or it is another user's."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            if only_uid is not None and process.uids().effective != only_uid:
                return None
            start, state = round(process.create_time() * 100), _STATES.get(process.status(), "S")
            ppid, pgid, sid = process.ppid(), os.getpgid(pid), os.getsid(pid)
    except (psutil.Error, OSError, ValueError, OverflowError):
        return None
    rss, ticks, threads = _usage(process)
    return Proc(
        pid=pid,
        ppid=ppid,
        pgid=pgid,
        sid=sid,
        state=state,
        start=start,
        cpu_ticks=ticks,
        rss_bytes=rss,
        threads=threads,
    )


def _usage(process: psutil.Process) -> tuple[int, int, int]:
    """What the system tells of our own processes only."""
    try:
        times = process.cpu_times()
        ticks = round((times.user + times.system) * os.sysconf("SC_CLK_TCK"))
        return process.memory_info().rss, ticks, process.num_threads()
    except (psutil.Error, OSError):
        return 0, 0, 1


def processes_with_variable(name: str, value: str, table: Mapping[int, Proc]) -> list[Proc]:
    """This user's living processes that were started with NAME=VALUE in their environment."""
    found = []
    for process in table.values():
        try:
            other = psutil.Process(process.pid)
            if other.uids().real == os.getuid() and other.environ().get(name) == value:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if not process.is_dead]
