"""Grey pictures of digits, 8 by 8, drawn from glyphs: shifted, thickened, dimmed and noisy. Always the same ones."""

from __future__ import annotations

import random

SIDE = 8
CLASSES = 10

# Seven rows of five pixels for each digit.
_GLYPHS = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "11110 00001 00001 01110 00001 00001 11110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)


def load(count: int, seed: int) -> tuple[list[list[float]], list[int]]:
    """`count` pictures (64 brightnesses from 0 to 1, row by row) and the digits that they show."""
    dice = random.Random(seed)  # noqa: S311  # pictures, no secrets
    labels = [dice.randrange(CLASSES) for _ in range(count)]
    return [_draw(label, dice) for label in labels], labels


def _draw(digit: int, dice: random.Random) -> list[float]:
    right, down = dice.randrange(4), dice.randrange(2)
    ink = dice.uniform(0.5, 1.0)
    is_bold = dice.random() < 0.3
    pixels = [0.0] * (SIDE * SIDE)
    for y, row in enumerate(_GLYPHS[digit].split()):
        for x, bit in enumerate(row):
            if bit == "1":
                at = (y + down) * SIDE + x + right
                pixels[at] = ink
                if is_bold and x + right + 1 < SIDE:
                    pixels[at + 1] = max(pixels[at + 1], 0.6 * ink)
    return [min(1.0, max(0.0, pixel + dice.gauss(0.0, 0.16))) for pixel in pixels]
