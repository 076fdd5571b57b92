"""Before a command that looks at the box: runs that were to go on by themselves are taken up, said on stderr."""

from __future__ import annotations

from backprop_tui.cli import diagnostics
from backprop_tui.control import settling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.store.home import Home


def take_up_if_any(home: Home) -> None:
    """Judge the active runs, and take up what was to go on by itself."""
    _tell(settling.take_up_if_any(home))


def take_up_after_boot(home: Home) -> None:
    """The same, but only once after each start of the machine."""
    _tell(settling.take_up_after_boot(home))


def _tell(said: Iterable[str]) -> None:
    for text in said:
        diagnostics.say(f"backprop: {text}")
