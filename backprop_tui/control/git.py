"""Which commit a script was run at, read from git's own files."""

from __future__ import annotations

import os


def git_of(folder: str) -> dict[str, str]:
    """commit and branch of the checkout that a folder lies in; {} where there is none."""
    git = _git_dir(folder)
    head = _line(os.path.join(git, "HEAD")) if git else ""
    if _is_commit(head):
        return {"commit": head}
    ref = head.removeprefix("ref: ").strip()
    if not git or ref == head or ".." in ref:
        return {}
    common = os.path.join(git, _line(os.path.join(git, "commondir")) or ".")
    commit = _line(os.path.join(git, ref)) or _line(os.path.join(common, ref)) or _packed(common, ref)
    branch = ref.removeprefix("refs/heads/")
    return {"commit": commit, "branch": branch} if _is_commit(commit) else {"branch": branch}


def _is_commit(text: str) -> bool:
    return 40 <= len(text) <= 64 and not text.strip("0123456789abcdef")


def _git_dir(folder: str) -> str | None:
    while True:
        candidate = os.path.join(folder, ".git")
        if os.path.isdir(candidate):
            return candidate
        if os.path.isfile(candidate):  # a worktree or submodule
            return os.path.join(folder, _line(candidate).removeprefix("gitdir: "))
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _packed(git: str, ref: str) -> str:
    try:
        with open(os.path.join(git, "packed-refs"), encoding="utf-8", errors="replace") as file:
            for line in file:
                commit, _, name = line.strip().partition(" ")
                if name == ref:
                    return commit
    except OSError:
        pass
    return ""


def _line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline(4096).strip()
    except OSError:
        return ""
