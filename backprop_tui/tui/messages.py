"""What the threads tell the screens. What says how things are may replace an older one; what adds may not."""

from __future__ import annotations

from textual.message import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from backprop_tui.store.rows import Row
    from backprop_tui.tui.detail import Detail
    from backprop_tui.tui.draw.active import ActiveRow
    from backprop_tui.watch.box import BoxSample
    from backprop_tui.watch.orders import Orders
    from backprop_tui.watch.pages import Listing
    from backprop_tui.watch.record import Record
    from backprop_tui.watch.watcher import Snapshot
    from backprop_tui.watch.why import Why


class RunsSeen(Message):
    """What runs now."""

    def __init__(self, snapshot: Snapshot, rows: tuple[ActiveRow, ...], orders: Orders) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.rows = rows
        self.orders = orders

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunsSeen)


class RunsEnded(Message):
    """These runs have ended since the last look."""

    def __init__(self, records: tuple[Record, ...]) -> None:
        super().__init__()
        self.records = records


class BoxSeen(Message):
    """A sample of the box."""

    def __init__(self, sample: BoxSample) -> None:
        super().__init__()
        self.sample = sample

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, BoxSeen)


class WhySeen(Message):
    """Why a run is in its state, by every rule."""

    def __init__(self, run_id: str, why: Why) -> None:
        super().__init__()
        self.run_id = run_id
        self.why = why

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, WhySeen)


class WhyWanted(Message):
    """From now on the rules are wanted for this run; None for none."""

    def __init__(self, run_id: str | None) -> None:
        super().__init__()
        self.run_id = run_id


class HistoryChanged(Message):
    """Somebody changed the history: what is shown of it may be old."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, HistoryChanged)


class ProblemsSeen(Message):
    """The runs that have ended badly and that nobody has seen so far, newest first."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        super().__init__()
        self.rows = rows

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ProblemsSeen)


class HistoryListed(Message):
    """The keys of a view, the first of them or all."""

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self.listing = listing


class RowsRead(Message):
    """Rows of the history, by key; a key that is asked for and missing is gone."""

    def __init__(self, rows: Mapping[int, Row], asked: frozenset[int]) -> None:
        super().__init__()
        self.rows = rows
        self.asked = asked


class DetailSeen(Message):
    """The run that is looked at."""

    def __init__(self, detail: Detail) -> None:
        super().__init__()
        self.detail = detail

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DetailSeen)


class LogGrown(Message):
    """How long the log is."""

    def __init__(self, total: int, size: int) -> None:
        super().__init__()
        self.total = total
        self.size = size

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, LogGrown)


class LogRead(Message):
    """Some lines of the log with their numbers, in the answer to `wanted`."""

    def __init__(self, wanted: tuple[int, ...], lines: tuple[tuple[int, str], ...]) -> None:
        super().__init__()
        self.wanted = wanted
        self.lines = lines

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, LogRead)


class LogProblems(Message):
    """The lines that speak of something gone wrong, with some around them."""

    def __init__(self, lines: tuple[int, ...]) -> None:
        super().__init__()
        self.lines = lines


class LogFound(Message):
    """Where words were found, None if nowhere."""

    def __init__(self, words: str, line: int | None) -> None:
        super().__init__()
        self.words = words
        self.line = line


class Answer(Message):
    """What a screen has to say to a key."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FeedFailed(Message):
    """A thread met something that it cannot go on with."""

    def __init__(self, what: str, error: BaseException) -> None:
        super().__init__()
        self.what = what
        self.error = error
