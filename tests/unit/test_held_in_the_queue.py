"""A run that a person holds keeps its place, however long its wait was to be."""

from __future__ import annotations

import select
from types import SimpleNamespace
from typing import Any

import pytest

from backprop_tui.errors import AdmissionRefused
from backprop_tui.model.decisions import Admission, Decision
from backprop_tui.supervisor import queueing
from backprop_tui.supervisor.queueing import Queue

WAIT_S = 5.0
NO = Admission(admitted=False, decisions=(Decision(rule="slots", ok=False, text="1 run in progress"),))


class Bench:
    """A queue whose clock goes on by a second a turn; `asked` is what a person asks for, by the turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, asked: dict[int, str]) -> None:
        self.now = 0.0
        self.asked = asked
        self.lease: Any = None
        self.desk = SimpleNamespace(
            lock_wait_s=30.0,
            queue=lambda *_, **__: None,
            hold=lambda _who: None,
            changed=lambda: (),
            is_near=lambda: True,
            try_start=lambda _request: (NO, self.lease),
        )
        self.run = SimpleNamespace(held="", reason=None, slices=[SimpleNamespace(n=1)])
        self.ended: list[str] = []
        self.recorder: Any = SimpleNamespace(
            run=self.run,
            flush=self._nothing,
            amend=lambda **changes: self.run.__dict__.update(changes),
            amend_slice=self._nothing,
            event=self._nothing,
            warn=self._nothing,
            publish_now=self._nothing,
            change=lambda _state, reason, **_: self.ended.append(reason.text),
            close=self._nothing,
        )
        clock = SimpleNamespace(monotonic=lambda: self.now, time=lambda: 0.0)
        poll = SimpleNamespace(register=self._nothing, poll=self._nothing)
        monkeypatch.setattr(queueing, "time", clock)
        monkeypatch.setattr(queueing, "select", SimpleNamespace(poll=lambda: poll, POLLIN=select.POLLIN))
        monkeypatch.setattr(queueing, "Inbox", lambda *_: SimpleNamespace(handle=self._handle))

    def _nothing(self, *_: Any, **__: Any) -> None:
        pass

    def _handle(self, act: Any) -> None:
        self.now += 1.0
        verb = self.asked.get(int(self.now))
        if verb == "lease":
            self.lease = object()
        elif verb:
            act(SimpleNamespace(verb=verb, who="anna"))

    def wait(self) -> Any:
        signals: Any = SimpleNamespace(fileno=lambda: 0, has_stop=False, take_others=self._nothing)
        observer: Any = SimpleNamespace(queued=self._nothing)
        folder: Any = None
        request: Any = SimpleNamespace(run_id="a")
        return Queue(self.desk, self.recorder, folder, request, signals, observer).wait(WAIT_S)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        pytest.param({}, 5, id="nobody holds it"),
        pytest.param({2: "hold", 60: "release"}, 64, id="what is left of its wait counts from its release"),
        pytest.param({2: "hold", 9: "release", 11: "hold", 50: "release"}, 52, id="twice"),
    ],
)
def test_no_wait_runs_out_while_a_person_holds_the_run(
    monkeypatch: pytest.MonkeyPatch, asked: dict[int, str], end: int
) -> None:
    bench = Bench(monkeypatch, asked)
    with pytest.raises(AdmissionRefused, match="not started within 5 s"):
        bench.wait()
    assert bench.now == pytest.approx(end, abs=1)
    assert len(bench.ended) == 1


def test_a_released_run_starts_when_it_is_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, {1: "hold", 99: "release", 100: "lease"})
    assert bench.wait()[1] is bench.lease
    assert bench.ended == []
