"""What came of a person's own command, in words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def hook_text(event: dict[str, Any]) -> str:
    """Such as "on start: exit code 0 after 0.3 s"; `event` is one of kind hook, from any version."""
    said = f"on {event.get('hook', '?')}"
    if isinstance(code := event.get("exit_code"), int):
        said += f": exit code {code}" if code >= 0 else f": ended by signal {-code}"
    if isinstance(seconds := event.get("seconds"), (int, float)):
        said += f" after {seconds:.1f} s"
    return said + (f", killed: {killed}" if (killed := event.get("killed")) else "")
