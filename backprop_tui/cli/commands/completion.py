"""backprop completion"""

from __future__ import annotations

from backprop_tui.cli import output
from backprop_tui.cli.diagnostics import ExitCode
from backprop_tui.cli.table import COMMANDS, GLOBAL
from backprop_tui.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.cli.parsing import Command, Parsed

_RUN_COMMANDS = " ".join(c.name for c in COMMANDS if "RUN" in c.usage.replace("…", "").split())
_IDS = "backprop list -q -n 100 2>/dev/null | awk 'NR>1{print $1}'"


def run(parsed: Parsed) -> int:
    """Print the completion of a shell."""
    makers = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    shell = parsed.words[0]
    if shell not in makers:
        raise UsageError(f"no completion for {shell!r:.40}", hint="bash, zsh or fish")
    output.emit(makers[shell]())
    return ExitCode.OK


def _flags(command: Command) -> str:
    return " ".join(option.flag for option in (*command.options, *GLOBAL))


def _bash() -> str:
    names = " ".join(command.name for command in COMMANDS)
    cases = "\n".join(f'    {command.name}) flags="{_flags(command)}" ;;' for command in COMMANDS)
    return f"""# backprop completion for bash: eval "$(backprop completion bash)"
_backprop() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" flags="" command="${{COMP_WORDS[1]}}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{names} --help --version" -- "$word"))
    return
  fi
  case "$command" in
{cases}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ " {_RUN_COMMANDS} " == *" $command "* ]]; then
    COMPREPLY=($(compgen -W "$({_IDS})" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _backprop backprop"""


def _zsh() -> str:
    names = " ".join(command.name for command in COMMANDS)
    cases = "\n".join(f"    {command.name}) flags=({_flags(command)}) ;;" for command in COMMANDS)
    return f"""#compdef backprop
# backprop completion for zsh: eval "$(backprop completion zsh)"
_backprop() {{
  local -a flags
  if (( CURRENT == 2 )); then
    compadd -- {names} --help --version
    return
  fi
  case "$words[2]" in
{cases}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    compadd -- $flags
  elif [[ " {_RUN_COMMANDS} " == *" $words[2] "* ]]; then
    compadd -- $({_IDS})
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
            about = option.help.replace("'", "")
            lines.append(
                f"complete -c backprop -n '__fish_seen_subcommand_from {command.name}' "
                f"-l {option.flag[2:]}{short}{value} -d '{about}'"
            )
    ids = _IDS.replace("$1", "\\$1")
    lines.append(f"complete -c backprop -n '__fish_seen_subcommand_from {_RUN_COMMANDS}' -f -a \"({ids})\"")
    return "\n".join(lines)
