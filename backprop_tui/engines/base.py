"""What every engine does; knows none of them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.run import Process


class Launch(Frozen):
    """Everything the operating system is told to start a training."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """The whole environment."""
    cwd: str
    log_path: str
    """Both output streams are appended here by the training itself."""


class Exit(Frozen):
    """How a training's leading process ended: one of the two is set."""

    code: int | None = None
    signal: int | None = None


class Engine(ABC):
    """One slice's processes, from start to end."""

    @abstractmethod
    def start(self, launch: Launch) -> Process:
        """Start the training.

        Raises:
            EngineError: it cannot be started; nothing is left behind.
        """

    @abstractmethod
    def poll_exit(self) -> Exit | None:
        """How the leading process ended, None while it lives."""

    @property
    @abstractmethod
    def offset(self) -> int:
        """How far the output has been read, bytes from its beginning."""

    @abstractmethod
    def read(self, limit: int) -> bytes:
        """The next at most `limit` bytes of new output, in order; b"" when there are none yet."""

    @abstractmethod
    def free(self, start: int, end: int) -> bool:
        """Give the room of output that was read back to the disk; False where the filesystem cannot."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what the engine holds open."""
