"""Everybody who looks after a running slice besides the loop itself."""

from __future__ import annotations

from backprop_tui.supervisor.aftermath import Aftermath
from backprop_tui.supervisor.governing import Governing
from backprop_tui.supervisor.watchdog import Watchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from backprop_tui.supervisor.case import Case
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.hooks import Hooks
    from backprop_tui.supervisor.keeper import Keeper
    from backprop_tui.supervisor.overseer import Overseer
    from backprop_tui.supervisor.timebox import TimeBox


class Overseers:
    """Those that a slice's settings ask for."""

    def __init__(self, case: Case, keeper: Keeper, box: TimeBox, clock: Clock, say: Callable[[str], None]) -> None:
        """`say` tells a person, who may be looking on."""
        self._keeper = keeper
        self._aftermath = Aftermath(case, keeper, clock)
        self._hooks = _hooks(case, keeper, clock, say)
        gpu = keeper.gpu
        snapshot = None if gpu is None else lambda: gpu.sample
        self._all: list[Overseer] = [
            Governing(case, keeper, box, clock),
            Watchdog(case.spec, case.recorder, clock, box, say, snapshot),
            self._aftermath,
        ]
        if case.spec.setting_or("until", ()):
            from backprop_tui.supervisor.goals import Goals

            self._all.insert(0, Goals(case.spec, case.recorder))
        if self._hooks is not None:
            self._all.append(self._hooks)

    @property
    def all(self) -> tuple[Overseer, ...]:
        """In the order in which they are asked."""
        return tuple(self._all)

    def keep(self) -> None:
        """Every few seconds."""
        self._keeper.keep()
        if self._hooks is not None:
            self._hooks.keep()

    def settle(self, is_asked_to_stop: Callable[[], bool]) -> None:
        """The slice has ended and its record is complete; its lease is still held.

        Args:
            is_asked_to_stop: a person wants an end of this, too; asked many times a second.
        """
        self._aftermath.settle(is_asked_to_stop)

    def finish(self, is_asked_to_stop: Callable[[], bool]) -> None:
        """The lease has been given back: a person's commands hold up nobody; the argument as of `settle`."""
        if self._hooks is not None:
            self._hooks.finish(is_asked_to_stop)


def hooks_without_training(case: Case, clock: Clock, say: Callable[[str], None]) -> None:
    """The slice came to no training, and its record says so: the person's commands hear of it."""
    if "end" in case.spec.hooks:
        from backprop_tui.supervisor.hooks import Hooks

        Hooks(case.spec, case.folder, case.recorder, None, clock, say).finish(lambda: case.signals.has_stop)


def _hooks(case: Case, keeper: Keeper, clock: Clock, say: Callable[[str], None]) -> Hooks | None:
    """The person's own commands; None without any."""
    if not case.spec.hooks:
        return None
    from backprop_tui.supervisor.hooks import Hooks

    hooks = Hooks(case.spec, case.folder, case.recorder, keeper.tree, clock, say)
    hooks.look(clock.monotonic())  # the slice may be over before the loop looks for the first time
    return hooks
