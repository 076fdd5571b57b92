"""The JSON schema of a project file, a first file, and settings as text: all from the one table."""

from __future__ import annotations

import json
import os

from backprop_tui.config.settings import SETTINGS
from backprop_tui.config.values import DURATION_PATTERN, MEMORY_PATTERN, NUMBER_PATTERN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from backprop_tui.config.settings import Setting
    from backprop_tui.model.spec import SettingValue

SCHEMA_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "backprop.schema.json")
"""Shipped with the package, for editors."""

_SAMPLE = (
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


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12."""
    properties: dict[str, Any] = {"$schema": {"type": "string"}}
    for setting in SETTINGS:
        group, _, inner = setting.key.rpartition(".")
        if group:
            nested = properties.setdefault(group, {"type": "object", "additionalProperties": False, "properties": {}})
            nested["properties"][inner] = _property(setting)
        else:
            properties[setting.key] = _property(setting)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "backprop project settings",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def schema_text() -> str:
    """The schema as the shipped file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def sample_text(schema_reference: str = SCHEMA_PATH) -> str:
    """A first backprop.config.json: the usual settings with their defaults."""
    content: dict[str, Any] = {"$schema": schema_reference}
    for setting in SETTINGS:
        if setting.key not in _SAMPLE:
            continue
        group, _, inner = setting.key.rpartition(".")
        value = "80%" if setting.key == "gpuMemoryLimit" else setting.default
        if group:
            content.setdefault(group, {})[inner] = value
        else:
            content[setting.key] = value
    return json.dumps(content, indent=2) + "\n"


def describe(settings: Mapping[str, SettingValue]) -> list[tuple[str, str, str]]:
    """(key, value as text, origin) of each setting."""
    rows = []
    for setting in SETTINGS:
        found = settings[setting.key]
        text = str(found.value).lower() if isinstance(found.value, bool) else str(found.value)
        rows.append((setting.key, setting.none_word if found.value is None else text, found.origin))
    return rows


def _property(setting: Setting) -> dict[str, Any]:
    low = "exclusiveMinimum" if setting.is_minimum_excluded else "minimum"
    number: dict[str, Any] = {"type": "number", low: setting.minimum}
    by_kind: dict[str, list[dict[str, Any]]] = {
        "minutes": [number, {"type": "string", "pattern": DURATION_PATTERN}],
        "seconds": [number, {"type": "string", "pattern": DURATION_PATTERN}],
        "number": [number],
        "integer": [{**number, "type": "integer"}],
        "choice": [{"enum": list(setting.choices)}],
        "signal": [{"enum": [*setting.choices, *(name[3:] for name in setting.choices)]}],
        "path": [{"type": "string", "minLength": 1}],
        "boolean": [{"type": "boolean"}],
        "memory": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": MEMORY_PATTERN}],
    }
    forms = by_kind[setting.kind]
    if setting.kind in ("minutes", "seconds"):
        forms.append({"type": "string", "pattern": NUMBER_PATTERN})
    if setting.none_word:
        forms += [{"type": "null"}, {"const": setting.none_word}]
    shape = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return {"description": setting.help, "default": setting.default, **shape}
