"""The help, made from the table of commands."""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.table import ACCESSIBLE, COMMANDS, GLOBAL
from backprop_tui.config.describe import value_text
from backprop_tui.config.settings import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.cli.parsing import Command, Option

MAX_HEAD = 32
MAX_WIDTH = 100
_RUNS = (
    "RUN is a run's id, a unique beginning of it, its name (the newest of that name), or @ for the newest run, "
    "@2 for the one before."
)


def general_help() -> str:
    """What `backprop --help` prints."""
    lines = [
        "backprop: short, safe training runs in a time box",
        "",
        "usage: backprop              the dashboard: what runs, the history, curves, logs",
        "       backprop COMMAND …",
        "",
        "commands:",
    ]
    width = max(len(command.name) for command in COMMANDS)
    for command in COMMANDS:
        text = _wrapped(command.help, indent=width + 4)
        lines += [f"  {command.name:<{width}}  " + text[0].lstrip(), *text[1:]]
    lines += ["", "of the dashboard:", *_options([ACCESSIBLE])]
    lines += ["", "options of every command:", *_options(GLOBAL), "", *_wrapped(_RUNS)]
    return "\n".join(lines)


def command_help(command: Command) -> str:
    """What `backprop COMMAND --help` prints."""
    lines = [f"usage: {command.usage}", "", f"{command.help[0].upper()}{command.help[1:]}."]
    if command.options:
        lines += ["", "options:", *_options(command.options)]
    lines += ["", "options of every command:", *_options(GLOBAL)]
    if command.epilog:
        lines += ["", *_wrapped(command.epilog)]
    if command.takes_runs:
        lines += ["", *_wrapped(_RUNS)]
    return "\n".join(lines)


def _options(options: Sequence[Option]) -> list[str]:
    heads = [
        (f"{option.short}, " if option.short else "    ") + f"{option.flag} {option.metavar}".rstrip()
        for option in options
    ]
    width = min(max(map(len, heads)), MAX_HEAD)
    lines = []
    for head, option in zip(heads, options, strict=True):
        text = _wrapped(option.help + _values(option), indent=width + 4)
        first = f"  {head:<{width}}"
        if len(head) > width:
            lines.append(first)
            first = " " * (width + 2)
        lines += [first + text[0][width + 2 :], *text[1:]]
    return lines


def _values(option: Option) -> str:
    setting = next((setting for setting in SETTINGS if setting.key == option.name), None)
    if setting is None or setting.kind == "boolean":
        return ""
    choices = f": {', '.join(setting.choices)}" if setting.choices else ""
    default = value_text(setting, setting.default)
    return f"{choices} (default {default})"


def _wrapped(text: str, indent: int = 0) -> list[str]:
    import textwrap

    blank = " " * indent
    return textwrap.wrap(
        text,
        max(indent + 20, min(output.columns() or 80, MAX_WIDTH) - 1),
        initial_indent=blank,
        subsequent_indent=blank,
        break_on_hyphens=False,
    )
