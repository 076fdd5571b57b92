"""Which environment variables and arguments look like secrets, and what stands in their place."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "•••"
_SIGNS = ("KEY", "TOKEN", "SECRET", "PASS", "_PWD", "CREDENTIAL", "AUTH")
_LAST_WORDS = frozenset(
    ["key", "apikey", "token", "secret", "password", "passwd", "pass", "pwd", "credential", "credentials", "auth"]
)


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value should not be kept."""
    return any(sign in name.upper() for sign in _SIGNS)


def masked(env: dict[str, str]) -> dict[str, str]:
    """The same variables, the values of secret ones hidden."""
    return {name: MASK if is_secret(name) else value for name, value in env.items()}


def masked_args(words: Iterable[str]) -> list[str]:
    """A command's words, the values of secret options hidden: --api-key VALUE, --hf_token=VALUE."""
    shown: list[str] = []
    hides = False
    for word in words:
        name, equals, _value = word.partition("=")
        is_option = word.startswith("-")
        if hides and not is_option:
            shown.append(MASK)
        elif is_option and equals and _is_secret_option(name):
            shown.append(f"{name}={MASK}")
        else:
            shown.append(word)
        hides = is_option and not equals and _is_secret_option(name)
    return shown


def _is_secret_option(name: str) -> bool:
    return name.lower().replace("_", "-").rpartition("-")[2] in _LAST_WORDS
