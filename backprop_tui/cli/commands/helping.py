"""backprop help"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.help import command_help, general_help
from backprop_tui.cli.table import BY_NAME
from backprop_tui.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Print the help of a command, or of all."""
    if not parsed.words:
        output.emit_text(general_help(), "help", json=parsed.flag("json"))
        return ExitCode.OK
    command = BY_NAME.get(parsed.words[0])
    if command is None:
        raise UsageError(f"{parsed.words[0]!r} is no command of backprop", hint="see: backprop --help")
    output.emit_text(command_help(command), "help", json=parsed.flag("json"))
    return ExitCode.OK
