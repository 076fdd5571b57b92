"""The entry point: finds the command, runs it, and turns errors into words and exit codes."""

from __future__ import annotations

import os
import sys

from backprop_tui import __version__
from backprop_tui.cli import diagnostics, output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.parsing import command_of, parse_arguments
from backprop_tui.cli.table import BY_NAME, GLOBAL
from backprop_tui.errors import BackpropError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from backprop_tui.cli.parsing import Command, Parsed


def entry() -> NoReturn:
    """What the console script calls.

    Ends the process at once: taking the interpreter apart costs 2 ms, and never ends while a thread hangs in a
    GPU driver.
    """
    code = main(sys.argv[1:])
    try:
        sys.stderr.flush()
    finally:
        os._exit(code)


def main(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    if sys.platform == "win32":
        diagnostics.say("backprop: Windows is not supported; it runs on Linux and macOS, also within WSL")
        return ExitCode.USAGE
    try:
        code = _dispatch(argv)
        output.finish()
        return code
    except BackpropError as error:
        return _failed(error, argv)
    except BrokenPipeError:
        output.silence()
        return ExitCode.OK
    except KeyboardInterrupt:
        diagnostics.say("backprop: interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the edge: a bug must end in one line and an exit code
        if "--debug" in argv:
            import traceback

            diagnostics.write(traceback.format_exc())
        diagnostics.say(f"backprop: a bug: {type(error).__name__}: {error}")
        diagnostics.say("  hint: the same command with --debug shows where; please report it")
        return ExitCode.BUG


def _failed(error: BackpropError, argv: Sequence[str]) -> int:
    code = diagnostics.exit_code_for(error)
    options = argv[: argv.index("--")] if "--" in argv else argv
    if "--debug" in options:
        import traceback

        diagnostics.write("".join(traceback.format_exception(error)))
    if "--json" in options:
        document = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
        output.emit_json({**document, "exit_code": int(code)})
        output.finish()
    diagnostics.complain(error)
    return code


def _dispatch(argv: Sequence[str]) -> int:
    name = command_of(argv, GLOBAL)
    if not name:
        return _without_command(argv)
    command = BY_NAME.get(name)
    if command is None:
        raise _no_such_command(name)
    parsed = parse_arguments(argv, command, GLOBAL)
    if parsed.flag("help"):
        from backprop_tui.cli.help import command_help

        output.emit(command_help(command))
        return ExitCode.OK
    if parsed.flag("version"):
        output.emit(f"backprop {__version__}")
        return ExitCode.OK
    return _load(command)(parsed)


def _load(command: Command) -> "Run":
    # importlib would import warnings for this.
    module = __import__(f"backprop_tui.cli.commands.{_MODULES.get(command.name, command.name)}", fromlist=["run"])
    return module.run  # type: ignore[no-any-return]


_MODULES = {
    "continue": "pause",
    "extend": "pause",
    "rename": "annotate",
    "tag": "annotate",
    "note": "annotate",
    "list": "listing",
    "help": "helping",
}


def _without_command(argv: Sequence[str]) -> int:
    from backprop_tui.cli.parsing import Command

    whole = Command(name="", help="", usage="backprop COMMAND …", words=(0, None))
    parsed = parse_arguments(argv, whole, GLOBAL)
    if parsed.words or parsed.rest:
        raise UsageError("which command?", hint="to run something: backprop run -- COMMAND …")
    if parsed.flag("version"):
        output.emit(f"backprop {__version__}")
        return ExitCode.OK
    if parsed.flag("help"):
        from backprop_tui.cli.help import general_help

        output.emit(general_help())
        return ExitCode.OK
    from backprop_tui.cli.commands.overview import run

    return run(parsed)


def _no_such_command(name: str) -> UsageError:
    import difflib

    near = difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.5)
    if name.endswith((".py", ".sh")):
        return UsageError(f"{name} is no command", hint=f"to run it: backprop run {name}")
    hint = f"did you mean {near[0]}?" if near else "see: backprop --help"
    return UsageError(f"{name!r} is no command of backprop", hint=hint)


if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[Parsed], int]
