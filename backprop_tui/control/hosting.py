"""A detached supervisor: reads a plan from stdin, answers once on stdout, then lives for its run."""

from __future__ import annotations

import os
import sys

from backprop_tui import files, paths
from backprop_tui.control.starting import Observer, run_here
from backprop_tui.errors import BackpropError
from backprop_tui.store.home import Home
from backprop_tui.supervisor.plans import plan_from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.decisions import Admission
    from backprop_tui.model.run import Run


class ReplyOnce(Observer):
    """Tells whoever started this supervisor how it went, then lets go of them."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._has_replied = False

    def queued(self, run: Run, admission: Admission) -> None:
        self._reply(run)

    def started(self, run: Run, log_path: str) -> None:
        self._reply(run)

    def failed(self, error: BackpropError) -> None:
        """It will not start."""
        if not self._has_replied:
            content = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
            files.write_all(1, files.to_json(content) + b"\n")

    def _reply(self, run: Run) -> None:
        if self._has_replied:
            return
        self._has_replied = True
        try:
            files.write_all(1, files.to_json({"id": run.id, "state": run.state}) + b"\n")
        except BrokenPipeError:
            pass
        log = os.open(
            self._home.run(run.id).file("supervisor.log"),
            os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
            0o600,
        )
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        os.close(null)


def main() -> int:
    """Supervise one run for as long as it goes on; the exit code is of interest to nobody."""
    plan = plan_from_json(sys.stdin.buffer.read())
    home = Home(paths.home())
    observer = ReplyOnce(home)
    try:
        run_here(home, plan, observer)
    except BackpropError as error:
        observer.failed(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
