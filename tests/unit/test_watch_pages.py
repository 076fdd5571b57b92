"""The history as a list: its beginning at once, the whole when there is time, counts, and what others change."""

from __future__ import annotations

from pathlib import Path

import pytest

from backprop_tui.store.home import Home
from backprop_tui.store.index import KEYS_AT_ONCE, Index
from backprop_tui.store.rows import Row
from backprop_tui.watch.pages import FIRST, HistoryPages, View


def rows(count: int, **more: object) -> list[Row]:
    made = []
    for n in range(count):
        name = "even" if n % 2 == 0 else "odd"
        fields = {"state": "completed", "created": float(n), "ended": float(n), "name": name, "hay": f"{name} r{n}"}
        made.append(Row(id=f"r{n}", **{**fields, **more}))  # type: ignore[arg-type]
    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = Home(str(tmp_path / "home"))
    home.ensure()
    return home


def test_the_beginning_and_then_the_whole(home: Home) -> None:
    Index(home).upsert(rows(1000))
    pages = HistoryPages(home)
    first, whole = pages.first(View(text="odd")), pages.whole(View(text="odd"))
    assert first is not None
    assert whole is not None
    assert (len(first.keys), first.is_whole, first.total) == (FIRST, False, 1000)
    assert (len(whole.keys), whole.is_whole, whole.total) == (500, True, 1000)
    assert whole.keys[:FIRST] == first.keys
    assert [pages.rows([key])[key].id for key in whole.keys[:2]] == ["r999", "r997"]
    few = pages.first(View(text="r99"))
    assert few is not None
    assert (len(few.keys), few.is_whole) == (11, True)


def test_the_count_follows_what_anybody_changes(home: Home) -> None:
    theirs, pages = Index(home), HistoryPages(home)
    counts = []
    for count, archived in ((3, 0), (5, 0), (5, 1)):
        theirs.upsert(rows(count, archived=archived))
        counts += [pages.first(View()), pages.first(View(archived=True))]
    assert [found.total for found in counts if found] == [3, 0, 5, 0, 0, 5]


def test_a_listing_that_is_let_go_gives_nothing_and_the_next_is_whole(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index(home).upsert(rows(KEYS_AT_ONCE + 1))
    pages = HistoryPages(home)
    monkeypatch.setattr("backprop_tui.watch.pages.time.sleep", lambda _s: pages.interrupt())
    assert pages.whole(View()) is None
    monkeypatch.undo()
    whole = pages.whole(View())
    assert whole is not None
    assert len(whole.keys) == KEYS_AT_ONCE + 1


def test_only_a_listing_can_be_interrupted(home: Home) -> None:
    Index(home).upsert(rows(3))
    pages = HistoryPages(home)
    pages.interrupt()
    assert len(pages.rows([1, 2, 3])) == 3
    assert pages.key_of("r0") is not None


def test_a_change_by_anybody_is_told_once(home: Home) -> None:
    theirs, pages = Index(home), HistoryPages(home)
    assert pages.sync()
    assert not pages.sync()
    theirs.upsert(rows(1))
    assert pages.sync()
    assert not pages.sync()
