"""Orders for the whole box in words. Pure."""

from __future__ import annotations

import time

from backprop_tui.tui.draw.chain import person

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.watch.orders import Orders


def short(orders: Orders) -> str:
    """A word or two for the header."""
    if orders.yield_by:
        return f"yields until {_clock(orders.until)}"
    return "drained" if orders.drained_by else ""


def sentences(orders: Orders) -> list[str]:
    """What is in force, and which key ends it."""
    said = []
    if orders.yield_by:
        who, until = person(orders.yield_by), _clock(orders.until)
        said.append(f"{who} asked for the GPUs: runs come back at {until}; Y brings them back now")
    if orders.drained_by:
        said.append(f"drained by {person(orders.drained_by)}: nothing new starts; H ends it")
    return said


def _clock(t: float) -> str:
    return time.strftime("%H:%M", time.localtime(t))
