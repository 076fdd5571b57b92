"""The cheap question before every look at the history: is there anything to settle at all?"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home


def settle_if_any(home: Home) -> None:
    """Judge the active runs of this host, if there are any; loads what that needs only then."""
    try:
        if not os.listdir(home.active):
            return
    except OSError:
        return
    from backprop_tui.control.lost import settle_lost

    settle_lost(home)
