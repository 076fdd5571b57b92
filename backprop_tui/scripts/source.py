"""Reads what a script says of itself: its framework, and which of backprop's flags it declares.

Cheap looks at the bytes come first: most scripts are told apart from a training without being parsed.
"""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.paths import RUN_VARIABLES
from backprop_tui.scripts.modules import HEAD_BYTES, head, imported_modules, imports_in_lines, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

FLAGS = ("--run-id", "--max-minutes", "--framework", "--checkpoint-every-seconds", "--resume-from")
"""What backprop can tell a script that declares it."""
UNKNOWN = "unknown"

_RULES: tuple[tuple[str, frozenset[str]], ...] = (
    # JAX and PyTorch trainings often load their data with TensorFlow or torch; the other way is rare.
    ("jax", frozenset({"jax", "flax", "optax", "equinox", "haiku"})),
    (
        "pytorch",
        frozenset(
            {
                "torch",
                "torchvision",
                "lightning",
                "pytorch_lightning",
                "accelerate",
                "fastai",
                "timm",
                "ultralytics",
                "stable_baselines3",
            }
        ),
    ),
    ("tensorflow", frozenset({"tensorflow", "keras"})),
    ("pytorch", frozenset({"transformers"})),  # trains with TensorFlow too, if that is imported
)
_WORDS = tuple(module.encode() for _, modules in _RULES for module in sorted(modules))


class ScriptFacts(Frozen):
    """What a script's source says."""

    framework: str
    """pytorch, tensorflow, jax or unknown."""
    declared_flags: tuple[str, ...]
    """Those of `FLAGS` that it declares, in their order."""
    whole_number_flags: tuple[str, ...]
    """Those of them that take nothing else."""
    reads_variables: tuple[str, ...]
    """Those of the variables told to trainings that its text mentions."""


def read_script(path: str) -> ScriptFacts:
    """What the script at `path` says of itself; what cannot be read or parsed says nothing. Never raises."""
    data = head(path, HEAD_BYTES)
    flags_named = any(flag.encode() in data for flag in FLAGS)
    tree = parsed(data) if flags_named or _names_framework(data) else None
    flags: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    if tree is not None and flags_named:
        from backprop_tui.scripts.declared import declared_flags

        flags, whole = declared_flags(tree, FLAGS)
    return ScriptFacts(
        framework=_framework(data, tree) or _framework_of_modules(path, data) or UNKNOWN,
        declared_flags=flags,
        whole_number_flags=whole,
        reads_variables=tuple(name for name in RUN_VARIABLES if name.encode() in data),
    )


def _names_framework(data: bytes) -> bool:
    return any(word in data for word in _WORDS)


def _framework(data: bytes, tree: ast.Module | None) -> str:
    """The framework whose modules a source imports, empty if none."""
    if not _names_framework(data):
        return ""
    found = _imports_in_tree(tree) if tree is not None else imports_in_lines(data, indented=False)
    tops = {module.partition(".")[0] for module in found}
    return next((framework for framework, modules in _RULES if tops & modules), "")


def _imports_in_tree(tree: ast.Module) -> Iterator[str]:
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _framework_of_modules(path: str, data: bytes) -> str:
    """The framework that the project's own modules, imported by the script, import."""
    for module in imported_modules(path, data):
        if framework := _framework(module, parsed(module) if _names_framework(module) else None):
            return framework
    return ""
