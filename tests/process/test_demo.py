"""`backprop demo` tells the whole story."""

from __future__ import annotations

from tests.box import Box


def test_demo_trains_stops_resumes_and_completes(box: Box) -> None:
    done = box.run("demo", "--seconds", "4")
    run = box.json("show", "demo")
    assert run["state"] == "completed"
    assert [piece["state"] for piece in run["slices"]] == ["timeboxed", "completed"]
    assert run["slices"][1]["first_step"] == run["slices"][0]["last_step"] + 1
    assert "backprop resume" in done.stderr
    assert run["last"]["loss"] < 2.3
