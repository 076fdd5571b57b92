"""A dashboard's terminal: given back as it was, taken away, shrunk, or none at all; the runs never notice."""

from __future__ import annotations

import itertools
import select
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.stand_ins.waiting import wait_until
from tests.tui.ptys import OnTerminal, children_of, end_of, on_terminal, resize
from tests.tui.tmux import in_tmux


@pytest.fixture
def run_id(box: Box) -> str:
    started: str = box.run("run", "-d", "-n", "kestrel", "-m", "10", script("metrics.py")).stdout.strip()
    box.wait_for_step(started, 2)
    return started


@pytest.fixture
def shown(box: Box, run_id: str) -> Iterator[OnTerminal]:
    with on_terminal(box.argv(), env=box.env, cwd=box.work) as terminal:
        terminal.wait_for("kestrel")
        yield terminal


def test_q_gives_the_terminal_back_and_says_what_goes_on(box: Box, run_id: str, shown: OnTerminal) -> None:
    assert shown.modes["?1049"]
    shown.type("q")
    assert shown.wait() == 0
    shown.assert_restored()
    farewell = shown.said
    assert farewell[0].startswith("1 run keeps going: kestrel (9:")
    assert farewell[1] == f"backprop  opens this again · backprop stop {run_id}  stops one"
    box.goes_on(run_id)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_a_signal_ends_it_and_gives_the_terminal_back(box: Box, run_id: str, shown: OnTerminal, number: int) -> None:
    shown.process.send_signal(number)
    assert shown.wait() == 0
    shown.assert_restored()
    assert shown.shows("1 run keeps going: kestrel")
    box.goes_on(run_id)


@pytest.mark.parametrize("hears_it", [True, False])
def test_a_closed_window_ends_it(box: Box, run_id: str, hears_it: bool) -> None:
    """Without a signal too, as where the terminal is not its controlling one."""
    argv = box.argv() if hears_it else ["setsid", "--wait", *box.argv()]
    with on_terminal(argv, env=box.env, cwd=box.work) as shown:
        shown.wait_for("kestrel")
        pid = shown.process.pid if hears_it else children_of(shown.process.pid)[0]
        shown.hang_up()
        assert end_of(pid) < 5.0
    box.goes_on(run_id)


@pytest.mark.parametrize(("start", "key"), [("{}", "\x1a"), ("(trap '' HUP; exec {})", "")])
def test_a_closed_window_ends_it_while_suspended_or_deaf(box: Box, run_id: str, start: str, key: str) -> None:
    env = {**box.env, "PS1": "shell> "}
    with on_terminal(["bash", "--norc", "--noprofile", "-i"], env=env, cwd=box.work) as shell:
        shell.wait_for("shell>")
        shell.type(start.format(shlex.join(box.argv())) + "\n")
        shell.left_s("kestrel")
        dashboard = children_of(shell.process.pid)[0]
        if key:
            shell.type(key)
            shell.wait_for("Stopped")
        shell.hang_up()
        assert end_of(dashboard) < 5.0
    box.goes_on(run_id)


def test_a_terminal_that_takes_nothing_does_not_keep_it(box: Box, run_id: str, shown: OnTerminal) -> None:
    """As after ctrl+s, or over a connection that hangs."""
    shown.stop_reading()
    sizes = itertools.cycle([(200, 60), (199, 59)])

    def is_full() -> bool:
        resize(shown.main, *next(sizes))
        return all(not select.select([], [shown.other], [], 0.1)[1] for _ in range(10))

    wait_until(is_full)
    shown.process.send_signal(signal.SIGTERM)
    assert shown.wait() in (0, 128 + signal.SIGTERM)
    box.goes_on(run_id)


def test_killed_with_9_a_new_one_finds_the_run_with_its_timer(box: Box, run_id: str, shown: OnTerminal) -> None:
    shown.process.kill()
    assert shown.wait() == -signal.SIGKILL
    box.goes_on(run_id)
    with on_terminal(box.argv(), env=box.env, cwd=box.work) as second:
        assert abs(second.left_s("kestrel") - box.left_s(run_id)) < 5
        second.type("q")
        assert second.wait() == 0


def test_two_at_once_both_see_what_a_shell_starts(box: Box, shown: OnTerminal) -> None:
    with on_terminal(box.argv(), env=box.env, cwd=box.work, size=(120, 40)) as second:
        second.wait_for("kestrel")
        box.run("run", "-d", "-n", "from-a-shell", script("metrics.py"))
        second.wait_for("from-a-shell")
        shown.wait_for("from-a-shell")
        second.type("q")
        assert second.wait() == 0
    shown.type("q")
    assert shown.wait() == 0


@pytest.mark.parametrize("size", [(40, 12), (1, 1), (2, 1), (1, 40), (300, 2)])
def test_any_size_and_back(shown: OnTerminal, size: tuple[int, int]) -> None:
    resize(shown.main, *size)
    shown.settle()
    at = len(shown.written)
    resize(shown.main, 100, 30)
    wait_until(lambda: b"kestrel" in shown.written[at:])
    shown.type("q")
    assert shown.wait() == 0
    shown.assert_restored()


def test_keys_at_the_smallest_size(shown: OnTerminal) -> None:
    resize(shown.main, 1, 1)
    for keys in ("\r", "123456", "\x1b", "n", "\x1b", "?", "\x1b", "l", "\x1b", "!", "\x1b", "K", "\x1b"):
        shown.type(keys)
        shown.settle()
    assert shown.process.poll() is None
    resize(shown.main, 80, 24)
    at = len(shown.written)
    wait_until(lambda: b"kestrel" in shown.written[at:] or b"quit" in shown.written[at:])
    shown.process.send_signal(signal.SIGTERM)
    assert shown.wait() == 0
    shown.assert_restored()


def test_nothing_is_drawn_where_it_cannot_be(box: Box) -> None:
    for argv, env, why in (
        (["sh", "-c", 'exec "$@" </dev/null', "sh", *box.argv()], {}, "stdin is no terminal"),
        (box.argv(), {"TERM": "dumb"}, "the terminal (TERM=dumb) cannot place the cursor"),
    ):
        with on_terminal(argv, env={**box.env, **env}, cwd=box.work) as terminal:
            assert terminal.wait() == 2
            terminal.settle()
            assert terminal.written.decode().splitlines() == [
                f"backprop: no dashboard here: {why}",
                "  hint: backprop status and backprop list work anywhere",
            ]


def test_it_is_drawn_on_stdout(box: Box, run_id: str) -> None:
    argv = ["sh", "-c", 'exec "$@" 2>stderr.txt', "sh", *box.argv()]
    with on_terminal(argv, env=box.env, cwd=box.work) as terminal:
        terminal.wait_for("kestrel")
        terminal.type("q")
        assert terminal.wait() == 0
        terminal.assert_restored()
    assert (box.work / "stderr.txt").read_text() == ""


@pytest.mark.parametrize("words", [(), ("--debug",)])
def test_a_bug_gives_the_terminal_back_and_is_one_line(box: Box, run_id: str, words: tuple[str, ...]) -> None:
    (box.work / "broken.py").write_text(
        "from backprop_tui.tui.screens.main import MainScreen\n"
        "def tick(self):\n"
        "    raise ValueError('no [bold]such[/] tick')\n"
        "MainScreen.tick = tick\n"
        "from backprop_tui.cli.main import entry\n"
        "entry()\n"
    )
    argv = [box.argv()[0], "broken.py", *words]
    with on_terminal(argv, env=box.env, cwd=box.work) as terminal:
        assert terminal.wait() == 70
        terminal.assert_restored()
        said = terminal.said
    assert said[-2:] == [
        "backprop: a bug: ValueError: no [bold]such[/] tick",
        "  hint: the same command with --debug shows where; please report it",
    ]
    assert (len(said) == 2) is (not words)
    assert ("Traceback (most recent call last):" in said) is bool(words)


@pytest.mark.tmux
def test_ctrl_z_goes_back_to_the_shell_and_fg_comes_back(box: Box, run_id: str, tmp_path: Path) -> None:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    env = {**box.env, "PS1": "shell> ", "BACKPROP": shlex.join(box.argv())}
    with in_tmux(shell, folder=tmp_path, cwd=box.work, env=env, size=(80, 24)) as pane:
        pane.wait_for("shell>")
        on_shell = pane.modes
        pane.type("$BACKPROP\n")
        pane.wait_for("● kestrel")
        shown = pane.modes
        for _ in range(2):
            pane.keys("C-z")
            pane.wait_for("Stopped")
            assert pane.modes == on_shell
            pane.type("clear; fg\n")
            pane.wait_for("● kestrel")
            wait_until(lambda: pane.modes == shown)
        pane.type("q")
        pane.wait_for("1 run keeps going: kestrel")
        assert pane.modes == on_shell
    box.goes_on(run_id)


def test_memory_is_given_back(box: Box) -> None:
    """The command line leaves the collector of garbage off; a program that runs all day needs it."""
    (box.work / "asking.py").write_text(
        "import gc\n"
        "from backprop_tui.tui.app import Dashboard\n"
        "Dashboard.action_demo = lambda self: open('collects', 'w').write(str(gc.isenabled()))\n"
        "from backprop_tui.cli.main import entry\n"
        "entry()\n"
    )
    with on_terminal([box.argv()[0], "asking.py"], env=box.env, cwd=box.work) as terminal:
        terminal.wait_for("START HERE")
        terminal.type("d")
        wait_until(lambda: (box.work / "collects").exists() and (box.work / "collects").read_text())
        terminal.type("q")
        assert terminal.wait() == 0
    assert (box.work / "collects").read_text() == "True"


def test_work_that_hangs_does_not_keep_it(box: Box) -> None:
    (box.work / "hanging.py").write_text(
        "import time\n"
        "from backprop_tui.tui.app import Dashboard\n"
        "def hang():\n"
        "    open('hangs', 'w').close()\n"
        "    time.sleep(600)\n"
        "Dashboard.action_demo = lambda self: self.run_worker(hang, thread=True)\n"
        "from backprop_tui.cli.main import entry\n"
        "entry()\n"
    )
    with on_terminal([box.argv()[0], "hanging.py"], env=box.env, cwd=box.work) as terminal:
        terminal.wait_for("START HERE")
        terminal.type("d")
        wait_until((box.work / "hangs").exists)
        terminal.type("q")
        assert terminal.wait() == 0
        terminal.assert_restored()
