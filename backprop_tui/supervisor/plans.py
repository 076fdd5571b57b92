"""Plans as JSON: from the process that makes one to the supervisor that carries it out."""

from __future__ import annotations

import json
import math

from backprop_tui import files
from backprop_tui.errors import StoreError
from backprop_tui.store import codec
from backprop_tui.store.format import to_record
from backprop_tui.supervisor.session import Plan


def plan_to_json(plan: Plan) -> bytes:
    """Holds secrets as they are: for a pipe, never for a file."""
    wait = plan.wait_s
    return files.to_json(
        {
            "spec": to_record(plan.spec),
            "is_resume": plan.is_resume,
            "wait_s": "forever" if wait == math.inf else wait,
            "by_itself": plan.by_itself,
        }
    )


def plan_from_json(data: bytes) -> Plan:
    """The plan again.

    Raises:
        StoreError: the data is no plan.
    """
    try:
        content = json.loads(data)
        wait = content["wait_s"]
        return Plan(
            spec=codec.spec_from(content["spec"], "the plan"),
            is_resume=bool(content["is_resume"]),
            wait_s=math.inf if wait == "forever" else None if wait is None else float(wait),
            by_itself=bool(content["by_itself"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the supervisor got no plan: {error}")
