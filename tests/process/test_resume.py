"""Scripts that have never heard of backprop are resumed, each in its own way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from typing import Any

import pytest

from tests.box import Box, is_running, script

OWN = "--resume_from_checkpoint"


def begin(box: Box, name: str, run_id: str, *args: str, launcher: tuple[str, ...] = ()) -> dict[str, Any]:
    """A first slice of a script in the project's own folder, stopped after a checkpoint; that checkpoint."""
    if not (box.work / name).exists():
        shutil.copy(script(name), box.work / name)
    words = ("--", *launcher, name, *args) if launcher else (name, "--", *args)
    process = box.start("run", "--run-id", run_id, "-q", *words, stdout=-3)
    box.wait_for_step(run_id, 15)
    box.run("stop", run_id)
    process.wait()
    return newest(box, run_id)


def newest(box: Box, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = box.state(run_id)["checkpoints"][-1]
    return found


def planned(box: Box, run_id: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = box.json("resume", run_id, "--dry-run", *words)
    return found


def carry_on(box: Box, run_id: str, *words: str) -> int:
    """A further slice; its first step."""
    step: int = box.json("resume", run_id, "-m", "1s", *words)["slices"][-1]["first_step"]
    return step


def change(box: Box, name: str, old: str, new: str) -> None:
    source = (box.work / name).read_text()
    assert old in source
    (box.work / name).write_text(source.replace(old, new))


def test_its_own_option_is_proposed_shown_used_and_remembered(box: Box) -> None:
    saved = begin(box, "own_option.py", "r1")
    why = "proposed: the script declares it; checkpoint kind json"
    shown = box.run("resume", "r1", "--dry-run").stdout.splitlines()
    assert f"resume   {OWN} {saved['path']} ({why})" in shown
    found = planned(box, "r1")
    assert found["command"][-2:] == [OWN, saved["path"]]
    assert found["resume"] == {
        "how": "proposal",
        "template": f"{OWN} {{checkpoint}}",
        "args": [OWN, saved["path"]],
        "reason": why,
        "checkpoint": saved["path"],
        "step": saved["step"],
    }
    done = box.run("resume", "r1", "-m", "1s")
    assert f"resume: {OWN} {saved['path']} ({why})" in done.stderr
    assert box.state("r1")["slices"][1]["first_step"] == saved["step"] + 1
    spec = json.loads((box.home / "runs" / "r1" / "spec-2.json").read_text())
    assert (spec["resume_how"], spec["command"]) == ("proposal", ["own_option.py"])
    begin(box, "own_option.py", "r2")
    assert planned(box, "r2")["resume"]["reason"] == "remembered: the script took up a checkpoint so before"


def test_what_a_script_refuses_is_not_run_twice(box: Box) -> None:
    saved = begin(box, "own_option.py", "r1")
    wish = ("--resume-arg", "--load {checkpoint}")
    done = box.run("resume", "r1", *wish, code=1)
    assert "the script did not take --load, which backprop gave it" in done.stderr
    assert "backprop resume r1 --resume-arg '--its-option {checkpoint}'" in done.stderr
    state = box.state("r1")
    assert (state["state"], state["reason"]["code"], state["slices"][1]["exit_code"]) == ("failed", "resume_arg", 2)
    for words in ((), wish, ("--dry-run",), ("-d",)):
        done = box.run("resume", "r1", *words, code=2)
        assert f"unrecognized arguments: --load {saved['path']}" in done.stderr
        assert "hint: say how it takes one: --resume-arg '--its-option {checkpoint}'" in done.stderr
    assert len(box.state("r1")["slices"]) == 2
    assert planned(box, "r1", "--resume-arg", "auto")["resume"]["how"] == "proposal"
    change(box, "own_option.py", f'p.add_argument("{OWN}"', f'p.add_argument("--load", dest="{OWN[2:]}"')
    assert carry_on(box, "r1") == saved["step"] + 1, "the script has changed: it is tried again"


def test_arguments_given_before_are_replaced(box: Box) -> None:
    old = box.work / "old.json"
    old.write_text('{"step": 3}')
    saved = begin(box, "own_option.py", "r1", OWN, str(old), "--steps", "100000")
    assert planned(box, "r1")["command"][2:] == ["--steps", "100000", OWN, saved["path"]]
    assert carry_on(box, "r1") == saved["step"] + 1
    fresh = planned(box, "r1", "--fresh")
    assert fresh["command"][2:] == [OWN, str(old), "--steps", "100000"]
    assert fresh["resume"] is None
    typed = planned(box, "r1", "--", f"{OWN}={old}")
    assert typed["command"][2:] == [f"{OWN}={old}"]
    assert typed["resume"]["reason"] == "given among the arguments"


def test_an_argument_that_may_undo_it_is_pointed_out(box: Box) -> None:
    shutil.copy(script("own_option.py"), box.work)
    change(box, "own_option.py", "a = p.parse_args()", 'p.add_argument("--overwrite_output_dir")\na = p.parse_args()')
    begin(box, "own_option.py", "r1", "--overwrite_output_dir=1")
    assert "--overwrite_output_dir=1 is among the arguments" in box.run("resume", "r1", "--dry-run").stderr


def test_a_person_s_word_comes_first_and_a_file_counts_later_too(box: Box) -> None:
    saved = begin(box, "own_option.py", "r1")
    (box.work / "backprop.config.json").write_text(
        '{"resume": {"arg": "--output_dir {checkpoint_dir} --steps {step}"}}'
    )
    found = planned(box, "r1")
    assert found["command"][2:] == ["--output_dir", os.path.dirname(saved["path"]), "--steps", str(saved["step"])]
    assert found["resume"]["reason"] == f"as asked for: {box.work}/backprop.config.json"
    found = planned(box, "r1", "--resume-arg", "rerun")
    assert (found["command"][2:], found["resume"]["how"]) == ([], "rerun")
    box.env["BACKPROP_SET_RESUME_ARG"] = "--steps 7"
    assert planned(box, "r1")["resume"]["reason"] == "as asked for: environment BACKPROP_SET_RESUME_ARG"
    del box.env["BACKPROP_SET_RESUME_ARG"]
    (box.work / "backprop.config.json").write_text("{")
    assert planned(box, "r1")["resume"]["how"] == "proposal", "a broken file stands in no run's way"


def test_a_script_that_finds_its_checkpoint_is_run_again(box: Box) -> None:
    saved = begin(box, "finds_itself.py", "r1")
    found = planned(box, "r1")["resume"]
    assert (found["how"], found["template"], found["args"]) == ("rerun", "rerun", [])
    said = "the script finds its newest checkpoint by itself: it loads CHECKPOINT where that exists"
    assert f"resume: the same command again (proposed: {said}" in box.run("resume", "r1", "-m", "1s").stderr
    assert box.state("r1")["slices"][1]["first_step"] == saved["step"] + 1
    done = box.run("resume", "r1", "--fresh", "--dry-run")
    assert (
        "it loads CHECKPOINT where that exists: the script may go on from its newest checkpoint all the same"
        in done.stderr
    )


def test_a_copy_is_put_back_where_the_script_looks_for_its_checkpoint(box: Box) -> None:
    begin(box, "finds_itself.py", "r1")
    carry_on(box, "r1")  # what a slice begins from is copied before
    copy = next(c for c in box.state("r1")["checkpoints"] if c["found"] == "copy")
    (box.work / "state.json").write_text('{"step": ')
    done = box.run("resume", "r1", "--dry-run")
    assert "state.json is put back from this copy; what lies there is kept beside it" in done.stderr
    assert (box.work / "state.json").read_text() == '{"step": ', "a dry run changes nothing"
    assert carry_on(box, "r1") == copy["step"] + 1
    assert (box.work / "state.json.broken").read_text() == '{"step": '


def test_without_any_way_it_is_said_before_the_start(box: Box) -> None:
    shutil.copy(script("own_option.py"), box.work)
    change(box, "own_option.py", f'"{OWN}"', '"--pretrained", dest="resume_from_checkpoint"')
    begin(box, "own_option.py", "r1")
    note = (
        "the script declares no option that takes a checkpoint: unless it finds its checkpoint by itself, it begins at"
    )
    assert note in box.run("resume", "r1", "--dry-run").stderr
    assert carry_on(box, "r1") == 1


def test_a_module_of_the_project_may_read_the_variable(box: Box) -> None:
    shutil.copy(script("own_option.py"), box.work)
    (box.work / "settings.py").write_text("import os\nstart = os.environ.get('BACKPROP_RESUME_FROM')\n")
    change(box, "own_option.py", "step = 0", "import settings\na.resume_from_checkpoint, step = settings.start, 0")
    change(box, "own_option.py", f'p.add_argument("{OWN}", type=str, default=None)', "")
    saved = begin(box, "own_option.py", "r1")
    assert planned(box, "r1")["resume"]["how"] == "variable"
    done = box.run("resume", "r1", "-m", "1s")
    assert "unless it finds its checkpoint by itself" not in done.stderr
    assert box.state("r1")["slices"][1]["first_step"] == saved["step"] + 1


def test_a_first_slice_may_begin_from_a_checkpoint(box: Box) -> None:
    shutil.copy(script("own_option.py"), box.work)
    (box.work / "good.json").write_text('{"step": 40}')
    run = box.json("run", "own_option.py", "-r", "good.json", "-m", "1s")
    assert run["slices"][0]["first_step"] == 41
    assert run["spec"]["resume_args"] == [OWN, str(box.work / "good.json")]


@pytest.fixture
def torchrun(box: Box) -> str:
    """A stand-in: a session of its own for the worker, and signals passed on to it."""
    path = box.work / "bin" / "torchrun"
    path.parent.mkdir()
    path.write_text(
        f"#!{sys.executable}\n"
        "import signal, subprocess, sys\n"
        "at = next(n for n, word in enumerate(sys.argv) if word.endswith('.py'))\n"
        "worker = subprocess.Popen([sys.executable, *sys.argv[at:]], start_new_session=True)\n"
        "for number in (signal.SIGINT, signal.SIGTERM):\n"
        "    signal.signal(number, lambda s, f: worker.send_signal(s))\n"
        "sys.exit(1 if worker.wait() else 0)\n"
    )
    path.chmod(0o755)
    box.env["PATH"] = f"{path.parent}:{box.env['PATH']}"
    return "torchrun"


def test_the_script_within_a_command_is_found(box: Box, torchrun: str) -> None:
    shutil.copy(script("own_option.py"), box.work)
    change(box, "own_option.py", "import argparse", "if False: import torch\nimport argparse")
    saved = begin(box, "own_option.py", "r1", "--steps", "100000", launcher=(torchrun, "--nproc-per-node", "1"))
    found = planned(box, "r1")
    assert found["command"][1:] == ["--nproc-per-node", "1", "own_option.py", "--steps", "100000", OWN, saved["path"]]
    assert found["env"]["BACKPROP_FRAMEWORK"] == "pytorch"
    assert carry_on(box, "r1") == saved["step"] + 1
    box.run("resume", "r1", "--resume-arg", "--load {checkpoint}", code=1)
    assert box.state("r1")["reason"]["code"] == "resume_arg"
    box.run("resume", "r1", code=2)


@pytest.mark.parametrize("launch", [False, True])
def test_a_script_is_stopped_by_the_signal_that_it_handles(box: Box, launch: bool) -> None:
    pids = box.work / "pids"
    words = [script("saves_on_usr1.py"), "--", str(pids), *(["launch"] if launch else [])]
    shown = box.run("run", "--dry-run", *words).stdout
    assert "stop     SIGUSR1 (auto: the script handles SIGUSR1)" in shown.splitlines()
    process = box.start("run", "--run-id", "r1", *words, stdout=-3)
    box.wait_for_step("r1", 1)
    box.run("stop", "r1")
    _out, err = process.communicate()
    assert "SIGUSR1 sent" in err
    newest = box.state("r1")["slices"][0]
    # A launcher of its own making ends by the signal; the training below it has saved all the same.
    assert (newest["exit_code"], newest["exit_signal"]) == ((None, signal.SIGUSR1) if launch else (0, None))
    assert not newest["forced"]
    assert len((box.work / "saved").read_text().split()) == 1, "the workers were not sent it"
    assert not any(is_running(int(pid)) for pid in pids.read_text().split())
    assert json.loads((box.home / "runs" / "r1" / "spec-1.json").read_text())["settings"]["stopSignal"] == {
        "value": "SIGUSR1",
        "origin": "auto: the script handles SIGUSR1",
    }
    assert planned(box, "r1", "--stop-signal", "INT")["settings"]["stopSignal"]["value"] == "SIGINT"
    assert planned(box, "r1")["settings"]["stopSignal"]["origin"] == "auto: the script handles SIGUSR1"
