"""Reads a command line. Options may stand before and after the other words; behind `--` all is the script's.

argparse needs 5 ms to build the options of `run`, a fifth of what a run may cost over its script.
"""

from __future__ import annotations

from backprop_tui.errors import UsageError
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Option(Frozen):
    """One option of one or all commands."""

    name: str
    """Where its value goes."""
    flag: str
    help: str
    short: str = ""
    metavar: str = ""
    """Empty for an option without a value."""
    repeats: bool = False
    optional: Callable[[str], bool] | None = None
    """Whether a following word is its value, for an option that may stand alone."""


class Command(Frozen):
    """What a command takes."""

    name: str
    help: str
    usage: str
    options: tuple[Option, ...] = ()
    words: tuple[int, int | None] = (0, 0)
    """How many words it takes at least and at most."""
    takes_rest: bool = False
    """Whether words of the script may follow behind `--`."""
    epilog: str = ""

    @property
    def takes_runs(self) -> bool:
        """Whether its words name runs."""
        return any(word.strip("[]…") == "RUN" for word in self.usage.split())


class Parsed:
    """A command line that was understood."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.words: list[str] = []
        self.rest: list[str] | None = None
        """What stands behind `--`; None without one."""
        self.values: dict[str, Any] = {}

    def flag(self, name: str) -> bool:
        """Whether an option without a value was given."""
        return bool(self.values.get(name))

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        return list(self.values.get(name, ()))


def command_of(argv: Sequence[str], options: Sequence[Option]) -> str:
    """The command's name: the first word that is neither an option nor an option's value; "" if there is none."""
    known = _by_flag(options)
    words = iter(argv)
    for word in words:
        if word == "--":
            return ""
        if not word.startswith("-") or word == "-":
            return word
        option = known.get(word)
        if option is not None and option.metavar and option.optional is None:
            next(words, None)
    return ""


def parse_arguments(argv: Sequence[str], command: Command, options: Sequence[Option]) -> Parsed:
    """Read the words of a command.

    Args:
        argv: everything behind the program's name.
        command: the command in it.
        options: those that every command takes.

    Raises:
        UsageError: an unknown option (with the nearest known one), a value or word too many or too few.
    """
    parsed = Parsed(command.name)
    head = list(argv)
    if "--" in head:
        at = head.index("--")
        head, parsed.rest = head[:at], head[at + 1 :]
    known = _by_flag((*options, *command.options))
    todo = _unbundled(head, known)
    has_seen_name = False
    while todo:
        word = todo.pop(0)
        if _is_option(word):
            _take_option(word, todo, known, parsed, command)
        elif not has_seen_name and word == command.name:
            has_seen_name = True
        else:
            parsed.words.append(word)
    if parsed.rest is not None and not command.takes_rest:
        parsed.words += parsed.rest
        parsed.rest = None
    if not parsed.flag("help") and not parsed.flag("version"):
        _check_words(parsed, command)
    return parsed


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-" and word[1] not in "0123456789."


def _by_flag(options: Sequence[Option]) -> dict[str, Option]:
    known = {option.flag: option for option in options}
    known |= {option.short: option for option in options if option.short}
    return known


def _unbundled(words: list[str], known: dict[str, Option]) -> list[str]:
    """-qd as -q -d, and -m5 as -m 5."""
    out: list[str] = []
    for word in words:
        if len(word) > 2 and _is_option(word) and word[1] != "-" and word not in known:
            out += _unbundle(word, known)
        else:
            out.append(word)
    return out


def _unbundle(word: str, known: dict[str, Option]) -> list[str]:
    out: list[str] = []
    for n, letter in enumerate(word[1:], start=1):
        option = known.get("-" + letter)
        if option is None:
            return [word]
        if option.metavar:
            value = word[n + 1 :].removeprefix("=")
            return [*out, f"{option.flag}={value}"] if value else [*out, option.flag]
        out.append(option.flag)
    return out


def _take_option(word: str, todo: list[str], known: dict[str, Option], parsed: Parsed, command: Command) -> None:
    flag, equals, value = word.partition("=")
    option = known.get(flag)
    if option is None:
        raise _unknown(flag, known, command)
    if not option.metavar:
        if equals:
            raise UsageError(f"{flag} takes no value, but {value!r} was given")
        parsed.values[option.name] = True
        return
    if not equals:
        if option.optional is not None and not (todo and option.optional(todo[0])):
            parsed.values[option.name] = True
            return
        if not todo:
            raise UsageError(f"{flag} needs a value: {flag} {option.metavar}")
        value = todo.pop(0)
    if option.repeats:
        parsed.values.setdefault(option.name, []).append(value)
    else:
        parsed.values[option.name] = value


def _unknown(flag: str, known: dict[str, Option], command: Command) -> UsageError:
    import difflib

    # Without the dashes, which all have in common.
    names = [name[2:] for name in known if name.startswith("--")]
    near = difflib.get_close_matches(flag.lstrip("-"), names, n=1, cutoff=0.6)
    hints = [f"did you mean --{near[0]}?"] if near else []
    if command.takes_rest:
        hints.append(f"what belongs to the script goes behind --: {command.usage}")
    program = f"backprop {command.name}".strip()
    return UsageError(f"unknown option {flag} of {program}", hint=" ".join(hints) or f"see: {program} --help")


def _check_words(parsed: Parsed, command: Command) -> None:
    least, most = command.words
    if len(parsed.words) < least and not (command.name == "run" and parsed.rest):
        wanted = [word for word in command.usage.split() if word.rstrip("…").isupper()]
        missing = " and ".join(word.rstrip("…") for word in wanted[len(parsed.words) : least])
        raise UsageError(f"backprop {command.name} needs {missing}", hint=f"usage: {command.usage}")
    if most is not None and len(parsed.words) > most:
        extra = " ".join(parsed.words[most:])
        if command.takes_rest:
            raise UsageError(
                f"arguments without -- before them: {extra}",
                hint=f"what belongs to the script goes behind --: {command.usage}",
            )
        raise UsageError(f"too many words: {extra}", hint=command.usage)
