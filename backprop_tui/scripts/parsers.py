"""Options declared by calls: argparse, optparse, absl flags; and those that a script looks for in sys.argv itself."""

from __future__ import annotations

import ast

from backprop_tui.scripts.options import NOTHING, OPTIONAL, VALUE, VALUES, Option
from backprop_tui.scripts.syntax import (
    default_text,
    dotted,
    keyword,
    name_of,
    receiver,
    text_of,
    texts_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backprop_tui.scripts.syntax import Code

_SWITCHES = frozenset(
    {"store_true", "store_false", "store_const", "append_const", "count", "help", "version", "BooleanOptionalAction"}
)
_SEVERAL = frozenset({"append", "extend"})
_GROUPS = frozenset({"add_argument_group", "add_mutually_exclusive_group", "add_option_group", "OptionGroup"})
_ABSL = {
    "DEFINE_string": VALUE,
    "DEFINE_integer": VALUE,
    "DEFINE_float": VALUE,
    "DEFINE_enum": VALUE,
    "DEFINE_bool": OPTIONAL,
    "DEFINE_boolean": OPTIONAL,
    "DEFINE_list": VALUE,
}
_ABSL_TYPES = {"DEFINE_integer": "int", "DEFINE_float": "float", "DEFINE_bool": "bool", "DEFINE_boolean": "bool"}


class Parsers:
    """Which parser a name stands for: the main one, a subcommand's, or a group of either."""

    def __init__(self, code: Code) -> None:
        self._main = {receiver(call) for call in code.called("add_subparsers")}
        self._group_of: dict[str, str] = {}
        self._command_of: dict[str, str] = {}
        for name, value in code.assigned:
            if not isinstance(value, ast.Call):
                continue
            made_by = name_of(value.func)
            if made_by in _GROUPS:
                self._group_of[name] = receiver(value) or (dotted(value.args[0]) if value.args else "")
            elif made_by == "add_parser":
                self._command_of[name] = text_of(value.args[0]) if value.args else "?"

    @property
    def has_commands(self) -> bool:
        return bool(self._main)

    def command_of(self, call: ast.Call) -> str:
        """The subcommand that takes the option which this call adds."""
        if not self._main:
            return ""
        owner = receiver(call)
        for _ in range(4):
            owner = self._group_of.get(owner, owner)
        if owner in self._command_of:
            return self._command_of[owner]
        if owner and owner in self._main:
            return ""
        made = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(made, ast.Call) and name_of(made.func) == "add_parser" and made.args:
            return text_of(made.args[0]) or "?"
        return "?"


def argparse_options(code: Code) -> Iterator[Option]:
    """What add_argument and add_option declare."""
    parsers = Parsers(code)
    for call in code.called("add_argument", "add_option"):
        names = tuple(text for arg in call.args if (text := text_of(arg)).startswith("-") and text.strip("-"))
        if not names:
            continue
        command = parsers.command_of(call)
        kind = name_of(keyword(call, "type")) or text_of(keyword(call, "type"))
        yield Option(
            names=names,
            takes=_takes(call),
            choices=_choices(keyword(call, "choices")),
            type=kind or ("?" if keyword(call, "type") is not None else ""),
            default=default_text(keyword(call, "default")),
            help=text_of(keyword(call, "help")),
            command=command,
            is_front=parsers.has_commands and not command,
            source="argparse",
        )


def _choices(node: ast.expr | None) -> tuple[str, ...]:
    """What a value may be; a question mark where that is computed."""
    return texts_of(node) or (() if node is None else ("?",))


def _takes(call: ast.Call) -> str:
    action = keyword(call, "action")
    said = text_of(action) or (name_of(action) if action is not None else "store")
    count = keyword(call, "nargs")
    if said in _SWITCHES:
        return NOTHING
    number = count.value if isinstance(count, ast.Constant) else None if count is None else "?"
    if number == "?" and isinstance(count, ast.Constant):
        return OPTIONAL
    return VALUES if said in _SEVERAL or number not in (None, 1) else VALUE


def absl_options(code: Code) -> Iterator[Option]:
    """What absl's (and TensorFlow 1's) DEFINE_ calls declare."""
    for call in code.called(*_ABSL):
        name = text_of(call.args[0]) if call.args else text_of(keyword(call, "name"))
        if not name:
            continue
        kind = name_of(call.func)
        choices = call.args[2] if kind == "DEFINE_enum" and len(call.args) > 2 else keyword(call, "enum_values")
        place = 3 if kind == "DEFINE_enum" else 2
        yield Option(
            names=(f"--{name}",),
            takes=_ABSL[kind],
            choices=texts_of(choices),
            type=_ABSL_TYPES.get(kind, "str"),
            default=default_text(call.args[1] if len(call.args) > 1 else keyword(call, "default")),
            help=text_of(call.args[place] if len(call.args) > place else keyword(call, "help")),
            source="absl",
        )


def argv_options(code: Code) -> Iterator[Option]:
    """What a script looks for in sys.argv by itself, or by getopt."""
    for node in code.nodes:
        is_look = isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In)
        if isinstance(node, ast.Compare) and is_look and _is_argv(node.comparators[0]):
            name = text_of(node.left)
            if name.startswith("-") and name.strip("-"):
                yield Option(names=(name,), takes=NOTHING, source="sys.argv")
    for call in code.calls:
        name = text_of(call.args[0]) if call.args else ""
        method = name_of(call.func)
        if method == "index" and _is_argv_name(receiver(call)) and name.startswith("-"):
            yield Option(names=(name,), takes=VALUE, source="sys.argv")
        elif method in ("startswith", "removeprefix") and name.startswith("--") and name.endswith("="):
            yield Option(names=(name[:-1],), needs_equals=True, source="sys.argv")
        elif method in ("getopt", "gnu_getopt") and len(call.args) > 2:
            for text in texts_of(call.args[2]):
                takes = VALUE if text.endswith("=") else NOTHING
                yield Option(names=(f"--{text.rstrip('=')}",), takes=takes, source="getopt")


def _is_argv(node: ast.expr) -> bool:
    return _is_argv_name(dotted(node.value if isinstance(node, ast.Subscript) else node))


def _is_argv_name(name: str) -> bool:
    return name.rpartition(".")[2] in ("argv", "args")


def docopt_options(code: Code) -> Iterator[Option]:
    """What the usage in a docstring says, where docopt reads it."""
    if not code.imports("docopt"):
        return
    import re

    text = ast.get_docstring(code.tree) or ""
    for line in text[:20_000].splitlines():
        for name, value in re.findall(r"(--[A-Za-z][\w-]*)((?:[= ](?:<[\w-]+>|[A-Z_]{2,}))?)", line):
            yield Option(names=(name,), takes=VALUE if value else NOTHING, source="docopt")
