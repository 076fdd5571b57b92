"""One option of a script's command line."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

VALUE, NOTHING, OPTIONAL, VALUES = "value", "nothing", "optional", "values"


class Option(Frozen):
    """What a script declares: how it is called and what it takes."""

    names: tuple[str, ...]
    """As typed, such as --resume and -r; without dashes where the command line has the form key=value."""
    takes: str = VALUE
    """value, nothing (a switch), optional (a switch that may be given a value), values (several)."""
    needs_equals: bool = False
    """Its value must stand behind an equals sign."""
    choices: tuple[str, ...] = ()
    """What its value may be, as far as that is written out; a question mark where it is computed."""
    type: str = ""
    """As the source names it: str, Path, int, bool, …; "" where it says nothing."""
    default: str | None = None
    """A literal default; None for none, for null, and for what is computed."""
    help: str = ""
    command: str = ""
    """The subcommand that takes it, "" for the script itself, "?" where that cannot be told."""
    is_front: bool = False
    """It must stand in front of a subcommand's name."""
    source: str = ""
    """Who reads it: argparse, click, HfArgumentParser, LightningCLI, hydra, …"""

    @property
    def name(self) -> str:
        """The name to show and to use: the first long one."""
        return next((name for name in self.names if name.startswith("--")), self.names[0])

    @property
    def keys(self) -> tuple[str, ...]:
        """Its names in one form: resume-from for --resume_from."""
        return tuple(key_of(name) for name in self.names)


def key_of(name: str) -> str:
    """A name in one form, whatever joins its words and whatever tables it lies in."""
    return name.lstrip("-+").rpartition(".")[2].replace("_", "-").lower()
