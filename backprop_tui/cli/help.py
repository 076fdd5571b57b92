"""The help, made from the table of commands."""

from __future__ import annotations

from backprop_tui.cli.table import COMMANDS, GLOBAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop_tui.cli.parsing import Command, Option

_RUNS = (
    "RUN is a run's id, a unique beginning of it, its name (the newest of that name), or @ for the newest run, "
    "@2 for the one before."
)


def general_help() -> str:
    """What `backprop --help` prints."""
    lines = ["backprop: short, safe training runs in a time box", "", "usage: backprop COMMAND …", "", "commands:"]
    width = max(len(command.name) for command in COMMANDS)
    lines += [f"  {command.name:<{width}}  {command.help}" for command in COMMANDS]
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
    if "RUN" in command.usage.split() or "RUN…" in command.usage.split():
        lines += ["", *_wrapped(_RUNS)]
    return "\n".join(lines)


def _options(options: Sequence[Option]) -> list[str]:
    heads = [
        (f"{option.short}, " if option.short else "    ") + f"{option.flag} {option.metavar}".rstrip()
        for option in options
    ]
    width = max(map(len, heads))
    return [f"  {head:<{width}}  {option.help}" for head, option in zip(heads, options, strict=True)]


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 78)
