"""A script's syntax tree, gathered in one walk, and small questions about its parts."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

MAX_TEXT = 200
"""Longer constants are prose."""
_DEPTH = 6
_WRAPPERS = frozenset({"Optional", "Annotated", "Final", "Required", "NotRequired", "Maybe"})
_MANY = frozenset({"List", "list", "Sequence", "Tuple", "tuple", "Set", "set", "Iterable", "FrozenSet", "frozenset"})


class Code:
    """One source, and what is in it."""

    def __init__(self, tree: ast.Module, path: str = "") -> None:
        self.tree = tree
        self.path = path
        self.calls: list[ast.Call] = []
        self.functions: list[Function] = []
        self.classes: dict[str, ast.ClassDef] = {}
        self.assigned: list[tuple[str, ast.expr]] = []
        """Dotted names and what is assigned to them."""
        self.imported: dict[str, str] = {}
        """Where a name comes from, such as TA: transformers.TrainingArguments."""
        self.words: set[str] = set()
        """Short texts."""
        self.nodes: list[ast.AST] = list(ast.walk(tree))
        for node in self.nodes:
            self._take(node)

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self.calls.append(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.functions.append(node)
        elif isinstance(node, ast.ClassDef):
            self.classes.setdefault(node.name, node)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and len(node.value) <= MAX_TEXT:
                self.words.add(node.value)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None:
                self.assigned += [(dotted(target), node.value) for target in targets]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            package = f"{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                self.imported[(alias.asname or alias.name).partition(".")[0]] = package + alias.name

    def imports(self, *tops: str) -> bool:
        """Whether one of these packages is imported."""
        return any(origin.partition(".")[0] in tops for origin in self.imported.values())

    def called(self, *names: str) -> Iterator[ast.Call]:
        """The calls of functions or methods of these names."""
        return (call for call in self.calls if name_of(call.func) in names)


def name_of(node: ast.expr | None) -> str:
    """The last part of a name: b for a.b; "" for what is no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.expr) -> str:
    """A whole name such as self.parser; "" for what is no plain name."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(words))) if isinstance(node, ast.Name) else ""


def receiver(call: ast.Call) -> str:
    """Whose method is called; "" where no plain name says it."""
    return dotted(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def text_of(node: ast.expr | None) -> str:
    """A text constant, "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """What is given by this name."""
    return next((word.value for word in call.keywords if word.arg == name), None)


def is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def items_of(node: ast.expr | None) -> list[ast.expr]:
    """The items of a list, tuple or set; what is none of these alone."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    return [] if node is None else [node]


def texts_of(node: ast.expr | None) -> tuple[str, ...]:
    """A literal list of texts and numbers, as they are typed on a command line; () for anything else."""
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return ()
    values = [item.value for item in node.elts if isinstance(item, ast.Constant)]
    return tuple(str(value) for value in values) if len(values) == len(node.elts) else ()


def default_text(node: ast.expr | None) -> str | None:
    """A literal default as text; None where there is none, or where it is computed."""
    if not isinstance(node, ast.Constant) or node.value is None or node.value is ...:
        return None
    return str(node.value)


def type_of(node: ast.expr | None, depth: int = 0) -> tuple[str, tuple[str, ...]]:
    """The type that an annotation means, without None: its name ("list" for several) and its choices."""
    if node is None or depth > _DEPTH:
        return "", ()
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _type_in(node.value, depth)
    if isinstance(node, ast.BinOp):
        return type_of(node.right if _is_none(node.left) else node.left, depth + 1)
    if not isinstance(node, ast.Subscript):
        return name_of(node), ()
    outer, inner = name_of(node.value), items_of(node.slice)
    if outer == "Literal":
        return "Literal", tuple(str(item.value) for item in inner if isinstance(item, ast.Constant))
    if outer in _MANY:
        return "list", ()
    if outer in _WRAPPERS or outer == "Union":
        first = next((item for item in inner if not _is_none(item)), None)
        return type_of(first, depth + 1)
    return outer, ()


def _type_in(text: str, depth: int) -> tuple[str, tuple[str, ...]]:
    if len(text) > MAX_TEXT:
        return "", ()
    try:
        return type_of(ast.parse(text, mode="eval").body, depth + 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "", ()


def _is_none(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or name_of(node) == "NoneType"


def likeness(node: ast.expr, depth: int = 0) -> str:
    """The same text for expressions that mean the same place; "" for what is too involved to tell."""
    if name := dotted(node):
        return name
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if depth > _DEPTH:
        return ""
    if isinstance(node, ast.Call) and not node.keywords:
        parts = [likeness(node.func, depth + 1), *(likeness(arg, depth + 1) for arg in node.args)]
        return f"{parts[0]}({','.join(parts[1:])})" if all(parts) else ""
    if isinstance(node, ast.BinOp):
        parts = [likeness(node.left, depth + 1), likeness(node.right, depth + 1)]
        return type(node.op).__name__.join(parts) if all(parts) else ""
    if isinstance(node, ast.Attribute):
        inner = likeness(node.value, depth + 1)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def names_in(nodes: Iterable[ast.AST]) -> set[str]:
    """The last parts of all names used in these."""
    return {name_of(node) for root in nodes for node in ast.walk(root) if isinstance(node, (ast.Name, ast.Attribute))}
