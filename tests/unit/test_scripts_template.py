"""What a template stands for."""

from __future__ import annotations

import pytest

from backprop_tui.scripts.template import filled, names_in, says_where

PATH = "/runs/a b/ckpt-3"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("--resume {checkpoint}", ("--resume", PATH)),
        ("--resume={checkpoint}", (f"--resume={PATH}",)),
        ("--dir {checkpoint_dir} --step {step}", ("--dir", "/runs/a b", "--step", "3")),
        ("\"ckpt_path='{checkpoint}'\"", (f"ckpt_path='{PATH}'",)),
        ("resume=True model={checkpoint}", ("resume=True", f"model={PATH}")),
        ("--init_from=resume", ("--init_from=resume",)),
        ("--note 'at {step} of {checkpoint}'", ("--note", f"at 3 of {PATH}")),
        ("{checkpoint}", (PATH,)),
        ("rerun", ()),
    ],
)
def test_filled(template: str, words: tuple[str, ...]) -> None:
    assert filled(template, PATH, 3) == words


def test_a_path_may_hold_anything() -> None:
    for path in ("/a/{step}", "/a/{checkpoint}", "/a/$(x)'\"\\", "/a/é\n"):
        assert filled("--r={checkpoint}/x", path, 3) == (f"--r={path}/x",)
    assert filled("--d {checkpoint_dir}", "/a/b/", None) == ("--d", "/a")


@pytest.mark.parametrize("template", ["--resume '{checkpoint}", "--step {step}"])
def test_what_cannot_be_filled(template: str) -> None:
    with pytest.raises(ValueError, match=r"quotation|step"):
        filled(template, PATH, None)


@pytest.mark.parametrize(
    ("template", "names", "where"),
    [
        ("--resume {checkpoint}", ("--resume",), True),
        ("--resume={checkpoint} -x", ("--resume", "-x"), True),
        ("resume=True model={checkpoint}", ("resume", "model"), True),
        ("--resume", ("--resume",), False),
        ("--iter {step}", ("--iter",), True),
        ("{checkpoint}", (), True),
        ("rerun", (), False),
        ("'open", (), False),
    ],
)
def test_what_it_names(template: str, names: tuple[str, ...], where: bool) -> None:
    assert (names_in(template), says_where(template)) == (names, where)
