"""Over a real sshd on loopback: the connection is cut, the training goes on, the next session finds it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import Box, script
from tests.requirements import require
from tests.stand_ins.waiting import wait_until
from tests.tui.ptys import OnTerminal, children_of, end_of


class Sshd:
    """A server of the test's own: its port, its keys, this user."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        has_client = shutil.which("ssh") is not None and shutil.which("ssh-keygen") is not None
        require("sshd", found is not None and has_client, "there is no sshd, ssh or ssh-keygen")
        self.folder = folder
        folder.mkdir(mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\n"
            f"HostKey {folder / 'host'}\n"
            f"AuthorizedKeysFile {folder / 'authorized'}\n"
            "PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\nPrintLastLog no\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen([str(found), "-D", "-e", "-f", folder / "config"], stderr=log)
        wait_until(lambda: self.process.poll() is not None or self._is_up())
        assert self.process.poll() is None, (folder / "log").read_text()

    def _is_up(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def argv(self, command: str) -> list[str]:
        options = (
            f"UserKnownHostsFile={self.folder / 'known'}",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            "EscapeChar=none",
        )
        chosen = [word for option in options for word in ("-o", option)]
        where = ["-i", str(self.folder / "user"), "-p", str(self.port), "127.0.0.1"]
        return ["ssh", "-F", "none", "-tt", *chosen, *where, command]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd")
    yield server
    server.close()


class Session:
    """Somebody at a shell on the box, from afar."""

    def __init__(self, box: Box, terminal: OnTerminal) -> None:
        self.terminal = terminal
        self._pid_file = box.work / "shell.pid"
        wait_until(lambda: self._pid_file.exists() or terminal.process.poll() is not None)
        assert terminal.process.poll() is None, terminal.written
        wait_until(self._pid_file.read_text)
        self.shell = int(self._pid_file.read_text())
        self._pid_file.unlink()

    @property
    def dashboard(self) -> int:
        return children_of(self.shell)[0]

    @property
    def server(self) -> int:
        """The process of sshd that serves this session."""
        return int(Path(f"/proc/{self.shell}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def sessions(box: Box, sshd: Sshd) -> Iterator["Sessions"]:
    made = Sessions(box, sshd)
    yield made
    for terminal in made.terminals:
        terminal.close()


class Sessions:
    """Opens sessions; what is still open is closed with the test."""

    def __init__(self, box: Box, sshd: Sshd) -> None:
        self.terminals: list[OnTerminal] = []
        self._box, self._sshd = box, sshd

    def open(self) -> Session:
        env = shlex.join(f"{name}={value}" for name, value in self._box.env.items())
        python = shlex.join(self._box.argv())
        command = (
            f"cd {shlex.quote(str(self._box.work))} && exec env -i TERM=$TERM LC_ALL=C.UTF-8 {env} PS1='$ ' "
            f"BACKPROP={shlex.quote(python)} sh -c 'echo $$ >shell.pid; exec bash --norc --noprofile -i'"
        )
        terminal = OnTerminal(self._sshd.argv(command), env=dict(os.environ), cwd=self._box.work)
        self.terminals.append(terminal)
        return Session(self._box, terminal)


@pytest.mark.parametrize("cut", ["client", "server", "hang-up"])
def test_a_cut_connection_ends_the_dashboard_and_no_run(box: Box, sessions: Sessions, cut: str) -> None:
    first = sessions.open()
    start = f"$BACKPROP run -q -d -n kestrel -m 10 {shlex.quote(script('metrics.py'))} >run.id"
    first.terminal.type(f"{start} && $BACKPROP\n")
    first.terminal.left_s("kestrel")
    run_id = (box.work / "run.id").read_text().strip()
    dashboard = first.dashboard
    if cut == "client":
        first.terminal.process.kill()
    elif cut == "server":
        os.kill(first.server, signal.SIGKILL)
    else:
        first.terminal.hang_up()
    assert end_of(dashboard) < 5.0
    box.goes_on(run_id)

    second = sessions.open()
    second.terminal.type("$BACKPROP\n")
    assert abs(second.terminal.left_s("kestrel") - box.left_s(run_id)) < 5
    second.terminal.type("q")
    second.terminal.wait_for("1 run keeps going: kestrel (")
    second.terminal.type("exit\n")
    assert second.terminal.wait() == 0
    box.goes_on(run_id)


def test_what_the_dashboard_started_goes_on(box: Box, sessions: Sessions) -> None:
    first = sessions.open()
    first.terminal.type("$BACKPROP\n")
    first.terminal.wait_for("START HERE")
    first.terminal.type("d")
    first.terminal.left_s("demo")
    run_id = str(box.json("list")[0]["id"])
    dashboard = first.dashboard
    first.terminal.process.kill()
    end_of(dashboard)
    box.goes_on(run_id)
