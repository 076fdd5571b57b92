"""The keys that a person gave to actions, as Textual takes them."""

from __future__ import annotations

from textual.keys import _character_to_key

from backprop_tui.config.document import nearest
from backprop_tui.config.wording import shown
from backprop_tui.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backprop_tui.tui.actions import Action


def keymap(keys: Mapping[str, str], actions: Sequence[Action]) -> dict[str, str]:
    """For `App.set_keymap`.

    Args:
        keys: by action id, keys with commas between, as [keys] has them: "K", "?", "ctrl+k,f9".
        actions: all that there are.

    Raises:
        ConfigError: there is no action of that id, or one key would do two things on one screen.
    """
    ids = [action.id for action in actions]
    found: dict[str, str] = {}
    for name, text in keys.items():
        if name not in ids:
            raise ConfigError(f"keys: there is no action {shown(name)}", hint=nearest(name, ids))
        found[name] = ",".join(_named(text))
    owners: dict[tuple[str, str], str] = {}
    # Those that were given first: what is said names them, not what they collide with.
    for action in sorted(actions, key=lambda action: action.id not in found):
        for key in found.get(action.id, action.keys).split(","):
            for scope in action.scopes:
                owner = owners.setdefault((scope, key), action.id)
                if owner != action.id and owner in found:
                    raise ConfigError(
                        f"keys: {shown(key)} is given to {owner} and to {action.id}", hint="keep one, change the other"
                    )
    return found


def _named(text: str) -> Iterable[str]:
    """The keys of a text, in Textual's names."""
    for key in [text] if text == "," else text.split(","):
        yield _character_to_key(key.strip()) if len(key.strip()) == 1 else key.strip()
