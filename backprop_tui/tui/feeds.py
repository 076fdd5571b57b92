"""The threads behind the screen: each looks at one thing and posts what it has seen."""

from __future__ import annotations

import queue
import threading
import time

from backprop_tui.control import starting
from backprop_tui.control.settling import take_up_if_any
from backprop_tui.errors import BackpropError
from backprop_tui.tui import messages
from backprop_tui.tui.rows import ActiveRows
from backprop_tui.watch.box import BoxMeter
from backprop_tui.watch.orders import OrdersReader
from backprop_tui.watch.pages import HistoryPages, View
from backprop_tui.watch.watcher import Watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.message import Message

    from backprop_tui.store.home import Home
    from backprop_tui.tui.draw.active import ActiveRow
    from backprop_tui.watch.orders import Orders
    from backprop_tui.watch.watcher import Snapshot

LOOK_EVERY_S = 0.25
AFTER_BOX_S = 0.02
FIGURES_EVERY_S = 0.5
SETTLE_EVERY_S = 2.0
BOX_EVERY_S = 1.0
SYNC_EVERY_S = 0.5
FINISH_AFTER_S, FINISH_AT_LAST_S = 0.25, 1.0
FIRST_PAUSE_S, LAST_PAUSE_S = 0.5, 10.0


def until_look(every_s: float = LOOK_EVERY_S) -> float:
    """Seconds until the feeds look next: all at once, behind the box on the second, so that all is painted at once."""
    return every_s - (time.time() - AFTER_BOX_S) % every_s


class Feed(threading.Thread):
    """A thread that works until it is told to stop; what it raises is posted, never lost."""

    def __init__(self, name: str, post: Callable[[Message], object]) -> None:
        super().__init__(name=f"backprop-{name}", daemon=True)
        self._post = post
        self._is_stopping = threading.Event()

    def run(self) -> None:
        """The thread's life: what goes wrong is told, and the work is begun anew, after longer and longer pauses."""
        told, pause = "", FIRST_PAUSE_S
        while not self._is_stopping.is_set():
            began = time.monotonic()
            try:
                self.work()
            except Exception as error:  # noqa: BLE001  # a thread's traceback would be lost, and its screen stand still
                if told != (told := f"{type(error).__name__}: {error}"):
                    self._post(messages.FeedFailed(self.name, error))
            if time.monotonic() - began > LAST_PAUSE_S:
                told, pause = "", FIRST_PAUSE_S
            self._is_stopping.wait(pause)
            pause = min(LAST_PAUSE_S, pause * 2)

    def work(self) -> None:
        """What it does, until `_is_stopping`."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask it to end."""
        self._is_stopping.set()


class LookFeed(Feed):
    """A feed about the one run that is looked at."""

    def __init__(self, name: str, home: Home, post: Callable[[Message], object]) -> None:
        super().__init__(name, post)
        self._home = home
        self._wanted: str | None = None
        self._changed = threading.Event()

    def look_at(self, run_id: str | None) -> None:
        """From now on tell of this run; None for none."""
        self._wanted = run_id
        self._changed.set()

    def stop(self) -> None:
        super().stop()
        self._changed.set()


class RunsFeed(Feed):
    """What runs: four looks a second."""

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        super().__init__("runs", post)
        self._watcher = Watcher(home)
        self._rows = ActiveRows(home)
        self._orders = OrdersReader()
        self._pace = Pace()

    def work(self) -> None:
        while True:
            snapshot = self._watcher.poll()
            rows = self._rows.of(snapshot)
            if snapshot.ended:
                self._post(messages.RunsEnded(snapshot.ended))
            orders = self._orders.read(snapshot.t)
            if self._pace.is_due(snapshot, rows, orders):
                self._post(messages.RunsSeen(snapshot, rows, orders))
            if self._is_stopping.wait(until_look()):
                return


class SettleFeed(Feed):
    """Settles runs that were lost, which may take as long as stopping a training does, and reaps our supervisors."""

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        super().__init__("settling", post)
        self._home = home

    def work(self) -> None:
        while True:
            starting.reap()
            take_up_if_any(self._home)
            if self._is_stopping.wait(SETTLE_EVERY_S):
                return


class Pace:
    """When what runs is worth a repaint: what has happened at once, clocks every second, figures half way as well."""

    def __init__(self) -> None:
        self._happened: object = None
        self._figures: tuple[ActiveRow, ...] = ()
        self._t = float("-inf")

    def is_due(self, snapshot: Snapshot, rows: tuple[ActiveRow, ...], orders: Orders) -> bool:
        """Whether to show this snapshot; it is taken as shown if so."""
        happened = [(row.id, row.state) for row in rows], snapshot.broken, orders
        figures = tuple(row.replace(left_s=None, saved_s=None) for row in rows)
        is_due = (
            bool(snapshot.ended)
            or happened != self._happened
            or (bool(rows) and int(snapshot.t) != int(self._t))
            or (figures != self._figures and snapshot.t - self._t >= FIGURES_EVERY_S - LOOK_EVERY_S / 2)
        )
        if is_due:
            self._happened, self._figures, self._t = happened, figures, snapshot.t
        return is_due


class BoxFeed(Feed):
    """The gauges: once a second, on the second."""

    def __init__(self, meter: BoxMeter, post: Callable[[Message], object]) -> None:
        super().__init__("box", post)
        self._meter = meter

    def work(self) -> None:
        while True:
            self._post(messages.BoxSeen(self._meter.sample(time.time())))
            if self._is_stopping.wait(BOX_EVERY_S - time.time() % BOX_EVERY_S):
                self._meter.close()
                return


class HistoryFeed(Feed):
    """The history: listings and rows as they are asked for, and whether anything has changed."""

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        super().__init__("history", post)
        self._home = home
        self._pages: HistoryPages | None = None
        self._jobs: queue.SimpleQueue[Callable[[HistoryPages], None] | None] = queue.SimpleQueue()
        self._wanted: View | None = None
        self._unfinished: View | None = None
        """A view of which the beginning was shown."""
        self._begun = 0.0
        """When that was."""

    def work(self) -> None:
        pages = self._pages = HistoryPages(self._home)
        try:
            self._serve(pages)
        finally:
            self._pages = None
            pages.close()

    def _serve(self, pages: HistoryPages) -> None:
        synced = float("-inf")
        while not self._is_stopping.is_set():
            if time.monotonic() - synced >= SYNC_EVERY_S:
                try:
                    if pages.sync():
                        self._post(messages.HistoryChanged())
                        self._post(messages.ProblemsSeen(tuple(pages.unseen(time.time()))))
                except BackpropError as error:
                    self._post(messages.FeedFailed(self.name, error))
                synced = time.monotonic()
            try:
                job = self._jobs.get(timeout=SYNC_EVERY_S if self._unfinished is None else FINISH_AFTER_S)
            except queue.Empty:
                self._finish(pages)
                continue
            if job is not None:
                job(pages)
            if self._unfinished is not None and time.monotonic() - self._begun > FINISH_AT_LAST_S:
                self._finish(pages)

    def show(self, view: View) -> None:
        """List a view; one that is being listed is let go."""
        self._wanted = view
        if self._pages is not None:
            self._pages.interrupt()
        self._jobs.put(lambda pages: self._begin(pages, view))

    def read(self, keys: Sequence[int]) -> None:
        """Read these rows."""
        self._jobs.put(lambda pages: self._read(pages, keys))

    def stop(self) -> None:
        super().stop()
        if self._pages is not None:
            self._pages.interrupt()
        self._jobs.put(None)

    def _begin(self, pages: HistoryPages, view: View) -> None:
        if view is not self._wanted:
            return  # another is wanted by now
        listing = pages.first(view)
        if listing is not None:
            self._unfinished, self._begun = None if listing.is_whole else view, time.monotonic()
            self._post(messages.HistoryListed(listing))

    def _finish(self, pages: HistoryPages) -> None:
        """The rest, once nothing else is asked for: nobody waits for it while typing."""
        view, self._unfinished = self._unfinished, None
        if view is not None and view is self._wanted and (listing := pages.whole(view)) is not None:
            self._post(messages.HistoryListed(listing))

    def _read(self, pages: HistoryPages, keys: Sequence[int]) -> None:
        self._post(messages.RowsRead(pages.rows(keys), frozenset(keys)))
