from __future__ import annotations

import pytest

from backprop_tui.config.dashboard import defaults, preferences
from backprop_tui.config.listing import DEFAULT, ENVIRONMENT, PROJECT, USER, listing
from backprop_tui.config.project import read_project
from backprop_tui.config.resolve import resolve
from backprop_tui.config.schema import schema
from backprop_tui.config.screen import DASHBOARD, in_user_file
from backprop_tui.config.settings import SETTINGS, USERS_OWN
from backprop_tui.config.values import from_plain
from backprop_tui.errors import ConfigError


@pytest.fixture
def user(tmp_path, monkeypatch):
    """The user's file, not there yet, in every place that asks for it."""
    path = tmp_path / "user" / "config.toml"
    path.parent.mkdir()
    for module in ("resolve", "dashboard", "listing"):
        monkeypatch.setattr(f"backprop_tui.config.{module}.user_config_file", lambda env: str(path))
    (tmp_path / ".git").mkdir()
    return path


def refused(user, content="", env=None):
    user.write_text(content)
    with pytest.raises(ConfigError) as caught:
        preferences(env or {})
    return caught.value.message.removeprefix(f"{user}: "), caught.value.hint


def test_no_setting_of_the_dashboard_is_a_flag_a_project_s_or_a_run_s(user, tmp_path):
    assert not any(setting.flag for setting in DASHBOARD)
    assert not set(USERS_OWN) & set(schema()["properties"])
    assert not {s.key for s in DASHBOARD} & set(resolve(flags={}, env={}, cwd=str(tmp_path)).settings)
    with pytest.raises(KeyError):
        resolve(flags={"dashboard.theme": "dark"}, env={}, cwd=str(tmp_path))


@pytest.mark.parametrize("setting", DASHBOARD, ids=lambda s: s.key)
def test_each_is_described_and_its_default_allowed(setting):
    assert setting.help
    assert from_plain(setting, setting.default, "default") == setting.default
    assert in_user_file(setting.key) is setting


def test_names_are_unique_in_both_tables():
    for names in ([s.key for s in (*SETTINGS, *DASHBOARD)], [s.env for s in (*SETTINGS, *DASHBOARD)]):
        assert len(names) == len(set(names))


def test_environment_then_file_then_default(user):
    assert preferences({}) == defaults()
    user.write_text('maxParallel = 3\n[dashboard]\ntheme = "light"\nmouse = false\n')
    found = preferences({"BACKPROP_SET_DASHBOARD_THEME": "dark", "BACKPROP_SET_DASHBOARD_GLYPHS": " "})
    assert found.text("dashboard.theme") == "dark"
    assert found.settings["dashboard.theme"].origin == "environment BACKPROP_SET_DASHBOARD_THEME"
    assert (found.flag("dashboard.mouse"), found.settings["dashboard.mouse"].origin) == (False, str(user))
    assert found.settings["dashboard.glyphs"].origin == "default"
    assert found.user_file == str(user)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"ACCESSIBLE": "1"}, (True, "environment ACCESSIBLE")),
        ({"ACCESSIBLE": "yes"}, (True, "environment ACCESSIBLE")),
        ({"ACCESSIBLE": "0"}, (False, "default")),
        ({"ACCESSIBLE": ""}, (False, "default")),
        (
            {"ACCESSIBLE": "1", "BACKPROP_SET_DASHBOARD_ACCESSIBLE": "off"},
            (False, "environment BACKPROP_SET_DASHBOARD_ACCESSIBLE"),
        ),
    ],
)
def test_accessible_from_the_common_variable(user, env, expected):
    found = preferences(env).settings["dashboard.accessible"]
    assert (found.value, found.origin) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[keys]\n"run.kill" = "K"\n', {"run.kill": "K"}),
        ('[keys]\nrun.kill = "K, ctrl+k"\n', {"run.kill": "K,ctrl+k"}),
        ('[keys.run]\nkill = "?"\n', {"run.kill": "?"}),
        ("[keys]\n", {}),
        ("", {}),
    ],
)
def test_keys_of_actions(user, content, expected):
    user.write_text(content)
    assert preferences({}).keys == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[dashboard]\ntheme = "pink"\n', 'dashboard.theme: found "pink", allowed: auto, dark, light'),
        ("[dashboard]\nmouse = 1\n", "dashboard.mouse: found 1, allowed: true or false"),
        ("[dashboard]\nteme = 1\n", 'unknown key "dashboard.teme"'),
        ("dashboard = 1\n", "dashboard: found 1, allowed: an object with theme, glyphs"),
        ("keys = 1\n", "keys: found 1, allowed: a table of lines such as"),
        ("[keys]\nx = 1\n", 'keys: "x": found 1, allowed: a key such as K'),
        ('[keys]\nx = ""\n', 'keys: "x": found "", allowed: a key such as K'),
        ('[keys]\nx = "a,,b"\n', 'keys: "x": found "a,,b"'),
        ('[keys]\nx = "two words"\n', 'keys: "x": found "two words"'),
        ('[keys]\n"x.y" = "\\u001b"\n', 'keys: "x.y": found "\\x1b"'),
        ("theme = \n", "broken TOML: "),
    ],
)
def test_a_wrong_file_is_refused(user, content, said):
    assert refused(user, content)[0].startswith(said)


def test_a_wrong_variable_is_refused_with_the_nearest(user):
    message, hint = refused(user, env={"BACKPROP_SET_DASHBOARD_TEME": "x"})
    assert "BACKPROP_SET_DASHBOARD_TEME" in message
    assert hint.startswith("did you mean BACKPROP_SET_DASHBOARD_THEME?")
    message, _ = refused(user, env={"BACKPROP_SET_DASHBOARD_MOUSE": "x"})
    assert message == '$BACKPROP_SET_DASHBOARD_MOUSE: found "x", allowed: true or false'


def test_a_run_does_not_mind_what_the_dashboard_is_told(user, tmp_path):
    user.write_text('maxParallel = 3\n[dashboard]\ntheme = "pink"\n[keys]\nx = 1\n')
    found = resolve(flags={}, env={"BACKPROP_SET_DASHBOARD_THEME": "pink"}, cwd=str(tmp_path))
    assert found.settings["maxParallel"].value == 3


@pytest.mark.parametrize("content", ['{"dashboard": {"theme": "dark"}}', '{"keys": {"run.kill": "K"}}'])
def test_a_project_may_not_set_the_dashboard(tmp_path, content):
    path = tmp_path / "backprop.config.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="is no setting of a project") as caught:
        read_project(str(path))
    assert caught.value.hint.startswith("write it to ")


def test_the_listing_says_who_decides(user, tmp_path):
    user.write_text('maxParallel = 3\nframework = "jax"\n[dashboard]\ntheme = "dark"\n')
    (tmp_path / "backprop.config.json").write_text('{"maxParallel": 4}')
    found = listing(cwd=str(tmp_path), env={"BACKPROP_SET_PYTHON": "py"})
    assert found.problem == ""
    sources = {entry.key: (entry.source, entry.origin, entry.value) for entry in found.entries}
    assert list(sources) == [s.key for s in (*SETTINGS, *DASHBOARD)]
    assert sources["maxParallel"] == (PROJECT, str(tmp_path / "backprop.config.json"), "4 runs")
    assert sources["framework"] == (USER, str(user), "jax")
    assert sources["python"] == (ENVIRONMENT, "BACKPROP_SET_PYTHON", "py")
    assert sources["graceSeconds"] == (DEFAULT, "", "auto")
    assert sources["dashboard.theme"] == (USER, str(user), "dark")


def test_the_listing_is_there_even_if_a_file_is_broken(user, tmp_path):
    user.write_text("x = \n")
    found = listing(cwd=str(tmp_path), env={})
    assert "broken TOML" in found.problem
    assert all(entry.source == DEFAULT for entry in found.entries)
