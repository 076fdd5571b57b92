"""How often the threads ask for a repaint."""

from __future__ import annotations

from array import array

from backprop_tui.tui.draw.active import ActiveRow
from backprop_tui.tui.feeds import LOOK_EVERY_S, Pace, until_look
from backprop_tui.watch.orders import Orders
from backprop_tui.watch.pages import Listing, View
from backprop_tui.watch.watcher import Snapshot
from tests.box import Box
from tests.tui.stage import Stage, perform


def row(**more: object) -> ActiveRow:
    return ActiveRow(**{"id": "a", "name": "a", "state": "running", "left_s": 60.0, "box_s": 60.0, **more})  # type: ignore[arg-type]


def test_figures_wait_clocks_go_by_the_second_and_what_happens_is_shown_at_once() -> None:
    pace, shown = Pace(), []
    looks: tuple[tuple[float, list[ActiveRow]], ...] = (
        (100.02, [row()]),
        (100.27, [row(left_s=59.7)]),  # nothing but the clock, and no new second
        (100.52, [row(left_s=59.5)]),
        (100.77, [row(step=1)]),
        (101.02, [row(step=1)]),  # a new second
        (101.27, [row(step=2)]),  # too soon for figures
        (101.52, [row(step=2)]),
        (101.77, [row(step=2, state="paused")]),
        (101.80, []),
        (102.02, []),  # nothing runs, nothing to paint
    )
    for t, rows in looks:
        if pace.is_due(Snapshot(t=t), tuple(rows), Orders()):
            shown.append(t)
    assert shown == [100.02, 100.77, 101.02, 101.52, 101.77, 101.80]


def test_threads_look_at_the_same_moments() -> None:
    assert 0 < until_look() <= LOOK_EVERY_S
    assert 0 < until_look(1.0) <= 1.0


def test_a_cursor_sent_to_the_end_of_a_listing_in_part_gets_there_with_the_whole(box: Box) -> None:
    def listing(count: int, *, text: str = "", is_whole: bool) -> Listing:
        return Listing(view=View(text=text), keys=array("q", range(count)), is_whole=is_whole, total=1000)

    async def play(stage: Stage) -> None:
        await stage.until(lambda: stage.shows("START HERE"))
        pane = stage.app.main.history
        places = []
        for part, by in ((200, 1 << 40), (200, 250), (200, -5)):
            pane.take_listing(listing(part, text=str(by), is_whole=False))
            pane.move(by)
            places.append(pane.cursor)
            pane.take_listing(listing(1000, text=str(by), is_whole=True))
            places.append(pane.cursor)
        assert places == [199, 999, 199, 250, 0, 0]
        pane.move(500)
        pane.take_listing(listing(200, text="-5", is_whole=False))  # the beginning again, without the cursor's run
        assert (pane.cursor, len(pane.keys)) == (500, 1000)

    perform(box, play)
