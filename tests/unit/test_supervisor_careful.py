from __future__ import annotations

from typing import Any

from backprop_tui.supervisor.careful import beside
from backprop_tui.supervisor.clock import Clock


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


class Hand(Clock):
    now = 100.0

    def monotonic(self) -> float:
        return self.now


class Patient(Part):
    def __init__(self) -> None:
        super().__init__()
        self._clock = Hand()

    @beside("the sky", again_s=10)
    def try_again(self, at: int) -> None:
        """Look up."""
        self.looks.append(at)
        if at % 2 == 0:
            raise ValueError("too bright")


def test_what_must_not_rest_for_ever_is_tried_again_and_told_once() -> None:
    part = Patient()
    for seconds, at in ((0, 1), (0, 2), (9, 3), (1, 4), (9, 5), (1, 7), (0, 9), (0, 2), (0, 11)):
        part._clock.now += seconds
        part.try_again(at)
    assert part.looks == [1, 2, 4, 7, 9, 2]
    assert part._recorder.warnings == [
        "a fault of backprop: ValueError with the sky, which is tried again every 10 s (too bright)"
    ]


def test_a_fault_is_told_once_and_the_part_left_alone() -> None:
    part = Part()
    for at in (1, 2, 3):
        part.look(at, final=at == 1)
    assert part.looks == [(1, True), (2, False)]
    assert part._recorder.warnings == [
        "a fault of backprop: ValueError with the sky, which is left alone in this slice (too bright)"
    ]
