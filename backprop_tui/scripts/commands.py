"""Options declared by decorators and signatures: click, typer, fire, and functions that become command lines."""

from __future__ import annotations

import ast

from backprop_tui.scripts.options import NOTHING, OPTIONAL, VALUE, VALUES, Option
from backprop_tui.scripts.syntax import default_text, is_true, keyword, name_of, text_of, texts_of, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backprop_tui.scripts.syntax import Code, Function

_CLICK = frozenset({"option", "Option"})
_FRONT = frozenset({"group", "callback"})
_RUNNERS = {"CLI": "jsonargparse", "auto_cli": "jsonargparse", "cli": "tyro", "Fire": "fire", "run": "typer"}
"""What makes a command line of a function: it is the first argument."""


class _Commands:
    """Which functions are commands of a click or typer program."""

    def __init__(self, code: Code) -> None:
        self.called = {id(function): _command_name(function) for function in code.functions}
        kinds = [kind for kind, _name in self.called.values()]
        self.are_several = any(kind == "group" for kind in kinds) or kinds.count("command") > 1

    def place_of(self, function: Function) -> tuple[str, bool]:
        """The subcommand's name and whether its options stand in front of it."""
        kind, name = self.called[id(function)]
        if not self.are_several:
            return "", False
        return ("", True) if kind in _FRONT else (name or "?", False)


def _command_name(function: Function) -> tuple[str, str]:
    """command, group or callback, and the name that is typed; two empty texts for any other function."""
    for decorator in function.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        kind = name_of(call.func if call else decorator)
        if kind == "default":  # cyclopts
            return "command", ""
        if kind in ("command", *_FRONT):
            given = text_of(call.args[0]) if call and call.args else text_of(keyword(call, "name")) if call else ""
            return kind, given or function.name.replace("_", "-")
    return "", ""


def decorated_options(code: Code) -> Iterator[Option]:
    """What click's and typer's options declare."""
    commands = _Commands(code)
    seen: set[int] = set()
    for function in code.functions:
        command, is_front = commands.place_of(function)
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and name_of(decorator.func) in _CLICK:
                seen.add(id(decorator))
                yield from _click_option(decorator, command, is_front=is_front)
        is_typer = commands.called[id(function)][0] != "" and code.imports("typer", "cyclopts")
        for found in _typer_options(function, seen, derives=is_typer):
            yield found.replace(command=command, is_front=is_front)
    command = "?" if commands.are_several else ""
    for call in code.called(*_CLICK):
        if id(call) not in seen:
            yield from _click_option(call, command, is_front=False)


def _click_option(call: ast.Call, command: str, *, is_front: bool) -> Iterator[Option]:
    texts = [text for arg in call.args if (text := text_of(arg)).startswith("-")]
    names = tuple(part for text in texts if (part := text.partition("/")[0].strip()).strip("-"))
    if names:
        yield Option(
            names=names,
            takes=NOTHING if any("/" in text for text in texts) else _click_takes(call),
            choices=_click_choices(call),
            type=_click_type(call),
            default=default_text(keyword(call, "default")),
            help=text_of(keyword(call, "help")),
            command=command,
            is_front=is_front,
            source="click",
        )


def _click_takes(call: ast.Call) -> str:
    flag, value = keyword(call, "is_flag"), keyword(call, "flag_value")
    if value is not None:
        return OPTIONAL if isinstance(flag, ast.Constant) and flag.value is False else NOTHING
    if is_true(flag) or is_true(keyword(call, "count")):
        return NOTHING
    if is_true(keyword(call, "multiple")):
        return VALUES
    count = keyword(call, "nargs")
    return VALUE if count is None or (isinstance(count, ast.Constant) and count.value == 1) else VALUES


def _click_type(call: ast.Call) -> str:
    kind = keyword(call, "type")
    return name_of(kind.func if isinstance(kind, ast.Call) else kind)


def _click_choices(call: ast.Call) -> tuple[str, ...]:
    kind = keyword(call, "type")
    is_choice = isinstance(kind, ast.Call) and name_of(kind.func) == "Choice" and kind.args
    return texts_of(kind.args[0]) if is_choice and isinstance(kind, ast.Call) else ()


def _typer_options(function: Function, seen: set[int], *, derives: bool) -> Iterator[Option]:
    """Of a function's parameters; `derives` also names options after them, as typer does."""
    for arg, default in parameters(function):
        call = _typer_call(arg, default)
        if call is None:
            if derives and default is not None:
                yield _derived(arg, default, "typer")
            continue
        seen.add(id(call))
        if name_of(call.func) == "Argument":
            continue
        texts = tuple(text for item in call.args if (text := text_of(item)).startswith("-"))
        names = tuple(text.partition("/")[0] for text in texts)
        kind, choices = type_of(arg.annotation)
        yield Option(
            names=names or (f"--{arg.arg.replace('_', '-')}",),
            takes=NOTHING if kind == "bool" else VALUES if kind == "list" else VALUE,
            choices=choices,
            type=kind,
            default=default_text(call.args[0] if call.args and call is default else default),
            help=text_of(keyword(call, "help")),
            source="typer",
        )


def _typer_call(arg: ast.arg, default: ast.expr | None) -> ast.Call | None:
    """The Option(…) or Argument(…) of a parameter: its default, or in its Annotated."""
    places = [default]
    if isinstance(arg.annotation, ast.Subscript) and isinstance(arg.annotation.slice, ast.Tuple):
        places += arg.annotation.slice.elts
    for place in places:
        if isinstance(place, ast.Call) and name_of(place.func) in ("Option", "Argument"):
            return place
    return None


def parameters(function: Function) -> list[tuple[ast.arg, ast.expr | None]]:
    """A function's named parameters with their defaults, without self."""
    args = [*function.args.posonlyargs, *function.args.args]
    defaults = [None] * (len(args) - len(function.args.defaults)) + list(function.args.defaults)
    pairs = [*zip(args, defaults, strict=True), *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)]
    return [(arg, default) for arg, default in pairs if arg.arg not in ("self", "cls")]


def _derived(arg: ast.arg, default: ast.expr | None, source: str) -> Option:
    kind, choices = type_of(arg.annotation)
    literal = default.value if isinstance(default, ast.Constant) else None
    if not kind and literal is not None:
        kind = type(literal).__name__
    joiner = "_" if source in ("fire", "jsonargparse") else "-"
    switch = NOTHING if source in ("typer", "tyro") else VALUE if source == "jsonargparse" else OPTIONAL
    return Option(
        names=(f"--{arg.arg.replace('_', joiner)}",),
        takes=switch if kind == "bool" else VALUES if kind == "list" and source != "fire" else VALUE,
        choices=choices,
        type=kind,
        default=default_text(default),
        source=source,
    )


def signature_options(code: Code) -> Iterator[Option]:
    """What fire, typer.run, tyro.cli and jsonargparse make of a function or a class's method."""
    by_name = {function.name: function for function in code.functions}
    for call in code.called(*_RUNNERS):
        source = _RUNNERS[name_of(call.func)]
        if not _is_runner(code, call, source):
            continue
        target = name_of(call.args[0]) if call.args else ""
        if target in by_name:
            given = parameters(by_name[target])
            yield from (_derived(arg, default, source) for arg, default in given if default or source != "typer")
        elif source == "fire":
            yield from _fire_component(code, call, target)


def _is_runner(code: Code, call: ast.Call, source: str) -> bool:
    """`run` and `cli` are names of many other things."""
    package = {"run": "typer", "cli": "tyro", "Fire": "fire"}.get(name_of(call.func), source)
    return code.imports(package)


def _fire_component(code: Code, call: ast.Call, target: str) -> Iterator[Option]:
    """A class, a dict of functions, or everything in the module: the function's name comes first."""
    functions: list[Function] = []
    if target in code.classes:
        functions = [node for node in code.classes[target].body if isinstance(node, ast.FunctionDef)]
    elif call.args and isinstance(call.args[0], ast.Dict):
        wanted = {name_of(value) for value in call.args[0].values}
        functions = [function for function in code.functions if function.name in wanted]
    elif not call.args:
        functions = [node for node in code.tree.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        is_made = function.name == "__init__"
        for arg, default in parameters(function):
            command = "" if is_made else function.name
            yield _derived(arg, default, "fire").replace(command=command, is_front=is_made)
