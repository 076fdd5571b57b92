"""In which order a run's checkpoints are gone on from."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.control.ranking import newest_first, verdict_on
from backprop_tui.model.ordering import in_order, numbers_in
from backprop_tui.model.run import Checkpoint
from backprop_tui.store.folder import RunFolder


def saved(path: str, t: float, *, slice_n: int = 1, found: str = "folder", good: bool | None = True) -> Checkpoint:
    return Checkpoint(path=path, step=None, t=t, slice=slice_n, found=found, good=good)


def paths(checkpoints: list[Checkpoint]) -> list[str]:
    return [c.path for c in checkpoints]


@pytest.mark.parametrize(
    ("given_order", "order"),
    [
        # Where the filesystem's time says nothing, or too little, the numbers decide.
        ([saved("/o/step_100.pt", 5), saved("/o/step_90.pt", 5)], ["/o/step_90.pt", "/o/step_100.pt"]),
        ([saved("/o/checkpoint-9", 7), saved("/o/checkpoint-10", 5)], ["/o/checkpoint-9", "/o/checkpoint-10"]),
        (
            [saved("/o/epoch=1-step=9.ckpt", 3), saved("/o/epoch=0-step=10.ckpt", 4)],
            ["/o/epoch=0-step=10.ckpt", "/o/epoch=1-step=9.ckpt"],
        ),
        # What the script reports comes in the order of its reports.
        (
            [saved("/o/a_2.pt", 1, found="event"), saved("/o/a_1.pt", 2, found="event")],
            ["/o/a_2.pt", "/o/a_1.pt"],
        ),
        # A later slice comes later: Accelerate counts from 0 again.
        (
            [saved("/o/checkpoint_7", 5), saved("/o/checkpoint_0", 9, slice_n=2)],
            ["/o/checkpoint_7", "/o/checkpoint_0"],
        ),
        # Other families and folders keep their times.
        (
            [saved("/o/step_9.pt", 7), saved("/o/last.pt", 6), saved("/o/step_10.pt", 5.5), saved("/p/step_1.pt", 8)],
            ["/o/step_9.pt", "/o/last.pt", "/o/step_10.pt", "/p/step_1.pt"],
        ),
        # Slots that are written in turn.
        (
            [saved("/o/ckpt_1.pt", 100), saved("/o/ckpt_2.pt", 200), saved("/o/ckpt_0.pt", 300)],
            ["/o/ckpt_1.pt", "/o/ckpt_2.pt", "/o/ckpt_0.pt"],
        ),
        # A loss is no counter.
        (
            [saved("/o/m_loss0.91.pt", 100), saved("/o/m_loss0.52.pt", 200), saved("/o/m_loss0.4.pt", 300)],
            ["/o/m_loss0.91.pt", "/o/m_loss0.52.pt", "/o/m_loss0.4.pt"],
        ),
        # The numbers of a family that begins anew within a slice count nothing, close by neither.
        (
            [saved("/o/t_8.pt", 100), saved("/o/t_9.pt", 101), saved("/o/t_1.pt", 110), saved("/o/t_0.pt", 110.5)],
            ["/o/t_8.pt", "/o/t_9.pt", "/o/t_1.pt", "/o/t_0.pt"],
        ),
        # Saved every second, with times that are a second off.
        (
            [saved("/o/step_1.pt", 1), saved("/o/step_3.pt", 2), saved("/o/step_2.pt", 3), saved("/o/step_4.pt", 4)],
            ["/o/step_1.pt", "/o/step_2.pt", "/o/step_3.pt", "/o/step_4.pt"],
        ),
        ([], []),
    ],
)
def test_order_of_saving(given_order, order):
    assert paths(in_order(given_order)) == order


CHECKPOINTS = st.lists(
    st.builds(
        lambda name, number, t, slice_n, found: saved(f"/o/{name}{number}", t, slice_n=slice_n, found=found),
        st.sampled_from(["step_", "ck-"]),
        st.integers(0, 20),
        st.integers(0, 5),
        st.integers(1, 2),
        st.sampled_from(["folder", "event"]),
    ),
    max_size=12,
)


@given(CHECKPOINTS)
def test_ordering_keeps_all_and_is_final(checkpoints):
    ordered = in_order(checkpoints)
    assert sorted(ordered, key=repr) == sorted(checkpoints, key=repr)
    families: dict[tuple[object, ...], list[Checkpoint]] = {}
    for c in ordered:
        if c.found == "folder":
            families.setdefault((c.slice, numbers_in(c.path)[0]), []).append(c)
    for family in families.values():
        assert all(after.t - before.t >= -2 for before, after in combinations(family, 2)), "clear times are kept"
        assert in_order(family) == family


def test_numbers_in_names():
    assert numbers_in("epoch=1-step=0040.ckpt") == ("epoch=#-step=#.ckpt", (1, 40))
    assert numbers_in("٣") == ("٣", ())
    assert numbers_in("9" * 5000)[1] == (int("9" * 18),)


def record(folder: Path, *checkpoints: Checkpoint) -> RunFolder:
    folder.mkdir(exist_ok=True)
    (folder / "checkpoints.jsonl").write_text("".join(json.dumps(c.plain()) + "\n" for c in checkpoints))
    return RunFolder(str(folder))


def test_bare_weights_and_the_best_come_after_all_others(tmp_path):
    folder = record(
        tmp_path / "r",
        saved("/o/ckpt.pt", 1),
        saved("/o/best.pt", 5),
        saved("/o/model.safetensors", 4),
        saved("/o/model-best", 6),
        saved("/o/last.pt", 3),
    )
    assert paths(newest_first(folder)) == [
        "/o/last.pt", "/o/ckpt.pt", "/o/model.safetensors", "/o/model-best", "/o/best.pt"
    ]  # fmt: skip


def test_what_the_script_reports_is_never_the_best_only(tmp_path):
    folder = record(tmp_path / "r", saved("/o/last.pt", 1), saved("/o/best.pt", 5, found="event"))
    assert paths(newest_first(folder)) == ["/o/best.pt", "/o/last.pt"]


def test_a_copy_stands_before_its_original_as_long_as_it_is_kept(tmp_path):
    kept = tmp_path / "r" / "kept" / "1" / "ckpt.pt"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    folder = record(
        tmp_path / "r",
        saved("/o/ckpt.pt", 5),
        saved(str(kept), 4.999, found="copy"),
        saved("/gone/ckpt.pt", 2, found="copy"),
        saved("/o/ckpt.pt", 9, slice_n=2, good=False),
    )
    assert paths(newest_first(folder)) == ["/o/ckpt.pt", str(kept)]


@pytest.mark.parametrize("name", ["best.pt", "model.safetensors"])
def test_a_copy_is_no_fitter_than_its_original(tmp_path, name):
    kept = tmp_path / "r" / "kept" / "1" / name
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    copy = saved(str(kept), 4.999, found="copy").replace(copy_of=f"/o/{name}")
    folder = record(tmp_path / "r", copy, saved("/o/last.pt", 3), saved(f"/o/{name}", 9, slice_n=2))
    assert paths(newest_first(folder)) == ["/o/last.pt", f"/o/{name}", str(kept)]
    reported = record(tmp_path / "r", copy, saved("/o/last.pt", 3), saved(f"/o/{name}", 9, found="event"))
    assert paths(newest_first(reported)) == [f"/o/{name}", str(kept), "/o/last.pt"]


def test_how_often_a_slice_saved_to_a_path(tmp_path):
    folder = record(
        tmp_path / "r",
        saved("/o/a_1.pt", 1, found="event", good=None),
        saved("/o/a_1.pt", 1, found="event"),
        saved("/o/a_1.pt", 3, slice_n=2),
        saved("/o/a_2.pt", 4, slice_n=2),
        saved("/o/a_2.pt", 5, slice_n=2),
    )
    assert (folder.saves("/o/a_1.pt"), folder.saves("/o/a_2.pt"), folder.saves("/o/none")) == (1, 2, 0)


def test_what_was_seen_to_be_cut_stays_bad(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"half")
    cut = saved(str(path), 5, good=False).replace(kind="file", size=4, why="it was cut")
    assert (verdict_on(cut).good, verdict_on(cut).why) == (False, "it was cut")
    assert verdict_on(cut.replace(good=True)).good
    path.write_bytes(b"written to its end")
    assert verdict_on(cut).good, "it is another one now"
