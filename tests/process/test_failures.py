"""A run that fails says what happened and what to do, everywhere the same."""

from __future__ import annotations

from pathlib import Path

from tests.box import Box

MODULE = "No module named 'peft_is_not_here'"


def failing(box: Box, text: str) -> str:
    path = box.work / "train.py"
    path.write_text(text)
    return str(path)


def test_the_sentence_is_recorded_once_and_told_everywhere(box: Box) -> None:
    script = failing(box, "print('step 1')\nimport peft_is_not_here\n")
    done = box.run("run", script, "--run-id", "r1", code=1)
    piece = box.state("r1")["slices"][-1]
    failure = piece["failure"]
    assert failure["kind"] == "module"
    assert failure["sentence"].startswith(f"{MODULE} in /")
    assert "-m pip install peft_is_not_here" in failure["todo"]
    assert piece["reason"]["text"] == "exited with code 1"
    told = [line.strip() for line in done.stderr.splitlines()]
    assert failure["sentence"] in told
    assert f"what to do: {failure['todo']}" in told
    status = box.run("status", "r1").stdout.splitlines()
    assert f"  {failure['sentence']}" in status
    shown = box.run("show", "r1").stdout.splitlines()
    at = shown.index(f"failure      {failure['sentence']}")
    assert shown[at + 1] == f"what to do   {failure['todo']}"
    assert shown[at + 2].split() == ["output", "Traceback", "(most", "recent", "call", "last):"]
    assert any(line.strip().startswith("ModuleNotFoundError") for line in shown[at + 3 :])
    for document in (box.json("show", "r1"), box.json("status", "r1")):
        assert document["failure"] == failure
    assert box.json("list")[0]["reason"] == failure["sentence"]


def test_a_run_that_ends_well_or_is_stopped_has_none(box: Box) -> None:
    script = failing(box, "import sys\nif 'x' in sys.argv: raise SystemExit(3)\n")
    assert box.json("run", script)["failure"] is None
    unknown = box.json("run", script, "--", "x", code=1)
    assert unknown["failure"]["kind"] == ""
    assert box.json("list")[0]["reason"] == "exited with code 3"


def test_what_an_earlier_slice_printed_is_not_the_reason(box: Box) -> None:
    script = failing(
        box, "from pathlib import Path\nif not Path('seen').exists():\n    Path('seen').touch()\n    1/0\nexit(3)\n"
    )
    assert (
        box.json("run", script, code=1)["failure"]["sentence"]
        == "ZeroDivisionError in train.py, line 4: division by zero"
    )
    assert box.json("resume", "@", "--fresh", code=1)["failure"]["kind"] == ""


def test_a_record_of_an_earlier_version_is_explained_from_its_output(box: Box, tmp_path: Path) -> None:
    script = failing(box, "open('data/none.bin')\n")
    box.run("run", script, "--run-id", "r1", code=1)
    path = box.home / "runs" / "r1" / "state.json"
    text = path.read_text()
    assert '"failure":{' in text
    path.write_text(text.replace('"failure":{', '"older":{'))
    assert "failure      There is no file or folder data/none.bin." in box.run("show", "r1").stdout


def test_diverged(box: Box) -> None:
    script = failing(box, 'print(\'{"step": 1, "loss": NaN}\')\n')
    run = box.json("run", script, code=1)
    assert (run["state"], run["failure"]["kind"]) == ("diverged", "nan")
    assert "learning rate" in run["failure"]["todo"]
