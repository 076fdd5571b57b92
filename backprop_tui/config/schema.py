"""The JSON schema of project files, and the sample that `backprop config init` writes."""

from __future__ import annotations

import json
import os

from backprop_tui.config.settings import PROJECTS, by_key
from backprop_tui.config.values import DURATION_PATTERN, MAX_ITEMS, MAX_PATTERN, MEMORY_PATTERN, NUMBER_PATTERN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.config.settings import Setting

SCHEMA_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "backprop.schema.json")
"""Ships with the package; `schema_text()` is its content."""
SAMPLE_KEYS = (
    "maxRunMinutes",
    "maxParallel",
    "gpuMemoryLimit",
    "minFreeRamGB",
    "checkpointEveryMinutes",
    "framework",
    "gpu.probe",
    "gpu.minFreeVramMB",
    "gpu.maxTempC",
)


_TABLES = {
    "gpu": "settings of GPUs",
    "metrics": "where metrics are read",
    "checkpoints": "how checkpoints are found and kept",
    "resume": "how a slice goes on from a checkpoint",
    "watchdog": "when a run that goes nowhere is stopped",
}


def schema() -> dict[str, Any]:
    """The schema (draft 2020-12) that editors check and complete project files with."""
    properties: dict[str, Any] = {"$schema": {"type": "string", "description": "where this schema is"}}
    for setting in PROJECTS:
        table, dot, inner = setting.key.rpartition(".")
        place = properties
        if dot:
            place = properties.setdefault(table, _object(_TABLES[table]))["properties"]
        place[inner] = _property(setting)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "backprop project settings",
        **_object("backprop.config.json or .backprop.json, from the working directory upwards"),
        "properties": properties,
    }


def _object(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description, "additionalProperties": False, "properties": {}}


def _property(setting: Setting) -> dict[str, Any]:
    return {
        "description": f"{setting.help} ({setting.flag})",
        "default": setting.default,
        **_forms(setting),
    }


def _forms(setting: Setting) -> dict[str, Any]:
    """The types and ranges of a setting: each form a value may take."""
    times = {"type": "string", "pattern": f"{NUMBER_PATTERN}|{DURATION_PATTERN}"}
    integers = {"type": "integer", **_range(setting)}
    numbers = {"type": "number", **_range(setting)}
    forms: dict[str, list[dict[str, Any]]] = {
        "minutes": [numbers, times],
        "seconds": [numbers, times],
        "number": [numbers],
        "integer": [integers],
        "choice": [{"type": "string", "enum": list(setting.choices)}],
        "signal": [{"type": "string", "enum": [*setting.choices, *(c[3:] for c in setting.choices)]}],
        "path": [{"type": "string", "minLength": 1}],
        "boolean": [{"type": "boolean"}],
        "memory": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": MEMORY_PATTERN}],
        "pattern": [{"type": "string", "minLength": 1, "maxLength": MAX_PATTERN}],
        "names": [{"type": "string"}, _array({"enum": list(setting.choices)})],
        "globs": [{"type": "string"}, _array({"type": "string", "minLength": 1})],
        "template": [{"type": "string", "minLength": 1}],
        "goals": [{"type": "string"}, _array({"type": "string", "minLength": 1})],
        "command": [{"type": "string", "minLength": 1}],
    }
    found = forms[setting.kind]
    if setting.none_word:
        found = [*found, {"const": setting.none_word}, {"type": "null"}]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": MAX_ITEMS}


def _range(setting: Setting) -> dict[str, Any]:
    low = "exclusiveMinimum" if setting.is_minimum_excluded else "minimum"
    return {low: setting.minimum, "maximum": int(setting.maximum)}


def schema_text() -> str:
    """The shipped schema file's content."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def sample_text(schema_reference: str = SCHEMA_FILE) -> str:
    """A project file of defaults, pointing editors to the schema (by default its own path)."""
    data: dict[str, Any] = {"$schema": schema_reference}
    for key in SAMPLE_KEYS:
        table, dot, inner = key.rpartition(".")
        place = data.setdefault(table, {}) if dot else data
        place[inner] = by_key(key).default
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
