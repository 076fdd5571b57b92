"""Opens the dashboard, gives the terminal back however it ends, and says goodbye on the normal screen."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import sys
import threading
import time

from textual.drivers.linux_driver import LinuxDriver

from backprop_tui.errors import OutputError, UsageError
from backprop_tui.tui import terminal
from backprop_tui.tui.app import Dashboard
from backprop_tui.tui.leaving import Leaving
from backprop_tui.watch.figures import duration
from backprop_tui.watch.watcher import Watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from textual.driver import Driver

    from backprop_tui.store.home import Home

WORKERS, MOST_WORKERS = "backprop-worker", 64
"""Most of them wait for an answer: a supervisor that is silent must not keep a key from another one."""
WORK_WAIT_S, SHOWN = 5.0, 5
"""How long leaving waits for what keys have asked for, such as a start that is on its way."""


def open_dashboard(home: Home) -> list[str]:
    """Show the dashboard until somebody leaves it; returns what to print then.

    Raises:
        UsageError: this terminal cannot show it.
        OutputError: the terminal could not be read any more.
        Exception: a bug of ours; the terminal is as it was before.
    """
    if why := terminal.why_not():
        raise UsageError(f"no dashboard here: {why}", hint="backprop status and backprop list work anywhere")
    home.ensure()
    gc.enable()  # short commands do without; screens come and go here all day
    app = _Shown(home)
    _run(app)
    if app.failure is not None:
        raise app.failure
    return farewell(home)


def farewell(home: Home) -> list[str]:
    """What is printed on the normal screen after leaving, when runs go on."""
    records = Watcher(home).poll().active
    if not records:
        return []
    going = []
    for record in records[:SHOWN]:
        state, left = record.run.state, record.left_s
        how = f"{duration(left)} left" if state == "running" else str(state)
        going.append(f"{record.notes.name or record.run.id} ({how})")
    count = len(records)
    return [
        f"{count} run{'' if count == 1 else 's'} keep{'s' if count == 1 else ''} going: {', '.join(going)}.",
        f"backprop  opens this again · backprop stop {records[0].run.id}  stops one",
    ]


class _Stdout(LinuxDriver):
    """Draws on stdout, whose size and encoding Textual goes by; its own drivers draw on stderr."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file = sys.__stdout__


class _Shown(Dashboard):
    """Leaves what went wrong to the command line, which has one form for it."""

    failure: Exception | None = None

    def get_driver_class(self) -> type[Driver]:
        return _Stdout

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self.failure = self._exception
        if self.failure is None and self._exit_renderables:
            self.failure = OutputError("the terminal cannot be read any more")
        self._exit_renderables.clear()


def _run(app: _Shown) -> None:
    """As `asyncio.run`, which would wait without an end for a thread that hangs in a file system or a driver."""
    workers = concurrent.futures.ThreadPoolExecutor(MOST_WORKERS, thread_name_prefix=WORKERS)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(workers)
    try:
        with Leaving(loop, app.exit):
            loop.run_until_complete(app.run_async())
            workers.shutdown(wait=False)
            end = time.monotonic() + WORK_WAIT_S
            for thread in threading.enumerate():
                if thread.name.startswith(WORKERS):
                    thread.join(max(0.0, end - time.monotonic()))
    finally:
        loop.close()
