from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.model.events import CheckpointReport, Metric, ScriptEvent
from backprop_tui.protocol.lines import LineSplitter
from backprop_tui.protocol.parse import parse

BAR = "Epoch 1:  10%|█  | 2/20 [00:00<00:01, 14.93it/s]"


def one(line: str) -> object:
    found = parse([line])
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("line", "step", "values"),
    [
        ('{"step": 3, "loss": 1.0}', 3, {"loss": 1.0}),
        ('  {"step":3,"loss":1}  ', 3, {"loss": 1}),
        ('{"loss": 0.5, "step": -3, "acc": 1e-3}', -3, {"loss": 0.5, "acc": 0.001}),
        ('{"step": 3.0, "loss": 1}', 3, {"loss": 1}),
        ('{"step": 2.5, "loss": 1}', 2.5, {"loss": 1}),
        ('{"step": 0, "loss": Infinity, "b": -Infinity}', 0, {"loss": math.inf, "b": -math.inf}),
        ('{"step": 1, "loss": 1e999}', 1, {"loss": math.inf}),
        ('{"step": 1, "loss": 2, "ok": true, "s": "x", "n": null, "d": {"a": 1}, "l": [1]}', 1, {"loss": 2}),
        ('{"step": 1, "a\\u001b[2J": 2, "": 3, "\\u0007": 4}', 1, {"a": 2, "\ufffd": 4}),
        ('{"step": 1, "loss": 2, "big": 1' + "0" * 400 + "}", 1, {"loss": 2}),
        ('{"step": 1, "n": 12345678901234567890}', 1, {"n": 12345678901234567890.0}),
        ('{"event": "log", "step": 1, "loss": 2}', 1, {"loss": 2}),
        ('{"event": null, "step": 1, "loss": 2}', 1, {"loss": 2}),
        (BAR + '{"step": 3, "loss": 1.0}', 3, {"loss": 1.0}),
        ('2026-11-23 22:42:56,153 - INFO - {"step": 3, "loss": 1.0}', 3, {"loss": 1.0}),
        ('\x1b[32mINFO\x1b[0m {"step": 3, "loss": 1.0}\x1b[0m\x1b[K', 3, {"loss": 1.0}),
        ('\x1b[32m{"step": 3, "loss": 1.0}\x1b[0m ', 3, {"loss": 1.0}),
        ('{\'lr\': 1} {"step": 3, "loss": 1.0}', 3, {"loss": 1.0}),
        ('config {"step": 1, "a": 2} then {"step": 3, "loss": 1.0}', 3, {"loss": 1.0}),
        ('{"broken": {"step": 3, "loss": 1.0}', 3, {"loss": 1.0}),
    ],
)
def test_metrics(line, step, values):
    metric = one(line)
    assert metric == Metric(step, values)
    assert isinstance(metric, Metric)
    assert type(metric.step) is type(step)


@pytest.mark.parametrize(
    "line",
    [
        '{"step": 3}',
        '{"loss": 3}',
        '{"step": "3", "loss": 1}',
        '{"step": true, "loss": 1}',
        '{"step": NaN, "loss": 1}',
        '{"step": Infinity, "loss": 1}',
        '{"step": 1000000000000001, "loss": 1}',
        '{"step": 1e300, "loss": 1}',
        '{"step": 1, "loss": true}',
        '{"step": 1, "loss": }',
        '{"step": 1, "loss": 1} done',
        '[{"step": 1, "loss": 1}]',
        '{"outer": {"step": 1, "loss": 1}}',
        "{'step': 1, 'loss': 1}",
        '"step"',
        '"step": 1}',
        '{"event": 3}',
        '{"event": ""}',
        '{"event": "\\u0020"}',
        '{"step": 1, "x": ' + "9" * 5000 + "}",
        '{"step": 1, "x": ' + "[" * 50_000 + "}",
        '{"step":' * 5_000 + "}",
        '"step"' + '{"' * 30_000 + "}",
    ],
)
def test_what_is_no_report(line):
    assert parse([line]) == []


def test_nan_is_a_value():
    metric = one('{"step": 1, "loss": NaN}')
    assert isinstance(metric, Metric)
    assert math.isnan(metric.values["loss"])
    assert metric.raw is None


@pytest.mark.parametrize("line", ['{"step": 3, "loss": 1.0}', '{ "a b": -2, "step":3 }', '{"step":1,"x":1e-9,"y":0}'])
def test_a_plain_line_may_be_copied(line):
    metric = one(f" {line} ")
    assert isinstance(metric, Metric)
    assert metric.raw == line


@pytest.mark.parametrize(
    "line",
    [
        '{"step": 3, "loss": 1.0, "t": 5}',
        '{"step": 3, "loss": Infinity}',
        '{"step": 3, "loss": 1e999}',
        '{"step": 3, "löss": 1}',
        '{"step": 3, "loss": 1, "x": null}',
        '{"step": 3, "loss": 1, "x": true}',
        '{"step": 3.0, "loss": 1}',
        '{"step": 3, "loss": 1, "loss": 2}',
        '{"step": 3, "step": 3, "loss": 2}',
        '{"step": 3, "l\\u006fss": 1}',
        '{"step": 3, "n": 12345678901234567890}',
        '{"step": 3,\t"loss": 1}',
        '{"step": 3, "' + "a" * 65 + '": 1}',
        '{"step": 3, "": 1, "loss": 1}',
        '{"step": 3, "loss": 1' + " " * 1000 + "}",
        "{" + ", ".join(f'"m{i}": {i}' for i in range(70)) + ', "step": 3}',
    ],
)
def test_a_line_that_must_not_be_copied(line):
    metric = one(line)
    assert isinstance(metric, Metric)
    assert metric.raw is None


def test_values_are_bounded():
    metric = one("{" + ", ".join(f'"m{i}{"x" * 90}": {i}' for i in range(100)) + ', "step": 3}')
    assert isinstance(metric, Metric)
    assert len(metric.values) == 64
    assert {len(name) for name in metric.values} == {64}


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ('{"event": "checkpoint_saved", "path": "a/b.pt"}', CheckpointReport(path="a/b.pt")),
        ('{"event": "checkpoint_saved", "path": "/a", "step": 5}', CheckpointReport(path="/a", step=5)),
        ('{"event": "checkpoint_saved", "path": "a", "step": 5.0}', CheckpointReport(path="a", step=5)),
        ('{"event": "checkpoint_saved", "path": "a", "step": 2.5}', CheckpointReport(path="a")),
        ('{"event": "checkpoint_saved", "path": "a", "step": true}', CheckpointReport(path="a")),
        (
            '{"event": "checkpoint_saved", "path": "a", "step": 5, "loss": 1}',
            CheckpointReport(path="a", step=5),
        ),
        (BAR + '{"event": "checkpoint_saved", "path": "{a}"}', CheckpointReport(path="{a}")),
    ],
)
def test_checkpoints(line, report):
    assert one(line) == report


@pytest.mark.parametrize("path", ['""', "3", "null", '"a\\u0000b"', json.dumps("x" * 4096)])
def test_a_checkpoint_without_a_usable_path_is_any_event(path):
    event = one(f'{{"event": "checkpoint_saved", "path": {path}}}')
    assert isinstance(event, ScriptEvent)
    assert event.name == "checkpoint_saved"


def test_other_events():
    line = (
        '{"event": "epoch\\u001b[2J end", "epoch": 3, "ok": true, "note": "a\\tb\\u202e", "x": {"a": [1, "\\u0007"]}}'
    )
    fields = {"epoch": 3, "ok": True, "note": "a       b\ufffd", "x": {"a": [1, "\ufffd"]}}
    assert one(line) == ScriptEvent(name="epoch end", fields=fields)


def test_events_are_bounded():
    deep = "[" * 9 + "]" * 9
    fields = ", ".join(f'"f{i}": {i}' for i in range(100))
    event = one(
        f'{{"event": "{"e" * 99}", "deep": {deep}, "wide": {[1] * 5000}, "huge": 1{"0" * 400}, '
        f'"text": "{"y" * 5000}", {fields}}}'
    )
    assert isinstance(event, ScriptEvent)
    assert len(event.name) == 64
    assert len(event.fields) == 64
    assert "deep" not in event.fields
    assert "wide" not in event.fields
    assert "huge" not in event.fields
    assert len(event.fields["text"]) == 4000


def test_two_writers_on_one_line_are_both_heard():
    line = '{"step": 1, "loss": 2}{"step": 1, "loss": 3} {"event": "done"}'
    assert parse([line]) == [
        Metric(1, {"loss": 2}),
        Metric(1, {"loss": 3}),
        ScriptEvent(name="done", fields={}),
    ]


def test_order_is_kept_across_batches_and_broken_lines():
    lines = []
    for i in range(2000):
        lines.append(f'{{"step": {i}, "loss": 1.5}}')
        if i % 700 == 3:
            lines += [
                '{"step": 1, "loss": }',
                BAR + f'{{"step": {i}, "glued": 1}}',
                '{"step": 1, "n": {}}',
                "text",
            ]
    steps = [found.step for found in parse(lines) if isinstance(found, Metric) and "loss" in found.values]
    assert steps == list(range(2000))
    assert [found.step for found in parse(lines) if isinstance(found, Metric) and "glued" in found.values] == [
        3,
        703,
        1403,
    ]


def test_lines_that_would_make_up_one_object_between_them_are_read_apart():
    lines = ['{"step": 1, "a": [1', '{"step": 2, "loss": 1}]}', '{"step": 3, "x": 1},{"step": 4, "y": 1}']
    assert parse(lines) == [Metric(4, {"y": 1})]
    lines = ['{"step": 1, "a": "}', '{", "loss": 1, "step": 2}', '{"step": 3, "x": 1}']
    assert parse(lines) == [Metric(3, {"x": 1})]


WHOLE = ['{"step": 1, "loss": 2}', '{"event": "e", "step": 4}', '{"step": 5, "n": {"a": 1}}']
PARTS = ['{"step": 3, "x": ', '{"', '"step"', '"event"', '"a"', "NaN", *'{}",[]:1\\ x']
JSONISH = st.lists(st.sampled_from(WHOLE + PARTS), max_size=12).map("".join)
VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
OBJECTS = st.dictionaries(st.sampled_from(["step", "event", "loss", "a", "path", "{", "}"]), VALUES, max_size=5)


@given(st.lists(JSONISH | OBJECTS.map(json.dumps) | st.text(), max_size=40))
def test_a_batch_says_what_its_lines_say(lines):
    alone = [found for line in lines for found in parse([line])]
    assert repr(parse(lines)) == repr(alone)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(data):
    splitter = LineSplitter(max_line=50)
    parse(splitter.feed(data + b'{"step": 1, "loss": 1') + splitter.feed(data) + splitter.flush())


@given(OBJECTS)
def test_raw_lines_hold_what_the_metric_holds(content):
    found = one(json.dumps(content))
    if isinstance(found, Metric) and found.raw is not None:
        assert json.loads(found.raw) == {"step": found.step, **found.values}
