"""What a person types into the filter, against a real index."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

import pytest

from backprop_tui.store.home import Home
from backprop_tui.store.index import Index
from backprop_tui.store.query import SORTS, conditions, unknown_field
from backprop_tui.store.rows import Row

NOW = 1_000_000.0


def row(run_id: str, **more: object) -> Row:
    fields: dict[str, object] = {"state": "completed", "created": NOW - 86400 * 5, "ended": NOW - 3600, **more}
    words = ("name", "script", "tags", "state")
    hay = " ".join([run_id, *(str(fields.get(word, "")) for word in words)]).lower()
    return Row(id=run_id, hay=hay, **fields)  # type: ignore[arg-type]


ROWS = (
    row(
        "a1", name="llama-lora-r8", tags="lora nlp", loss=1.9, steps=12400, took_s=600.0, star=1, script="train_lora.py"
    ),
    row("b2", name="mnist-smoke", loss=0.04, steps=938, took_s=52.0, ended=NOW - 60, script="mnist.py"),
    row("c3", name="bert-ner", state="failed", loss=3.0, steps=412, took_s=134.0, ended=NOW - 120, tags="ner"),
    row("d4", name="gpt2", state="diverged", loss=math.nan, steps=230, checkpoints=2, ended=NOW - 86400 * 3),
    row("e5", name="Going", state="running", ended=None),
    row("f6", name="put-away", archived=1),
    row("g7", state="lost", ended=None, steps=None, tags="nlp2"),
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("index")
    made = Index(Home(str(folder / "home")), str(folder / "i.sqlite3"))
    made.upsert(ROWS)
    return made


def found(index: Index, text: str = "", **more: object) -> str:
    keys = [key for portion in index.keys(text=text, **more) for key in portion]  # type: ignore[arg-type]
    rows = index.rows(keys)
    return " ".join(rows[key].id for key in keys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "b2 c3 a1 d4 g7"),
        ("lora", "a1"),
        ("LORA r8", "a1"),
        ("lora mnist", ""),
        ("status:failed", "c3"),
        ("status:fail", "c3"),
        ("state:diverged", "d4"),
        ("status:nothing", ""),
        ("tag:nlp", "a1 g7"),
        ("tag:lp", ""),
        ("script:mnist", "b2"),
        ("id:c", "c3"),
        ("loss<2", "b2 a1"),
        ("loss>2", "c3 d4"),
        ("loss<=0.04", "b2"),
        ("steps>=938 steps<1,000", "b2"),
        ("ckpt=2", "d4"),
        ("took>2m", "c3 a1"),
        ("-failed -diverged", "b2 a1 g7"),
        ("-status:failed -loss<2", "d4 g7"),
        ("*", "a1"),
        ("-*", "b2 c3 d4 g7"),
        ("loss<two", ""),
        ("name:x", ""),
        ("%", ""),
        ("'; drop table runs", ""),
    ],
)
def test_filters(index: Index, text: str, expected: str) -> None:
    assert found(index, text) == expected


def test_ages(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    assert found(index, "age<5m") == "b2 c3"
    assert found(index, "age>1d age<4d") == "d4"
    assert found(index, "age>=1h") == "a1 d4 g7"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("age", "b2 c3 a1 d4 g7"),
        ("name", "g7 c3 d4 a1 b2"),
        ("status", "a1 b2 d4 c3 g7"),
        ("took", "a1 c3 b2 g7 d4"),
        ("steps", "a1 b2 c3 d4 g7"),
        ("loss", "b2 a1 c3 d4 g7"),
        ("checkpoints", "d4 g7 c3 b2 a1"),
    ],
)
def test_sorts(index: Index, sort: str, expected: str) -> None:
    assert found(index, sort=sort) == expected
    backwards = found(index, sort=sort, reverse=True).split()
    missing = [name for name in expected.split() if name == "g7" and sort in ("steps", "loss")]
    assert backwards == [*reversed([name for name in expected.split() if name not in missing]), *missing]


def test_limits_and_archive(index: Index) -> None:
    assert found(index, limit=2) == "b2 c3"
    assert found(index, archived=True) == "f6"
    assert (index.count_ended(), index.count_ended(archived=True)) == (5, 1)


def test_a_row_keeps_its_key_and_changes_are_seen(index: Index) -> None:
    key, before = index.key_of("b2"), index.version()
    index.upsert([ROWS[1].replace(note="x")])
    assert index.key_of("b2") == key
    assert index.version() != before
    other = Index(Home("unused"), index.path)
    seen = other.version()
    index.upsert([ROWS[1]])
    assert other.version() != seen
    other.close()


def test_an_interrupted_query_harms_no_later_one(index: Index) -> None:
    portions = index.keys()
    next(portions)
    index.interrupt()
    portions.close()
    assert found(index, "lora") == "a1"


@pytest.mark.parametrize(
    "word", ["a" * 10_000, "loss<" + "9" * 5000, "age<1e9d", "tag:", ":", "<", "--", "-*-", "\x00"]
)
def test_any_word_is_a_filter(index: Index, word: str) -> None:
    found(index, word)
    found(index, " ".join([word] * 100))


def test_conditions_never_hold_what_was_typed(index: Index) -> None:
    for condition in conditions("o'brien tag:x'y status:z'"):
        assert "'b" not in condition.sql
        assert "x'y" not in condition.sql
    for sort in SORTS:
        sqlite3.complete_statement(f"SELECT key FROM runs ORDER BY {SORTS[sort][0]};")


def test_other_versions_of_the_index_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backprop_tui.store import database

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ours = database.default_path("/home/x/.backprop")
    monkeypatch.setattr(database, "SCHEMA", database.SCHEMA + 1)
    assert database.default_path("/home/x/.backprop") != ours


@pytest.mark.parametrize("text", ["-" * 1500, "-" * 1501 + "x", "\udcff", "x" * 5000, "loss<", "status:", "--lora"])
def test_any_text_is_a_filter(text: str) -> None:
    assert len(conditions(text, 0.0)) <= 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("lora", ""),
        ("status:failed loss<2", ""),
        ("colour:red", "colour:red"),
        ("x loss<abc", "loss<abc"),
        ("age<2d", ""),
    ],
)
def test_a_field_that_is_not_known(text: str, word: str) -> None:
    assert unknown_field(text) == word
