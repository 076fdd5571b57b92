"""Which environment variables look like secrets, and what stands in their place in records."""

from __future__ import annotations

MASK = "•••"
_SIGNS = ("KEY", "TOKEN", "SECRET", "PASS", "_PWD", "CREDENTIAL", "AUTH")


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value should not be kept."""
    return any(sign in name.upper() for sign in _SIGNS)


def masked(env: dict[str, str]) -> dict[str, str]:
    """The same variables, the values of secret ones hidden."""
    return {name: MASK if is_secret(name) else value for name, value in env.items()}
