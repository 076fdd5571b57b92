"""What goes to stdout and stderr, byte for byte; output that breaks careless readers."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time

import pytest

from tests.box import LIMIT_S, Box, script


def test_both_streams_byte_for_byte_on_stdout(box: Box) -> None:
    done = box.run("run", script("nasty_output.py"), "-q", "--", "both-streams", "200")
    assert done.stdout == "".join(f"out {i}\nerr {i}\n" for i in range(200))
    assert done.stderr == ""


def test_escapes_pass_through_a_pipe_untouched(box: Box) -> None:
    done = subprocess.run(
        box.argv("run", script("nasty_output.py"), "-q", "--", "escapes"),
        cwd=box.work,
        env=box.env,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"\x1b]0;OWNED\x07\x1b]52;c;UFdORUQ=\x07\x1b[31mred\x1b[0m \x9b5n [@click=app.quit]x[/]\n"


def on_terminal(box: Box, *words: str, env: dict[str, str]) -> bytes:
    main, other = pty.openpty()
    process = subprocess.Popen(
        box.argv(*words), cwd=box.work, env={**box.env, **env}, stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    shown = b""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if select.select([main], [], [], 0.1)[0]:
            try:
                data = os.read(main, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
    os.close(main)
    assert process.wait() == 0
    return shown


def test_terminal_gets_colours_and_nothing_that_acts(box: Box) -> None:
    shown = on_terminal(box, "run", script("nasty_output.py"), "--", "escapes", env={"TERM": "xterm"})
    assert b"\x1b[31mred\x1b[0m" in shown
    assert b"[@click=app.quit]x[/]" in shown
    for bad in (b"\x1b]", b"OWNED", b"UFdORUQ", b"\x9b5n", b"\x07"):
        assert bad not in shown


def test_no_color(box: Box) -> None:
    shown = on_terminal(box, "run", script("nasty_output.py"), "--", "escapes", env={"TERM": "xterm", "NO_COLOR": "1"})
    assert b"\x1b[31m" not in shown
    assert b"red" in shown


def test_live_line_shows_time_step_and_loss(box: Box) -> None:
    shown = on_terminal(box, "run", script("metrics.py"), "--", "--steps", "30", env={"TERM": "xterm"})
    assert b" left \xc2\xb7 step " in shown
    assert b"loss 0." in shown


@pytest.mark.parametrize(
    ("mode", "step", "loss", "lines"),
    [
        ("nan", 2, "NaN", 2),
        ("infinity", 3, 0.25, 3),
        ("long-line", 2, 0.25, 2),
        ("invalid-utf8", 2, 0.25, 2),
        ("bad-step", 1, 0.5, 1),
        ("no-newline", 2, 0.25, 2),
    ],
)
def test_nasty_output_gives_right_records(box: Box, mode: str, step: int, loss: object, lines: int) -> None:
    box.run("run", script("nasty_output.py"), "--run-id", "r", "-q", "--", mode, code=1 if mode == "nan" else 0)
    shown = box.json("show", "r")
    assert (shown["step"], shown["loss"], shown["metric_lines"]) == (step, loss, lines)
    assert len(box.lines("r", "metrics.jsonl")) == lines
    assert shown["state"] == ("diverged" if mode == "nan" else "completed")
    entry = box.experiments()["r"]
    assert entry.get("lastLoss") == (None if mode == "nan" else loss)


def test_ten_thousand_checkpoints(box: Box) -> None:
    box.run("run", script("nasty_output.py"), "--run-id", "r", "-q", "--", "many-checkpoints", "10000")
    state = box.state("r")
    assert state["checkpoint_count"] == 10_000
    assert [c["step"] for c in state["checkpoints"]] == list(range(9981, 10_001))
    assert all(c["good"] is False and c["why"] for c in state["checkpoints"])
    assert len(box.experiments()["r"]["checkpoints"]) == 100
    assert "has no good checkpoint" in box.run("resume", "r", code=7).stderr


def test_flood_loses_nothing(box: Box) -> None:
    run = box.json("run", script("nasty_output.py"), "-q", "--", "flood", "100000")
    assert run["metric_lines"] == 100_000
    metrics = box.home / "runs" / run["id"] / "metrics.jsonl"
    with metrics.open() as file:
        for n, line in enumerate(file, start=1):
            assert json.loads(line)["step"] == n
    assert n == 100_000


def test_damaged_checkpoint_is_skipped(box: Box) -> None:
    box.run("run", script("metrics.py"), "--run-id", "r", "-q", "--", "--steps", "30", "--interval", "0")
    (box.work / "ck" / "step-30.json").write_text('{"step": 3')
    (box.work / "ck" / "step-20.json").unlink()
    done = box.run("resume", "r", "--", "--steps", "40", "--interval", "0")
    assert "skipped" in done.stderr
    assert "step-10.json (step 10)" in done.stderr
    assert box.state("r")["slices"][1]["first_step"] == 11


def test_fresh_and_never_a_checkpoint(box: Box) -> None:
    box.run("run", script("argparse_plain.py"), "--run-id", "r", "-q")
    assert "there is no checkpoint yet" in box.run("resume", "r").stderr
    box.run("run", script("metrics.py"), "--run-id", "m", "-q", "--", "--steps", "20", "--interval", "0")
    box.run("resume", "m", "--fresh")
    assert box.state("m")["slices"][1]["first_step"] == 1


def test_secrets_are_masked_and_asked_for_again(box: Box) -> None:
    box.run("run", "--run-id", "r", "--env", "HF_TOKEN=hush", "--env", "A=1", "--", "sh", "-c", "test $HF_TOKEN = hush")
    for path in (box.home / "runs" / "r").rglob("*"):
        assert path.is_dir() or b"hush" not in path.read_bytes().replace(b"= hush", b"")
    assert "give it again" in box.run("resume", "r", code=2).stderr
    box.run("resume", "r", env={"HF_TOKEN": "hush"})
    box.run("resume", "r", "--env", "HF_TOKEN=hush")
