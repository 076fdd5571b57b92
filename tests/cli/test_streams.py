"""What goes to stdout and stderr, byte for byte; output that breaks careless readers."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import subprocess
import time

import pytest

from tests.box import LIMIT_S, Box, script
from tests.stand_ins.waiting import wait_until


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
    assert "no checkpoint was reported: starting from step 0" in box.run("resume", "r").stderr
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


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams(box: Box, closing: str) -> None:
    for words in (("run", "-q", "--run-id", "r", script("metrics.py"), "--", "--steps", "3"), ("list",), ("show", "r")):
        code = f"{shlex.join(box.argv(*words))} {closing}"
        done = subprocess.run(
            ["sh", "-c", code], cwd=box.work, env=box.env, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, (words, done.stderr)
    assert box.state("r")["state"] == "completed"
    assert len(box.lines("r", "metrics.jsonl")) == 3


def test_output_that_cannot_be_written_is_no_bug(box: Box) -> None:
    with open("/dev/full", "wb") as full:
        done = box.start("help", stdout=full)
        _out, error = done.communicate(timeout=60)
        assert (done.returncode, "could not be written: No space left" in error) == (2, True)
        run = box.start("run", "-q", script("metrics.py"), "--", "--steps", "3", stdout=full)
        assert run.wait(60) == 0


def test_foreign_text_is_shown_as_text(box: Box) -> None:
    evil = "\x1b]2;owned\x07\u202ex"
    path = box.work / f"{evil}.py"
    reported = json.dumps({"event": "checkpoint_saved", "path": f"{evil}.bin", "step": 1})
    path.write_text(f"open({evil!r} + '.bin', 'w').write('x')\nprint({reported!r})\n")
    shown = [box.run("run", "--run-id", "r", str(path), "--dry-run"), box.run("run", "--run-id", "r", str(path))]
    shown += [box.run(*words) for words in (("list",), ("show", "r"), ("status", "r"), ("resume", "r"))]
    shown += [box.run(*words, code=2) for words in (("run", "a.py", evil), ("run", f"--{evil}"), (evil,))]
    # The script's own line is passed on byte for byte where stdout is no terminal.
    texts = [done.stdout.replace(reported, "") + done.stderr for done in shown]
    for text in texts:
        assert text.isprintable() or not {"\x1b", "\x07", "\u202e"} & set(text), text


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8:strict"])
def test_any_encoding_of_the_terminal_will_do(box: Box, encoding: str) -> None:
    name = os.fsdecode(b"b\xff.py")
    (box.work / name).write_text("print(1)")
    box.run("run", "-q", "--run-id", "r", "--name", "größe", name)
    for words in (("list",), ("show", "r"), ("status", "r")):
        box.run(*words, env={"PYTHONIOENCODING": encoding})


def test_a_path_that_no_filesystem_takes_harms_nothing(box: Box) -> None:
    path = box.work / "odd.py"
    path.write_text(
        r"""print('{"event": "checkpoint_saved", "path": "out/\\ud800/x.pt", "step": 1}', flush=True)"""
        "\nimport time\ntime.sleep(100)\n"
    )
    run = box.json("run", str(path), "-m", "1s", "--grace", "1s")
    assert run["state"] == "timeboxed"
    assert run["checkpoint_count"] == 0


def test_resume_goes_back_to_where_the_run_began(box: Box) -> None:
    start = box.work / "start.bin"
    start.write_text("weights")
    (box.work / "x.py").write_text("import os\nprint(os.environ.get('BACKPROP_RESUME_FROM'))")
    box.run("run", "-q", "--run-id", "r", "-r", "start.bin", "x.py")
    done = box.run("resume", "r")
    assert done.stdout.strip() == str(start)
    start.unlink()
    assert "start.bin: it is not there" in box.run("resume", "r", code=7).stderr


def test_a_reader_that_cannot_take_it_now_gets_it_later(box: Box) -> None:
    (box.work / "x.py").write_text("for n in range(100_000):\n    print('0123456789')")
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    process = box.start("run", "-q", "x.py", stdout=write_end)
    os.close(write_end)
    wait_until(lambda: bool(box.json("list")) and box.json("list")[0]["state"] == "completed")
    with open(read_end, "rb") as reader:
        assert len(reader.read()) == 1_100_000
    assert process.wait(60) == 0


def test_a_long_line_on_a_terminal_takes_no_time_without_end(box: Box) -> None:
    (box.work / "x.py").write_text("print('x' * 20_000_000)")
    leader, follower = pty.openpty()
    process = box.start("run", "x.py", stdout=follower, stderr=follower, env={"TERM": "xterm"})
    os.close(follower)
    seen = 0
    try:
        while data := os.read(leader, 65536):
            seen += data.count(b"x")
    except OSError:
        pass  # how a closed terminal ends
    os.close(leader)
    assert process.wait(60) == 0
    assert seen >= 20_000_000


def test_the_tail_of_bars_without_end(box: Box) -> None:
    (box.work / "x.py").write_text("print('\\r'.join(f'{n}%' for n in range(1_000_000)))\nprint('last')")
    box.run("run", "-q", "--run-id", "r", "x.py")
    assert box.run("logs", "-n", "1", "r").stdout == "last\n"
    for lines in (2, 50, 10**9):
        assert box.run("logs", "-n", str(lines), "r").stdout.endswith("999999%\nlast\n")
    assert box.run("logs", "-n", "0", "r").stdout == ""


def test_tags_of_many_at_once_are_all_kept(box: Box) -> None:
    box.run("run", "-q", "--run-id", "r", "--", "true")
    processes = [box.start("tag", "-q", "r", f"t{n}") for n in range(12)]
    assert [process.wait(60) for process in processes] == [0] * 12
    assert sorted(box.json("show", "r")["tags"]) == sorted(f"t{n}" for n in range(12))
