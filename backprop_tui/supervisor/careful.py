"""Keeps what a supervisor does beside its duty from ending it: a fault there is told, and that part is left alone."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Concatenate, ParamSpec, TypeVar

    P = ParamSpec("P")
    Self = TypeVar("Self")


def beside(what: str) -> Callable[[Callable[Concatenate[Self, P], None]], Callable[Concatenate[Self, P], None]]:
    """For methods of an object with a `_recorder`; after a fault `what` is left alone for the rest of the slice."""

    def wrap(method: Callable[Concatenate[Self, P], None]) -> Callable[Concatenate[Self, P], None]:
        def call(owner: Any, /, *args: P.args, **kwargs: P.kwargs) -> None:
            if getattr(owner, "_has_failed", False):
                return
            try:
                method(owner, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  # whatever it is, the training goes on under supervision
                owner._has_failed = True
                fault = f"{type(error).__name__} with {what}"
                owner._recorder.warn(f"a fault of backprop: {fault}, which is left alone in this slice ({error})")

        call.__doc__ = method.__doc__
        return call

    return wrap
