"""The pure parts of a resume: the command line, what a slice teaches, what is remembered, who is signalled."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.artifacts import copies as copies_module
from backprop_tui.config.settings import SETTINGS
from backprop_tui.control.handover import Handover, hand_over
from backprop_tui.engines.argv import argv_of, without_given
from backprop_tui.errors import EngineError, UsageError
from backprop_tui.model.run import Checkpoint, Slice
from backprop_tui.model.spec import SettingValue, SliceSpec
from backprop_tui.model.states import RunState
from backprop_tui.probes.catching import names_launcher
from backprop_tui.probes.proc import Proc
from backprop_tui.scripts.refusing import refusal_in
from backprop_tui.store.home import Home
from backprop_tui.store.scripts import (
    KEPT_REFUSALS,
    KEPT_SCRIPTS,
    Refusal,
    recall,
    remember_refused,
    remember_taken,
)
from backprop_tui.supervisor.addressees import addressees
from backprop_tui.supervisor.lessons import took_up
from backprop_tui.supervisor.safety_copy import keep_copy, put_back, takes_its_own
from tests.unit.test_store import a_spec


@pytest.mark.parametrize(
    ("args", "added", "left"),
    [
        ("--lr 1 --resume a --x", "--resume b", "--lr 1 --x"),
        ("--resume=a --x", "--resume b", "--x"),
        ("--resume a --x", "--resume=b", "--x"),
        ("--resume --x", "--resume=b", "--x"),
        ("--resume", "--resume b", ""),
        ("--resume --x y", "--resume", "--x y"),
        ("--resume y", "--resume", "y"),
        ("--resume-from a", "--resume_from b", ""),
        ("--resume_from=a --resume-from b", "--resume_from c", ""),
        ("--resume a", "--resume_from b", "--resume a"),
        ("-i a --x", "-i b", "--x"),
        ("fit ckpt_path=a x=1", "ckpt_path='b'", "fit x=1"),
        ("resume model=a data=d", "resume=True model=b", "resume data=d"),
        ("--resume a --load c", "--resume --load b", "a"),
        ("a --x=1 b", "", "a --x=1 b"),
        ("--resume_step -1 --x", "--resume_step 5", "--x"),
        ("--scale -.5 x", "--scale -1", "x"),
        ("--resume data.yaml x", "--resume c.pt", "data.yaml x"),
        ("--resume old/c.yaml x", "--resume new/c.yaml", "x"),
        ("-1 --x", "--x -2", "-1"),
        ("x -- --resume a", "--resume b", "x --"),
    ],
)
def test_arguments_are_given_once(args: str, added: str, left: str) -> None:
    assert " ".join(without_given(args.split(), added.split())) == left


@given(st.lists(st.text(max_size=5), max_size=6), st.lists(st.text(max_size=5), max_size=4))
def test_no_argument_is_invented(args: list[str], added: list[str]) -> None:
    rest = iter(args)
    assert all(arg in rest for arg in without_given(args, added)), "some are left, in their order"
    assert without_given(args, []) == args


def a_slice(**more: object) -> SliceSpec:
    settings = {s.key: SettingValue(value=s.default, origin="default") for s in SETTINGS}
    return a_spec("r").replace(
        is_command=False, interpreter="/py", command=("t.py", "--resume-from", "old", "-x"), settings=settings,
        declared_flags=("--resume-from",), resume_from="/new", **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "argv"),
    [
        ({"resume_how": "flag"}, "/py t.py --resume-from /new -x"),
        ({"resume_how": "template", "resume_args": ("--load", "/new")}, "/py t.py --resume-from old -x --load /new"),
        ({"resume_how": "variable"}, "/py t.py --resume-from old -x"),
        ({"resume_how": ""}, "/py t.py --resume-from old -x"),
        ({"resume_how": "proposal", "resume_args": ("--resume_from=/new",)}, "/py t.py -x --resume_from=/new"),
    ],
)
def test_command_lines(more: dict[str, object], argv: str) -> None:
    assert " ".join(argv_of(a_slice(**more))) == argv


def test_a_command_gets_it_at_its_end() -> None:
    spec = a_spec("r").replace(
        is_command=True, command=("torchrun", "t.py", "--r", "a"), resume_args=("--r", "b"), resume_from="b"
    )
    assert argv_of(spec) == ("torchrun", "t.py", "--r", "b")


def slices(*pieces: tuple[int | None, str | None]) -> list[Slice]:
    return [
        Slice(n=n, state=RunState.TIMEBOXED, started=0, box_s=1, first_step=first, resumed_from=origin)
        for n, (first, origin) in enumerate(pieces, 1)
    ]


@pytest.mark.parametrize(
    ("pieces", "step", "took"),
    [
        ([(1, None), (101, "c")], 100, True),
        ([(10, None), (110, "c")], 100, True),
        ([(1, None), (60, "c")], 100, True),  # it goes on from an older one of its own
        ([(1, None), (1, "c")], 100, False),
        ([(1, None), (10, "c")], 100, False),
        ([(500, None), (500, "c")], 500, False),  # where a fresh start prints first
        ([(500, None), (1000, "c")], 500, True),
        ([(1, None), (None, "c")], 100, False),
        ([(1, None), (57, "c")], None, True),
        ([(57, "c")], None, False),
        ([(57, "c")], 50, True),
        ([(1, None), (1, "c"), (101, "c")], 100, True),
        ([(0, None), (1, "c")], 1, False),
        ([], 1, False),
    ],
)
def test_whether_a_checkpoint_was_taken_up(
    pieces: list[tuple[int | None, str | None]], step: int | None, took: bool
) -> None:
    assert took_up(slices(*pieces), step) is took


@pytest.mark.parametrize(
    ("line", "names", "is_refusal"),
    [
        ("t.py: error: unrecognized arguments: --resume /a/b", ["--resume"], True),
        (
            "ValueError: Some specified arguments are not used by the HfArgumentParser: ['--resume', 'x']",
            ["--resume"],
            True,
        ),
        ("Error: No such option: --resume-from Did you mean --resume?", ["--resume_from"], True),
        ("│ No such option: --resume                                  │", ["--resume"], True),
        ("ValueError: Unknown config key: init_from", ["--init_from"], True),
        ("FATAL Flags parsing error: Unknown command line flag 'resume'.", ["--resume"], True),
        ("ERROR: Could not consume arg: --resume=/a", ["--resume"], True),
        ("Key 'ckpt_path' is not in struct", ["ckpt_path"], True),
        ("getopt.GetoptError: option --resume not recognized", ["--resume"], True),
        ("t.py: error: argument --resume: invalid choice: '/a' (choose from 'auto')", ["--resume"], True),
        ("t.py: error: argument --resume: ignored explicit argument '/a'", ["--resume"], True),
        ("t.py: error: unrecognized arguments: --other", ["--resume"], False),
        ("t.py: error: the following arguments are required: --resume", ["--resume"], False),
        ("loading --resume /a", ["--resume"], False),
        ("unrecognized arguments: x", ["--"], False),
    ],
)
def test_refusals_are_understood(line: str, names: list[str], is_refusal: bool) -> None:
    found = refusal_in(["usage: t.py [-h]", line, "bye"], names)
    assert found == (line.strip("│ ") if is_refusal else "")


@given(st.lists(st.text(max_size=40)), st.lists(st.text(max_size=5)))
def test_no_last_words_raise(lines: list[str], names: list[str]) -> None:
    refusal_in([*lines, "unrecognized arguments " + "x" * 300], names)


# --- what is remembered


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(str(tmp_path / "home"))
    found.ensure()
    return found


def test_what_worked_and_what_did_not_is_remembered(home: Home) -> None:
    no = Refusal(template="--a {checkpoint}", digest="d1", said="no")
    assert recall(home, "/t.py").template == ""
    remember_refused(home, "/t.py", no, 1)
    remember_taken(home, "/t.py", "--b {checkpoint}", "d2", 2)
    found = recall(home, "/t.py")
    assert (found.template, found.digest, found.refused) == ("--b {checkpoint}", "d2", (no,))
    assert found.refusal_of("--a {checkpoint}", "d1") == no
    assert found.refusal_of("--a {checkpoint}", "d3") is None, "the script has changed"
    remember_taken(home, "/t.py", "--a {checkpoint}", "d3", 3)
    assert recall(home, "/t.py").refused == ()
    remember_refused(home, "/t.py", no.replace(digest="d4"), 4)
    assert recall(home, "/t.py").template == ""
    assert recall(home, "/other.py").refused == ()


def test_memory_is_bounded_and_keeps_the_newest(home: Home) -> None:
    path = os.path.join(home.path, "scripts.json")
    old = {f"/{n}.py": {"template": "--a", "digest": "", "refused": [], "t": n} for n in range(KEPT_SCRIPTS + 50)}
    Path(path).write_text(json.dumps({"version": 1, "scripts": old}))
    remember_taken(home, "/new.py", "--b", "d", 1e9)
    kept = json.loads(Path(path).read_text())["scripts"]
    assert len(kept) == KEPT_SCRIPTS
    assert "/new.py" in kept
    assert "/0.py" not in kept
    for n in range(KEPT_REFUSALS + 3):
        remember_refused(home, "/new.py", Refusal(template=f"--{n}", digest="d", said=""), 1e9)
    found = recall(home, "/new.py")
    assert (len(found.refused), found.refused[-1].template) == (KEPT_REFUSALS, f"--{KEPT_REFUSALS + 2}")
    remember_taken(home, "/" + "x" * 5000, "--b", "d", 1e9)
    assert len(json.loads(Path(path).read_text())["scripts"]) == KEPT_SCRIPTS


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"scripts": []}', '{"scripts": {"/t.py": 3}}', '{"scripts": {"/t.py": {"template": 3, "t": "x"}}}',
     '{"scripts": {"/t.py": {"refused": [3, {"template": []}]}}}', "[" * 100_000],
)  # fmt: skip
def test_a_broken_memory_is_an_empty_one(home: Home, content: str) -> None:
    Path(home.path, "scripts.json").write_text(content)
    assert recall(home, "/t.py").template == ""
    remember_taken(home, "/t.py", "--b", "d", 1)
    assert recall(home, "/t.py").template == "--b"


# --- how it is said


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ({"how": "flag"}, "--resume-from '/a b' (why)"),
        ({"how": "variable"}, "BACKPROP_RESUME_FROM='/a b' (why)"),
        ({"how": "rerun"}, "the same command again (why)"),
        ({"how": "none"}, "nothing tells the script of the checkpoint (why)"),
        ({"how": "template", "args": ("--r", "/a b")}, "--r '/a b' (why)"),
        ({"how": "template"}, "as the arguments say (why)"),
    ],
)
def test_ways_in_words(way: dict[str, object], text: str) -> None:
    made = Handover(checkpoint="/a b", reason="why", **way)  # type: ignore[arg-type]
    assert made.text == text
    assert json.loads(json.dumps(made.plain()))["checkpoint"] == "/a b"


@pytest.mark.parametrize(
    ("how", "template", "itself"),
    [
        ("rerun", "rerun", True),
        ("template", "--init_from=resume", True),
        ("proposal", "--resume {checkpoint}", False),
        ("variable", "", False),
        ("none", "", False),
    ],
)
def test_whether_the_script_chooses(how: str, template: str, itself: bool) -> None:
    spec = a_slice(resume_how=how, resume_template=template, resume_args=tuple(template.split()))
    assert takes_its_own(spec) is itself


def test_a_template_that_needs_a_step_needs_one(home: Home, tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("")
    settings = {"resume.arg": SettingValue(value="--it {step}", origin="flag --resume-arg")}
    spec = a_slice().replace(cwd=str(tmp_path), command=("t.py",), settings=settings)
    with pytest.raises(UsageError, match="step"):
        hand_over(home, spec, "torch")
    assert hand_over(home, spec.replace(resume_step=4), "torch").args == ("--it", "4")


def test_what_is_remembered_counts_as_long_as_the_option_is_there(home: Home, tmp_path: Path) -> None:
    script = tmp_path / "t.py"
    script.write_text("p.add_argument('--resume')\np.add_argument('--start')")
    spec = a_slice().replace(cwd=str(tmp_path), command=("t.py",), declared_flags=())
    remember_taken(home, str(script.resolve()), "--start {checkpoint}", "another", 1)
    assert hand_over(home, spec, "torch").template == "--start {checkpoint}"
    script.write_text("p.add_argument('--resume')")
    assert hand_over(home, spec, "torch").template == "--resume {checkpoint}"


# --- who is sent the stop signal


GROUP, ELSEWHERE = 1, 9


@pytest.mark.parametrize(
    ("tree", "catching", "helpers", "launchers", "sent"),
    [
        ({1: 0}, {1}, set(), set(), {1}),
        ({1: 0}, set(), set(), set(), {1}),
        ({1: 0, 2: 1}, {1, 2}, set(), set(), {1, 2}),  # a shell with a trap waits for its training
        ({1: 0, 2: 1}, {1}, set(), set(), {1, 2}),
        ({1: 0, 2: 1, 3: 2}, {1, 3}, {2}, set(), {1, 3}),  # the same, with a subshell
        ({1: 0, 2: 1}, {2}, set(), set(), {1, 2}),  # only what reports to a site handles it
        ({1: 0, 2: 1, 3: 1}, {1, 2, 3}, {2, 3}, set(), {1}),  # data loader's workers
        ({1: 0, 2: 1, 3: 2, 4: 3}, {2, 4}, {3, 4}, set(), {1, 2}),
        ({1: 0, 2: 1}, set(), {2}, set(), {1, 2}),  # a parent that dies: its worker may be what trains
        ({1: 0, 2: 1}, {2}, {2}, set(), {1, 2}),
        ({1: 0, 2: 1, 3: 1}, {2, 3}, set(), {1}, {2, 3}),  # a launcher that would die, its two trainings
        ({1: 0, 2: 1, 3: 2}, {2}, {3}, {1}, {2}),
        ({1: 0, 2: 1}, set(), set(), {1}, {1, 2}),
        ({1: 0, 2: 1}, {2}, {2}, {1}, {1, 2}),
        ({1: 0, 2: 1, 3: 2}, {1, 2}, set(), {1}, {1}),  # one that passes it on
        ({1: 0, 2: 1, 3: 2}, {2, 3}, set(), {2}, {1, 2}),
        ({1: 0, -2: 1, -3: 1}, {-2}, set(), {1}, {-2}),  # a session of its own
        ({1: 0, -2: 1}, {-2}, set(), set(), {1}),
        ({2: 77, 3: 88}, {2, 3}, {3}, set(), {2, 3}),  # orphans: whose workers they were is not known
        ({1: 2, 2: 1}, {1}, set(), set(), {1, 2}),  # no tree
    ],
)
def test_addressees(
    tree: dict[int, int], catching: set[int], helpers: set[int], launchers: set[int], sent: set[int]
) -> None:
    members = [Proc(pid=pid, ppid=ppid, pgid=GROUP if pid > 0 else ELSEWHERE, sid=GROUP) for pid, ppid in tree.items()]
    told, spared = addressees(
        members,
        GROUP,
        catches=lambda p: p.pid in catching,
        is_helper=lambda p: p.pid in helpers,
        is_launcher=lambda p: p.pid in launchers,
    )
    assert {p.pid for p in told} == sent
    assert {p.pid for p in spared} | sent >= {pid for pid in tree if pid > 0}
    assert not {p.pid for p in spared} & sent


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        ("python /env/bin/torchrun --nproc 2 train.py", True),
        ("/env/bin/python3 -u -m torch.distributed.run train.py", True),
        ("torchrun train.py", True),
        ("python3.11 /env/bin/accelerate launch train.py", True),
        ("python -m accelerate.commands.launch train.py", True),
        ("python -m", False),
        ("python train.py torchrun", False),
        ("python -m train -m torch.distributed.run", False),
        ("bash torchrun", False),
        ("", False),
    ],
)
def test_launchers_are_known_by_their_command(command: str, is_one: bool) -> None:
    assert names_launcher(command.encode().split(b" ")) is is_one


# --- copies


def saved(path: Path, t: float, copy_of: Path | None = None) -> Checkpoint:
    made = Checkpoint(path=str(path), step=3, t=t, slice=1, kind="json", good=True)
    return made if copy_of is None else made.replace(found="copy", copy_of=str(copy_of))


@pytest.mark.parametrize(
    ("how", "template", "back"),
    [("rerun", "rerun", True), ("proposal", "--init_from=resume", True), ("proposal", "--r {checkpoint}", False)],
)
def test_a_copy_is_put_back_for_a_script_that_takes_what_lies_there(
    home: Home, tmp_path: Path, how: str, template: str, back: bool
) -> None:
    folder = home.new_run("r")
    original, copy = tmp_path / "state.json", tmp_path / "kept" / "1" / "state.json"
    copy.parent.mkdir(parents=True)
    copy.write_text("good")
    original.write_text("cut")
    lines = [saved(copy, 9.999, original), saved(original, 10)]
    Path(folder.file("checkpoints.jsonl")).write_text("".join(f"{json.dumps(c.plain())}\n" for c in lines))
    spec = a_slice(resume_how=how, resume_template=template, resume_args=tuple(template.split()))
    put_back(spec.replace(resume_from=str(copy)), folder)
    assert original.read_text() == ("good" if back else "cut")
    assert copy.read_text() == "good"
    original.unlink()
    copy.unlink()
    if back:
        with pytest.raises(EngineError, match="could not be put back"):
            put_back(spec.replace(resume_from=str(copy)), folder)


def test_what_a_script_takes_by_itself_is_put_back_though_another_checkpoint_is_newer(
    home: Home, tmp_path: Path
) -> None:
    folder = home.new_run("r")
    original, copy, newer = tmp_path / "state.json", tmp_path / "kept" / "1" / "state.json", tmp_path / "step_9.json"
    copy.parent.mkdir(parents=True)
    for path in (copy, newer):
        path.write_text("{}")
    original.write_text('{"cut')
    lines = [saved(copy, 9.999, original), saved(original, 10), saved(newer, 20)]
    Path(folder.file("checkpoints.jsonl")).write_text("".join(f"{json.dumps(c.plain())}\n" for c in lines))
    spec = a_slice(resume_how="rerun", resume_template="rerun").replace(resume_from=str(newer))
    assert put_back(spec, folder) == f"{original} was not whole: the copy of step 3 was put in its place"
    assert original.read_text() == "{}"
    assert put_back(spec, folder) == ""
    assert put_back(spec.replace(resume_how="flag"), folder) == ""
    original.unlink()
    assert put_back(spec, folder) == ""
    assert not original.exists(), "a person moved it away"


def test_a_copy_is_put_back_over_its_own_original_only(home: Home, tmp_path: Path) -> None:
    folder = home.new_run("r")
    mine, other = tmp_path / "a" / "state.json", tmp_path / "b" / "state.json"
    copy = tmp_path / "kept" / "1" / "state.json"
    for path, text in ((mine, "mine"), (other, "other"), (copy, "copy")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    lines = [saved(copy, 99.999, mine), saved(other, 199.9), saved(mine, 200)]
    Path(folder.file("checkpoints.jsonl")).write_text("".join(f"{json.dumps(c.plain())}\n" for c in lines))
    assert folder.checkpoints()[0].copy_of == str(mine)
    put_back(a_slice(resume_how="rerun", resume_template="rerun").replace(resume_from=str(copy)), folder)
    assert (mine.read_text(), other.read_text()) == ("copy", "other")


@pytest.mark.parametrize(("how", "kept"), [("rerun", "state.json"), ("flag", None)])
def test_of_a_script_that_takes_its_own_that_is_copied(home: Home, tmp_path: Path, how: str, kept: str | None) -> None:
    folder = home.new_run("r")
    original, newer = tmp_path / "state.json", tmp_path / "step_9.json"
    for path in (original, newer):
        path.write_text("{}")
    lines = [saved(original, 10), saved(newer, 20)]
    Path(folder.file("checkpoints.jsonl")).write_text("".join(f"{json.dumps(c.plain())}\n" for c in lines))
    spec = a_slice(resume_how=how, resume_template="rerun" if how == "rerun" else "").replace(resume_from=str(newer))
    copies: list[Checkpoint] = []
    warnings: list[str] = []
    recorder = SimpleNamespace(take_copy=lambda copy, _path: copies.append(copy), warn=warnings.append)
    case: Any = SimpleNamespace(spec=spec, folder=folder, recorder=recorder, signals=SimpleNamespace(has_stop=False))
    keep_copy(case, warnings.append)
    assert [os.path.basename(copy.path) for copy in copies] == ([] if kept is None else [kept])
    assert [(c.found, c.step, c.copy_of) for c in copies] == ([] if kept is None else [("copy", 3, str(original))])
    assert warnings == []
    (original if kept else newer).write_text("{cut")
    keep_copy(case, warnings.append)
    assert len(copies) == (kept is not None), "what is not whole is not kept"


def test_what_hinders_a_copy_is_said(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.new_run("r")
    original = tmp_path / "state.json"
    original.write_text("{}")
    Path(folder.file("checkpoints.jsonl")).write_text(f"{json.dumps(saved(original, 10).plain())}\n")
    spec = a_slice(resume_how="flag").replace(resume_from=str(original))
    warnings: list[str] = []
    recorder = SimpleNamespace(warn=warnings.append)
    case: Any = SimpleNamespace(spec=spec, folder=folder, recorder=recorder, signals=SimpleNamespace(has_stop=False))

    def copy_of(*_: object, **_more: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies_module, "copy_of", copy_of)
    keep_copy(case, warnings.append)
    assert warnings == [
        "state.json, from which this slice goes on, is not copied: No space left on device; the script writes over it"
    ]
