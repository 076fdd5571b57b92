"""Metrics from files: what the real writers wrote, whole, cut short, growing and damaged."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts import metric_files
from backprop_tui.artifacts.metric_files import MAX_FILES, MetricFiles
from backprop_tui.artifacts.metric_files.birth import birth_time
from backprop_tui.artifacts.metric_files.points import MAX_NAMES
from backprop_tui.artifacts.metric_files.scalars import event_of
from backprop_tui.artifacts.metric_files.wire import Malformed, masked_crc
from backprop_tui.artifacts.seen import Seen
from backprop_tui.model.events import Metric

CAPTURES = Path(__file__).parent.parent / "captures" / "files"
SINCE = 1_795_500_000.0
LONG_AGO = SINCE - 1000


@pytest.fixture(autouse=True)
def born(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """When every file was made: its only item, nobody knows."""
    found: list[float | None] = [None]
    monkeypatch.setattr(metric_files, "birth_time", lambda _path: found[0])
    return found


def seen_at(path: Path, mtime: float) -> Seen:
    """A file as a walk sees it that was last written at this time."""
    if CAPTURES not in path.parents:
        os.utime(path, (mtime, mtime))
    return Seen(path=str(path), size=path.stat().st_size, mtime_ns=int(mtime * 1e9))


def files_of(name: str) -> list[Path]:
    return sorted(path for path in (CAPTURES / name).rglob("*") if path.is_file() and not path.name.startswith("at-"))


def taken(files: MetricFiles, *paths: Path, mtime: float = SINCE + 60) -> list[Metric]:
    return files.take([seen_at(path, mtime) for path in paths], 10.0)


def curves(metrics: list[Metric]) -> dict[str, list[tuple[Any, float]]]:
    found: dict[str, list[tuple[Any, float]]] = {}
    for metric in metrics:
        for name, value in metric.values.items():
            found.setdefault(name, []).append((metric.step, value))
    return found


def points(metrics: list[Metric]) -> set[tuple[str, Any, str]]:
    return {(name, metric.step, repr(value)) for metric in metrics for name, value in metric.values.items()}


EPOCHS = [1.5, 0.75, 0.5]
LIGHTNING = [1.0501501560211182, 1.0051567554473877, 1.0003618001937866, 1.000104308128357, 1.000001072883606,
             1.0000030994415283]  # fmt: skip

EXPECTED: dict[str, tuple[str, dict[str, list[tuple[int, float]]]]] = {
    "torch": ("tensorboard", {
        "loss": [(n, 2 / n) for n in range(1, 13)] + [(13, math.nan)],
        "train/lr": [(n, 0.001) for n in range(1, 13)],
        "val/loss": [(4, 0.625), (8, 0.3125), (12, 2.5 / 12)],
        "new/style": [(12, 0.25)],
        "double": [(12, 1 / 3)],
    }),
    "tensorboardx": ("tensorboard", {
        "loss": [(n, 1 - n / 10) for n in range(5)],
        "acc": [(4, 0.5)],
        "val_acc": [(4, 0.4)],
    }),
    "tensorflow": ("tensorboard", {
        "loss": [(n, 1 / (n + 1)) for n in range(6)],
        "accuracy": [(n, n / 10) for n in range(6)],
    }),
    "keras": ("tensorboard", {
        "loss": [(0, 1.101919), (1, 1.093882), (2, 1.08614), (3, 1.078656)],
        "accuracy": [(n, 1 / 12) for n in range(4)],
        "learning_rate": [(n, 0.01) for n in range(4)],
        "val_loss": [(0, 1.270651), (1, 1.260214), (2, 1.250315), (3, 1.241058)],
        "val_accuracy": [(n, 0.125) for n in range(4)],
    }),
    "keras-batch": ("tensorboard", {
        "loss": [(1, 1.172515), (2, 1.112638), (3, 1.081521), (4, 1.103763)],
        "batch_accuracy": [(1, 0.125), (2, 0.09375), (3, 0.1875), (4, 0.09375)],
        "epoch_loss": [(2, 1.112638), (4, 1.103763)],
        "accuracy": [(2, 0.09375), (4, 0.09375)],
        "learning_rate": [(2, 0.01), (4, 0.01)],
    }),
    "keras-csv": ("csv", {
        "loss": [(0, 1.101919), (1, 1.093882), (2, 1.08614), (3, 1.078656)],
        "accuracy": [(n, 1 / 12) for n in range(4)],
        "val_loss": [(0, 1.270651), (1, 1.260214), (2, 1.250315), (3, 1.241058)],
        "val_accuracy": [(n, 0.125) for n in range(4)],
    }),
    "lightning": ("csv", {
        "loss": list(zip(range(4, 30, 5), LIGHTNING, strict=True)),
        "val_loss": [(9, 1.0026514530181885), (19, 1.000049352645874), (29, 1.0000019073486328)],
        "train_loss_epoch": [(9, 1.1392438411712646), (19, 1.0009459257125854), (29, 1.0000202655792236)],
        "late": [(19, 3.5)],
    }),
    "lightning-tensorboard": ("tensorboard", {
        "loss": list(zip(range(4, 30, 5), LIGHTNING, strict=True)),
        "val_loss": [(9, 1.0026514530181885), (19, 1.000049352645874), (29, 1.0000019073486328)],
        "train_loss_epoch": [(9, 1.1392438411712646), (19, 1.0009459257125854), (29, 1.0000202655792236)],
        "late": [(19, 3.5)],
    }),
    "hf": ("trainer_state", {
        "loss": [(5, 0.6936348915100098), (10, 0.6933528900146484), (15, 0.6945013999938965), (20, 0.6931512832641602)],
        "grad_norm": [(5, 0.0923248752951622), (10, 0.7341085), (15, 0.12316209822893143), (20, 0.7331980466842651)],
        "learning_rate": [(5, 4e-05), (10, 2.75e-05), (15, 1.5e-05), (20, 2.5e-06)],
        "eval_loss": [(10, 0.6931123733520508), (20, 0.6931129097938538)],
    }),
    "hf-tensorboard": ("tensorboard", {
        "loss": [(5, 0.6936348915100098), (10, 0.6933528900146484), (15, 0.6945013999938965), (20, 0.6931512832641602)],
        "train/grad_norm": [(5, 0.0923248752951622), (10, 0.7341085), (15, 0.12316209822893143), (20, 0.7331980466842651)],
        "train/learning_rate": [(5, 4e-05), (10, 2.75e-05), (15, 1.5e-05), (20, 2.5e-06)],
        "eval/loss": [(10, 0.6931123733520508), (20, 0.6931129097938538)],
    }),
    "sb3": ("csv", {
        "rollout/ep_rew_mean": [(512 * n, 10.5 * n) for n in range(1, 5)],
        "time/fps": [(512 * n, 900 + n) for n in range(1, 5)],
        "loss": [(512 * n, 4 / n) for n in range(2, 5)],
        "train/learning_rate": [(512 * n, 3e-4) for n in range(2, 5)],
    }),
    "sb3-tensorboard": ("tensorboard", {
        "rollout/ep_rew_mean": [(512 * n, 10.5 * n) for n in range(1, 5)],
        "time/fps": [(512 * n, 900 + n) for n in range(1, 5)],
        "loss": [(512 * n, 4 / n) for n in range(2, 5)],
        "train/learning_rate": [(512 * n, 3e-4) for n in range(2, 5)],
    }),
    "ultralytics": ("csv", {
        "train/box_loss": list(enumerate(EPOCHS, 1)),
        "train/cls_loss": [(1, 3.1), (2, 1.55), (3, 1.03333)],
        "train/dfl_loss": [(n, 1.25) for n in (1, 2, 3)],
        "metrics/precision(B)": [(1, 0), (2, 0.1), (3, 0.2)],
        "metrics/recall(B)": [(1, 0), (2, 0.2), (3, 0.4)],
        "metrics/mAP50(B)": [(1, 0), (2, 0.05), (3, 0.1)],
        "metrics/mAP50-95(B)": [(1, 0), (2, 0.01), (3, 0.02)],
        "val/box_loss": [(1, 1.7), (2, 0.85), (3, 0.566667)],
        "val/cls_loss": [(1, 3.3), (2, 1.65), (3, 1.1)],
        "val/dfl_loss": [(n, 1.3) for n in (1, 2, 3)],
        **{f"lr/pg{group}": [(n, 0.001) for n in (1, 2, 3)] for group in range(3)},
    }),
    "mmengine": ("json_lines", {
        "loss": [(10, 1.3274867624044417), (20, 1.1825910806655884), (30, 0.7961518466472626), (40, 0.30261346995830535),
                 (50, 0.24318334497511387), (60, 0.31413568314164875)],
        "lr": [(n, 0.01) for n in range(10, 61, 10)],
        "acc": [(20, 0.5), (40, 0.5), (60, 0.5)],
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_person_would_read(name: str) -> None:
    source, expected = EXPECTED[name]
    files = MetricFiles(SINCE)
    metrics = taken(files, *files_of(name))
    found = curves(metrics)
    assert files.sources == (source,)
    assert found.keys() == expected.keys()
    for metric, curve in expected.items():
        assert [step for step, _ in found[metric]] == [step for step, _ in curve], metric
        assert [value for _, value in found[metric]] == pytest.approx(
            [value for _, value in curve], rel=1e-5, nan_ok=True
        )
    assert [metric.step for metric in metrics] == sorted(metric.step for metric in metrics)


def test_every_capture_has_its_expected_values() -> None:
    assert {path.name for path in CAPTURES.iterdir() if path.is_dir()} == EXPECTED.keys()


SINGLE = [path for name in EXPECTED for path in files_of(name)]


@pytest.mark.parametrize("path", SINGLE, ids=lambda path: str(path.relative_to(CAPTURES)))
def test_cut_anywhere_nothing_is_wrong(path: Path, tmp_path: Path) -> None:
    """And what grows a byte at a time gives in the end what it gives at once."""
    data = path.read_bytes()
    copy = tmp_path / path.parent.name / path.name
    copy.parent.mkdir()
    copy.write_bytes(data)
    whole = points(taken(MetricFiles(SINCE), copy))
    copy.write_bytes(b"")
    growing = MetricFiles(SINCE)
    step_by_step: list[Metric] = []
    with open(copy, "ab", buffering=0) as file:
        for n in range(len(data)):
            file.write(data[n : n + 1])
            step_by_step += taken(growing, copy, mtime=SINCE + n)
            assert points(taken(MetricFiles(SINCE), copy)) <= whole
    assert whole
    assert points(step_by_step) == whole
    assert sum(len(metric.values) for metric in step_by_step) == len(whole), "a point came twice"


@pytest.mark.parametrize("path", files_of("torch") + files_of("keras"), ids=lambda path: path.parent.name)
def test_damaged_bytes_end_the_file_there(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    whole = points(taken(MetricFiles(SINCE), path))
    copy = tmp_path / path.parent.name / path.name
    copy.parent.mkdir()
    for at in range(0, len(data), 7):
        copy.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        assert points(taken(MetricFiles(SINCE), copy)) <= whole


def test_a_damaged_record_is_read_once_it_is_whole(tmp_path: Path) -> None:
    (path,) = files_of("lightning-tensorboard")
    data = path.read_bytes()
    copy = tmp_path / path.name
    copy.write_bytes(data[:600] + bytes(len(data) - 600))
    files = MetricFiles(SINCE)
    first = taken(files, copy, mtime=SINCE + 1)
    copy.write_bytes(data)
    rest = taken(files, copy, mtime=SINCE + 2)
    assert first
    assert rest
    assert points(first) | points(rest) == points(taken(MetricFiles(SINCE), path))


def test_an_event_file_with_nothing_in_it_yet(tmp_path: Path) -> None:
    (path,) = files_of("torch")
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes()[:88])
    files = MetricFiles(SINCE)
    assert taken(files, copy) == []
    assert files.sources == ()


def test_events_of_an_earlier_training_are_not_taken() -> None:
    (path,) = files_of("torch")
    assert taken(MetricFiles(1_795_544_791.744), path) != taken(MetricFiles(SINCE), path)
    assert taken(MetricFiles(1_795_550_000.0), path, mtime=1_795_550_010.0) == []


def table(tmp_path: Path, *rows: str, name: str = "metrics.csv") -> Path:
    path = tmp_path / name
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def test_rows_that_were_there_before_are_not_taken(tmp_path: Path) -> None:
    path = table(tmp_path, "epoch,train/box_loss", "1,3.0", "2,2.0", name="results.csv")
    files = MetricFiles(SINCE)
    assert taken(files, path, mtime=LONG_AGO) == []
    with path.open("a") as file:
        file.write("3,1.5\n")
    assert taken(files, path) == [Metric(3, {"train/box_loss": 1.5})]
    assert files.sources == ("csv",)


@pytest.mark.parametrize(("made", "steps"), [(LONG_AGO, [4]), (SINCE + 1, [1, 2, 3, 4]), (None, [1, 2, 3, 4])])
def test_an_old_table_that_was_added_to_before_it_was_seen(
    tmp_path: Path, born: list[float | None], made: float | None, steps: list[int]
) -> None:
    """What of it is new cannot be told: none of it is taken but what follows."""
    born[0] = made
    path = table(tmp_path, "step,loss", "1,3.0", "2,2.0", "3,1.5")
    files = MetricFiles(SINCE)
    found = taken(files, path, mtime=SINCE + 2)
    with path.open("a") as file:
        file.write("4,1.4\n")
    found += taken(files, path, mtime=SINCE + 4)
    assert [metric.step for metric in found] == steps


def test_birth_time(tmp_path: Path) -> None:
    path = table(tmp_path, "step,loss")
    made = birth_time(str(path))
    assert made is None or abs(made - path.stat().st_mtime) < 10
    assert birth_time(str(tmp_path / "none")) is None


def test_a_table_with_old_rows_gets_a_new_column(tmp_path: Path) -> None:
    path = table(tmp_path, "epoch,step,loss", "0,4,3.0", "0,9,2.0")
    files = MetricFiles(SINCE)
    taken(files, path, mtime=LONG_AGO)
    table(tmp_path, "epoch,loss,step,val_loss", "0,3.0,4,", "0,2.0,9,", "1,,14,1.0")
    assert taken(files, path) == [Metric(14, {"val_loss": 1.0})]


def test_a_table_that_is_begun_anew_by_the_same_training(tmp_path: Path) -> None:
    """With the same seed its first row is the same as before."""
    path = table(tmp_path, "epoch,step,loss", "0,4,3.0", "0,9,2.0")
    files = MetricFiles(SINCE)
    taken(files, path, mtime=LONG_AGO)
    table(tmp_path, "epoch,step,loss", "0,4,3.0")
    assert taken(files, path) == [Metric(4, {"loss": 3.0})]
    table(tmp_path, "epoch,step,loss", "0,4,3.0", "0,9,2.5")
    assert taken(files, path, mtime=SINCE + 61) == [Metric(9, {"loss": 2.5})]


@pytest.mark.parametrize(
    "parts",
    [
        ["lightning/at-epoch-0.csv", "lightning/at-epoch-1.csv", "lightning/version_0/metrics.csv"],
        ["sb3/at-512.csv", "sb3/progress.csv"],
    ],
)
def test_a_header_grows(tmp_path: Path, parts: list[str]) -> None:
    files, path, found = MetricFiles(SINCE), tmp_path / "metrics.csv", []
    for n, part in enumerate(parts):
        path.write_bytes((CAPTURES / part).read_bytes())
        found += taken(files, path, mtime=SINCE + n)
    assert points(found) == points(taken(MetricFiles(SINCE), CAPTURES / parts[-1]))
    assert sum(len(metric.values) for metric in found) == len(points(found))


def test_a_resumed_hugging_face_training_adds_to_its_history(tmp_path: Path) -> None:
    shutil.copytree(CAPTURES / "hf", tmp_path / "hf")
    first, second = (tmp_path / "hf" / f"checkpoint-{n}" / "trainer_state.json" for n in (10, 20))
    files = MetricFiles(SINCE)
    assert taken(files, first, mtime=LONG_AGO) == []
    assert [metric.step for metric in taken(files, second)] == [15, 20]


def test_states_do_not_count_beside_a_finer_kind(tmp_path: Path) -> None:
    files = MetricFiles(SINCE)
    (events,) = files_of("hf-tensorboard")
    begun = tmp_path / events.name
    begun.write_bytes(events.read_bytes()[:88])
    assert taken(files, *files_of("hf"), begun) == []
    begun.write_bytes(events.read_bytes())
    assert [metric.step for metric in taken(files, begun, mtime=SINCE + 99)] == [5, 10, 15, 20]
    assert files.sources == ("tensorboard",)
    assert taken(files, *files_of("hf"), mtime=SINCE + 100) == []


def test_one_kind_of_files_counts() -> None:
    files = MetricFiles(SINCE)
    found = taken(files, *files_of("sb3-tensorboard"), *files_of("sb3"))
    assert files.sources == ("csv",)
    assert points(found) == points(taken(MetricFiles(SINCE), *files_of("sb3")))


def test_two_copies_of_the_same_lines_are_read_once() -> None:
    both = files_of("mmengine")
    assert len(both) == 2
    found = taken(MetricFiles(SINCE), *both)
    assert sum(len(metric.values) for metric in found) == len(points(found))


def test_several_folders_of_one_training_keep_apart(tmp_path: Path) -> None:
    paths = []
    for name in ("fold-1", "fold-2"):
        (tmp_path / name).mkdir()
        paths.append(table(tmp_path / name, "step,loss", "1,2.0"))
    found = curves(taken(MetricFiles(SINCE), *paths))
    assert found == {"loss": [(1, 2.0)], "fold-2/loss": [(1, 2.0)]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("results.csv", "id,label\n1,0.5\n"),
        ("metrics.csv", "name,loss\nresnet,0.5\n"),
        ("results.csv", "epoch,price\n1,2\n"),
        ("metrics.json", '{"accuracy": 0.5}\n'),
        ("metrics.json", "[1, 2]\n"),
        ("predictions.csv", "epoch,loss\n1,0.5\n"),
        ("log.jsonl", '{"step": "one", "loss": 2}\n'),
        ("log.jsonl", '{"message": "started", "step": 1}\n'),
        ("trainer_state.json", '{"log_history": [{"step": "x"}, 3, {"loss": 2}]}'),
        ("events.out.tfevents.1.box", "step,loss\n1,2\n"),
        ("metrics.csv", ""),
    ],
)  # fmt: skip
def test_what_has_the_name_and_is_something_else(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    files = MetricFiles(SINCE)
    assert taken(files, path) == []
    assert files.sources == ()


def test_backprops_own_record_is_no_metric_file(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"t":1,"step":1,"loss":2}\n')
    assert taken(MetricFiles(SINCE), tmp_path / "metrics.jsonl") != []
    (tmp_path / "spec-1.json").write_text("{}")
    assert taken(MetricFiles(SINCE), tmp_path / "metrics.jsonl") == []


@pytest.mark.parametrize("name", ["results.csv", "metrics.json"])
def test_the_newest_of_several_trainings_in_one_file(tmp_path: Path, name: str) -> None:
    """Nobody saw the file before this slice added to it: each training began where the first one did."""
    path = tmp_path / name
    rows = [(1, 3.0), (2, 2.0), (3, 1.5), (1, 2.9), (2, 1.9)]
    if name.endswith(".csv"):
        path.write_text("epoch,loss\n" + "".join(f"{step},{loss}\n" for step, loss in rows))
    else:
        path.write_text("".join(json.dumps({"iteration": step, "total_loss": loss}) + "\n" for step, loss in rows))
    assert curves(taken(MetricFiles(SINCE), path)) == {"loss": [(1, 2.9), (2, 1.9)]}


def test_steps_that_are_known_already_are_left_out() -> None:
    found = taken(MetricFiles(SINCE, beyond=20), *files_of("lightning"))
    assert {metric.step for metric in found} == {24, 29}


def test_blanks_in_a_header_and_other_separators(tmp_path: Path) -> None:
    old = table(tmp_path, "                  epoch,         train/box_loss", "                      0,               1.2",
                name="results.csv")  # fmt: skip
    assert taken(MetricFiles(SINCE), old) == [Metric(0, {"train/box_loss": 1.2})]
    other = table(tmp_path, '"epoch";"loss"', "1;0.5", "2;nan", name="log.csv")
    assert curves(taken(MetricFiles(SINCE), other))["loss"] == [(1, 0.5), (2, pytest.approx(math.nan, nan_ok=True))]


def test_steps_that_begin_anew_in_each_epoch_go_on(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1795544791.box"
    steps = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    path.write_bytes(record(b"\x1a\x0dbrain.Event:2") + b"".join(scalar("loss", step, 1.0) for step in steps))
    assert [metric.step for metric in taken(MetricFiles(SINCE), path)] == list(range(10))


def test_bounds(tmp_path: Path) -> None:
    """Of files, of names, and of what one look reads."""
    many = [tmp_path / f"run-{n}" / "metrics.csv" for n in range(MAX_FILES + 20)]
    for path in many:
        path.parent.mkdir()
        table(path.parent, "step,loss", "1,2.0")
    assert len(curves(taken(MetricFiles(SINCE), *many))) == MAX_FILES
    wide = table(tmp_path, "step," + ",".join(f"loss-{n}" for n in range(400)), "1" + ",2" * 400)
    assert len(curves(taken(MetricFiles(SINCE), wide))) == MAX_NAMES
    long = table(tmp_path, "step,loss", *(f"{n},{n}" for n in range(1000)), name="log.csv")
    files = MetricFiles(SINCE)
    assert files.take([seen_at(long, SINCE + 1)], -1.0) == []
    assert len(files.take([], 10.0)) == 1000, "what there was no time for comes later, though the file did not change"


def test_gone_and_strange_files(tmp_path: Path) -> None:
    path = table(tmp_path, "step,loss", "1,2.0")
    files, seen = MetricFiles(SINCE), seen_at(path, SINCE + 1)
    path.unlink()
    assert files.take([seen], 1.0) == []
    os.mkfifo(path)
    assert files.take([seen_at(path, SINCE + 2)], 1.0) == []
    path.unlink()
    path.mkdir()
    assert files.take([seen_at(path, SINCE + 3)], 1.0) == []


def test_names_are_fit_to_be_shown(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"step": 1, "loss": 1.0, "a\x1b[31m": 2.0, "x" * 300: 3.0, "": 4.0}) + "\n")
    (found,) = taken(MetricFiles(SINCE), path)
    assert all(name.isprintable() and 0 < len(name) <= 64 for name in found.values)
    assert len(found.values) == 3


def record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def scalar(tag: str, step: int, value: float) -> bytes:
    entry = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(entry)]) + entry
    return record(b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary)


def test_checksum_of_the_standard() -> None:
    crc = masked_crc(b"123456789")
    turned = (crc - 0xA282EAD8) & 0xFFFFFFFF
    assert (turned << 15 | turned >> 17) & 0xFFFFFFFF == 0xE3069283


@given(st.binary(max_size=400))
def test_no_record_does_harm(data: bytes) -> None:
    try:
        event_of(data)
    except (Malformed, struct.error):
        pass


@given(
    name=st.sampled_from(["metrics.csv", "log.jsonl", "trainer_state.json", "events.out.tfevents.1.x"]), data=st.data()
)
def test_no_content_does_harm(tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject) -> None:
    words = st.sampled_from(
        ["step", "loss", "epoch", ",", "\n", "{", "}", '"', ":", "1", "nan", "1e999", "log_history", "[", "]"]
    )
    text = data.draw(st.binary(max_size=200) | st.lists(words).map("".join).map(str.encode))
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(text)
    for metric in taken(MetricFiles(SINCE), path):
        assert metric.values
