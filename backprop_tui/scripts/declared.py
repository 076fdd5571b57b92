"""Which flags a script declares, by its syntax tree (argparse, click, typer, optparse)."""

from __future__ import annotations

import ast

_ARGPARSE = frozenset({"add_argument", "add_option"})
_WHOLE = frozenset({"int", "INT"})
_NUMBERS = frozenset({"--max-minutes", "--checkpoint-every-seconds"})
_FRAMEWORKS = frozenset({"pytorch", "tensorflow"})
_CLICK = frozenset({"option", "Option", "argument", "Argument"})


def declared_flags(tree: ast.Module, flags: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of `flags` that the script's own command line surely takes, and of these those for whole numbers only.

    A flag of a subcommand does not count: in front of the subcommand's name the script would refuse it. Nor does
    one that takes no value, several, or none of the values that backprop has for it.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    owners = {_receiver(call) for call in calls if _name(call.func) == "add_subparsers"}
    has_click_commands = _has_click_commands(tree)
    found: set[str] = set()
    whole: set[str] = set()
    for call in calls:
        name = _name(call.func)
        is_main_parser = name in _ARGPARSE and (not owners or (_receiver(call) or None) in owners)
        if is_main_parser or (name in _CLICK and not has_click_commands):
            named = {text for arg in call.args if (text := _text(arg)) and _takes_value(call, text)}
            found |= named
            if _type(call) in _WHOLE:
                whole |= named
    taken = tuple(flag for flag in flags if flag in found)
    return taken, tuple(flag for flag in taken if flag in whole)


def _takes_value(call: ast.Call, flag: str) -> bool:
    """Whether this declaration takes one value of the kind that backprop has for the flag."""
    words = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    action, count = words.get("action"), words.get("nargs")
    if action is not None and _text(action) != "store":
        return False
    if count is not None and not (isinstance(count, ast.Constant) and count.value in (None, 1, "?")):
        return False
    if "is_flag" in words or "multiple" in words or _type(call) == "bool":
        return False
    choices = words.get("choices")
    if choices is not None:
        items = choices.elts if isinstance(choices, (ast.List, ast.Tuple, ast.Set)) else []
        return flag == "--framework" and {_text(item) for item in items} >= _FRAMEWORKS
    return flag in _NUMBERS or _type(call) not in {*_WHOLE, "float", "FLOAT"}


def _type(call: ast.Call) -> str:
    kind = next((keyword.value for keyword in call.keywords if keyword.arg == "type"), None)
    return _name(kind) if kind is not None else ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _receiver(call: ast.Call) -> str:
    """Whose method is called, such as self.parser; empty where no plain name says it."""
    if not isinstance(call.func, ast.Attribute):
        return ""
    words: list[str] = []
    node = call.func.value
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(words))) if isinstance(node, ast.Name) else ""


def _has_click_commands(tree: ast.Module) -> bool:
    """Whether click or typer will want the name of a command first."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
            names += [_name(decorator) for decorator in decorators]
    return "group" in names or names.count("command") > 1
