"""What a script's source says of its checkpoints: whether it looks for one by itself, and where it saves."""

from __future__ import annotations

import ast
import re

from backprop_tui.frozen import Frozen
from backprop_tui.scripts.syntax import is_true, keyword, likeness, name_of, names_in, receiver, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backprop_tui.scripts.syntax import Code

_NEWEST = frozenset({"latest", "last", "newest", "recent", "autoresume"})
_SAVED = frozenset(
    {"checkpoint", "checkpoints", "ckpt", "ckpts", "snapshot", "epoch", "iter", "iteration", "step", "model", "run"}
)
_NOT_LOOKING = frozenset(
    {"save", "write", "delete", "remove", "is", "has", "log", "print", "update", "upload", "copy", "set", "keep"}
)
_LOADS = ("load", "restore", "resume", "unpickle", "read_checkpoint", "from_pretrained")
_OTHER_LOADS = ("data", "token", "vocab", "config", "yaml", "toml", "dotenv")
_TAKES_UP = re.compile(r"ckpt|checkpoint|snapshot|state|weights|model|epoch|step|iter|restore|resume", re.IGNORECASE)
_SAVES = ("save", "dump", "write", "makedirs", "mkdir", "replace", "rename", "to_disk")
_EXISTS = frozenset({"exists", "isfile", "is_file", "isdir", "is_dir", "lexists"})
_LISTS = ("glob", "iglob", "rglob", "listdir", "iterdir", "scandir")
_MISSING = frozenset({"FileNotFoundError", "OSError", "IOError"})
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


class Signs(Frozen):
    """What was found."""

    finds: str = ""
    """What makes it find its newest checkpoint by itself when it is run again; "" where nothing does."""
    knows_newest: bool = False
    """A newest checkpoint is spoken of, if only when it is asked to resume."""
    passes_on: bool = False
    """Something is given the name resume_from_checkpoint: transformers' own option does nothing by itself."""
    saves_to: frozenset[str] = frozenset()
    """Names that tell where it saves."""
    words: frozenset[str] = frozenset()
    """The short texts in it."""


def signs_of(codes: Sequence[Code]) -> Signs:
    """What the sources of a script, the script first, say of checkpoints."""
    finds = next((why for code in codes for why in _finds(code)), "")
    return Signs(
        finds=finds,
        knows_newest=bool(finds) or any(_names_newest(code) for code in codes),
        passes_on=any(_passes_on(code) for code in codes),
        saves_to=frozenset(name for code in codes for name in _saved_names(code)),
        words=frozenset(word for code in codes for word in code.words),
    )


def _finds(code: Code) -> Iterator[str]:
    asked_for = _only_when_asked(code)
    for call in code.calls:
        if id(call) not in asked_for and (why := _finding_call(call, code)):
            yield why
    for place in _read_before_written(code, asked_for):
        yield f"it loads {place} where that exists"
    if any(True for _ in code.called(*_LISTS)):
        for call in code.calls:
            if id(call) not in asked_for and _is_load(call) and any(map(_is_last_of_several, call.args)):
                yield "it loads the last file of several that it finds"


def _finding_call(call: ast.Call, code: Code) -> str:
    name = name_of(call.func)
    if name == "BackupAndRestore":
        return "it uses Keras' BackupAndRestore"
    if name == "CheckpointManager" and code.imports("orbax"):
        return "it uses Orbax' CheckpointManager"
    last = text_of(keyword(call, "ckpt_path"))
    if name == "fit" and last in ("last", "hpc", "registry"):
        return f'it calls fit(ckpt_path="{last}")'
    for asked in ("resume_from_checkpoint", "autoresume", "auto_resume"):
        if is_true(keyword(call, asked)):
            return f"it calls {name}({asked}=True)"
    if is_true(keyword(call, "resume")) and name in ("Runner", "train"):
        return f"it calls {name}(resume=True)"
    return f"it calls {name}" if _looks_for_newest(name) else ""


def _looks_for_newest(name: str) -> bool:
    if name == "restore_or_initialize":
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[0] in _NOT_LOOKING:
        return False
    return not _NEWEST.isdisjoint(words) and not _SAVED.isdisjoint(words)


def _names_newest(code: Code) -> bool:
    said = any(" " not in word and ("last_checkpoint" in word or word.startswith("latest")) for word in code.words)
    return said or any(_looks_for_newest(name_of(call.func)) for call in code.calls)


def _only_when_asked(code: Code) -> set[int]:
    """Calls that are made only where something that means resuming is true."""
    found: set[int] = set()
    for node in code.nodes:
        if isinstance(node, ast.If) and not _is_denied(node.test) and _means_resuming(names_in([node.test])):
            found |= {id(call) for call in _calls_in(node.body)}
    return found


def _is_denied(test: ast.expr) -> bool:
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not)
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is)


def _means_resuming(names: Iterable[str]) -> bool:
    return any(word in name.lower() for name in names for word in ("resume", "restore", "continue"))


def _read_before_written(code: Code, asked_for: set[int]) -> Iterator[str]:
    """Places that are loaded where they exist, and saved to as well."""
    saved = {place for call in code.calls if _is_save(call) for arg in call.args if (place := likeness(arg))}
    for node in code.nodes:
        if isinstance(node, ast.If):
            tested, body = list(_tested_places(node.test)), node.body
        elif isinstance(node, ast.Try) and any(map(_catches_missing, node.handlers)):
            tested, body = [likeness(arg) for call in _calls_in(node.body) for arg in call.args[:1]], node.body
        else:
            continue
        calls = [call for call in _calls_in(body) if id(call) not in asked_for]
        for place in tested:
            if place and _loads_from(calls, place) and place in saved and _takes_up(body, place):
                yield place


def _tested_places(test: ast.expr) -> Iterator[str]:
    for node in ast.walk(test):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return
        if isinstance(node, ast.Call) and name_of(node.func) in _EXISTS:
            if node.args:
                yield likeness(node.args[0])
            elif isinstance(node.func, ast.Attribute):
                yield likeness(node.func.value)


def _loads_from(calls: Sequence[ast.Call], place: str) -> bool:
    """Whether something is loaded from this place, directly or through a file that is opened there."""
    for call in calls:
        given = {likeness(arg).removeprefix("str(").removesuffix(")") for arg in call.args} | {receiver(call)}
        given |= {likeness(arg) for arg in call.args}
        if place not in given:
            continue
        if _is_load(call) or name_of(call.func).startswith("read_"):
            return True
        if name_of(call.func) == "open" and any(_is_load(other) for other in calls):
            return True
    return False


def _takes_up(body: Sequence[ast.stmt], place: str) -> bool:
    """Whether what is loaded seems to be a training's state, and not its data."""
    stored = {
        name_of(node)
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store)
    }
    called = {name_of(call.func) for call in _calls_in(body)} - {"load", "loads", "open"}
    return any(_TAKES_UP.search(name) for name in (place, *stored, *called))


def _is_load(call: ast.Call) -> bool:
    name = name_of(call.func).lower()
    return any(word in name for word in _LOADS) and not any(word in name for word in _OTHER_LOADS)


def _is_save(call: ast.Call) -> bool:
    name = name_of(call.func).lower()
    if name == "open":
        mode = text_of(call.args[1]) if len(call.args) > 1 else text_of(keyword(call, "mode"))
        return "w" in mode
    return any(word in name for word in _SAVES) and not name.startswith(("load", "restore"))


def _is_last_of_several(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return name_of(node.func) == "max" or (name_of(node.func) == "str" and any(map(_is_last_of_several, node.args)))
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.UnaryOp):
        return False
    return isinstance(node.slice.op, ast.USub)


def _calls_in(body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
    return (node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call))


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(name_of(kind) in _MISSING for kind in kinds)


def _passes_on(code: Code) -> bool:
    """`trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)`, or the value read anywhere."""
    for node in code.nodes:
        if isinstance(node, ast.Attribute) and node.attr == "resume_from_checkpoint" and isinstance(node.ctx, ast.Load):
            return True
    return any(keyword(call, "resume_from_checkpoint") is not None for call in code.called("train"))


def _saved_names(code: Code) -> Iterator[str]:
    """The names in what saving calls are given: checkpoint of torch.save(state, args.checkpoint)."""
    for call in code.calls:
        if _is_save(call):
            yield from names_in([*call.args, *(word.value for word in call.keywords)])
