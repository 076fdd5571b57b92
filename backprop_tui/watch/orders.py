"""What people ordered for the whole box: drain and yield."""

from __future__ import annotations

from backprop_tui import paths
from backprop_tui.frozen import Frozen
from backprop_tui.supervisor.steering import OrderBook


class Orders(Frozen):
    """The orders in force at one moment."""

    drained_by: str = ""
    """Who asked that nothing new starts; "" for nobody."""
    yield_by: str = ""
    """Who asked all runs to give the GPUs back; "" for nobody."""
    until: float = 0.0
    """When the yield is over, epoch seconds."""


class OrdersReader:
    """Reads them again and again: a look at two files' times while nothing changes. For one thread."""

    def __init__(self, book: OrderBook | None = None) -> None:
        """`book` where it is at hand already."""
        self._book = book or OrderBook(paths.admission_dir())

    def read(self, now: float) -> Orders:
        """Those in force at `now`, epoch seconds."""
        drain, yielding = self._book.drain, self._book.yielding(now)
        return Orders(
            drained_by=drain.who if drain is not None else "",
            yield_by=yielding.who if yielding is not None else "",
            until=yielding.until if yielding is not None else 0.0,
        )
