"""backprop config"""

from __future__ import annotations

import os

from backprop_tui import files
from backprop_tui.cli import diagnostics, output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.launching import flags_of
from backprop_tui.config.dashboard import preferences
from backprop_tui.config.describe import describe
from backprop_tui.config.resolve import resolve
from backprop_tui.config.schema import sample_text
from backprop_tui.errors import ConfigError, UsageError
from backprop_tui.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Parsed

FILE = "backprop.config.json"


def run(parsed: Parsed) -> int:
    """Print each setting with its origin, or write a first project file."""
    if parsed.words and parsed.words[0] != "init":
        raise UsageError(
            f"backprop config {parsed.words[0]} is unknown", hint="backprop config, or: backprop config init"
        )
    if parsed.words:
        return _init(parsed)
    found = resolve(flags=flags_of(parsed), env=os.environ, cwd=os.getcwd(), config_path=parsed.text("config"))
    wanted = preferences(os.environ)
    settings = {**found.settings, **wanted.settings}
    if parsed.flag("json"):
        values = {key: value.plain() for key, value in settings.items()}
        files_read = {"project_file": found.project_file, "user_file": wanted.user_file}
        output.emit_json({"settings": values, "keys": wanted.keys, **files_read})
        return ExitCode.OK
    rows = [(row.key, row.value, row.origin) for row in describe(settings)]
    rows += [(f"keys: {name}", keys, printable(wanted.user_file or "")) for name, keys in wanted.keys.items()]
    output.emit_table(("SETTING", "VALUE", "FROM"), rows)
    return ExitCode.OK


def _init(parsed: Parsed) -> int:
    path = os.path.join(os.getcwd(), FILE)
    for name in (FILE, ".backprop.json"):
        if os.path.lexists(name):
            raise ConfigError(f"{name} is here already", hint="it is left as it is; edit it")
    if parsed.flag("dry_run"):
        output.would(f"write {path}", json=parsed.flag("json"))
        return ExitCode.OK
    try:
        files.write_atomic(path, sample_text().encode(), mode=0o644)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    if parsed.flag("json"):
        output.emit_json({"path": path})
    elif not parsed.flag("quiet"):
        output.emit(f"wrote {path}")
        diagnostics.say("  its $schema, for editors, is a path of this machine: leave it out where the file is shared")
    return ExitCode.OK
