"""The files of a run that only grow: lines that cannot be written yet are kept in order until they can."""

from __future__ import annotations

from backprop_tui import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.store.folder import RunFolder


class Journal:
    """Appends to files of one run's folder."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._appenders: dict[str, files.Appender] = {}
        self._unwritten: list[tuple[str, bytes]] = []
        self._is_held = False

    @property
    def is_behind(self) -> bool:
        """Lines wait to be written."""
        return bool(self._unwritten)

    def append(self, name: str, lines: bytes) -> str | None:
        """Add whole lines; when there is no room they are kept, and what went wrong is returned."""
        if self._unwritten or self._is_held:
            self._unwritten.append((name, lines))
            return None
        try:
            self._appender(name).append(lines)
        except OSError as error:
            self._unwritten.append((name, lines))
            return f"{name} could not be written: {error.strerror}"
        return None

    def hold(self) -> None:
        """Keep lines back: something else comes first."""
        self._is_held = True

    def release(self) -> None:
        """Write what was held back, and from now on everything at once."""
        self._is_held = False
        self.catch_up()

    def catch_up(self) -> None:
        """Write kept lines while there is room."""
        while self._unwritten and not self._is_held:
            name, lines = self._unwritten[0]
            try:
                self._appender(name).append(lines)
            except OSError:
                return
            self._unwritten.pop(0)

    def size_of(self, name: str) -> int | None:
        """Bytes of a file that was written to, None if it was not."""
        appender = self._appenders.get(name)
        return appender.size if appender else None

    def close(self) -> None:
        """Let go of the files; what still cannot be written is lost."""
        self.catch_up()
        for appender in self._appenders.values():
            appender.close()
        self._appenders.clear()

    def _appender(self, name: str) -> files.Appender:
        if name not in self._appenders:
            self._appenders[name] = files.Appender(self._folder.file(name))
        return self._appenders[name]
