"""What of a command's words is shown."""

from __future__ import annotations

import pytest

from backprop_tui.model.secrets import MASK, masked_args


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--lr", "1e-4"], ["--lr", "1e-4"]),
        (["--api-key", "sk-1", "--lr", "2"], ["--api-key", MASK, "--lr", "2"]),
        (["--hf_token=abc"], [f"--hf_token={MASK}"]),
        (["--max-tokens", "512", "--num-key-value-heads", "8"], ["--max-tokens", "512", "--num-key-value-heads", "8"]),
        (["--password", "--verbose"], ["--password", "--verbose"]),
    ],
)
def test_secret_options_keep_their_value_to_themselves(words: list[str], shown: list[str]) -> None:
    assert masked_args(words) == shown
