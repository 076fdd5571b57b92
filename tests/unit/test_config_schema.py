from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

from backprop_tui.config.project import read_project
from backprop_tui.config.resolve import resolve
from backprop_tui.config.schema import SAMPLE_KEYS, SCHEMA_FILE, sample_text, schema, schema_text
from backprop_tui.config.settings import PROJECTS, by_key
from backprop_tui.errors import ConfigError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_TYPES: dict[str, Any] = {"array": (list, tuple), "string": str, "boolean": bool, "object": dict, "null": type(None)}


def fits(value, rule):
    """Whether a value is valid under the part of JSON schema that ours uses."""
    known = {
        "$schema",
        "title",
        "description",
        "default",
        "type",
        "properties",
        "additionalProperties",
        "anyOf",
    }
    known |= {"enum", "const", "minimum", "maximum", "exclusiveMinimum", "pattern", "minLength", "maxLength"}
    known |= {"items", "maxItems"}
    assert rule.keys() <= known
    if "anyOf" in rule:
        return any(fits(value, form) for form in rule["anyOf"])
    if "const" in rule:
        return value == rule["const"] and isinstance(value, str)
    if "type" not in rule:
        return value in rule["enum"]
    return _fits_type(value, rule) and value in rule.get("enum", [value]) and _fits_inside(value, rule)


def _fits_type(value, rule):
    if rule["type"] in ("number", "integer"):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and (rule["type"] == "number" or float(value).is_integer())
    return isinstance(value, _TYPES[rule["type"]])


def _fits_inside(value, rule):
    if isinstance(value, (list, tuple)):
        return len(value) <= rule["maxItems"] and all(fits(item, rule["items"]) for item in value)
    if isinstance(value, dict):
        return all(key in rule["properties"] and fits(item, rule["properties"][key]) for key, item in value.items())
    if isinstance(value, str):
        return len(value) >= rule.get("minLength", 0) and re.search(rule.get("pattern", ""), value) is not None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        high = value <= rule.get("maximum", value)
        return high and value >= rule.get("minimum", value) and value > rule.get("exclusiveMinimum", value - 1)
    return True


def test_the_shipped_schema_is_what_the_table_gives():
    with open(SCHEMA_FILE, encoding="utf-8") as file:
        assert file.read() == schema_text()


def test_every_setting_is_in_the_schema_with_help_and_default():
    properties = schema()["properties"]
    for setting in PROJECTS:
        place = properties
        for part in setting.key.split(".")[:-1]:
            place = place[part]["properties"]
        rule = place[setting.key.rpartition(".")[2]]
        assert setting.help in rule["description"]
        assert rule["default"] == setting.default
        assert fits(setting.default, rule)
    assert schema()["additionalProperties"] is False


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"$schema": "./x"},
        {"maxRunMinutes": 0.5},
        {"maxRunMinutes": "1h30m"},
        {"maxRunMinutes": "10"},
        {"maxRunMinutes": 0},
        {"maxRunMinutes": "soon"},
        {"maxRunMinutes": "auto"},
        {"maxRunMinutes": None},
        {"graceSeconds": 0},
        {"graceSeconds": "45s"},
        {"graceSeconds": "auto"},
        {"graceSeconds": None},
        {"graceSeconds": -1},
        {"maxParallel": 3},
        {"maxParallel": 3.0},
        {"maxParallel": 2.5},
        {"maxParallel": 0},
        {"maxParallel": True},
        {"maxParallel": 10**12},
        {"gpuMemoryLimit": 8},
        {"gpuMemoryLimit": "80%"},
        {"gpuMemoryLimit": "512MB"},
        {"gpuMemoryLimit": "none"},
        {"gpuMemoryLimit": None},
        {"gpuMemoryLimit": 0},
        {"gpuMemoryLimit": "lots"},
        {"minFreeRamGB": 0},
        {"minFreeRamGB": "4"},
        {"maxCpuLoadPerCore": 0},
        {"framework": "jax"},
        {"framework": "torch"},
        {"stopSignal": "USR1"},
        {"stopSignal": "SIGUSR1"},
        {"stopSignal": "KILL"},
        {"buffered": True},
        {"buffered": 1},
        {"python": "python3"},
        {"python": ""},
        {"python": None},
        {"gpu": {"probe": "none", "minFreeVramMB": 0.5, "maxTempC": 85}},
        {"gpu": {"maxTempC": 0}},
        {"gpu": {"maxTempC": 500}},
        {"gpu": {"nothing": 1}},
        {"gpu": 3},
        {"metrics": {"pattern": "(?P<step>\\d+) (?P<loss>\\S+)", "without": ["bar", "pairs"], "files": False}},
        {"metrics": {"pattern": None, "without": "all"}},
        {"metrics": {"pattern": ""}},
        {"metrics": {"without": ["bars"]}},
        {"metrics": {"without": ["bar"] * 60}},
        {"metrics": {"files": "no"}},
        {"checkpoints": {"watch": ["out/**/*.pt"], "copy": True}},
        {"checkpoints": {"watch": [3]}},
        {"resume": {"arg": "--resume {checkpoint}"}},
        {"resume": {"arg": "rerun"}},
        {"resume": {"arg": "auto"}},
        {"resume": {"arg": 3}},
        {"nothing": 1},
        [],
    ],
    ids=json.dumps,
)
def test_schema_and_reader_agree(tmp_path, data):
    path = tmp_path / "backprop.config.json"
    path.write_text(json.dumps(data))
    try:
        read_project(str(path))
        is_read = True
    except ConfigError:
        is_read = False
    assert fits(data, schema()) is is_read


def test_the_sample_resolves_to_the_defaults_and_points_to_the_schema(tmp_path, monkeypatch):
    monkeypatch.setattr("backprop_tui.config.resolve.user_config_file", lambda env: str(tmp_path / "none.toml"))
    path = tmp_path / "backprop.config.json"
    path.write_text(sample_text())
    data = json.loads(sample_text())
    assert os.path.isabs(data["$schema"])
    assert os.path.samefile(data["$schema"], SCHEMA_FILE)
    assert fits(data, schema())
    resolved = resolve(flags={}, env={}, cwd=str(tmp_path))
    for key in SAMPLE_KEYS:
        assert resolved.settings[key].value == by_key(key).default
        assert resolved.settings[key].origin == str(path)


def test_the_repository_s_own_sample_works():
    path = os.path.join(ROOT, "backprop.config.json")
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    assert fits(data, schema())
    assert os.path.samefile(os.path.join(ROOT, data["$schema"]), SCHEMA_FILE)
    assert sorted(read_project(path)) == sorted(SAMPLE_KEYS)
