"""The table of commands: what each takes, for the parser, the help and the shell completion."""

from __future__ import annotations

from backprop_tui.cli.parsing import Command, Option
from backprop_tui.config.settings import SETTINGS
from backprop_tui.model.states import RunState

GLOBAL = (
    Option(name="config", flag="--config", metavar="PATH", help="read this project file, not the nearest one"),
    Option(name="json", flag="--json", help="print exactly one JSON document"),
    Option(name="quiet", flag="--quiet", short="-q", help="say only what went wrong"),
    Option(name="verbose", flag="--verbose", help="print each setting and where it comes from"),
    Option(name="dry_run", flag="--dry-run", help="say what would happen, and do nothing"),
    Option(name="debug", flag="--debug", help="show tracebacks"),
    Option(name="help", flag="--help", short="-h", help="show this help"),
    Option(name="version", flag="--version", help="print the version"),
)
ACCESSIBLE = Option(name="accessible", flag="--accessible", help="a dashboard for screen readers: words, no graphs")
"""Of the dashboard, which is no command."""


def _is_time(word: str) -> bool:
    return word[:1].isdigit() and not word.strip("0123456789.dhms")


_SETTINGS = tuple(
    Option(
        name=setting.key,
        flag=setting.flag,
        short=setting.short,
        metavar=setting.metavar,
        help=setting.help,
    )
    for setting in SETTINGS
)
_STATES = ", ".join((*map(str, RunState), "broken"))
_START = (
    *_SETTINGS,
    Option(
        name="resume_from",
        flag="--resume-from",
        short="-r",
        metavar="PATH",
        help="begin from this checkpoint",
    ),
    Option(name="cwd", flag="--cwd", metavar="PATH", help="the training's working directory"),
    Option(name="env", flag="--env", metavar="K=V", repeats=True, help="a variable for the training"),
    Option(name="name", flag="--name", short="-n", metavar="NAME", help="a name to find the run by"),
    Option(name="tag", flag="--tag", metavar="TAG", repeats=True, help="a tag to find the run by"),
    Option(name="detach", flag="--detach", short="-d", help="start it and return at once"),
    Option(
        name="wait",
        flag="--wait",
        metavar="[TIME]",
        optional=_is_time,
        help="queue until the Governor admits it, at most so many minutes",
    ),
)

COMMANDS = (
    Command(
        name="run",
        help="run a script in a time box",
        usage="backprop run SCRIPT [-- ARGS] or backprop run -- COMMAND …",
        options=(
            *_START,
            Option(name="run_id", flag="--run-id", metavar="ID", help="the run's id, otherwise a random one"),
        ),
        words=(1, 1),
        takes_rest=True,
    ),
    Command(
        name="resume",
        help="go on with a run from its newest good checkpoint",
        usage="backprop resume RUN [-- NEW ARGS]",
        epilog="The run's own arguments, environment and settings are used again, those of its last slice; NEW ARGS "
        "take the place of all its arguments, and a setting given here holds for later slices too.",
        options=(
            *_START,
            Option(name="fresh", flag="--fresh", help="start from step 0 again"),
            Option(name="all_lost", flag="--all-lost", help="every lost run, detached, each when it is its turn"),
        ),
        words=(0, 1),
        takes_rest=True,
    ),
    Command(
        name="list",
        help="the history, newest first",
        usage="backprop list [WORDS…]",
        epilog="WORDS narrow it: runs with all of them in their id, name, script, arguments or tags.",
        options=(
            Option(name="limit", flag="--limit", short="-n", metavar="N", help="at most so many runs (50)"),
            Option(name="state", flag="--state", metavar="STATE", help=f"only runs in this state: {_STATES}"),
            Option(name="archived", flag="--archived", help="the archived runs"),
            Option(name="refs", flag="--refs", help="only ids and names, one a line"),
        ),
        words=(0, None),
    ),
    Command(
        name="status",
        help="the box, what runs and waits, and whether a new run could start; or how one run is",
        usage="backprop status [RUN]",
        words=(0, 1),
    ),
    Command(
        name="why",
        help="every rule of the Governor with value, limit and verdict, for a run or for a new one",
        usage="backprop why [RUN]",
        epilog="With a RUN: the rules for it now, and what was decided before. Without one: whether a new run could "
        "start in this folder; settings given as options are taken into account.",
        options=_SETTINGS,
        words=(0, 1),
    ),
    Command(
        name="gpus",
        help="the GPUs, who uses them, and which the Governor would choose",
        usage="backprop gpus",
        epilog="For other programs: export CUDA_VISIBLE_DEVICES=$(backprop gpus --mask)",
        options=(
            Option(name="mask", flag="--mask", help="print only the choice, as CUDA_VISIBLE_DEVICES takes it"),
            Option(name="count", flag="--count", metavar="N", help="choose so many (1)"),
            Option(name="need", flag="--need", metavar="MB", help="memory that each must have free"),
        ),
    ),
    Command(
        name="stop",
        help="stop runs: save, then end",
        usage="backprop stop RUN…",
        options=(
            Option(name="force", flag="--force", help="kill at once"),
            Option(name="all", flag="--all", help="every run that has not ended"),
        ),
        words=(0, None),
    ),
    Command(name="pause", help="let a run stand still", usage="backprop pause RUN", words=(1, 1)),
    Command(name="continue", help="let a paused run go on", usage="backprop continue RUN", words=(1, 1)),
    Command(
        name="hold",
        help="keep runs back in the queue; one that goes on by itself waits once its slice has ended",
        usage="backprop hold RUN…",
        words=(1, None),
    ),
    Command(name="release", help="let held runs go on", usage="backprop release RUN…", words=(1, None)),
    Command(
        name="drain",
        help="let slices finish, and start none on this box",
        usage="backprop drain",
        options=(Option(name="off", flag="--off", help="let runs start again"),),
    ),
    Command(
        name="yield",
        help="let all runs save, stop and give their GPUs back; they come back by themselves",
        usage="backprop yield [TIME]",
        options=(Option(name="off", flag="--off", help="let them come back now"),),
        words=(0, 1),
        epilog="TIME (30 minutes) is how long the GPUs stay free: minutes, or such as 90s, 10m, 1h30m.",
    ),
    Command(
        name="extend",
        help="give a run's time box more time",
        usage="backprop extend RUN TIME",
        words=(2, 2),
        epilog="TIME is in minutes, or such as 90s, 10m, 1h30m; with a minus in front it shortens the box.",
    ),
    Command(
        name="logs",
        help="what a run printed",
        usage="backprop logs RUN",
        options=(
            Option(name="follow", flag="--follow", short="-f", help="go on until the run ends"),
            Option(name="lines", flag="--lines", short="-n", metavar="N", help="only the last N lines"),
        ),
        words=(1, 1),
    ),
    Command(name="show", help="everything known of one run", usage="backprop show RUN", words=(1, 1)),
    Command(name="rename", help="give a run a name", usage="backprop rename RUN NAME", words=(2, 2)),
    Command(
        name="tag",
        help="add tags to a run, or drop some",
        usage="backprop tag RUN TAG…",
        options=(Option(name="drop", flag="--drop", metavar="TAG", repeats=True, help="take this tag off"),),
        words=(1, None),
    ),
    Command(name="note", help="write a note on a run", usage="backprop note RUN TEXT…", words=(2, None)),
    Command(
        name="rm",
        help="archive runs, or delete their records",
        usage="backprop rm RUN…",
        options=(
            Option(name="yes", flag="--yes", short="-y", help="do not ask"),
            Option(name="purge", flag="--purge", help="delete the record for good; checkpoints are left alone"),
            Option(name="restore", flag="--restore", help="bring archived runs back"),
        ),
        words=(1, None),
    ),
    Command(
        name="config",
        help="each setting and where it comes from; `init` writes a project file",
        usage="backprop config [init]",
        options=_SETTINGS,
        words=(0, 1),
    ),
    Command(
        name="doctor",
        help="what was found on this machine, and what is wrong",
        usage="backprop doctor",
        options=(Option(name="reindex", flag="--reindex", help="compare the index with every record"),),
    ),
    Command(
        name="demo",
        help="a small real training that shows the whole story in half a minute",
        usage="backprop demo",
        options=(Option(name="seconds", flag="--seconds", metavar="N", help="how long it trains in all (30)"),),
    ),
    Command(
        name="completion",
        help="completion for a shell: bash, zsh or fish",
        usage="backprop completion bash|zsh|fish",
        words=(1, 1),
    ),
    Command(name="help", help="help on a command", usage="backprop help [COMMAND]", words=(0, 1)),
)

BY_NAME = {command.name: command for command in COMMANDS}
