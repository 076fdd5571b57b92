"""The next slice of a run counts on the axis of the one before."""

from __future__ import annotations

import json

import pytest

from backprop_tui.model.events import Metric, Progress
from backprop_tui.protocol.reading import Reading
from tests.unit.test_protocol_reading import ALL, bar, lines_of, newest_progress, told


def after(text: str, resumed_at: int | None = None, *, goes_on: bool = False) -> Reading:
    """A reader that follows on one that has read the text."""
    before = Reading()
    before.feed(lines_of(text))
    before.rest()
    context = json.loads(json.dumps(before.context))
    assert len(json.dumps(context)) < 1024
    return Reading(context=context, resumed_at=resumed_at, goes_on=goes_on)


EPOCH_BARS = bar("Epoch 0", 20, 20, ", loss=0.9") + bar("Epoch 1", 20, 20, ", loss=0.8")
NAMELESS_BARS = "".join(bar("", n, 20, f", loss=0.{n}") for n in (10, 20)) + bar("", 5, 20, ", loss=0.5")
UNCOUNTED = "loss: 0.3\nloss: 0.2\nloss: 0.1\n"
SHARES = "".join(f"{{'loss': {n}.5, 'epoch': {n / 2}}}\n" for n in (1, 2, 3, 4))
COUNTED_SHARES = bar("", 40, 40) + "\n{'loss': 0.5, 'epoch': 2.0}\n"
ONE_BAR = bar("", 40, 100, ", loss=0.5")


@pytest.mark.parametrize(
    ("before", "resumed_at", "text", "expected"),
    [
        # Steps of the whole training are what they are, also where the script began from nothing.
        ("step 100 loss 0.5\n", 80, "step 81 loss 0.4\n", [(81, {"loss": 0.4})]),
        ("step 100 loss 0.5\n", 80, "step 1 loss 0.9\n", [(1, {"loss": 0.9})]),
        # Epochs count from 0 or from 1 as they did.
        (EPOCH_BARS, 20, bar("Epoch 1", 1, 20, ", loss=0.7"), [(21, {"loss": 0.7})]),
        (
            "Epoch 1/5\n10/10 - 1s - 6ms/step - loss: 0.9\n",
            10,
            "Epoch 2/5\n10/10 - 1s - 6ms/step - loss: 0.8\n",
            [(20, {"loss": 0.8})],
        ),
        ("[1, 10] loss: 0.9\n[2, 10] loss: 0.8\n", 20, "[3, 10] loss: 0.7\n", [(30, {"loss": 0.7})]),
        # Only the epochs that are left are counted.
        (
            "Epoch 1/5\n10/10 - 1s - 6ms/step - loss: 0.9\n",
            20,
            "Epoch 1/3\n10/10 - 1s - 6ms/step - loss: 0.8\n",
            [(30, {"loss": 0.8})],
        ),
        # A bar for each epoch, without its number.
        (NAMELESS_BARS, 20, bar("", 3, 20, ", loss=0.4"), [(23, {"loss": 0.4})]),
        (EPOCH_BARS, 30, "\rTraining: |          | 13/? [00:00<00:00, 39.90it/s, loss=0.4]", [(33, {"loss": 0.4})]),
        # One bar for all: as it is drawn, or only what is left.
        (ONE_BAR, 40, bar("", 41, 100, ", loss=0.4"), [(41, {"loss": 0.4})]),
        (ONE_BAR, 40, bar("", 1, 60, ", loss=0.4"), [(41, {"loss": 0.4})]),
        (ONE_BAR, 40, bar("", 1, 100, ", loss=0.4"), [(1, {"loss": 0.4})]),
        # Boosting begins at 0 again.
        (
            "[0]\tt-rmse:0.5\n[7]\tt-rmse:0.4\n",
            7,
            "[0]\tt-rmse:0.3\n[1]\tt-rmse:0.2\n",
            [(8, {"t-rmse": 0.3}), (9, {"t-rmse": 0.2})],
        ),
        ("[1]\tt's rmse: 0.5\n[7]\tt's rmse: 0.4\n", 7, "[8]\tt's rmse: 0.3\n", [(8, {"t's rmse": 0.3})]),
        # The loss is known under the same name.
        ("step 1 train loss 0.5\nstep 2 train loss 0.4\n", 2, "step 3 train loss 0.3\n", [(3, {"loss": 0.3})]),
        ("step 1 train loss 0.5\nstep 1 loss 0.4\n", 1, "step 3 train loss 0.3\n", [(3, {"train_loss": 0.3})]),
        # Reports without a counter are numbered on.
        ("loss: 0.5\nloss: 0.4\nloss: 0.3\n", 3, "{'loss': 0.2, 'epoch': 0.5}\n", [(4, {"loss": 0.2})]),
        # They are numbered, whatever the checkpoint's step counts; epochs say where the slice stands.
        (
            "loss: 0.5\nloss: 0.4\nloss: 0.3\n",
            30,
            UNCOUNTED,
            [(4, {"loss": 0.3}), (5, {"loss": 0.2}), (6, {"loss": 0.1})],
        ),
        (
            SHARES,
            40,
            "{'loss': 3.9, 'epoch': 0.5}\n{'loss': 3.8, 'epoch': 1.0}\n",
            [(1, {"loss": 3.9}), (2, {"loss": 3.8})],
        ),
        (
            SHARES,
            30,
            "{'loss': 0.5, 'epoch': 1.5}\n{'loss': 0.4, 'epoch': 2.0}\n",
            [(3, {"loss": 0.5}), (4, {"loss": 0.4})],
        ),
        (SHARES, 40, "{'loss': 0.3, 'epoch': 2.5}\n", [(5, {"loss": 0.3})]),
        (
            COUNTED_SHARES,
            40,
            "{'loss': 0.3, 'epoch': 2.5}\n{'loss': 0.2, 'epoch': 3.0}\n",
            [(50, {"loss": 0.3}), (60, {"loss": 0.2})],
        ),
        ("", 80, UNCOUNTED, [(1, {"loss": 0.3}), (2, {"loss": 0.2}), (3, {"loss": 0.1})]),
        # It began anew.
        (EPOCH_BARS, 0, bar("Epoch 0", 1, 20, ", loss=0.9"), [(1, {"loss": 0.9})]),
        (NAMELESS_BARS, None, bar("", 1, 20, ", loss=0.9"), [(1, {"loss": 0.9})]),
    ],
)
def test_the_next_slice(before, resumed_at, text, expected):
    assert told(text, after(before, resumed_at)) == expected


def test_the_total_is_that_of_the_whole_run():
    assert newest_progress(bar("", 1, 60), after(ONE_BAR, 40)) == Progress(step=41, total=100)
    text = "Epoch 1/3\n10/10 - 1s - 6ms/step - loss: 0.8\n"
    before = "Epoch 1/5\n10/10 - 1s - 6ms/step - loss: 0.9\n"
    assert newest_progress(text, after(before, 20)).total == 50


def test_a_bar_that_catches_up_is_no_progress_yet():
    reading = after(ONE_BAR, 40)
    assert reading.feed(lines_of(bar("", 0, 100))) == [Progress(total=100)]
    assert reading.feed(lines_of(bar("", 20, 100))) == []
    assert reading.feed(lines_of(bar("", 41, 100))) == [Progress(step=41, total=100)]


@pytest.mark.parametrize("name", ALL)
def test_a_slice_goes_on_with_another_reader(name):
    """After a killed supervisor: it ends at the step at which one reader ends that has read it all."""
    lines = lines_of(ALL[name][0])
    whole = Reading()
    steps = [one.step for one in [*whole.feed(lines), *whole.rest()] if isinstance(one, Metric)]
    for cut in range(len(lines)):
        first = Reading()
        found = [*first.feed(lines[:cut]), *first.rest()]
        second = Reading(context=json.loads(json.dumps(first.context)), goes_on=True)
        found += [*second.feed(lines[cut:]), *second.rest()]
        halves = [one.step for one in found if isinstance(one, Metric)]
        assert halves == sorted(halves)
        if halves and name not in TOO_SHORT:
            assert halves[-1] == steps[-1]


TOO_SHORT = (
    "no counter at all",
    "lines that count other steps",
    "lines under their counters",
    "epoch above, count behind",
)


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("value", ["x", [], {}, None, 1.5, True, 10**30, [None], -3])
def test_a_context_of_nonsense_is_harmless(value, goes_on):
    names = {name for text, _expected in ALL.values() for name in after(text).context} | {"bar", "header", "more"}
    reading = Reading(context=dict.fromkeys(names, value), resumed_at=3, goes_on=goes_on)
    text = bar("Epoch 1/2", 1, 20, ", loss=0.5") + "\nstep 30 loss 0.4\nEpoch 2/2\n1/9 - 0s - 1ms/step - loss: 0.1\n"
    assert told(text, reading)
