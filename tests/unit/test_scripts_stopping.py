"""Which signal a script wants to be stopped by."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_tui.scripts.stopping import stop_signal_in

USR1 = "signal.signal(signal.SIGUSR1, save)\n"
TERM = "signal.signal(signal.SIGTERM, save)\n"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (USR1, "SIGUSR1"),
        (TERM, "SIGTERM"),
        (USR1 + TERM, "SIGTERM"),
        ("from signal import *\nsignal(SIGUSR1, lambda *a: save())", "SIGUSR1"),
        ("signal.signal(getattr(signal, 'SIGUSR1'), save)", "SIGUSR1"),
        ("for s in (signal.SIGTERM, signal.SIGUSR1):\n    signal.signal(s, save)", "SIGTERM"),
        ("number = signal.SIGUSR1\nsignal.signal(number, save)", "SIGUSR1"),
        ("loop.add_signal_handler(signal.SIGTERM, stop)", "SIGTERM"),
        ("args = TrainingArguments(output_dir='o', enable_jit_checkpoint=True)", "SIGTERM"),
        (
            "args = TrainingArguments(output_dir='o', enable_jit_checkpoint=True)\ntry: f()\nexcept KeyboardInterrupt: g()",
            "SIGTERM",
        ),
        # Used to ctrl-c.
        (TERM + "signal.signal(signal.SIGINT, save)", ""),
        ("for s in (signal.SIGINT, signal.SIGTERM):\n    signal.signal(s, save)", ""),
        (USR1 + "try: f()\nexcept KeyboardInterrupt: g()", ""),
        (USR1 + "try: f()\nexcept (ValueError, KeyboardInterrupt): g()", ""),
        # No handler.
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", ""),
        ("signal.signal(signal.SIGUSR1, signal.SIG_DFL)", ""),
        ("signal.signal(signal.SIGUSR1, SIG_IGN)", ""),
        ("os.kill(pid, signal.SIGTERM)", ""),
        ("faulthandler.register(signal.SIGUSR1)", ""),
        ("def show(*a):\n    traceback.print_stack()\nsignal.signal(signal.SIGUSR1, show)", ""),
        ("signal.signal(signal.SIGUSR1, lambda *a: pdb.set_trace())", ""),
        ("def show(*a):\n    dump(); save()\nsignal.signal(signal.SIGUSR1, show)", "SIGUSR1"),
        ("# signal.signal(signal.SIGUSR1, save)", ""),
        ("signal.signal(signal.SIGUSR1", ""),
        ("args = TrainingArguments(enable_jit_checkpoint=False)", ""),
        ("signal.signal(signal.SIGALRM, save)", ""),
        ("import torch", ""),
        ("", ""),
    ],
)
def test_by_its_handlers(tmp_path: Path, source: str, name: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(source)
    assert stop_signal_in(str(script), "")[0] == name


def test_handlers_of_the_project_count(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("from lib import stopping\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "stopping.py").write_text(USR1)
    assert stop_signal_in(str(script), "") == ("SIGUSR1", "the script handles SIGUSR1")
    script.write_text("from lib import stopping\ntry: f()\nexcept KeyboardInterrupt: g()\n")
    assert stop_signal_in(str(script), "") == ("", "")


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (("--enable_jit_checkpoint",), "SIGTERM"),
        (("--enable_jit_checkpoint", "True", "--x"), "SIGTERM"),
        (("--enable-jit-checkpoint=true",), "SIGTERM"),
        (("--enable_jit_checkpoint", "False"), ""),
        (("--enable_jit_checkpoint=false",), ""),
        (("enable_jit_checkpoint",), ""),
        ((), ""),
    ],
)
def test_arguments_that_switch_saving_on(tmp_path: Path, args: tuple[str, ...], name: str) -> None:
    assert stop_signal_in(str(tmp_path / "none.py"), "", args)[0] == name


@given(st.binary(max_size=200))
def test_no_source_raises(tmp_path_factory: pytest.TempPathFactory, source: bytes) -> None:
    script = tmp_path_factory.mktemp("s") / "train.py"
    script.write_bytes(b"SIGTERM\n" + source)
    stop_signal_in(str(script), "")
