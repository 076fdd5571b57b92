"""The run that a key acts on, fixed when the key is pressed."""

from __future__ import annotations

from backprop_tui.frozen import Frozen


class Target(Frozen):
    """A run as the person saw it."""

    id: str
    name: str
    state: str

    @property
    def called(self) -> str:
        """Its name, else its id."""
        return self.name or self.id
