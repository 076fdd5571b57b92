"""The entry point: finds the command, runs it, and turns errors into words and exit codes."""

from __future__ import annotations

import errno
import os
import sys

from backprop_tui import __version__
from backprop_tui.cli import diagnostics, output, streams
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.parsing import command_of, parse_arguments
from backprop_tui.cli.table import ACCESSIBLE, BY_NAME, GLOBAL
from backprop_tui.errors import BackpropError, OutputError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from backprop_tui.cli.parsing import Command, Parsed


_OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG)


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
    streams.mend()
    try:
        code = _dispatch(argv)
        output.finish()
        return code
    except BackpropError as error:
        return _failed(error, argv)
    except BrokenPipeError:
        output.silence()
        return ExitCode.OK
    except OSError as error:
        if error.filename is None and error.errno in _OUTPUT_ERRORS:
            return _failed(OutputError(f"the output could not be written: {error.strerror}"), argv)
        if not _has_folder():
            return _failed(UsageError("the current folder has been deleted", hint="cd to another folder"), argv)
        return _bug(error, argv)
    except KeyboardInterrupt:
        diagnostics.say("backprop: interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the edge: a bug must end in one line and an exit code
        return _bug(error, argv)


def _has_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _bug(error: Exception, argv: Sequence[str]) -> int:
    if "--debug" in argv:
        import traceback

        diagnostics.write("".join(traceback.format_exception(error)))
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
    if (answer := _help_or_version(parsed, command)) is not None:
        return answer
    if config := parsed.text("config"):
        # From here, wherever the training's working directory is.
        parsed.values["config"] = os.path.abspath(os.path.expanduser(config))
    _tell_settings(parsed)
    return _load(command)(parsed)


def _help_or_version(parsed: Parsed, command: Command | None) -> int | None:
    if parsed.flag("help"):
        from backprop_tui.cli.help import command_help, general_help

        output.emit_text(command_help(command) if command else general_help(), "help", json=parsed.flag("json"))
        return ExitCode.OK
    if parsed.flag("version"):
        if parsed.flag("json"):
            output.emit_json({"version": __version__})
        else:
            output.emit(f"backprop {__version__}")
        return ExitCode.OK
    return None


def _tell_settings(parsed: Parsed) -> None:
    """--verbose; `run` and `resume` tell theirs once they know them all, `config` prints nothing else."""
    if not parsed.flag("verbose") or parsed.command in ("run", "resume", "config"):
        return
    from backprop_tui.config.resolve import resolve

    diagnostics.say_settings(resolve(flags={}, env=os.environ, cwd=os.getcwd(), config_path=parsed.text("config")))


def _load(command: Command) -> "Run":
    # importlib would import warnings for this.
    module = __import__(f"backprop_tui.cli.commands.{_MODULES.get(command.name, command.name)}", fromlist=["run"])
    return module.run  # type: ignore[no-any-return]


_MODULES = {
    "continue": "pause",
    "extend": "pause",
    "release": "hold",
    "drain": "steering",
    "yield": "steering",
    "rename": "annotate",
    "tag": "annotate",
    "note": "annotate",
    "list": "listing",
    "help": "helping",
}


_USUAL = {
    "ls": "list",
    "history": "list",
    "ps": "status",
    "queue": "status",
    "explain": "why",
    "unhold": "release",
    "top": "status",
    "start": "run",
    "kill": "stop",
    "cancel": "stop",
    "tail": "logs",
    "log": "logs",
    "info": "show",
    "delete": "rm",
    "remove": "rm",
    "settings": "config",
    "restart": "resume",
    "rerun": "resume",
}
"""What people type for a command who know other programs."""


def _without_command(argv: Sequence[str]) -> int:
    from backprop_tui.cli.parsing import Command

    whole = Command(name="", help="", usage="backprop COMMAND …", words=(0, None))
    parsed = parse_arguments(argv, whole, (*GLOBAL, ACCESSIBLE))
    if parsed.words or parsed.rest:
        raise UsageError("which command?", hint="to run something: backprop run -- COMMAND …")
    if (answer := _help_or_version(parsed, None)) is not None:
        return answer
    from backprop_tui.cli.commands.dashboard import run

    _tell_settings(parsed)
    return run(parsed)


def _no_such_command(name: str) -> UsageError:
    import difflib

    near = [_USUAL[name]] if name in _USUAL else difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.7)
    if name.endswith((".py", ".sh")):
        return UsageError(f"{name} is no command", hint=f"to run it: backprop run {name}")
    hint = f"did you mean {near[0]}?" if near else "see: backprop --help"
    return UsageError(f"{name!r} is no command of backprop", hint=hint)


if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[Parsed], int]
