"""Why a run is in its state: every rule of the Governor now, and what was decided before."""

from __future__ import annotations

import math
import time

from backprop_tui import paths
from backprop_tui.errors import BackpropError, StoreError
from backprop_tui.frozen import Frozen
from backprop_tui.governor.running import limits_of, patience_s, rules_now
from backprop_tui.governor.summary import waiting_text
from backprop_tui.model.decisions import Decision
from backprop_tui.model.run import Run
from backprop_tui.model.states import RunState
from backprop_tui.supervisor.admission import AdmissionDesk
from backprop_tui.supervisor.enrolment import request_of
from backprop_tui.watch.figures import age, duration, gigabytes
from backprop_tui.watch.measured import reading_of
from backprop_tui.watch.record import read_events, read_record
from backprop_tui.watch.situation import SeenEyes, sample_box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.governor.running import Limits
    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.store.home import Home
    from backprop_tui.watch.record import Record

EVENTS = 1000
"""The newest events that are looked through."""
_MEASURED = frozenset({"ram", "cpu", "disk", "gpu_memory", "gpu_temp"})
_TOLD = frozenset({"decision", "state", "request", "held", "warning", "withdrawn"})


class Past(Frozen):
    """One thing that was decided or asked before."""

    t: float
    """Epoch seconds."""
    kind: str
    """decision, state, request, held, warning or withdrawn."""
    text: str
    decision: Decision | None = None
    """Of kind decision."""


class Why(Frozen):
    """What there is to say about a run's state."""

    run: Run
    name: str = ""
    text: str = ""
    """Why it is in its state, in one sentence."""
    now: tuple[Decision, ...] = ()
    """Of a run that waits the rules for its start, of one that runs those that it must keep to; of one that has ended
    none."""
    past: tuple[Past, ...] = ()
    """Oldest first."""
    problem: str = ""
    """Why the rules could not be applied now."""


def why(home: Home, run_id: str) -> Why:
    """Apply every rule to a run now, and read what was decided before.

    Raises:
        RunNotFound, StoreError: there is no such run, or its state cannot be read.
    """
    record = read_record(home, run_id)
    run = record.run
    now: tuple[Decision, ...] = ()
    text, problem = run.why, ""
    if record.spec is None:
        problem = "" if run.state.is_ended else "what it was asked to be cannot be read"
    else:
        try:
            now, text = _rules(home, record)
        except (BackpropError, OSError) as error:
            problem = str(error)
    return Why(run=run, name=record.notes.name or "", text=text, now=now, past=past_of(home, run_id), problem=problem)


def past_of(home: Home, run_id: str, limit: int = EVENTS) -> tuple[Past, ...]:
    """What was decided and asked among a run's newest `limit` events, oldest first."""
    try:
        events = read_events(home, run_id, limit)
    except StoreError:
        return ()
    return tuple(past for event in events if (past := past_from(event)) is not None)


def _rules(home: Home, record: Record) -> tuple[tuple[Decision, ...], str]:
    """The rules, and why the run is in its state: of one that waits by these rules, not by those of a while ago."""
    run, spec = record.run, record.spec
    if spec is None or run.state not in (RunState.QUEUED, RunState.RUNNING, RunState.PAUSED):
        return (), run.why
    box = sample_box(home, str(spec.setting("gpu.probe")))
    if run.state is RunState.QUEUED:
        desk = AdmissionDesk(paths.admission_dir(), SeenEyes(box))
        desk.open()
        # As its own shell would ask: what hides GPUs there does so here.
        admission = desk.look(request_of(spec, spec.recorded_env, home))
        waits = waiting_text(admission)
        return aged(admission.decisions, box.t), f"waits: {waits}" if waits else "starts in a moment"
    return rules_now(_limits(run, spec), reading_of(home, record, box)), run.why


def _limits(run: Run, spec: SliceSpec) -> Limits:
    """What it must keep to; a training whose processes wait for each other is paused no longer than they do."""
    limits = limits_of(spec, run.memory_limit.bytes if run.memory_limit else None)
    patience = patience_s(spec, {**spec.recorded_env, **spec.env})
    if patience and (limits.max_paused_s is None or patience < limits.max_paused_s):
        return limits.replace(max_paused_s=patience)
    return limits


def aged(decisions: tuple[Decision, ...], t: float) -> tuple[Decision, ...]:
    """The rules for a start with the age of what was measured for them at `t`, epoch seconds."""
    age_s = round(max(0.0, time.time() - t), 1)
    return tuple(d.replace(age_s=age_s) if d.rule in _MEASURED and d.age_s is None else d for d in decisions)


def past_from(event: dict[str, Any]) -> Past | None:
    """An event as something that was decided or asked; None if it is nothing of the kind."""
    kind, t = event.get("event"), event.get("t")
    if not isinstance(kind, str) or kind not in _TOLD or not isinstance(t, (int, float)):
        return None
    decision = _decision(event) if kind == "decision" else None
    return Past(t=float(t), kind=kind, text=_text(kind, event), decision=decision)


def _text(kind: str, event: dict[str, Any]) -> str:
    text = str(event.get("text", ""))
    if kind == "state":
        reason = event.get("reason")
        said = reason.get("text") if isinstance(reason, dict) else None
        return f"{event.get('state')}" + (f": {said}" if said else "")
    if kind == "request":
        return f"{event.get('verb')}, asked by {event.get('who')}: {text}"
    if kind == "held":
        return f"held by {event['by']}" if event.get("by") else "released"
    return text


def _decision(event: dict[str, Any]) -> Decision:
    return Decision(
        rule=str(event.get("rule", "")),
        ok=event.get("ok") is True,
        text=str(event.get("text", "")),
        value=_number(event.get("value")),
        limit=_number(event.get("limit")),
        help=str(event.get("help", "")),
        age_s=_number(event.get("age_s")),
        is_aside=event.get("is_aside") is True,
        is_final=event.get("is_final") is True,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


_BYTES = ("ram", "memory", "disk", "leftover")
_DEGREES = ("temp", "heat")
_TIMES = ("yield", "paused")


def verdict(decision: Decision) -> str:
    """ok, no (not now), never (the box cannot give it), or -- where it counts for nothing."""
    return "--" if decision.is_aside else "ok" if decision.ok else "never" if decision.is_final else "no"


def value_text(decision: Decision) -> str:
    """The value in its unit; "" where there is none."""
    return _figure(decision.rule, decision.value)


def limit_text(decision: Decision) -> str:
    """The limit in its unit; "" where there is none."""
    return _figure(decision.rule, decision.limit)


def age_text(decision: Decision) -> str:
    """How old the value is; "" where it is known at once."""
    return "" if decision.age_s is None else age(decision.age_s)


def _figure(rule: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    if any(word in rule for word in _BYTES):
        return f"{gigabytes(value)} GB"
    if any(word in rule for word in _DEGREES):
        return f"{value:.0f} °C"
    if rule in _TIMES:
        return duration(value)
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"
