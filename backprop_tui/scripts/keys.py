"""Options of the form key=value: a module's own constants (as nanoGPT reads them), and Hydra's configuration files."""

from __future__ import annotations

import ast
import os

from backprop_tui.scripts.modules import head
from backprop_tui.scripts.options import VALUE, Option
from backprop_tui.scripts.syntax import is_true, keyword, name_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backprop_tui.scripts.syntax import Code

_CONSTANTS = (bool, int, float, str)
_MAX_YAML = 200_000
_MAX_KEYS = 500


def constant_options(code: Code) -> Iterator[Option]:
    """The constants of a module that lets words such as --batch_size=8 replace them."""
    if not _replaces_its_constants(code):
        return
    compared = _compared_with(code)
    for node in code.tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        value = node.value.value
        for target in node.targets:
            if isinstance(target, ast.Name) and type(value) in _CONSTANTS and not target.id.startswith("_"):
                yield Option(
                    names=(f"--{target.id}",),
                    takes=VALUE,
                    needs_equals=True,
                    choices=tuple(compared.get(target.id, ())),
                    type=type(value).__name__,
                    default=str(value),
                    source="configurator",
                )


def _replaces_its_constants(code: Code) -> bool:
    for call in code.called("exec"):
        if any(isinstance(node, ast.Constant) and _is_configurator(node.value) for node in ast.walk(call)):
            return True
    # The same, written out: a loop over sys.argv that stores into globals().
    stores = any(
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Call)
        and name_of(node.value.func) == "globals"
        for node in code.nodes
    )
    return stores and any(isinstance(node, ast.Attribute) and node.attr == "argv" for node in code.nodes)


def _is_configurator(value: object) -> bool:
    return isinstance(value, str) and os.path.basename(value) == "configurator.py"


def _compared_with(code: Code) -> dict[str, list[str]]:
    """The texts that a name is compared with: what it may be."""
    found: dict[str, list[str]] = {}
    for node in code.nodes:
        if not isinstance(node, ast.Compare) or not isinstance(node.left, ast.Name):
            continue
        for other in node.comparators:
            if text := text_of(other):
                found.setdefault(node.left.id, []).append(text)
    return found


def hydra_options(code: Code) -> Iterator[Option]:
    """The keys of the configuration that @hydra.main names."""
    if not code.imports("hydra"):
        return
    for call in code.called("main"):
        name = text_of(keyword(call, "config_name")) or (text_of(call.args[1]) if len(call.args) > 1 else "")
        folder = text_of(keyword(call, "config_path")) or (text_of(call.args[0]) if call.args else "")
        if not name:
            continue
        place = os.path.join(os.path.dirname(code.path), folder)
        for key, value in _yaml_keys(os.path.join(place, name.removesuffix(".yaml") + ".yaml")):
            yield Option(
                names=(key,),
                needs_equals=True,
                type="bool" if value in ("true", "false", "True", "False") else "",
                default=None if value in ("", "null", "~", "None", "???") else value,
                source="hydra",
            )


def _yaml_keys(path: str) -> Iterator[tuple[str, str]]:
    """Dotted keys and plain values of block mappings; enough for a configuration's scalars."""
    parents: list[tuple[int, str]] = []
    count = 0
    for line in head(path, _MAX_YAML).decode("utf-8", "replace").splitlines():
        text = line.split(" #", 1)[0].rstrip()
        key, colon, value = text.strip().partition(":")
        if not colon or key.startswith(("#", "-")) or not key.replace("_", "a").replace("-", "a").isalnum():
            continue
        indent = len(text) - len(text.lstrip())
        while parents and parents[-1][0] >= indent:
            parents.pop()
        name = ".".join([*(parent for _, parent in parents), key])
        parents.append((indent, key))
        if len(parents) <= 4 and count < _MAX_KEYS:
            count += 1
            yield name, value.strip().strip("'\"")


def sets_true(code: Code, name: str) -> bool:
    """Whether a call gives this name the value True."""
    return any(is_true(keyword(call, name)) for call in code.calls)
