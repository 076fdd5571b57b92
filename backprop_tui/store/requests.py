"""Requests to a run's supervisor: one file each in control/, handled in the order of their names."""

from __future__ import annotations

import os
import time

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.store.folder import RunFolder

MAX_BYTES = 65536
MAX_AT_ONCE = 100


class Request(Frozen):
    """What somebody wants of a running slice."""

    id: str
    verb: str
    args: dict[str, Any]
    who: str
    slice: int
    problem: str = ""
    """Why it cannot be carried out, when the file is no request."""


def post(folder: RunFolder, verb: str, *, args: dict[str, Any], who: str, slice_n: int) -> str:
    """Leave a request; returns its id, by which it is answered in events.jsonl.

    Raises:
        StoreError: it cannot be written.
    """
    request_id = f"{time.time_ns():020d}-{os.urandom(4).hex()}"
    content = {"version": 1, "verb": verb, "args": args, "who": who, "slice": slice_n}
    try:
        files.make_private_dir(folder.file("control"))
        files.write_atomic(os.path.join(folder.file("control"), f"{request_id}.json"), files.to_json(content))
    except OSError as error:
        raise StoreError(f"cannot leave a request for run {folder.id}: {error.strerror}")
    return request_id


def pending(folder: RunFolder) -> list[Request]:
    """The requests that wait, oldest first."""
    try:
        names = os.listdir(folder.file("control"))
    except OSError:
        return []
    if not names:
        return []
    waiting = sorted(name for name in names if name.endswith(".json") and not name.startswith("."))
    return [_read(folder, name[: -len(".json")]) for name in waiting[:MAX_AT_ONCE]]


def remove(folder: RunFolder, request_id: str) -> None:
    """The request has been answered."""
    try:
        os.unlink(os.path.join(folder.file("control"), f"{request_id}.json"))
    except OSError:
        pass


def _read(folder: RunFolder, request_id: str) -> Request:
    path = os.path.join(folder.file("control"), f"{request_id}.json")
    try:
        if os.path.islink(path):
            raise ValueError("it is a link")
        content = files.from_json(files.read_bytes(path, MAX_BYTES))
        verb, args, slice_n = content["verb"], content.get("args", {}), content["slice"]
        if not (isinstance(verb, str) and isinstance(args, dict) and isinstance(slice_n, int)):
            raise TypeError("a field has the wrong type")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        problem = f"not a request: {type(error).__name__}: {error}"[:200]
        return Request(id=request_id, verb="", args={}, who="", slice=0, problem=problem)
    return Request(id=request_id, verb=verb[:64], args=args, who=str(content.get("who", "?"))[:200], slice=slice_n)
