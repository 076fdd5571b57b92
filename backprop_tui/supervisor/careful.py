"""Keeps what a supervisor does beside its duty from ending it: a fault there is told, and that part is left alone.

For the rest of the slice, or for a while, where the training should not have to do without it.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Concatenate, ParamSpec, TypeVar

    P = ParamSpec("P")
    Self = TypeVar("Self")


def beside(
    what: str, *, again_s: float | None = None
) -> Callable[[Callable[Concatenate[Self, P], None]], Callable[Concatenate[Self, P], None]]:
    """For methods of an object with a `_recorder`; the first fault is told.

    While `what` is left alone, the object has a true `_has_failed`.

    Args:
        what: in words.
        again_s: after so many seconds it is tried again; None for not in this slice.
    """
    left_alone = "left alone in this slice" if again_s is None else f"tried again every {again_s:g} s"

    def wrap(method: Callable[Concatenate[Self, P], None]) -> Callable[Concatenate[Self, P], None]:
        def call(owner: Any, /, *args: P.args, **kwargs: P.kwargs) -> None:
            if getattr(owner, "_has_failed", False) and (again_s is None or _now(owner) < owner._again_at):
                return
            try:
                method(owner, *args, **kwargs)
                owner._has_failed = False
            except Exception as error:  # noqa: BLE001  # whatever it is, the training goes on under supervision
                is_told = hasattr(owner, "_again_at")
                owner._has_failed, owner._again_at = True, _now(owner) + (again_s or 0.0)
                if not is_told:
                    fault = f"{type(error).__name__} with {what}"
                    owner._recorder.warn(f"a fault of backprop: {fault}, which is {left_alone} ({error})")

        call.__doc__ = method.__doc__
        return call

    return wrap


def _now(owner: Any) -> float:
    clock = getattr(owner, "_clock", None)
    return time.monotonic() if clock is None else float(clock.monotonic())
