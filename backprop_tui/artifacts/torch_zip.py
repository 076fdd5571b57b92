"""Files of torch.save: a zip file with a pickle that names storages, and a record for each storage.

A SIGINT in the middle of torch.save leaves a zip file with a table of contents and missing records, so
that "it opens" says nothing. The pickle is read without being executed.
"""

from __future__ import annotations

from backprop_tui.artifacts.formats import open_zip
from backprop_tui.artifacts.verdict import NotWhole

MAX_PICKLE = 256 * 1024 * 1024
MAX_OPS = 20_000_000


def check_torch(path: str) -> None:
    """Every storage that the pickle names has its record.

    Raises:
        NotWhole: the archive or a record is missing.
    """
    with open_zip(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        pickle = next((name for name in sizes if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if pickle is None:
            if any(name.endswith("/constants.pkl") or name.endswith("/version") for name in sizes):
                raise NotWhole("data.pkl is missing: its save was not finished")
            return  # some other zip file under a torch name
        if sizes[pickle] > MAX_PICKLE:
            return
        root = pickle[: -len("data.pkl")]
        keys = storage_keys(archive.read(pickle))
    missing = [key for key in keys if f"{root}data/{key}" not in sizes]
    if missing:
        raise NotWhole(f"{len(missing)} of {len(keys)} tensors are missing: its save was not finished")


def storage_keys(pickle: bytes) -> set[str]:
    """The keys of the storages that a pickle of torch.save names.

    A storage is a persistent id ('storage', type, key, location, size): of the strings on the way to
    BINPERSID, the key is the one after the storage's type.

    Raises:
        NotWhole: it is no complete pickle.
    """
    import pickletools

    keys: set[str] = set()
    memo: dict[int, object] = {}
    stack: list[object] = []
    marks: list[int] = []
    try:
        for count, (op, arg, _at) in enumerate(pickletools.genops(pickle)):
            if count > MAX_OPS:
                return keys
            _step(op.name, arg, stack, marks, memo, keys)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError):
        raise NotWhole("its data.pkl is damaged")
    return keys


_TEXT = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINUNICODE8"})
_KEEPS = frozenset({"PROTO", "FRAME", "STOP"})


def _step(
    name: str,
    arg: object,
    stack: list[object],
    marks: list[int],
    memo: dict[int, object],
    keys: set[str],
) -> None:
    """Follow one instruction as far as storages need it: only tuples and strings keep their value."""
    if name in _TEXT:
        stack.append(arg)
    elif name in ("BINPUT", "LONG_BINPUT"):
        memo[int(str(arg))] = stack[-1] if stack else None
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1] if stack else None
    elif name in ("BINGET", "LONG_BINGET"):
        stack.append(memo.get(int(str(arg))))
    elif name == "MARK":
        marks.append(len(stack))
    elif name == "TUPLE":
        start = marks.pop() if marks else 0
        stack[start:] = [tuple(stack[start:])]
    elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        n = int(name[-1])
        stack[-n:] = [tuple(stack[-n:])]
    elif name == "BINPERSID":
        _take_storage(stack.pop() if stack else None, keys)
        stack.append(None)
    elif name in ("APPENDS", "SETITEMS", "ADDITEMS", "POP_MARK"):
        del stack[marks.pop() if marks else 0 :]
    elif name in ("DICT", "LIST", "FROZENSET", "OBJ", "INST"):
        stack[marks.pop() if marks else 0 :] = [None]
    elif name in ("REDUCE", "NEWOBJ", "STACK_GLOBAL"):
        del stack[-2:]
        stack.append(None)
    elif name == "NEWOBJ_EX" or name == "SETITEM":
        del stack[-(3 if name == "NEWOBJ_EX" else 2) :]
        if name == "NEWOBJ_EX":
            stack.append(None)
    elif name in ("BUILD", "APPEND", "POP"):
        del stack[-1:]
    elif name == "DUP":
        stack.append(stack[-1])
    elif name not in _KEEPS:
        stack.append(None)


def _take_storage(found: object, keys: set[str]) -> None:
    if isinstance(found, tuple) and len(found) >= 3 and found[0] == "storage" and isinstance(found[2], str):
        keys.add(found[2])
