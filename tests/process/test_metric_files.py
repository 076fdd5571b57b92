"""Scripts that print nothing and write metric files have steps, losses and curves all the same."""

from __future__ import annotations

import pytest

from tests.box import Box, script

FILES_ONLY = script("files_only.py")


def steps_of(box: Box, run_id: str, name: str = "loss") -> list[int]:
    return [line["step"] for line in box.lines(run_id, "metrics.jsonl") if name in line]


@pytest.mark.parametrize("kind", ["tensorboard", "csv"])
def test_a_silent_script_has_a_curve(box: Box, kind: str) -> None:
    run = box.json("run", FILES_ONLY, "--", kind, "out/run", "--interval", "0.05")
    assert run["metric_sources"] == [kind]
    assert run["step"] == 40
    assert run["last"]["loss"] == pytest.approx(1 / 40)
    assert run["best_loss"] == pytest.approx(1 / 40)
    assert steps_of(box, run["id"]) == list(range(1, 41))
    assert run["slices"][0]["last_loss"] == pytest.approx(1 / 40)


def test_it_is_followed_while_it_trains(box: Box) -> None:
    box.start(
        "run", FILES_ONLY, "--run-id", "r1", "-q", "--", "tensorboard", "out", "--steps", "120", "--interval", "0.15"
    )
    box.wait_for_step("r1", 5)
    state = box.state("r1")
    assert (state["state"], state["metric_sources"]) == ("running", ["tensorboard"])
    box.run("stop", "r1")
    assert steps_of(box, "r1") == list(range(1, box.state("r1")["step"] + 1))


@pytest.mark.parametrize("kind", ["tensorboard", "csv"])
def test_what_is_printed_and_written_is_there_once(box: Box, kind: str) -> None:
    run = box.json("run", FILES_ONLY, "--", kind, "out", "--prints", "--interval", "0.08")
    assert not {"tensorboard", "csv"}.intersection(run["metric_sources"])
    assert steps_of(box, run["id"]) == list(range(1, 41))


def test_files_are_left_alone_where_a_person_says_so(box: Box) -> None:
    run = box.json("run", FILES_ONLY, "--metric-files", "no", "--", "csv", "out", "--interval", "0.05")
    assert (run["step"], run["metric_lines"]) == (None, 0)


def test_what_an_earlier_training_wrote_is_not_taken(box: Box) -> None:
    first = box.json("run", FILES_ONLY, "--", "csv", "out", "--interval", "0.05")
    assert steps_of(box, first["id"]) == list(range(1, 41))
    # A training takes a while to load; then it is known what was there before.
    second = box.json("run", FILES_ONLY, "--", "csv", "out", "--delay", "3", "--first", "41")
    assert steps_of(box, second["id"]) == list(range(41, 81))
    third = box.json("run", FILES_ONLY, "--", "csv", "out", "--interval", "0.1", "--first", "81")
    found = steps_of(box, third["id"])
    assert found == list(range(found[0], 121))
    assert found[0] > 80


def test_a_resumed_slice_goes_on_with_files(box: Box) -> None:
    run = box.json("run", FILES_ONLY, "--", "tensorboard", "out", "--interval", "0.05", "--steps", "30")
    again = box.json("resume", run["id"], "--fresh")
    assert again["metric_sources"] == ["tensorboard"]
    assert steps_of(box, run["id"]) == [*range(1, 31), *range(1, 31)]


def test_two_trainings_in_one_folder_keep_to_their_own(box: Box) -> None:
    other = box.start("run", FILES_ONLY, "--run-id", "other", "-q", "--", "tensorboard", "a", "--steps", "99",
                      "--interval", "0.1", "--first", "100")  # fmt: skip
    box.wait_for("other", "running")
    run = box.json("run", FILES_ONLY, "--", "tensorboard", "b", "--interval", "0.08", "--steps", "40")
    assert steps_of(box, run["id"]) == list(range(1, 41))
    box.run("stop", "other")
    other.wait()
    assert min(steps_of(box, "other")) == 100
