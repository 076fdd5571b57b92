from __future__ import annotations

from pathlib import Path

import pytest

from backprop_tui.scripts.mentions import Mentions

SOURCE = """
import helper
SAVE = "/data/runs/gan"
torch.save(net, f"{SAVE}/netG_epoch_{n}.pth")
open("/data/logs/out.txt"); os.path.join("/usr/share/x"); "/"; "/tmp"; "~/models/mine"
"""


@pytest.fixture
def mentions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mentions:
    monkeypatch.setenv("HOME", "/home/ana")
    (tmp_path / "train.py").write_text(SOURCE)
    (tmp_path / "helper.py").write_text("FOLDER = 'snap'\n")
    return Mentions(str(tmp_path / "train.py"), str(tmp_path))


def test_folders_outside_that_the_source_names(mentions: Mentions) -> None:
    assert mentions.folders == ("/data/runs/gan", "/data/logs", "/home/ana/models/mine")


@pytest.mark.parametrize(
    ("path", "is_known"),
    [
        ("netG_epoch_3.pth", True),
        ("snap/40.ckpt", True),
        ("deep/netG_epoch_3.pth", True),
        ("other/40.ckpt", False),
        ("critic_3.pth", False),
        ("1.pt", False),
    ],
)
def test_names_that_the_source_knows(mentions: Mentions, tmp_path: Path, path: str, is_known: bool) -> None:
    assert mentions.know(str(tmp_path / path)) is is_known


def test_without_a_script_nothing_can_be_told(tmp_path: Path) -> None:
    mentions = Mentions("", str(tmp_path))
    assert (mentions.folders, mentions.know(str(tmp_path / "ckpt_3.pt"))) == ((), True)
