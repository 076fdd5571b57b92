"""Tickets and leases as others have written them; what is no such thing in a file is passed over."""

from __future__ import annotations

import math

from backprop_tui import files
from backprop_tui.governor.request import Request, Ticket
from backprop_tui.model.samples import Lease

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_BYTES = 65536
_WHOLE = frozenset(
    {
        *("max_parallel", "min_free_ram_bytes", "max_temp_c", "resume_temp_c", "gpus_wanted", "need_bytes"),
        *("priority", "min_free_disk_bytes", "checkpoint_bytes"),
    }
)
_NUMBERS = frozenset({"max_load_per_core", "box_s", "grace_s"})
_TEXTS = frozenset({"run_id", "gpu_probe", "user_mask", "need_from", "name", "home"})


def content_of(path: str) -> dict[str, Any]:
    """The file's fields, none where it holds no object."""
    try:
        content = files.from_json(files.read_bytes(path, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def ticket_from(content: dict[str, Any]) -> Ticket:
    """A place in the queue, of this version or another."""
    request = content.get("request")
    return Ticket(
        request=request_from(request if isinstance(request, dict) else content),
        pid=int(_number(content, "pid", 0)),
        since=_number(content, "since", 0.0),
        held=str(content.get("held", "")),
        hot=_texts(content.get("hot")),
        aside=str(content.get("aside", "")),
    )


def request_from(content: dict[str, Any]) -> Request:
    """What a waiting slice needs; fields that are missing or of the wrong type are as the class has them."""
    values: dict[str, Any] = {"run_id": "?"}
    for key, value in content.items():
        if key in _TEXTS and isinstance(value, str):
            values[key] = value
        elif key in _WHOLE | _NUMBERS and is_number(value):
            values[key] = int(value) if key in _WHOLE else float(value)
    return Request(**values)


def lease_from(content: dict[str, Any]) -> Lease:
    """What a running slice holds."""
    used, ends, least = content.get("gpu_used"), content.get("ends"), content.get("min_free_ram_bytes")
    return Lease(
        run_id=str(content.get("run_id", "?")),
        pid=int(_number(content, "pid", 0)),
        since=_number(content, "since", 0.0),
        gpus=_texts(content.get("gpus")),
        gpu_bytes=int(_number(content, "gpu_bytes", 0)),
        gpu_used={str(gpu): int(amount) for gpu, amount in used.items() if is_number(amount)}
        if isinstance(used, dict)
        else {},
        used_t=_number(content, "used_t", 0.0),
        ram_used=int(_number(content, "ram_used", 0)),
        runnable=_number(content, "runnable", 1.0),
        ends=float(ends) if is_number(ends) and ends is not None else None,
        name=str(content.get("name", "")),
        priority=int(_number(content, "priority", 0)),
        home=str(content.get("home", "")),
        min_free_ram_bytes=int(least) if is_number(least) and least is not None else None,
    )


def is_number(value: object) -> bool:
    """Whether it can be counted with."""
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # more digits than any float
        return False


def _number(content: dict[str, Any], key: str, default: float) -> float:
    value = content.get(key)
    return float(value) if value is not None and is_number(value) else default


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
