"""Every bad input gives one clear line and the right exit code, and no traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest

from tests.box import Box, script


def check(box: Box, words: list[str], code: int, *parts: str) -> None:
    done = box.run(*words, code=code)
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr, done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith("backprop: ")
    assert not (box.home / "runs").exists() or not list((box.home / "runs").iterdir())


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["run", "train.py", "5"], 2, ["arguments without -- before them: 5", "behind --"]),
        (["run", "train.py", "--lr", "1"], 2, ["unknown option --lr", "behind --"]),
        (["run", "train.py", "--max-run-minute", "1"], 2, ["unknown option", "--max-run-minutes"]),
        (["run"], 2, ["backprop run needs SCRIPT", "usage: backprop run SCRIPT"]),
        (["run", "nope.py"], 2, ["there is no script", "nope.py"]),
        (["run", "."], 2, ["is a folder", "train.py"]),
        (["run", "x.sh"], 2, ["backprop run -- bash x.sh"]),
        (["run", "train.py", "-m", "0"], 2, ["--max-run-minutes", '"0"', "above 0"]),
        (["run", "train.py", "-m", "abc"], 2, ["--max-run-minutes", '"abc"', "1h30m"]),
        (["run", "train.py", "-m", "nan"], 2, ['"nan"']),
        (["run", "train.py", "-m"], 2, ["-m needs a value"]),
        (["run", "train.py", "-g", "120%"], 2, ["--gpu-memory-limit", "80%"]),
        (["run", "train.py", "-p", "0"], 2, ["--max-parallel"]),
        (["run", "train.py", "-f", "torch"], 2, ["--framework", "pytorch"]),
        (["run", "train.py", "--stop-signal", "KILL"], 2, ["SIGINT"]),
        (["run", "train.py", "--env", "A"], 2, ["NAME=VALUE"]),
        (["run", "train.py", "--cwd", "nowhere"], 2, ["no such folder: nowhere"]),
        (["run", "train.py", "--run-id", "../x"], 2, ["cannot be a run id"]),
        (["run", "train.py", "--run-id", ""], 2, ["--run-id is empty"]),
        (["run", "train.py", "--name", ""], 2, ["is no name"]),
        (["run", "train.py", "--python", "/no/python"], 2, ["/no/python", "does not exist"]),
        (["run", "train.py", "--python", "nopython"], 2, ["nopython", "PATH"]),
        (["run", "train.py", "-r", "nothing.pt"], 7, ["cannot resume from nothing.pt"]),
        (["run", "train.py", "--config", "none.json"], 2, ["none.json"]),
        (["run", "--", "nope"], 2, ["command not found: nope"]),
        (["status", "abc"], 4, ["no run 'abc'"]),
        (["resume", "@"], 4, ["no run '@'"]),
        (["logs", "@3"], 4, ["no run"]),
        (["stop"], 2, ["which runs?"]),
        (["list", "--state", "done"], 2, ["timeboxed"]),
        (["list", "-n", "x"], 2, ["--limit"]),
        (["lst"], 2, ["did you mean list"]),
        (["train.py"], 2, ["backprop run train.py"]),
        (["completion", "tcsh"], 2, ["bash, zsh or fish"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_bad_words(box: Box, words: list[str], code: int, parts: list[str]) -> None:
    (box.work / "train.py").write_text("print(1)")
    check(box, words, code, *parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"maxRunMinutes": 5,\n  "maxParallel" 2}', ["line 2, column 17"]),
        ('{"maxRunMinute": 5}', ["unknown key", "did you mean maxRunMinutes?"]),
        ('{"maxRunMinutes": "soon"}', ["maxRunMinutes", '"soon"', "such as 10"]),
        ('{"maxParallel": true}', ["maxParallel", "true", "a whole number"]),
        ('{"gpu": {"maxTemp": 80}}', ["gpu.maxTemp", "gpu.maxTempC"]),
        ('{"gpu": 3}', ["gpu: found 3", "an object"]),
        ('{"gpu": {"probe": "cuda"}}', ["gpu.probe", "nvidia-smi"]),
        ("[1]", ["found a list", "an object"]),
        ('{"maxParallel": 1, "maxParallel": 2}', ["maxParallel", "twice"]),
    ],
)
def test_bad_project_file(box: Box, text: str, parts: list[str]) -> None:
    (box.work / "train.py").write_text("print(1)")
    (box.work / "backprop.config.json").write_text(text)
    check(box, ["run", "train.py"], 2, "backprop.config.json", *parts)


def test_unreadable_script(box: Box) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read everything")
    path = box.work / "train.py"
    path.write_text("print(1)")
    path.chmod(0)
    check(box, ["run", "train.py"], 2, "permission denied")


def test_dead_virtual_environment(box: Box) -> None:
    (box.work / "train.py").write_text("print(1)")
    (box.work / ".venv" / "bin").mkdir(parents=True)
    (box.work / ".venv" / "bin" / "python").symlink_to("/gone/python3.9")
    check(box, ["run", "train.py"], 2, ".venv/bin/python", "link to nothing", "--python")


def test_ambiguous_prefix_and_taken_id(box: Box) -> None:
    for run_id in ("abc1", "abc2"):
        box.run("run", "--run-id", run_id, "--", "true")
    done = box.run("status", "abc", code=4)
    assert "several runs: abc1, abc2" in done.stderr
    done = box.run("run", "--run-id", "abc1", "--", "true", code=2)
    assert "backprop resume abc1" in done.stderr


def test_home_that_cannot_be_written(box: Box) -> None:
    blocked = box.work / "file"
    blocked.write_text("")
    done = box.run("run", "--", "true", code=2, env={"BACKPROP_HOME": str(blocked / "home")})
    assert "cannot write records in" in done.stderr
    assert "BACKPROP_HOME" in done.stderr


def test_full_disk_while_starting(box: Box) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    # A limit on file sizes is a full disk for every write.
    done = box.run("run", "--", "true", code=2, preexec_fn=_no_room)
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


def _no_room() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_errors_as_json(box: Box) -> None:
    done = box.run("status", "abc", "--json", code=4)
    document = json.loads(done.stdout)
    assert (document["error"], document["exit_code"]) == ("RunNotFound", 4)


def test_debug_shows_the_traceback(box: Box) -> None:
    assert "Traceback" in box.run("status", "abc", "--debug", code=4).stderr


def test_refusal_records_nothing_and_names_rule_value_and_limit(box: Box) -> None:
    done = box.run("run", script("metrics.py"), "--min-free-ram", "99999", code=3)
    assert "RAM: " in done.stderr
    assert "99999.0 GB wanted" in done.stderr
    assert "--min-free-ram" in done.stderr
    assert not list((box.home / "runs").iterdir())
    assert not list((box.home / "active").iterdir())


def test_every_option_of_run_in_one_command(box: Box) -> None:
    (box.work / "train.py").write_text("import sys; print(sys.argv[1:])")
    start = box.work / "start.json"
    start.write_text("{}")
    done = box.run(
        *("run", "train.py", "--max-run-minutes", "1h30m", "--framework", "pytorch"),
        *("--checkpoint-every-minutes", "0.5", "--resume-from", str(start), "--run-id", "my-id"),
        *("--name", "my-first-run", "--gpu-memory-limit", "80%", "--max-parallel", "3", "--min-free-ram", "0"),
        *("--gpu-probe", "none", "--gpu-min-vram", "2500", "--gpu-max-temp", "85", "--max-cpu-load", "900"),
        *("--python", sys.executable, "--cwd", str(box.work), "--env", "A=1", "--tag", "t", "--stop-signal", "TERM"),
        *("--grace", "20", "--wait", "5", "--verbose", "-q", "--buffered", "--", "--lr", "1"),
    )
    assert done.stdout == "['--lr', '1']\n"
    assert "maxRunMinutes" in done.stderr
    shown = box.json("show", "my-first-run")
    assert shown["id"] == "my-id"
    settings = {key: value["value"] for key, value in shown["spec"]["settings"].items()}
    assert settings["maxRunMinutes"] == 90
    assert (settings["gpuMemoryLimit"], settings["stopSignal"], settings["graceSeconds"]) == ("80%", "SIGTERM", 20)


def test_short_options(box: Box) -> None:
    (box.work / "train.py").write_text("print(1)")
    box.run("run", "-m2", "-f", "jax", "-c", "1", "-n", "x", "-g", "8", "-p", "4", "-q", "train.py")
    settings = box.json("show", "x")["spec"]["settings"]
    assert settings["maxRunMinutes"] == {"value": 2, "origin": "flag --max-run-minutes"}
    assert settings["gpuMemoryLimit"]["value"] == "8GB"


def test_dry_run_starts_nothing(box: Box) -> None:
    document = box.json("run", script("metrics.py"), "--dry-run")
    assert document["command"][-1] == script("metrics.py")
    assert document["admitted"] is True
    assert not (box.home / "runs").exists() or not list((box.home / "runs").iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("rm", "-y", "r"),
        ("rm", "-y", "--purge", "r"),
        ("rename", "r", "other"),
        ("tag", "r", "x"),
        ("note", "r", "x"),
        ("config", "init"),
        ("demo",),
    ],
)
def test_a_dry_run_changes_nothing(box: Box, words: tuple[str, ...]) -> None:
    box.run("run", "-q", "--run-id", "r", "-n", "first", "--", "true")
    before = box.json("show", "r")
    for more in ((), ("--json",)):
        said = box.run(*words, "--dry-run", *more, code=None)
        assert said.returncode in (0, 3)
        assert not more or json.loads(said.stdout)
    after = box.json("show", "r")
    del before["left_s"], after["left_s"]
    assert before == after
    assert len(box.json("list")) == 1
    assert not (box.work / "backprop.config.json").exists()


@pytest.mark.parametrize("words", [("pause", "r"), ("stop", "r"), ("extend", "r", "5"), ("stop", "--all", "--force")])
def test_a_dry_run_asks_nobody(box: Box, words: tuple[str, ...]) -> None:
    box.run("run", "-d", "--run-id", "r", script("metrics.py"))
    assert "would " in box.run(*words, "--dry-run").stdout
    assert not [event for event in box.lines("r", "events.jsonl") if event["event"] == "request"]
    box.run("stop", "--force", "r")


def test_restoring_and_deleting_exclude_each_other(box: Box) -> None:
    box.run("run", "-q", "--run-id", "r", "--", "true")
    box.run("rm", "--restore", "--purge", "r", code=2)
    assert box.run("rm", "--restore", "r").stdout.strip() == "r: it was not archived"
    assert box.json("list")


def test_names_that_could_never_be_used(box: Box) -> None:
    box.run("run", "-q", "--run-id", "a", "--", "true")
    box.run("run", "-q", "--run-id", "b", "--", "true")
    assert "is the id of another run" in box.run("rename", "a", "b", code=2).stderr
    assert "@ means the newest run" in box.run("rename", "a", "@x", code=2).stderr
    assert "has no tag zzz" in box.run("tag", "a", "--drop", "zzz", code=2).stderr


@pytest.mark.parametrize(
    "words", [("status", b"\xff"), ("list", b"\xff"), ("logs", b"\xff"), ("list", "-n", "9" * 5000)]
)
def test_words_that_no_encoding_holds(box: Box, words: tuple[str | bytes, ...]) -> None:
    done = subprocess.run(
        [*box.argv(), *words], env=box.env, cwd=box.work, capture_output=True, check=False, timeout=60
    )
    assert done.returncode in (0, 2, 4)
    assert b"a bug" not in done.stderr


def test_a_config_path_counts_from_here(box: Box) -> None:
    (box.work / "sub").mkdir()
    (box.work / "my.json").write_text('{"maxRunMinutes": 3}')
    done = box.json("run", "--dry-run", "--cwd", "sub", "--config", "my.json", "--", "true")
    assert done["settings"]["maxRunMinutes"]["value"] == 3


def test_a_folder_that_is_gone(box: Box) -> None:
    gone = box.work / "gone"
    for words in (["config"], ["doctor"], ["run", "--", "true"]):
        gone.mkdir()
        code = f"rmdir {gone}; exec {shlex.join(box.argv(*words))}"
        done = subprocess.run(["sh", "-c", code], cwd=gone, env=box.env, capture_output=True, text=True, check=False)
        assert (done.returncode, "has been deleted" in done.stderr) == (2, True), done.stderr
