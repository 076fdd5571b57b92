"""Makes the shared libraries that stand in for a machine's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.requirements import require


def build(source: str, folder: Path, name: str, *more: str) -> Path:
    """Compile a C file of this folder as library `name`; the test is skipped where there is no C compiler.

    `more` are flags for the compiler.
    """
    compiler = shutil.which("cc")
    require("cc", compiler is not None, "there is no C compiler (cc) on PATH")
    assert compiler is not None
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / name
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{name}"]
    path = Path(__file__).with_name(source)
    subprocess.run([compiler, *flags, *more, "-o", str(library), str(path)], check=True, timeout=120)
    return library
