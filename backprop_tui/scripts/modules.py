"""Reads a script and the project's own modules that it imports: bounded in number and size. Never raises."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

HEAD_BYTES = 2_000_000
PARSED_BYTES = 500_000
"""Longer sources are only looked at line by line: a syntax tree takes 200 times their size."""
MODULE_BYTES = 256_000
MODULES = 16
"""Modules of the project that are read."""
_NAMES = MODULES * 8
"""Names that are looked for: most are other people's packages."""


def head(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a regular file, whole lines; nothing where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return b""
        data = b""
        while len(data) <= limit and (part := os.read(fd, limit + 1 - len(data))):
            data += part
    except OSError:
        return b""
    finally:
        os.close(fd)
    return data if len(data) <= limit else data[: data.rfind(b"\n", 0, limit) + 1]


def parsed(data: bytes) -> ast.Module | None:
    """The syntax tree of a source; None for what is none, or is too long."""
    if len(data) > PARSED_BYTES:
        return None
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the script's own escapes; its interpreter will say it
        try:
            return ast.parse(data)
        # Other versions of Python, other languages, NULs, unknown encodings, nesting without end.
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError, OverflowError):
            return None


def imported_modules(path: str, data: bytes) -> Iterator[bytes]:
    """The sources of the project's modules that a script imports itself."""
    if b"import" not in data:
        return
    folder = os.path.dirname(os.path.realpath(path))
    for read, (_, module) in enumerate(_found(imports_in_lines(data, indented=True), [folder]), 1):
        yield module
        if read == MODULES:
            return


def project_sources(path: str, cwd: str = "") -> list[tuple[str, bytes]]:
    """The script and the modules of its project that it imports, also through each other: (path, source).

    They are looked for beside the script and in the working directory.
    """
    whole = os.path.realpath(path)
    sources = [(whole, head(whole, HEAD_BYTES))]
    roots = list(dict.fromkeys((os.path.dirname(whole), *((cwd, os.path.join(cwd, "src")) if cwd else ()))))
    seen, at = {whole}, 0
    while at < len(sources) and len(sources) <= MODULES:
        file, data = sources[at]
        at += 1
        if b"import" not in data:
            continue
        names = imports_in_lines(data, indented=True, package=os.path.dirname(file))
        for module, source in _found(names, roots):
            if module not in seen and len(sources) <= MODULES:
                seen.add(module)
                sources.append((module, source))
    return sources


def _found(names: Iterator[str], roots: list[str]) -> Iterator[tuple[str, bytes]]:
    """The files of these modules that are there."""
    for name in list(dict.fromkeys(name for name in names if _is_dotted(name)))[:_NAMES]:
        # A path stands for a relative import.
        stems = [name] if name.startswith("/") else [os.path.join(root, *name.split(".")) for root in roots]
        for stem in stems:
            for file in (f"{stem}.py", os.path.join(stem, "__init__.py")):
                if source := head(file, MODULE_BYTES):
                    yield os.path.realpath(file), source


def imports_in_lines(data: bytes, *, indented: bool, package: str = "") -> Iterator[str]:
    """The modules that a source seems to import, seen without parsing it.

    With `package`, the folder that it lies in, relative imports come as paths without an end.
    """
    for line in data.replace(b";", b"\n").splitlines():
        words = (line.lstrip() if indented else line)[:1000].split(None, 2)
        if len(words) < 2 or words[0] not in (b"import", b"from"):
            continue
        text = b" ".join(words[1:]).decode("ascii", "replace").partition("#")[0]
        if words[0] == b"import":
            yield from (name.split()[0] for name in text.split(",") if name.strip())
            continue
        module, _, names = text.partition(" import ")
        listed = [n.split()[0] for n in names.strip("( )").split(",") if n.strip()]
        module = module.strip()
        if module.startswith("."):
            if not package:
                continue
            module = _relative(module, package)
            yield from ([module] if not module.endswith("/") else [])
            yield from (f"{module.rstrip('/')}/{name}" for name in listed)
        else:
            yield module
            yield from (f"{module}.{name}" for name in listed)


def _relative(module: str, package: str) -> str:
    """Where a relative import points to; it ends with a slash where only the package is named."""
    name = module.lstrip(".")
    folder = package
    for _ in range(len(module) - len(name) - 1):
        folder = os.path.dirname(folder)
    return os.path.join(folder, *name.split(".")) if name else folder + "/"


def _is_dotted(name: str) -> bool:
    if name.startswith("/"):
        return len(name) < 1000
    return len(name) < 200 and all(part.isidentifier() for part in name.split("."))
