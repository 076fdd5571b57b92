"""What a run that goes on by itself is to reach. Pure."""

from __future__ import annotations

import math

from backprop_tui.frozen import Frozen

NO_IMPROVE = "no-improve"
OPERATORS = ("<=", ">=", "<", ">")
MAX_TEXT = 200


class Goal(Frozen):
    """One condition at which a run is done."""

    metric: str
    """A metric's name as the run records it, step, epoch, or no-improve."""
    operator: str
    value: float
    """Of no-improve: so many slices in a row without a better main metric."""

    @property
    def text(self) -> str:
        """As a person writes it, without blanks that mean nothing."""
        if self.metric == NO_IMPROVE:
            return f"{NO_IMPROVE} {self.value:g}"
        return f"{self.metric}{self.operator}{self.value:.12g}"

    def is_met_by(self, value: float) -> bool:
        """Whether a value of its metric reaches it; what is no finite number never does."""
        if not math.isfinite(value):
            return False
        match self.operator:
            case "<":
                return value < self.value
            case "<=":
                return value <= self.value
            case ">":
                return value > self.value
        return value >= self.value


def goal_from(text: str) -> Goal:
    """The goal that a text such as "loss<0.3", "step>=20000" or "no-improve 3" stands for.

    Raises:
        ValueError: it stands for none; the message says why.
    """
    words = text.split()
    if words and words[0].lower() == NO_IMPROVE:
        if len(words) != 2 or not words[1].isascii() or not words[1].isdecimal() or not 0 < int(words[1][:6]) < 100_000:
            raise ValueError(f"{NO_IMPROVE} takes a number of slices")
        return Goal(metric=NO_IMPROVE, operator="", value=float(words[1]))
    for operator in OPERATORS:
        name, found, number = text.partition(operator)
        if found:
            return Goal(metric=_name(name.strip()), operator=operator, value=_number(number.strip()))
    raise ValueError("it compares nothing")


def _name(text: str) -> str:
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError("the name of a metric is missing")
    return text


def _number(text: str) -> float:
    try:
        value = float(text.replace("_", "x"))
    except ValueError:
        raise ValueError("what it is compared with is no number") from None
    if not math.isfinite(value):
        raise ValueError("what it is compared with is no finite number")
    return value
