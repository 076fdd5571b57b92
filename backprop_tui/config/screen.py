"""The dashboard's own settings: a person's and no project's; no flags, not in a run's record."""

from __future__ import annotations

from backprop_tui.config.settings import SETTINGS, Setting

DASHBOARD: tuple[Setting, ...] = (
    Setting(
        key="dashboard.theme",
        kind="choice",
        default="auto",
        choices=("auto", "dark", "light"),
        help="colours; auto is dark unless the terminal says that it is light (COLORFGBG)",
    ),
    Setting(
        key="dashboard.glyphs",
        kind="choice",
        default="auto",
        choices=("auto", "unicode", "ascii"),
        help="signs and borders; auto is ascii where the locale is not UTF-8",
    ),
    Setting(
        key="dashboard.graphs",
        kind="choice",
        default="auto",
        choices=("auto", "braille", "blocks", "ascii"),
        help="how curves are drawn: blocks where the font's braille is poor",
    ),
    Setting(
        key="dashboard.gauges",
        kind="choice",
        default="auto",
        choices=("auto", "full", "2-up", "strip", "hidden"),
        help="form of the GPU gauges; auto takes the first that fits",
    ),
    Setting(
        key="dashboard.notify",
        kind="choice",
        default="bell",
        choices=("off", "bell", "osc9", "both"),
        help="when a run ends or needs you: the bell, a desktop notification (osc9), both",
    ),
    Setting(
        key="dashboard.mouse",
        kind="boolean",
        default=True,
        help="clicks and the wheel; false leaves selecting text to the terminal",
    ),
    Setting(
        key="dashboard.accessible",
        kind="boolean",
        default=False,
        help="for screen readers: ASCII, words in place of graphs (also ACCESSIBLE=1)",
    ),
)


def in_user_file(key: str) -> Setting:
    """The setting with this key, of a run or of the dashboard.

    Raises:
        KeyError: there is none.
    """
    return {setting.key: setting for setting in (*SETTINGS, *DASHBOARD)}[key]
