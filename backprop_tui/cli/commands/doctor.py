"""backprop doctor"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.control.examining import examine
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed

_MARKS = {"ok": "ok", "note": "--", "bad": "!!"}


def run(parsed: Parsed) -> int:
    """Print what was found; the exit code says whether something is wrong."""
    findings = examine(open_home(), reindex=parsed.flag("reindex"))
    if parsed.flag("json"):
        output.emit_json([finding.plain() for finding in findings])
    else:
        widest = max(len(finding.what) for finding in findings)
        for finding in findings:
            output.emit(f"{_MARKS[finding.verdict]}  {finding.what:<{widest}}  {finding.text}")
    return ExitCode.FAILED if any(finding.verdict == "bad" for finding in findings) else ExitCode.OK
