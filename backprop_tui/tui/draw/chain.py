"""Runs that go on by themselves: which slice of how many this is, and what follows. Pure."""

from __future__ import annotations

from backprop_tui.watch.going_on import going_on_text, slices_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.watch.record import Record


def mark(record: Record) -> str:
    """3/6, or where nobody said how many slices there will be #3; "" for a run that does not go on by itself."""
    run = record.run
    if run.slice is None or run.is_over or not (run.goes_on or going_on_text(record)):
        return ""
    count, most = slices_of(record)
    return f"#{count}" if most is None or count > most else f"{count}/{most}"


def follows(record: Record) -> str:
    """What comes after this slice, in a sentence; "" where nothing follows by itself."""
    run = record.run
    if not run.goes_on:
        return ""
    if run.held:
        return f"Held by {person(run.held)}: the next slice waits until h releases it."
    return "The next slice follows by itself."


def person(who: str) -> str:
    """A person without the box that they are on."""
    return who.partition("@")[0] or who
