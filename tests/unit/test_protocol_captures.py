from __future__ import annotations

import pytest

from tests.captures.table import CAPTURES, RESUMED_AT, Score, expected, items, lines_of, read, reader_of, score

MISSED = {
    # Lightning's rich bar, wrapped at 80 columns: backprop gives its trainings 300.
    "pl.out": {(40, "loss", 15.221), (40, "val_loss", 10.295)},
}


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_a_capture_gives_what_a_person_would_write_down(path):
    found = items(read(lines_of(path), reader_of(path)))
    one = Score()
    one.add(path.name, found, expected(path))
    assert one.wrong == {}
    assert set(one.missed.get(path.name, [])) == MISSED.get(path.name, set())


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_steps_never_go_back_within_a_slice(path):
    last: dict[str, float] = {}
    for item in items(read(lines_of(path), reader_of(path))):
        if item[0] != "checkpoint":
            step, name, _value = item
            assert isinstance(step, (int, float))
            assert step >= last.get(str(name), step)
            last[str(name)] = step


def test_the_whole_set():
    whole = score()
    print(whole.summary())
    assert whole.there > 9000
    assert whole.precision == 1.0
    assert whole.recall >= 0.95


def test_every_capture_has_its_table_and_every_table_its_capture():
    tables = {path.name.removesuffix(".tsv") for path in (CAPTURES[0].parent / "expected").glob("*.tsv")}
    assert tables == {path.name for path in CAPTURES}
    assert set(RESUMED_AT) == {path.name.partition(".")[0] for path in CAPTURES if ".resumed." in path.name}
