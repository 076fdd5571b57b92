"""What all verbs need: the runs that a key is about, a thread for the work, and a word for the answer."""

from __future__ import annotations

import threading

from textual.worker import Worker, WorkerState

from backprop_tui.errors import BackpropError
from backprop_tui.tui.ordering import OrderedKeys
from backprop_tui.tui.screens.main import MainScreen
from backprop_tui.tui.screens.page import Page
from backprop_tui.tui.screens.soon import Soon
from backprop_tui.watch.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events

    from backprop_tui.control.requesting import Answer
    from backprop_tui.store.home import Home
    from backprop_tui.tui.detail import DetailFeed
    from backprop_tui.tui.feeds import HistoryFeed
    from backprop_tui.tui.palette import Palette
    from backprop_tui.tui.state import State
    from backprop_tui.tui.target import Target
    from backprop_tui.tui.terminal import Look
    from backprop_tui.tui.whyfeed import WhyFeed
    from backprop_tui.watch.record import Record

TOAST_S, ERROR_S = 5.0, 10.0


class Base(OrderedKeys):
    """What is at hand; `Dashboard` sets it."""

    home: Home
    state: State
    main: MainScreen
    palette: Palette
    look: Look
    history: HistoryFeed
    detail: DetailFeed
    rules: WhyFeed
    keymap: dict[str, str]
    """What the user has changed of the keys, by action."""
    undoing: list[tuple[str, Callable[[], object]]]
    """What the last changes were, and what takes them back; newest last."""

    _last_change: threading.Event | None = None

    def target(self, key: str) -> Target | None:
        """The run under the cursor, or a word that there is none."""
        screen = self.screen
        found = screen.target if isinstance(screen, Page) else None
        if found is None:
            self.say(f"{key}: no run is under the cursor.")
        return found

    def targets(self, key: str) -> list[Target]:
        """The marked runs, else the one under the cursor."""
        if self.screen is self.main and self.main.marks:
            return list(self.main.marks.values())
        found = self.target(key)
        return [found] if found is not None else []

    def active(self, key: str) -> list[Record]:
        """Those of the targets that are in progress; where there are none, a word why."""
        found = self.targets(key)
        records = [record for target in found if (record := self.record(target.id)) is not None]
        if found and not records:
            again = "r resumes it." if len(found) == 1 else "r resumes them."
            if all(target.state == "completed" for target in found):
                again = "R runs it again."
            who = f"{found[0].called} has ended" if len(found) == 1 else f"these {len(found)} runs have ended"
            self.say(f"{key}: {who}. {again}")
        return records

    def record(self, run_id: str) -> Record | None:
        """A run in progress as it was seen last."""
        return self.state.snapshot.get(run_id) if self.state.snapshot is not None else None

    def background(self, work: Callable[[], object]) -> None:
        """Do something in a thread; what it raises is said."""

        self.run_worker(lambda: self._guarded(work), thread=True, exit_on_error=False)

    def change(self, work: Callable[[], object]) -> None:
        """Change records in a thread: one after the other, in the order of the keys."""
        before, mine = self._last_change, threading.Event()
        self._last_change = mine

        def in_turn() -> None:
            if before is not None:
                before.wait()
            try:
                work()
            finally:
                mine.set()

        self.background(in_turn)

    def of_each(self, targets: Sequence[Target], act: Callable[[Target], object]) -> list[Target]:
        """Do something to each run, in a thread; those that it did not work for are told, and do not stop the rest."""
        done = []
        for target in targets:
            try:
                act(target)
            except BackpropError as error:
                self.call_from_thread(self.say, f"{target.called}: {error.message}", severity="warning")
            else:
                done.append(target)
        return done

    def question(self, work: Callable[[Soon], object]) -> None:
        """Prepare a question in a thread; what is typed meanwhile is for the question, never a verb."""
        soon = Soon()
        self.push_screen(soon)

        def prepare() -> None:
            try:
                self._guarded(lambda: work(soon))
            finally:
                self.call_from_thread(soon.end)

        self.run_worker(prepare, thread=True, exit_on_error=False)

    def on_key(self, event: events.Key) -> None:
        """A key that was on its way to the screen below when a question began to be prepared."""
        if isinstance(self.screen, Soon):
            event.prevent_default()
            self.screen.keep(event)

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BackpropError as error:
            hint = f" ({error.hint})" if error.hint else ""
            self.call_from_thread(self.say, f"{error.message}{hint}", severity="error")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What went wrong in a worker is said, never lost."""
        if event.state is WorkerState.ERROR:
            self.say(f"{type(event.worker.error).__name__}: {event.worker.error}", severity="error")

    def ask(
        self, records: Sequence[Record], request: Callable[[str], Answer], said: Callable[[Record], str] | None = None
    ) -> None:
        """Ask the supervisors of some runs; a refusal is always said, success if `said` has words for it."""

        def asking(record: Record) -> Callable[[], object]:
            def work() -> None:
                answer = request(record.run.id)
                if not answer.ok:
                    self.call_from_thread(self.say, f"{name_of(record)}: {answer.text}.", severity="warning")
                elif said is not None:
                    self.call_from_thread(self.say, said(record))

            return work

        for record in records:
            self.background(asking(record))

    def say(self, text: str, *, severity: str = "information") -> None:
        """The answer to a key: a toast, or where there shall be none the news line."""
        text = clean(text, 300)
        if self.look.accessible:
            self.state.tell(text)
            self.main.draw_frame()
            return
        timeout = TOAST_S if severity == "information" else ERROR_S
        self.notify(text, severity=severity, timeout=timeout, markup=False)  # type: ignore[arg-type]

    def undo_with(self, what: str, undo: Callable[[], object]) -> None:
        """From now on the key for undo does this."""
        self.undoing.append((what, undo))
        del self.undoing[:-50]


def name_of(record: Record) -> str:
    """A run's name, else its id."""
    return record.notes.name or record.run.id


def plural(count: int, word: str = "run") -> str:
    """Such as 1 run, 3 runs."""
    return f"{count} {word}{'' if count == 1 else 's'}"
