"""A multilayer perceptron on lists of floats: one hidden layer, softmax, gradient descent with momentum."""

from __future__ import annotations

import math
import random

HIDDEN = 24
MOMENTUM = 0.9


class Network:
    """Weights of `inputs` to HIDDEN to `outputs`; each row ends with the bias."""

    def __init__(self, inputs: int, outputs: int, seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311  # first weights, no secrets
        self.hidden = [[dice.gauss(0, math.sqrt(2 / inputs)) for _ in range(inputs)] + [0.0] for _ in range(HIDDEN)]
        self.output = [[dice.gauss(0, math.sqrt(1 / HIDDEN)) for _ in range(HIDDEN)] + [0.0] for _ in range(outputs)]
        self.speed = [[0.0] * (inputs + 1) for _ in range(HIDDEN)] + [[0.0] * (HIDDEN + 1) for _ in range(outputs)]

    def forward(self, picture: list[float]) -> tuple[list[float], list[float]]:
        """The hidden layer's activations and the probability of each class."""
        active = [max(0.0, _dot(row, picture)) for row in self.hidden]
        scores = [_dot(row, active) for row in self.output]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        return active, [power / total for power in powers]

    def gradients(self, pictures: list[list[float]], labels: list[int]) -> tuple[list[list[float]], float, float]:
        """The gradient of the mean loss by each weight (hidden rows, then output rows), the loss, the accuracy."""
        inputs = len(pictures[0])
        by_hidden = [[0.0] * (inputs + 1) for _ in self.hidden]
        by_output = [[0.0] * (HIDDEN + 1) for _ in self.output]
        loss = hits = 0.0
        for picture, label in zip(pictures, labels, strict=True):
            active, chances = self.forward(picture)
            loss -= math.log(max(chances[label], 1e-12))
            hits += max(range(len(chances)), key=chances.__getitem__) == label
            errors = [chance - (k == label) for k, chance in enumerate(chances)]
            for row, error in zip(by_output, errors, strict=True):
                _add(row, active, error)
            for j, value in enumerate(active):
                if value > 0.0:
                    error = sum(e * row[j] for e, row in zip(errors, self.output, strict=True))
                    _add(by_hidden[j], picture, error)
        n = len(pictures)
        return [[g / n for g in row] for row in (*by_hidden, *by_output)], loss / n, hits / n

    def learn(self, pictures: list[list[float]], labels: list[int], rate: float) -> tuple[float, float]:
        """One step of gradient descent; returns the loss and the accuracy before it."""
        gradients, loss, accuracy = self.gradients(pictures, labels)
        for weights, speeds, row in zip((*self.hidden, *self.output), self.speed, gradients, strict=True):
            for i, gradient in enumerate(row):
                speeds[i] = MOMENTUM * speeds[i] - rate * gradient
                weights[i] += speeds[i]
        return loss, accuracy

    def accuracy(self, pictures: list[list[float]], labels: list[int]) -> float:
        """The share of pictures that are read right."""
        hits = 0
        for picture, label in zip(pictures, labels, strict=True):
            chances = self.forward(picture)[1]
            hits += max(range(len(chances)), key=chances.__getitem__) == label
        return hits / len(pictures)


def _dot(row: list[float], values: list[float]) -> float:
    return sum(map(float.__mul__, row, values)) + row[-1]


def _add(row: list[float], values: list[float], factor: float) -> None:
    for i, value in enumerate(values):
        row[i] += factor * value
    row[-1] += factor
