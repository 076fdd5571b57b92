"""backprop logs"""

from __future__ import annotations

import os
import sys
import time

from backprop_tui.cli import diagnostics, output, words
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.pump import use_colour
from backprop_tui.control.settling import settle_if_any
from backprop_tui.errors import UsageError
from backprop_tui.watch.history import History
from backprop_tui.watch.homes import open_home
from backprop_tui.watch.logs import LogReader
from backprop_tui.watch.text import TerminalCleaner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from backprop_tui.cli.parsing import Parsed

POLL_S = 0.1
SETTLE_EVERY = 20


def run(parsed: Parsed) -> int:
    """Print what a run printed; with -f go on until it ends."""
    home = open_home()
    settle_if_any(home)
    run_id = History(home).resolve(parsed.words[0])
    log = LogReader(home, run_id)
    lines = parsed.text("lines")
    if lines is not None:
        if not lines.isdecimal() or len(lines) > 12:
            raise UsageError(f"--lines {lines!r:.40} is no number of lines")
        log.seek_tail(int(lines))
    if parsed.flag("json"):
        text = b"".join(iter(log.read, b"")).decode("utf-8", "replace")
        output.emit_json({"id": run_id, "path": log.path, "lines": text.splitlines()})
        return ExitCode.OK
    cleaner = TerminalCleaner(colour=use_colour()) if os.isatty(1) else None
    try:
        for data in _blocks(log, follow=parsed.flag("follow")):
            if log.skipped:
                diagnostics.say(f"backprop: {words.size(log.skipped)} of output freed here (maxLogMB)")
                log.skipped = 0
            sys.stdout.buffer.write(cleaner.feed(data) if cleaner else data)
            sys.stdout.buffer.flush()
        if cleaner:
            sys.stdout.buffer.write(cleaner.flush())
    except KeyboardInterrupt:
        pass  # how a person ends -f
    return ExitCode.OK


def _blocks(log: LogReader, *, follow: bool) -> Iterator[bytes]:
    turn = 0
    while True:
        # Asked before reading: what is added between the two is read in the next turn.
        has_ended = not follow or log.has_ended()
        while data := log.read():
            yield data
        if has_ended:
            return
        turn += 1
        if turn % SETTLE_EVERY == 0:
            settle_if_any(open_home())
        time.sleep(POLL_S)
