"""What a logout does to detached runs, by the files of systemd's login manager."""

from __future__ import annotations

import getpass
import subprocess
import sys
from pathlib import Path

import pytest

from backprop_tui.control import logout
from backprop_tui.control.logout import MANAGER, SESSION, judge, kills, look, place_of
from tests.box import Box

SHIPPED = (
    "# See logind.conf(5)\n\n[Login]\n#NAutoVTs=6\n#KillUserProcesses=no\n#KillOnlyUsers=\n#KillExcludeUsers=root\n"
)
YES = "[Login]\nKillUserProcesses=yes\n"
SSH = "0::/user.slice/user-1000.slice/session-3.scope\n"


@pytest.mark.parametrize(
    ("cgroups", "place"),
    [
        (SSH, SESSION),
        ("12:pids:/\n1:name=systemd:/user.slice/user-1000.slice/session-c2.scope\n0::/\n", SESSION),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-terminal.scope", MANAGER),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/session-3.scope", MANAGER),
        ("0::/system.slice/cron.service", ""),
        ("0::/\n", ""),
        ("0::/docker/session-3", ""),
        ("", ""),
    ],
)
def test_place(cgroups: str, place: str) -> None:
    assert place_of(cgroups) == place


@pytest.mark.parametrize(
    ("main", "drop_ins", "kill"),
    [
        ("", [], False),
        (SHIPPED, [], False),
        (SHIPPED.replace("s=no", "s=yes"), [], True),
        (SHIPPED + "KillUserProcesses=yes\n", [], True),
        (SHIPPED.replace("s=no", "s=yes") + "KillUserProcesses = off\n", [], False),
        (SHIPPED, [YES], True),
        (SHIPPED, [YES, "[Login]\nKillUserProcesses=no\n"], False),
        (SHIPPED, [YES, "[Login]\n#KillUserProcesses=no\n"], True),
        (SHIPPED, [YES, ""], True),
        (SHIPPED, ["[Login]\nKillUserProcesses=\n"], False),
        (SHIPPED, ["[Login]\nKillUserProcesses=perhaps\n"], False),
        (SHIPPED, ["[Sleep]\nKillUserProcesses=yes\n"], False),
        (SHIPPED, ["KillUserProcesses=yes\n"], False),
        (SHIPPED, [YES + "KillOnlyUsers=ann bob\n"], True),
        (SHIPPED, [YES + "KillOnlyUsers=bob\n"], False),
        (SHIPPED, [YES + "KillOnlyUsers=bob\n", "[Login]\nKillOnlyUsers=\n"], True),
        (SHIPPED, [YES + "KillExcludeUsers=ann\n"], False),
        (SHIPPED, [YES + "KillOnlyUsers=ann\nKillExcludeUsers=ann\n"], False),
        (SHIPPED, [YES + "[[Login\n=\n\0\n"], True),
    ],
)
def test_kills(main: str, drop_ins: list[str], kill: bool) -> None:
    assert kills(main, drop_ins, "ann") is kill


def test_root_is_spared_unless_the_list_is_emptied() -> None:
    assert not kills(SHIPPED, [YES], "root")
    assert kills(SHIPPED, [YES, "[Login]\nKillExcludeUsers=\n"], "root")


@pytest.mark.parametrize(
    ("place", "kills_sessions", "lingers", "words", "no_words"),
    [
        (SESSION, True, False, ["KillUserProcesses", "loginctl enable-linger", "systemd-run --user --scope"], []),
        (SESSION, True, True, ["systemd-run --user --scope"], ["loginctl"]),
        (SESSION, False, False, [], []),
        (MANAGER, False, False, ["last logout", "loginctl enable-linger"], ["systemd-run"]),
        (MANAGER, True, True, [], []),
        ("", True, False, [], []),
    ],
)
def test_judge(place: str, kills_sessions: bool, lingers: bool, words: list[str], no_words: list[str]) -> None:
    warning = judge(place, kills_sessions=kills_sessions, lingers=lingers).warning
    assert bool(warning) is bool(words)
    assert all(word in warning for word in words)
    assert not any(word in warning for word in no_words)


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_look_finds_files_as_systemd_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logout, "_user_name", lambda: "ann")
    assert look(str(tmp_path)).place == ""
    put(tmp_path, "proc/self/cgroup", SSH)
    put(tmp_path, "usr/lib/systemd/logind.conf", YES)
    assert look(str(tmp_path)).warning
    put(tmp_path, "etc/systemd/logind.conf", SHIPPED)
    assert not look(str(tmp_path)).warning
    put(tmp_path, "usr/lib/systemd/logind.conf.d/50-kill.conf", YES)
    put(tmp_path, "run/systemd/logind.conf.d/10-early.conf", "[Login]\nKillUserProcesses=no\n")
    put(tmp_path, "run/systemd/logind.conf.d/90-other.txt", "[Login]\nKillUserProcesses=no\n")
    assert "loginctl" in look(str(tmp_path)).warning
    put(tmp_path, "var/lib/systemd/linger/ann", "")
    assert "loginctl" not in look(str(tmp_path)).warning
    (tmp_path / "etc/systemd/logind.conf.d").mkdir()
    (tmp_path / "etc/systemd/logind.conf.d/50-kill.conf").symlink_to("/dev/null")
    assert not look(str(tmp_path)).warning


def on_a_killing_host(box: Box, *words: str) -> subprocess.CompletedProcess[str]:
    root = box.work / "root"
    put(root, "proc/self/cgroup", SSH)
    put(root, "etc/systemd/logind.conf", YES + f"KillExcludeUsers=\nKillOnlyUsers={getpass.getuser()}\n")
    code = (
        "import sys\n"
        "from functools import partial\n"
        "from backprop_tui.control import logout\n"
        f"logout.look = partial(logout.look, {str(root)!r})\n"
        "from backprop_tui.cli.main import entry\n"
        "entry()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=box.work, env=box.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_first_detach_on_a_host_says_so_once(box: Box) -> None:
    detached = ("run", "-d", "--wait", "--", "true")
    for words in (("run", "-q", *detached[1:]), ("run", "--json", *detached[1:]), ("run", "--", "true")):
        assert "KillUserProcesses" not in on_a_killing_host(box, *words).stderr
    first = on_a_killing_host(box, *detached).stderr.splitlines()[-1]
    assert first.startswith("backprop: warning: this system ends a detached run when you log out")
    assert first.endswith("once loginctl enable-linger, then systemd-run --user --scope backprop …")
    assert "KillUserProcesses" not in on_a_killing_host(box, *detached).stderr


def test_doctor_says_so_every_time(box: Box) -> None:
    for _ in range(2):
        assert "--  logout" in on_a_killing_host(box, "doctor").stdout
