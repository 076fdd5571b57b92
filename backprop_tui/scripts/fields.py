"""Options made from the fields of classes: HfArgumentParser, tyro, simple_parsing, Tap; and what libraries add."""

from __future__ import annotations

import ast

from backprop_tui.scripts.options import NOTHING, OPTIONAL, VALUE, VALUES, Option
from backprop_tui.scripts.syntax import default_text, items_of, keyword, name_of, text_of, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backprop_tui.scripts.syntax import Code

_HF = frozenset({"HfArgumentParser", "TrlParser", "H4ArgumentParser"})
_READERS = {
    **dict.fromkeys(_HF, "HfArgumentParser"),
    "cli": "tyro",
    "parse": "simple_parsing",
    "add_arguments": "simple_parsing",
    "CLI": "jsonargparse",
    "auto_cli": "jsonargparse",
}
"""What reads a command line into a class: it is the first argument, or in a tuple there."""
_PACKAGES = {
    "tyro": ("tyro",),
    "simple_parsing": ("simple_parsing", "draccus", "pyrallis"),
    "jsonargparse": ("jsonargparse",),
}
_LIGHTNING = ("lightning", "pytorch_lightning")
_MAX_BASES = 20

TRAINING_ARGUMENTS = (
    Option(names=("--resume_from_checkpoint",), type="str", source="TrainingArguments"),
    Option(names=("--output_dir",), type="str", source="TrainingArguments"),
    Option(names=("--save_steps",), type="float", source="TrainingArguments"),
    Option(names=("--enable_jit_checkpoint",), takes=OPTIONAL, type="bool", source="TrainingArguments"),
)
"""Those of transformers that matter here; classes derived from it have them too."""
LIGHTNING_CLI = tuple(
    Option(names=("--ckpt_path",), type="str", command=command, source="LightningCLI")
    for command in ("fit", "validate", "test", "predict")
)


def field_options(codes: Sequence[Code]) -> Iterator[Option]:
    """What the classes that are read from the command line declare; they may lie in another module."""
    classes = {name: node for code in reversed(codes) for name, node in code.classes.items()}
    for code in codes:
        for call in code.called(*_READERS):
            source = _READERS[name_of(call.func)]
            if source in _PACKAGES and not code.imports(*_PACKAGES[source]):
                continue
            given = call.args[0] if call.args else keyword(call, "dataclass_types") or keyword(call, "config_class")
            for item in items_of(given):
                yield from _of_class(name_of(item), classes, source)
        for function in code.functions:  # draccus and pyrallis: @wrap() on a function of one class
            if any(name_of(getattr(d, "func", d)) == "wrap" for d in function.decorator_list) and function.args.args:
                yield from _of_class(type_of(function.args.args[0].annotation)[0], classes, "simple_parsing")
        for name, node in code.classes.items():
            if any(name_of(base) == "Tap" for base in node.bases):
                yield from _of_class(name, classes, "Tap")


def _of_class(name: str, classes: dict[str, ast.ClassDef], source: str, prefix: str = "") -> Iterator[Option]:
    waiting: list[str] = [name]
    seen: set[str] = set()
    while waiting and len(seen) < _MAX_BASES:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        node = classes.get(name)
        if node is None:
            if source == "HfArgumentParser" and name.endswith(("TrainingArguments", "Config")):
                yield from TRAINING_ARGUMENTS
            continue
        waiting += [name_of(base) for base in node.bases]
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                yield from _of_field(field, field.target.id, classes, source, prefix)


def _of_field(
    field: ast.AnnAssign, name: str, classes: dict[str, ast.ClassDef], source: str, prefix: str
) -> Iterator[Option]:
    kind, choices = type_of(field.annotation)
    made = field.value if isinstance(field.value, ast.Call) else None
    if name.startswith("_") or kind == "ClassVar" or (made and _is_left_out(made)):
        return
    if kind in classes and not prefix:
        yield from _of_class(kind, classes, source, f"{name}.")
        return
    default = keyword(made, "default") if made else field.value
    if made and default is None and name_of(made.func) != "field" and made.args:
        default = made.args[0]  # HfArg and the like
    plain = name.replace("_", "-") if source == "tyro" else name
    yield Option(
        names=(f"--{prefix}{plain}",),
        takes=_takes(kind, field.annotation, source),
        choices=choices,
        type=kind,
        default=default_text(default),
        help=_help_of(made),
        source=source,
    )


def _is_left_out(made: ast.Call) -> bool:
    init = keyword(made, "init")
    return isinstance(init, ast.Constant) and init.value is False


def _takes(kind: str, annotation: ast.expr, source: str) -> str:
    if kind == "list":
        return VALUES
    if kind != "bool" or source == "jsonargparse":
        return VALUE
    if source in ("tyro", "Tap"):
        return NOTHING
    # Optional[bool] is read as a word by transformers, bool as a switch that may have one.
    return OPTIONAL if name_of(annotation) == "bool" or source == "simple_parsing" else VALUE


def _help_of(made: ast.Call | None) -> str:
    if made is None:
        return ""
    metadata = keyword(made, "metadata")
    if isinstance(metadata, ast.Dict):
        for key, value in zip(metadata.keys, metadata.values, strict=True):
            if text_of(key) == "help":
                return text_of(value)
    return text_of(keyword(made, "help"))


def library_options(codes: Sequence[Code]) -> Iterator[Option]:
    """What a library's own command line has besides."""
    for code in codes:
        derived = {name for name, node in code.classes.items() if any(map(_is_lightning_cli, node.bases))}
        for call in code.called("LightningCLI", *derived):
            run = keyword(call, "run")
            if code.imports(*_LIGHTNING) and not (isinstance(run, ast.Constant) and run.value is False):
                yield from LIGHTNING_CLI
                return


def _is_lightning_cli(base: ast.expr) -> bool:
    return name_of(base) == "LightningCLI"
