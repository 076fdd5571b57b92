"""Whether what was started here goes on after a logout, as systemd's login manager is set."""

from __future__ import annotations

import os

from backprop_tui import paths
from backprop_tui.frozen import Frozen
from backprop_tui.probes.host import hostname

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONFIG_DIRS = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd")
"""Where a file of one name hides those of the same name further down."""
SESSION, MANAGER = "session", "manager"
_TRUE = frozenset(("1", "yes", "y", "true", "t", "on"))
_FALSE = frozenset(("0", "no", "n", "false", "f", "off"))
_LINGER = "loginctl enable-linger"
_SCOPE = "systemd-run --user --scope backprop …"


class Verdict(Frozen):
    """What a logout does to the runs that are started here."""

    place: str
    """session, manager (the user's own systemd), or "" where no login manager looks after this process."""
    warning: str = ""
    """What ends them, and the remedy; "" where nothing does."""


def place_of(cgroups: str) -> str:
    """Which part of systemd holds a process, by its /proc/…/cgroup."""
    for line in cgroups.splitlines():
        # The outermost that is known: a user's own systemd may hold scopes of any name.
        for part in line.rpartition(":")[2].split("/"):
            if part.startswith("user@") and part.endswith(".service"):
                return MANAGER
            if part.startswith("session-") and part.endswith(".scope"):
                return SESSION
    return ""


def kills(main: str, drop_ins: Iterable[str], user: str) -> bool:
    """Whether the login manager ends what a session leaves behind.

    Args:
        main: logind.conf; as it is shipped it names the built-in default in a comment.
        drop_ins: what overrides it, the last one most.
        user: the user's name.
    """
    kill = False
    only: list[str] = []
    exempt = ["root"]
    for text in (_uncommented(main), main, *drop_ins):
        for key, value in _assignments(text):
            if key == "KillUserProcesses" and value.lower() in _TRUE | _FALSE:
                kill = value.lower() in _TRUE
            elif key == "KillOnlyUsers":
                only = [*only, *value.split()] if value else []
            elif key == "KillExcludeUsers":
                exempt = [*exempt, *value.split()] if value else []
    return kill and user not in exempt and (not only or user in only)


def _uncommented(text: str) -> str:
    return "".join(f"{line.lstrip('#')}\n" for line in text.splitlines() if line.startswith(("[", "#Kill")))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == "Login" and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def judge(place: str, *, kills_sessions: bool, lingers: bool) -> Verdict:
    """What a logout does, by where a run is started and how the system is set."""
    if place == SESSION and kills_sessions:
        first = "" if lingers else f"once {_LINGER}, then "
        return Verdict(
            place=place,
            warning="this system ends a detached run when you log out (KillUserProcesses=yes); to let it go on: "
            f"{first}{_SCOPE}",
        )
    if place == MANAGER and not lingers:
        return Verdict(
            place=place, warning=f"this system ends a detached run at your last logout; to let it go on: {_LINGER}"
        )
    return Verdict(place=place)


def look(root: str = "/") -> Verdict:
    """What a logout does to what this process starts.

    Args:
        root: where the system's files are looked for.
    """
    place = place_of(_read(os.path.join(root, "proc/self/cgroup")))
    if not place:
        return Verdict(place="")
    user = _user_name()
    lingers = bool(user) and os.path.exists(os.path.join(root, "var/lib/systemd/linger", user))
    return judge(place, kills_sessions=place == SESSION and kills(*_configs(root), user), lingers=lingers)


def first_warning() -> str:
    """The warning, if this user was not told it on this host before; "" otherwise."""
    verdict = look()
    if not verdict.warning:
        return ""
    mark = os.path.join(paths.cache_dir(), f"told-logout-{verdict.place}-{hostname()}")
    try:
        os.makedirs(os.path.dirname(mark), exist_ok=True)
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return ""
    except OSError:
        pass  # told again next time: better than never
    return verdict.warning


def _configs(root: str) -> tuple[str, list[str]]:
    """(logind.conf, its drop-ins in their order), as systemd finds them."""
    folders = [os.path.join(root, folder) for folder in CONFIG_DIRS]
    main = next((path for folder in folders if os.path.exists(path := os.path.join(folder, "logind.conf"))), "")
    drop_ins: dict[str, str] = {}
    for folder in reversed(folders):
        inner = os.path.join(folder, "logind.conf.d")
        drop_ins.update((name, os.path.join(inner, name)) for name in _names(inner) if name.endswith(".conf"))
    return _read(main), [_read(drop_ins[name]) for name in sorted(drop_ins)]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
