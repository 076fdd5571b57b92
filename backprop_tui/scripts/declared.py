"""Which options a script declares, by the syntax trees of its sources."""

from __future__ import annotations

from backprop_tui.scripts.commands import decorated_options, signature_options
from backprop_tui.scripts.fields import field_options, library_options
from backprop_tui.scripts.keys import constant_options, hydra_options
from backprop_tui.scripts.options import OPTIONAL, VALUE
from backprop_tui.scripts.parsers import absl_options, argparse_options, argv_options, docopt_options
from backprop_tui.scripts.syntax import Code

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from backprop_tui.scripts.options import Option

MAX_OPTIONS = 2000
_WHOLE = frozenset({"int", "INT"})
_NUMBERS = frozenset({"--max-minutes", "--checkpoint-every-seconds"})
_NOT_TEXT = frozenset({*_WHOLE, "float", "FLOAT", "bool"})
_FRAMEWORKS = frozenset({"pytorch", "tensorflow"})
_OWN = frozenset({"argparse", "click", "typer"})
"""Parsers that the flags of backprop are looked for in: what they declare is surely taken."""


def declared_options(codes: Sequence[Code]) -> tuple[Option, ...]:
    """Everything that the command line of a script takes, as far as its sources say; the script comes first."""
    found: dict[tuple[tuple[str, ...], str], Option] = {}
    for code in codes:
        for read in (
            argparse_options,
            decorated_options,
            signature_options,
            absl_options,
            constant_options,
            hydra_options,
            docopt_options,
            argv_options,
        ):
            for option in read(code):
                found.setdefault((option.names, option.command), option)
    for option in (*field_options(codes), *library_options(codes)):
        found.setdefault((option.names, option.command), option)
    return tuple(found.values())[:MAX_OPTIONS]


def declared_flags(tree: ast.Module, flags: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of `flags` that the script's own command line surely takes, and of these those for whole numbers only.

    A flag of a subcommand does not count: in front of the subcommand's name the script would refuse it. Nor does
    one that takes no value, several, or none of the values that backprop has for it.
    """
    code = Code(tree)
    found: set[str] = set()
    whole: set[str] = set()
    for option in (*argparse_options(code), *decorated_options(code)):
        if option.command or option.source not in _OWN:
            continue
        named = {flag for flag in option.names if flag in flags and _takes_value(option, flag)}
        found |= named
        if option.type in _WHOLE:
            whole |= named
    taken = tuple(flag for flag in flags if flag in found)
    return taken, tuple(flag for flag in taken if flag in whole)


def _takes_value(option: Option, flag: str) -> bool:
    """Whether it takes one value of the kind that backprop has for the flag."""
    if option.takes not in (VALUE, OPTIONAL) or option.type == "bool":
        return False
    if option.choices:
        return flag == "--framework" and set(option.choices) >= _FRAMEWORKS
    return flag in _NUMBERS or option.type not in _NOT_TEXT
