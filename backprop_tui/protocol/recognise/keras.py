"""Keras lines: `18/32 ━━━━ 0s 3ms/step - accuracy: 0.29 - loss: 1.27`, and those of its older versions."""

from __future__ import annotations

from backprop_tui.protocol.later import later
from backprop_tui.protocol.names import NOISE, canonical, kind_of
from backprop_tui.protocol.recognise.report import NUMBER

_LINE = later(
    r"\s*+(?P<n>\d{1,12}+)/(?P<of>\d{1,12}+|Unknown)\s"
    r"[^A-Za-z0-9]{0,120}+(?:ETA: )?(?:[\d:]{1,12}s? )?(?:- )?"
    r"(?:(?P<rate>[\d.]{1,9}+(?:s|ms|us|µs|ns)/(?:step|epoch|sample))|(?=- \w))"
    r"(?P<rest>.*+)"
)
_VALUE = later(rf"(?:\A| )- (?P<name>[A-Za-z_][\w./@ -]{{0,63}}?): (?P<num>{NUMBER})(?=\s|\Z)")


class KerasLine:
    __slots__ = ("n", "of", "values")

    def __init__(self, n: int, of: int | None, values: dict[str, float]) -> None:
        self.n = n
        self.of = of
        self.values = values


def looks_like_keras(text: str, low: str) -> bool:
    """A cheap test: lines that fail it are none of Keras's."""
    return "/step" in low or (" - " in text and "/" in text and ("eta: " in low or "[=" in text))


def read_keras(text: str) -> KerasLine | None:
    """What the line says; None if it is none of Keras's."""
    found = _LINE.match(text)
    if found is None:
        return None
    of = None if found["of"] == "Unknown" else int(found["of"])
    values: dict[str, float] = {}
    for pair in _VALUE.finditer(found["rest"]):
        if kind_of(pair["name"]) != NOISE:
            values[canonical(pair["name"])] = float(pair["num"])
    return KerasLine(int(found["n"]), of, values)
