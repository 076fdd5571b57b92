"""backprop completion"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.table import COMMANDS, GLOBAL
from backprop_tui.config.settings import SETTINGS
from backprop_tui.errors import UsageError
from backprop_tui.model.states import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Command, Parsed

_RUN_COMMANDS = " ".join(c.name for c in COMMANDS if c.takes_runs)
_REFS = "backprop list -q -n 100 --refs 2>/dev/null"


def run(parsed: Parsed) -> int:
    """Print the completion of a shell."""
    makers = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    shell = parsed.words[0]
    if shell not in makers:
        raise UsageError(f"no completion for {shell!r:.40}", hint="bash, zsh or fish")
    output.emit_text(makers[shell](), "script", json=parsed.flag("json"))
    return ExitCode.OK


def _flags(command: Command) -> str:
    return " ".join(option.flag for option in (*command.options, *GLOBAL))


def _choices() -> dict[str, str]:
    """What may stand behind an option, by its flag."""
    found = {setting.flag: " ".join(setting.choices) for setting in SETTINGS if setting.choices}
    return {**found, "--state": " ".join(map(str, RunState))}


def _bash() -> str:
    names = " ".join(command.name for command in COMMANDS)
    values = "\n".join(
        f'    {flag}) COMPREPLY=($(compgen -W "{words}" -- "$word")); return ;;' for flag, words in _choices().items()
    )
    cases = "\n".join(f'    {command.name}) flags="{_flags(command)}" ;;' for command in COMMANDS)
    return f"""# backprop completion for bash: eval "$(backprop completion bash)"
_backprop() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" flags="" command="${{COMP_WORDS[1]}}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{names} --help --version" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[COMP_CWORD-1]}}" in
{values}
  esac
  case "$command" in
{cases}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ " {_RUN_COMMANDS} " == *" $command "* ]]; then
    local IFS=$'\n'
    COMPREPLY=($(compgen -W "$({_REFS})" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _backprop backprop"""


def _zsh() -> str:
    names = " ".join(command.name for command in COMMANDS)
    values = "\n".join(f"    {flag}) compadd -- {words}; return ;;" for flag, words in _choices().items())
    cases = "\n".join(f"    {command.name}) flags=({_flags(command)}) ;;" for command in COMMANDS)
    return f"""#compdef backprop
# backprop completion for zsh: eval "$(backprop completion zsh)"
_backprop() {{
  local -a flags
  if (( CURRENT == 2 )); then
    compadd -- {names} --help --version
    return
  fi
  case "$words[CURRENT-1]" in
{values}
  esac
  case "$words[2]" in
{cases}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    compadd -- $flags
  elif [[ " {_RUN_COMMANDS} " == *" $words[2] "* ]]; then
    compadd -- ${{(f)"$({_REFS})"}}
  else
    _files
  fi
}}
compdef _backprop backprop"""


def _fish() -> str:
    lines = ["# backprop completion for fish: backprop completion fish | source"]
    for command in COMMANDS:
        about = command.help.replace("'", "")
        lines.append(f"complete -c backprop -n __fish_use_subcommand -f -a {command.name} -d '{about}'")
        for option in (*command.options, *GLOBAL):
            short = f" -s {option.short[1:]}" if option.short else ""
            value = " -r" if option.metavar and option.optional is None else ""
            value += f" -a '{_choices()[option.flag]}'" if option.flag in _choices() else ""
            about = option.help.replace("'", "")
            lines.append(
                f"complete -c backprop -n '__fish_seen_subcommand_from {command.name}' "
                f"-l {option.flag[2:]}{short}{value} -d '{about}'"
            )
    lines.append(f"complete -c backprop -n '__fish_seen_subcommand_from {_RUN_COMMANDS}' -f -a \"({_REFS})\"")
    return "\n".join(lines)
