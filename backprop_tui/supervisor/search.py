"""The search for checkpoints that no event reports, through one slice."""

from __future__ import annotations

import os
import stat

from backprop_tui.artifacts.arguments import places_in
from backprop_tui.artifacts.candidate import Moment
from backprop_tui.artifacts.finding import Finder
from backprop_tui.artifacts.ownership import WriteHistory
from backprop_tui.artifacts.places import Places
from backprop_tui.artifacts.skipping import is_output_name, is_shared, is_skipped
from backprop_tui.artifacts.watching import Watch
from backprop_tui.probes.open_files import open_for_writing, written_by
from backprop_tui.scripts.command import script_of
from backprop_tui.scripts.mentions import Mentions
from backprop_tui.supervisor.claims import Claims, words_of
from backprop_tui.supervisor.file_metrics import LAST_LOOK_S, LOOK_S, FileMetrics, files_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from backprop_tui.artifacts.seen import Seen
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home
    from backprop_tui.supervisor.clock import Clock
    from backprop_tui.supervisor.intake import Intake
    from backprop_tui.supervisor.recorder import Recorder

OPENED_DEPTH = 2
LAST_LOOKS = 50
LAST_S = 0.25
"""What the last look may take: it is the only one that can still find something."""
UNCERTAIN_S = 10.0
"""By so much a supervisor that was killed may have missed the end."""
_MAX_DECIDED = 256


class Search:
    """Looks through a run's folders and tells the recorder what it finds."""

    def __init__(
        self, spec: SliceSpec, recorder: Recorder, clock: Clock, home: Home, intake: Intake | None = None
    ) -> None:
        run = recorder.run
        self._recorder = recorder
        self._clock = clock
        self._home = home
        self._began = run.slices[-1].started
        self._before = self._began
        """When the look before this one was, epoch seconds."""
        self._trains_since: float | None = None
        self._decided: dict[str, None] = {}
        """Folders in which something is held open, decided on already."""
        named = places_in(spec.command[1:], spec.cwd)
        self._data = named.data
        self._says_where = bool(named.outputs)
        """The command names the folder to which it writes."""
        self._words = words_of(spec)
        patterns = spec.setting_or("checkpoints.watch", ())
        watch = Watch(patterns, spec.cwd) if patterns else None
        self._places = Places(spec.cwd, since=self._began, skip=(*named.data, home.path), watch=watch)
        self._history = WriteHistory(self._began)
        self._claims = Claims(home, run.id, self._began)
        self._finder = Finder(self._places, watch, self._can_own)
        self._metrics = FileMetrics(intake, files_of(run, spec), self._can_write) if intake is not None else None
        script = script_of(spec).script
        self._mentions = Mentions(os.path.join(spec.cwd, script) if script else "", spec.cwd)
        for folder in (*named.outputs, *self._mentions.folders):
            self._places.add(folder)
        for path in named.files:
            self._finder.expect(path)
        for checkpoint in run.checkpoints:
            if checkpoint.found != "copy":
                self._expect_again(checkpoint.path)

    def _expect_again(self, path: str) -> None:
        """Where an earlier slice saved, this one is likely to."""
        self._finder.expect(path)
        folder = os.path.dirname(path)
        if not folder.startswith((self._places.cwd + "/", self._home.path + "/")) and folder != self._places.cwd:
            self._places.add(folder, OPENED_DEPTH)

    def _can_own(self, path: str, size: int, written: float) -> bool:
        if self._claims.hold(path, written) or not self._history.can_hold(size, written):
            return False
        return not self._claims.works_in(self._places.cwd) or self._is_proven(path)

    def _is_proven(self, path: str) -> bool:
        """Whether a path shows that it is this training's, and no other's that runs in the same folder."""
        folder, cwd = os.path.dirname(path), self._places.cwd
        if folder != cwd and any(os.path.dirname(saved.path) == folder for saved in self._recorder.book.newest):
            return True
        if self._says_where or not self._mentions.know(path):
            return False
        top, is_inside, _ = path.removeprefix(cwd + "/").partition("/")
        if not (path.startswith(cwd + "/") and is_inside):
            return True
        # Two runs of one script write alike names, each to its own folder: that one has to be known, too.
        if top in self._words or self._claims.say(top):
            return top in self._words
        return is_output_name(top) or self._mentions.name(top)

    def look(self, pids: Iterable[int]) -> None:
        """Look, and tell what has come to rest; these are the training's processes."""
        epoch = self._clock.epoch()
        pids = tuple(pids)
        self._history.note(epoch, written_by(pids))
        opened = open_for_writing(pids)
        for path in opened:
            self._take_opened(os.path.dirname(path))
        if self._metrics is not None:
            self._metrics.learn(pids, opened)
        self._claims.refresh()
        self._take(self._places.look(epoch), LOOK_S)
        self._settle()
        self._before = epoch

    def follow(self) -> None:
        """Read on in the metric files that are known."""
        if self._metrics is not None:
            self._metrics.look((), LOOK_S)

    def glance(self) -> None:
        """See what is being written, and judge nothing."""
        self._take(self._places.look(self._clock.epoch()), 0.0)
        self._recorder.book.expect(self._finder.unfinished)

    def look_once_more(self, *, is_cut: bool, ended: float | None) -> None:
        """All that is left to see, within a bounded time; what was written well after the end is not the run's."""
        until = None if ended is None else (ended + UNCERTAIN_S) * 1e9
        ends = self._clock.monotonic() + LAST_S
        self._claims.refresh()
        for _ in range(LAST_LOOKS):
            seen = self._places.look(self._clock.epoch(), seconds=LAST_S / 10)
            self._take([entry for entry in seen if until is None or entry.mtime_ns <= until], LAST_LOOK_S / 2)
            if not self._places.has_rest or self._clock.monotonic() > ends:
                break
        self._settle(is_final=True, is_cut=is_cut, ended=ended)

    def _take(self, seen: list[Seen], seconds: float) -> None:
        """Take up what a look has seen; metric files may be read for so long."""
        now = self._clock.monotonic()
        for path, (step, run_step) in self._recorder.book.take_announced().items():
            self._finder.announce(path, step, now, run_step=run_step)
            self._places.add(os.path.dirname(path), OPENED_DEPTH)
        self._finder.take(seen)
        if self._metrics is not None:
            self._metrics.look([*self._places.take_old(), *seen], seconds)

    def _can_write(self, path: str) -> bool:
        """Whether a metric file can be this training's, and no other's that runs in the same folder."""
        if self._claims.hold(path):
            return False
        return self._places.is_named(path) or not self._claims.works_in(self._places.cwd)

    def _settle(self, *, is_final: bool = False, is_cut: bool = False, ended: float | None = None) -> None:
        book, run = self._recorder.book, self._recorder.run
        for checkpoint in book.newest:
            if (stamp := book.finished(checkpoint.path)) is not None:
                self._finder.settled(checkpoint.path, stamp)
        if self._trains_since is None and run.slices[-1].last_step is not None:
            self._trains_since = self._before
        moment = Moment(
            now=self._clock.monotonic(),
            epoch=self._clock.epoch() if ended is None else ended,
            step=run.step,
            step_at=self._recorder.steps.at,
            began=self._began,
            trains_since=self._trains_since,
            best_rank=book.best_rank,
            is_told=book.is_told,
            is_final=is_final,
            is_cut=is_cut,
        )
        found = self._finder.settle(moment)
        for one in found:
            size, mtime_ns = one.verdict.stamp
            self._history.take(size, mtime_ns / 1e9)
        self._recorder.take_found(found)
        book.expect(self._finder.unfinished)

    def _take_opened(self, folder: str) -> None:
        """The training holds a file open for writing in this folder: it is its own, unless it is everybody's."""
        if folder in self._decided or len(self._decided) >= _MAX_DECIDED:
            return
        self._decided[folder] = None
        if not folder.isprintable() or is_shared(folder, os.path.expanduser("~")):
            return
        if any(f"{folder}/".startswith(f"{other}/") for other in (self._home.path, *self._data)):
            return
        inner = folder.removeprefix(os.path.realpath(self._places.cwd) + "/")
        if any(is_skipped(name, folder) for name in inner.strip("/").split("/")):
            return
        try:
            is_own = not os.stat(folder).st_mode & stat.S_ISVTX and not os.path.samefile(folder, self._places.cwd)
        except OSError:
            return
        if is_own:
            self._places.add(folder, OPENED_DEPTH)
