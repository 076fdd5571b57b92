"""backprop run"""

from __future__ import annotations

from backprop_tui.cli.launching import launch, wish_of
from backprop_tui.cli.settling import take_up_after_boot
from backprop_tui.control.wishes import plan_start
from backprop_tui.errors import UsageError
from backprop_tui.watch.homes import open_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed


def run(parsed: Parsed) -> int:
    """Start a new run, here or detached."""
    command, is_command = _command(parsed)
    home = open_home()
    if not parsed.flag("dry_run"):
        take_up_after_boot(home)
    return launch(home, plan_start(home, wish_of(parsed, command, is_command=is_command)), parsed)


def _command(parsed: Parsed) -> tuple[tuple[str, ...], bool]:
    rest = tuple(parsed.rest or ())
    if not parsed.words:
        return rest, True
    script = parsed.words[0]
    if script.endswith((".sh", ".bash")):
        raise UsageError(f"{script} is a shell script", hint=f"run it as a command: backprop run -- bash {script}")
    return (script, *rest), False
