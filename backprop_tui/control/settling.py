"""The cheap questions before every look at the history: is there anything to settle, or to take up?"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.home import Home


def settle_if_any(home: Home) -> None:
    """Judge the active runs of this host, if there are any; starts nothing."""
    _owed(home)


def take_up_if_any(home: Home) -> tuple[str, ...]:
    """Judge them, and take up what was to go on by itself.

    Returns what a person should hear of it, a sentence each. Loads what that needs only if there is something.
    """
    owed = _owed(home)
    if not owed:
        return ()
    from backprop_tui.control.taking_up import take_up

    return take_up(home, owed)


def take_up_after_boot(home: Home) -> tuple[str, ...]:
    """As `take_up_if_any`, but only once after each start of the machine: for who has no time to look each time."""
    if not _has_active(home):
        return ()
    from backprop_tui import files
    from backprop_tui.probes.host import boot_id

    path, boot = os.path.join(home.path, "boot"), boot_id().encode()
    try:
        if files.read_bytes(path, 200) == boot:
            return ()
    except OSError:
        pass  # there is none yet
    try:
        files.write_atomic(path, boot)
    except OSError:
        return ()  # whoever starts a run now says why
    return take_up_if_any(home)


def _owed(home: Home) -> tuple[str, ...]:
    if not _has_active(home):
        return ()
    from backprop_tui.control.lost import settle_lost

    return settle_lost(home).owed


def _has_active(home: Home) -> bool:
    try:
        return bool(os.listdir(home.active))
    except OSError:
        return False
