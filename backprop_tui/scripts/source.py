"""Reads what a script says of itself: its framework, and which of backprop's flags it declares.

Cheap looks at the bytes come first: most scripts are told apart from a training without being parsed.
"""

from __future__ import annotations

import os
import stat

from backprop_tui.frozen import Frozen
from backprop_tui.paths import RUN_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

FLAGS = ("--run-id", "--max-minutes", "--framework", "--checkpoint-every-seconds", "--resume-from")
"""What backprop can tell a script that declares it."""
UNKNOWN = "unknown"
HEAD_BYTES = 2_000_000
PARSED_BYTES = 500_000
"""Longer sources are only looked at line by line: a syntax tree takes 200 times their size."""
_MODULE_BYTES = 256_000
_MODULES = 16
"""Modules of the project that are read, of a script that does not say its framework itself."""

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
    data = _head(path, HEAD_BYTES)
    flags_named = any(flag.encode() in data for flag in FLAGS)
    tree = _parsed(data) if flags_named or _names_framework(data) else None
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


def _head(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a regular file, whole lines; nothing where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return b""
        data = b""
        while len(data) <= limit and (part := os.read(fd, limit + 1 - len(data))):
            data += part
    except OSError:
        return b""
    finally:
        os.close(fd)
    return data if len(data) <= limit else data[: data.rfind(b"\n", 0, limit) + 1]


def _names_framework(data: bytes) -> bool:
    return any(word in data for word in _WORDS)


def _parsed(data: bytes) -> ast.Module | None:
    if len(data) > PARSED_BYTES:
        return None
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the script's own escapes; its interpreter will say it
        try:
            return ast.parse(data)
        # Other versions of Python, other languages, NULs, unknown encodings, nesting without end.
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError, OverflowError):
            return None


def _framework(data: bytes, tree: ast.Module | None) -> str:
    """The framework whose modules a source imports, empty if none."""
    if not _names_framework(data):
        return ""
    found = _imports_in_tree(tree) if tree is not None else _imports_in_lines(data, indented=False)
    tops = {module.partition(".")[0] for module in found}
    return next((framework for framework, modules in _RULES if tops & modules), "")


def _imports_in_tree(tree: ast.Module) -> Iterator[str]:
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _imports_in_lines(data: bytes, *, indented: bool) -> Iterator[str]:
    """The modules that a source seems to import, seen without parsing it."""
    for line in data.replace(b";", b"\n").splitlines():
        words = (line.lstrip() if indented else line)[:1000].split(None, 2)
        if len(words) < 2 or words[0] not in (b"import", b"from"):
            continue
        text = b" ".join(words[1:]).decode("ascii", "replace").partition("#")[0]
        if words[0] == b"import":
            yield from (name.split()[0] for name in text.split(",") if name.strip())
            continue
        module, _, names = text.partition(" import ")
        if not module.startswith("."):
            yield module.strip()
            yield from (f"{module.strip()}.{n.split()[0]}" for n in names.strip("( )").split(",") if n.strip())


def _framework_of_modules(path: str, data: bytes) -> str:
    """The framework that the project's own modules, imported by the script, import."""
    if b"import" not in data:
        return ""
    folder = os.path.dirname(os.path.realpath(path))
    found = dict.fromkeys(name for name in _imports_in_lines(data, indented=True) if _is_dotted(name))
    read = 0
    for name in list(found)[: _MODULES * 8]:
        stem = os.path.join(folder, *name.split("."))
        for file in (f"{stem}.py", os.path.join(stem, "__init__.py")):
            module = _head(file, _MODULE_BYTES)
            read += bool(module)
            framework = _framework(module, _parsed(module) if _names_framework(module) else None)
            if framework or read == _MODULES:
                return framework
    return ""


def _is_dotted(name: str) -> bool:
    return len(name) < 200 and all(part.isidentifier() for part in name.split("."))
