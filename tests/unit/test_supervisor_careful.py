from __future__ import annotations

from typing import Any

from backprop_tui.supervisor.careful import beside


class Recorder:
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Part:
    def __init__(self) -> None:
        self._recorder = Recorder()
        self.looks: list[Any] = []

    @beside("the sky")
    def look(self, at: int, *, final: bool = False) -> None:
        """Look up."""
        self.looks.append((at, final))
        if at == 2:
            raise ValueError("too bright")


def test_a_fault_is_told_once_and_the_part_left_alone() -> None:
    part = Part()
    for at in (1, 2, 3):
        part.look(at, final=at == 1)
    assert part.looks == [(1, True), (2, False)]
    assert part._recorder.warnings == [
        "a fault of backprop: ValueError with the sky, which is left alone in this slice (too bright)"
    ]
