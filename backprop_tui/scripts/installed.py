"""Which version of a package an interpreter has, by looking at files alone: no process is started."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_ENTRIES = 20_000
_MAX_LINE = 1024
_MAX_LINKS = 8


def version_of(package: str, interpreter: str, env: Mapping[str, str]) -> str | None:
    """The version that is installed, such as 2.13.0+cpu; None where it is not found.

    Args:
        package: its name on PyPI, in lower case.
        interpreter: a Python, or a program that lies beside one, such as torchrun; absolute.
        env: the environment that it runs in: PYTHONPATH comes first.
    """
    for folder in _site_folders(interpreter, env):
        if (version := _version_in(folder, package)) is not None:
            return version
    return None


def _site_folders(interpreter: str, env: Mapping[str, str]) -> Iterator[str]:
    """Where it looks for packages, first come first; some of them may not exist."""
    yield from (folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(folder))
    seen: set[str] = set()
    # A link in the bin folder of an environment is no step out of it; one elsewhere leads to where it really lies.
    for program in _chain(interpreter):
        prefix = os.path.dirname(os.path.dirname(program))
        if prefix in seen:
            continue
        seen.add(prefix)
        found = list(_of_prefix(prefix))
        yield from found
        if os.path.exists(os.path.join(prefix, "pyvenv.cfg")):
            if not _sees_system(prefix):
                return
        elif found:
            return


def _chain(path: str) -> Iterator[str]:
    """A program, what it links to, and so on."""
    for _ in range(_MAX_LINKS):
        yield path
        try:
            path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        except (OSError, ValueError):
            return


def _of_prefix(prefix: str) -> Iterator[str]:
    for lib in ("lib", "lib64", "local/lib"):
        for name in sorted(_names_in(os.path.join(prefix, lib)), reverse=True):
            if name.startswith("python3"):
                for packages in ("site-packages", "dist-packages"):
                    if os.path.isdir(folder := os.path.join(prefix, lib, name, packages)):
                        yield folder


def _sees_system(prefix: str) -> bool:
    """Whether an environment was made to see the packages of the Python it stands on."""
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            lines = file.read(65536).lower().splitlines()
    except OSError:
        return False
    return any(line.replace(" ", "") == "include-system-site-packages=true" for line in lines)


def _version_in(folder: str, package: str) -> str | None:
    for name in _names_in(folder):
        stem, end = os.path.splitext(name)
        called, dash, version = stem.partition("-")
        if dash and end == ".dist-info" and called.lower().replace("_", "-") == package:
            return version
    return _version_file(os.path.join(folder, package, "version.py"))


def _version_file(path: str) -> str | None:
    """What `__version__ = '2.13.0'` says, as a checkout of PyTorch or a build without metadata has it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for _ in range(50):
                name, equals, value = file.readline(_MAX_LINE).partition("=")
                if equals and name.strip().partition(":")[0] == "__version__":
                    return value.strip().strip("'\"") or None
    except OSError:
        pass
    return None


def _names_in(folder: str) -> list[str]:
    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) >= _MAX_ENTRIES:
                    break
    except (OSError, ValueError):
        pass
    return names
