"""Reads a training script's source: its framework, and which of backprop's flags it declares."""

from __future__ import annotations

import os
import re
import stat

from backprop_tui.errors import UsageError
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

FLAGS = ("--run-id", "--max-minutes", "--framework", "--checkpoint-every-seconds", "--resume-from")
"""What backprop can tell a script that declares it."""
MAX_SOURCE = 2 * 1024 * 1024
MAX_MODULES = 20

_FRAMEWORKS = {
    "pytorch": (
        "torch lightning pytorch_lightning transformers accelerate fastai timm ultralytics stable_baselines3 "
        "torchvision torchtune composer detectron2 mmengine trl peft diffusers"
    ),
    "tensorflow": "tensorflow keras tf_keras",
    "jax": "jax flax optax equinox haiku orbax",
}
_BY_MODULE = {module: name for name, modules in _FRAMEWORKS.items() for module in modules.split()}
_IMPORT = rb"(?m)^[ \t]*(?:import|from)[ \t]+([A-Za-z_][A-Za-z0-9_]*)"
_MORE = rb"(?m)^[ \t]*import[ \t]+[^\n#]*,[^\n#]*"
_WORD = rb"[A-Za-z_][A-Za-z0-9_.]*"
_DECLARERS = frozenset({"add_argument", "add_option", "option", "Option", "argument", "Argument", "DEFINE_string"})


class ScriptFacts(Frozen):
    """What a script's source says."""

    framework: str = "unknown"
    """pytorch, tensorflow, jax or unknown."""
    declared_flags: tuple[str, ...] = ()


def check_script(path: str, cwd: str) -> str:
    """A script's absolute path.

    Raises:
        UsageError: it is missing, a folder, or cannot be read.
    """
    absolute = os.path.normpath(os.path.join(cwd, path))
    try:
        info = os.stat(absolute)
    except FileNotFoundError:
        raise UsageError(f"no such script: {path}", hint=_neighbours(absolute)) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the script {path}: {error}") from None
    if stat.S_ISDIR(info.st_mode):
        raise UsageError(f"{path} is a folder, not a script", hint=_scripts_in(absolute))
    if not stat.S_ISREG(info.st_mode):
        raise UsageError(f"{path} is no file")
    if not os.access(absolute, os.R_OK):
        raise UsageError(f"cannot read the script {path}: permission denied", hint=f"chmod u+r {path}")
    return absolute


def read_script(path: str) -> ScriptFacts:
    """What the source tells; a script that cannot be understood tells nothing."""
    source = _read(path)
    if source is None:
        return ScriptFacts()
    framework = _framework(source) or _framework_of_modules(source, os.path.dirname(path))
    flags = tuple(flag for flag in FLAGS if flag.encode() in source)
    return ScriptFacts(framework=framework or "unknown", declared_flags=_declared(source, flags) if flags else ())


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_SOURCE)
    except OSError:
        return None


def _imports(source: bytes) -> Iterator[str]:
    if b"import" not in source:
        return
    for found in re.finditer(_IMPORT, source):
        yield found[1].decode("ascii")
    for found in re.finditer(_MORE, source):
        for word in re.findall(_WORD, found[0]):
            yield word.decode("ascii").partition(".")[0]


def _framework(source: bytes) -> str | None:
    return next((_BY_MODULE[name] for name in _imports(source) if name in _BY_MODULE), None)


def _framework_of_modules(source: bytes, folder: str) -> str | None:
    """The framework that the project's own modules beside the script import."""
    for name in list(dict.fromkeys(_imports(source)))[:MAX_MODULES]:
        for file in (f"{name}.py", os.path.join(name, "__init__.py")):
            inner = _read(os.path.join(folder, file))
            if inner is not None and (found := _framework(inner)):
                return found
    return None


def _declared(source: bytes, candidates: tuple[str, ...]) -> tuple[str, ...]:
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        found = {text for call in ast.walk(tree) if isinstance(call, ast.Call) for text in _declares(call)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(flag for flag in candidates if flag in found)


def _declares(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    if name in _DECLARERS:
        for argument in call.args:
            value = getattr(argument, "value", None)
            if isinstance(value, str):
                yield value


def _neighbours(path: str) -> str:
    """Names in the same folder that a person may have meant."""
    import difflib

    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return f"there is no folder {folder}"
    try:
        names = [name for name in sorted(os.listdir(folder))[:1000] if name.endswith((".py", ".sh"))]
    except OSError:
        return "check the path"
    near = difflib.get_close_matches(os.path.basename(path), names, n=3, cutoff=0.5) or names[:3]
    return "did you mean " + ", ".join(near) + "?" if near else f"there is no script in {folder}"


def _scripts_in(folder: str) -> str:
    try:
        names = [name for name in sorted(os.listdir(folder))[:1000] if name.endswith(".py")]
    except OSError:
        return "name a script"
    return "name a script in it, such as " + ", ".join(names[:3]) if names else "there is no script in it"
