from __future__ import annotations

import os

import pytest

from backprop_tui.errors import UsageError
from backprop_tui.scripts.place import check_script


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "model_a.py").write_text("")
    (tmp_path / "sub" / "model_b.py").write_text("")
    (tmp_path / "empty").mkdir()
    return tmp_path


def refused(path, folder):
    with pytest.raises(UsageError) as caught:
        check_script(path, str(folder))
    assert caught.value.message.isprintable()
    assert caught.value.hint.isprintable()
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize("path", ["train.py", "./train.py", "sub//../train.py", "{folder}/train.py"])
def test_a_script_s_path_becomes_absolute(folder, path):
    found = check_script(path.format(folder=folder), str(folder))
    assert os.path.isabs(found)
    assert os.path.samefile(found, folder / "train.py")


def test_a_link_stays_a_link(folder):
    (folder / "link.py").symlink_to("train.py")
    assert check_script("link.py", str(folder)) == str(folder / "link.py")


def test_up_from_a_linked_folder_is_where_the_system_goes(folder):
    (folder / "far" / "inside").mkdir(parents=True)
    (folder / "far" / "train2.py").write_text("")
    (folder / "near").symlink_to("far/inside")
    assert os.path.samefile(check_script("near/../train2.py", str(folder)), folder / "far" / "train2.py")


def test_a_missing_script_is_said_with_what_is_near(folder):
    assert refused("trian.py", folder) == (
        f'there is no script "trian.py" in "{folder}"',
        'did you mean "train.py"?',
    )
    _, hint = refused("sub/model_c.py", folder)
    assert hint.startswith("did you mean ")
    assert '"sub/model_a.py"' in hint
    assert '"sub/model_b.py"' in hint
    assert refused("zzz", folder)[1] == ""


@pytest.mark.parametrize("path", ["nowhere/train.py", "train.py/x.py"])
def test_a_missing_folder_is_said(folder, path):
    parent = folder / path.partition("/")[0]
    assert refused(path, folder)[0] == (f'there is no script "{path}": "{parent}" is not a folder that can be listed')


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "the script's name is empty"),
        ("a\0b", r'there is no script "a\x00b"'),
        ("\x1b[31m.py", r'there is no script "\x1b[31m.py"'),
        ("x" * 300, "cannot be read: File name too long"),
        ("dead.py", 'the script "dead.py" is a link to nothing'),
        ("loop.py", 'the script "loop.py" cannot be read: '),
        ("pipe", '"pipe" is not a regular file'),
        ("/dev/null", '"/dev/null" is not a regular file'),
    ],
)
def test_what_is_no_script_is_said(folder, path, said):
    (folder / "dead.py").symlink_to("nowhere")
    (folder / "loop.py").symlink_to("loop.py")
    os.mkfifo(folder / "pipe")
    assert said in refused(path, folder)[0]


def test_a_folder_is_said_with_the_scripts_in_it(folder):
    assert refused("sub/", folder) == (
        '"sub/" is a folder, not a script',
        'name one in it, such as "sub/model_a.py", "sub/model_b.py"',
    )
    assert refused("empty", folder) == ('"empty" is a folder, not a script', "")


def test_an_unreadable_script_is_said(folder, monkeypatch):
    def denied(path, flags):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert refused("train.py", folder)[0] == 'the script "train.py" cannot be read: Permission denied'


def test_names_near_are_cleaned(folder):
    (folder / "tr\x1b[31main.py").write_text("")
    (folder / "train.py").unlink()
    assert refused("train.py", folder)[1] == r'did you mean "tr\x1b[31main.py"?'
