from __future__ import annotations

from backprop_tui.governor.summary import help_lines, help_text, refusal_text
from backprop_tui.model.decisions import Admission, Decision

FINE = Decision(rule="cpu", ok=True, text="CPU is fine", help="nothing to do")
RAM = Decision(rule="ram", ok=False, text="RAM: 3.1 GB free, 4.0 GB wanted", help="close something")
SLOTS = Decision(rule="slots", ok=False, text="2 runs in progress, 2 allowed (a, b)", help="raise it")


def admission(*decisions: Decision):
    return Admission(admitted=all(d.ok for d in decisions), decisions=decisions)


def test_reasons_and_help():
    refused = admission(SLOTS, FINE, RAM, SLOTS.replace(text="again"))
    assert refusal_text(refused) == "2 runs in progress, 2 allowed (a, b); RAM: 3.1 GB free, 4.0 GB wanted; again"
    assert help_lines(refused) == ("raise it", "close something")
    assert help_text(refused) == "wait in the queue with --wait; raise it; close something"
    assert help_text(refused, has_waited=True) == "raise it; close something"


def test_a_yes_has_neither():
    assert refusal_text(admission(FINE)) == ""
    assert help_lines(admission(FINE)) == ()
    assert help_text(admission(FINE)) == ""


def test_a_box_of_many_gpus_keeps_to_one_line():
    gpus = [Decision(rule="gpu_memory", ok=False, text=f"GPU {n} is full", help="wait") for n in range(8)]
    text = refusal_text(admission(*gpus))
    assert text.startswith("GPU 0 is full; GPU 1 is full; ")
    assert text.endswith("; GPU 5 is full; and 2 more reasons")
