from __future__ import annotations

import signal

from backprop_tui.model.events import Metric
from backprop_tui.protocol.reading import Rules
from backprop_tui.supervisor.reading import TOO_SLOW, BoundedReading

SLOW = r"step (?P<step>\d+) loss (?P<loss>\S+)|(?P<endless>(?:x+)+)y"


def test_a_pattern_without_end_is_given_up_and_no_line_is_lost():
    before = signal.getsignal(signal.SIGVTALRM)
    reading = BoundedReading(Rules(pattern=SLOW))
    found = reading.feed(["step 1 loss 2.5", "x" * 60, '{"step": 2, "loss": 2.25}', "step 3 loss 2.0"])
    steps = [(item.step, item.values["loss"]) for item in [*found, *reading.rest()] if isinstance(item, Metric)]
    assert steps[:2] == [(1, 2.5), (2, 2.25)]
    assert reading.problem == TOO_SLOW
    assert not reading.has_pattern
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_a_pattern_that_is_quick_enough_stays():
    reading = BoundedReading(Rules(pattern=SLOW))
    found = reading.feed([f"step {n} loss {n}.5" for n in range(20_000)])
    assert [item.step for item in found if isinstance(item, Metric)] == list(range(20_000))
    assert reading.has_pattern
    assert not reading.problem
    reading.close()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
