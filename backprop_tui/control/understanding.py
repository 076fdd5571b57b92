"""What a script says of itself, taken into the spec of a slice."""

from __future__ import annotations

import os

from backprop_tui.engines.argv import DEFAULT_STOP_SIGNAL
from backprop_tui.errors import EngineError, UsageError
from backprop_tui.model.spec import SettingValue
from backprop_tui.scripts.interpreter import find_interpreter
from backprop_tui.scripts.place import check_script
from backprop_tui.scripts.source import UNKNOWN, read_script
from backprop_tui.scripts.stopping import stop_signal_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.model.spec import SliceSpec

STOP_SIGNAL = "stopSignal"
AUTO = "auto: "
"""How the origin of a setting begins that backprop found by itself."""


def with_script_facts(spec: SliceSpec, *, keeps_interpreter: bool = False) -> SliceSpec:
    """The spec with what its script says and the interpreter that runs it.

    Args:
        spec: what is asked.
        keeps_interpreter: that of the slice before, as long as it can be started.

    Raises:
        UsageError: there is no such script, command or interpreter.
    """
    if spec.is_command:
        return _with_command_facts(spec)
    check_script(spec.command[0], spec.cwd)
    script = os.path.join(spec.cwd, spec.command[0])
    facts = read_script(script)
    asked = spec.settings["framework"].value
    spec = spec.replace(
        framework=facts.framework if asked == "auto" else asked,
        declared_flags=facts.declared_flags,
        whole_number_flags=facts.whole_number_flags,
    )
    if not (keeps_interpreter and spec.interpreter and os.access(spec.interpreter, os.X_OK)):
        python = spec.settings["python"]
        found = find_interpreter(
            setting=python.value,
            setting_origin=python.origin,
            script=script,
            cwd=spec.cwd,
            env={**os.environ, **spec.env},
        )
        spec = spec.replace(interpreter=found.path, interpreter_origin=found.origin)
    return _with_stop_signal(spec, script, spec.command[1:])


def _with_command_facts(spec: SliceSpec) -> SliceSpec:
    from backprop_tui.engines.local import find_program
    from backprop_tui.scripts.command import find_script

    try:
        find_program(spec.command[0], {**os.environ, **spec.env}, spec.cwd)
    except EngineError as error:
        raise UsageError(error.message, hint=error.hint) from None
    found = find_script(spec.command, spec.cwd)
    asked = spec.settings["framework"].value
    told = read_script(found.script).framework if found.script else UNKNOWN
    spec = spec.replace(framework=asked if asked != "auto" else told)
    return _with_stop_signal(spec, found.script, spec.command[found.at :])


def _with_stop_signal(spec: SliceSpec, script: str, args: tuple[str, ...]) -> SliceSpec:
    """The spec with a stop signal: a person's, else the one that the script handles, else SIGINT."""
    asked = spec.settings[STOP_SIGNAL]
    if asked.value is not None:
        return spec
    name, why = stop_signal_in(script, spec.cwd, args)
    chosen = SettingValue(value=name or DEFAULT_STOP_SIGNAL, origin=f"{AUTO}{why}" if name else "default")
    return spec.replace(settings={**spec.settings, STOP_SIGNAL: chosen})
