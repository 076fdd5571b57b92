"""Looks at everything that a run stands on, and says what is wrong."""

from __future__ import annotations

import os
import sys
import time

from backprop_tui import __version__, files, paths
from backprop_tui.control import logout
from backprop_tui.errors import BackpropError, ConfigError, StoreError, UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.probes import host
from backprop_tui.store.rows import BROKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backprop_tui.store.home import Home

LOW_DISK = 1024**3


class Finding(Frozen):
    """One thing that was looked at."""

    what: str
    verdict: str
    """ok, note (worth knowing) or bad (something does not work)."""
    text: str


def examine(home: Home, *, reindex: bool = False) -> list[Finding]:
    """Look at everything; `reindex` also compares the index with every record."""
    return [
        _ok("backprop", f"{__version__}, on Python {sys.version.split()[0]} ({sys.executable})"),
        *_interpreter(),
        *_host(),
        *_gpus(),
        *_settings(),
        *_home(home),
        *_index(home, reindex=reindex),
        *_admission(),
        *_logout(),
    ]


def _ok(what: str, text: str) -> Finding:
    return Finding(what=what, verdict="ok", text=text)


def _interpreter() -> Iterator[Finding]:
    from backprop_tui.scripts.interpreter import find_interpreter

    try:
        found = find_interpreter(setting=None, setting_origin="", script="script.py", cwd=os.getcwd(), env=os.environ)
    except UsageError as error:
        yield Finding(what="interpreter", verdict="bad", text=error.message)
    else:
        yield _ok("interpreter", f"{found.path} ({found.origin}), for scripts in this folder")


def _host() -> Iterator[Finding]:
    sample = host.sample_host(time.time())
    load = "unknown" if sample.load1 is None else f"{sample.load1:.2f}"
    free = sample.ram_free_bytes
    ram = "unknown" if free is None else f"{free / 1024**3:.1f} GB free"
    verdict = "note" if sample.load1 is None or free is None else "ok"
    yield Finding(what="host", verdict=verdict, text=f"{host.hostname()}: {sample.cores} cores, load {load}, RAM {ram}")
    if not hasattr(os, "pidfd_open"):
        yield Finding(what="processes", verdict="note", text="no pidfd: signals go by process number")


def _gpus() -> Iterator[Finding]:
    from backprop_tui.probes.describe import describe_probes
    from backprop_tui.probes.gpu import sample_gpus

    is_blind = sample_gpus("auto", t=time.time(), env=os.environ).failed
    for finding in describe_probes(t=time.time(), env=os.environ):
        verdict = "ok" if finding.found else "bad" if is_blind else "note"
        yield Finding(what=f"GPU: {finding.probe}", verdict=verdict, text=finding.text)


def _settings() -> Iterator[Finding]:
    from backprop_tui.config.resolve import resolve

    try:
        found = resolve(flags={}, env=os.environ, cwd=os.getcwd())
    except ConfigError as error:
        yield Finding(what="settings", verdict="bad", text=error.message)
        return
    read = [path for path in (found.project_file, found.user_file) if path]
    yield _ok("settings", "from " + ", ".join(read) if read else "all defaults: there is no configuration file")


def _home(home: Home) -> Iterator[Finding]:
    try:
        home.ensure()
    except StoreError as error:
        yield Finding(what="records", verdict="bad", text=f"{error.message}; {error.hint}")
        return
    kind, disk = host.filesystem_kind(home.path), host.disk_bytes(home.path)
    free = disk[0] if disk else None
    room = "unknown" if free is None else f"{free / 1024**3:.1f} GB free"
    low = free is not None and free < LOW_DISK
    yield Finding(
        what="records", verdict="bad" if low else "ok", text=f"{home.path} ({kind or 'unknown filesystem'}, {room})"
    )
    if host.is_network_filesystem(kind):
        text = f"{kind} is a network filesystem: runs of other hosts are shown, never judged"
        yield Finding(what="records", verdict="note", text=text)
    if not _lock_excludes(home):
        yield Finding(what="locks", verdict="bad", text="locks do not exclude each other on this filesystem")


def _lock_excludes(home: Home) -> bool:
    path = os.path.join(home.path, ".doctor.lock")
    try:
        with files.FileLock(path) as lock:
            excluded = lock.excludes()
        os.unlink(path)
    except OSError:
        return False
    return excluded


def _index(home: Home, *, reindex: bool) -> Iterator[Finding]:
    from backprop_tui.store.index import Index
    from backprop_tui.store.sync import reindex as compare_all
    from backprop_tui.store.sync import sync

    try:
        index = Index(home)
        sync(home, index)
        verdict = index.check()
        yield Finding(
            what="index",
            verdict="ok" if verdict == "ok" else "bad",
            text=f"{index.path}: {_counted(index.count())}, {verdict}",
        )
        if reindex:
            stale, gone = compare_all(home, index)
            yield _ok("reindex", f"{stale} rows read anew, {gone} dropped")
        broken = index.page(limit=5, state=BROKEN)
        index.close()
    except (StoreError, OSError) as error:
        yield Finding(what="index", verdict="bad", text=str(error))
        return
    for row in broken:
        yield Finding(what=f"run {row.id}", verdict="bad", text=row.reason)


def _admission() -> Iterator[Finding]:
    from backprop_tui.supervisor.desk import open_desk

    desk = open_desk("none")
    try:
        desk.open()
        leases, tickets = len(desk.leases()), len(desk.tickets())
    except (BackpropError, OSError) as error:
        yield Finding(what="admission", verdict="bad", text=str(error))
        return
    yield _ok("admission", f"{paths.admission_dir()}: {_counted(leases)} in progress, {tickets} waiting")


def _logout() -> Iterator[Finding]:
    verdict = logout.look()
    if verdict.warning:
        yield Finding(what="logout", verdict="note", text=verdict.warning)
    elif verdict.place:
        yield _ok("logout", "detached runs go on when you log out")


def _counted(runs: int) -> str:
    return f"{runs:,} run" if runs == 1 else f"{runs:,} runs"
