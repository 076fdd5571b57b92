"""backprop without a command: the dashboard; where nobody would see it, what runs and the newest runs."""

from __future__ import annotations

import os
import sys

from backprop_tui.cli import output
from backprop_tui.cli.commands import listing, status
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Open the dashboard, or print status and list."""
    if parsed.flag("json"):
        return status.run(parsed)
    if sys.stdout.isatty():
        from backprop_tui.tui.main import open_dashboard

        if parsed.flag("accessible"):
            os.environ["ACCESSIBLE"] = "1"
        for line in open_dashboard(open_home()):
            output.emit(line)
        return ExitCode.OK
    status.run(parsed)
    output.emit("")
    listing.run(parsed)
    return ExitCode.OK
