"""backprop without a command: what runs, then the newest runs."""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.commands import listing, status
from backprop_tui.cli.diagnostics import ExitCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Print status and list."""
    if parsed.flag("json"):
        return status.run(parsed)
    status.run(parsed)
    output.emit("")
    listing.run(parsed)
    return ExitCode.OK
