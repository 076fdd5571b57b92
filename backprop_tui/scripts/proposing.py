"""Proposes how a script is handed a checkpoint: from its own options, and from the checkpoint's shape. Pure."""

from __future__ import annotations

from backprop_tui.frozen import Frozen
from backprop_tui.model.spec import RERUN
from backprop_tui.scripts.options import NOTHING, OPTIONAL, VALUE, VALUES, key_of
from backprop_tui.scripts.resume_facts import ResumeFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from backprop_tui.scripts.options import Option

_STRONG = (
    "resume-from",
    "resume-from-checkpoint",
    "resume-from-ckpt",
    "resume-from-path",
    "resume-from-file",
    "resume-from-dir",
    "resume-checkpoint-path",
    "resume-ckpt-path",
    "resume-checkpoint",
    "resume-ckpt",
    "resume-path",
    "resume-file",
    "resume-model",
    "resume-model-path",
    "resume-weights",
    "resume-snapshot",
    "resume-dir",
    "resume-checkpoint-dir",
    "resume-training-from",
    "checkpoint-to-resume",
    "continue-from",
    "continue-from-checkpoint",
    "continue-checkpoint",
    "resume",
    "restore-from",
    "restore-from-checkpoint",
    "restore-checkpoint",
    "restore-ckpt",
    "restore-path",
    "restore-file",
    "restore-dir",
    "restore",
    "start-from-checkpoint",
    "from-checkpoint",
)
"""Names that mean going on with a training and nothing else, the surest first."""
_PATHS = ("ckpt-path", "checkpoint-path")
"""Names of Lightning's own, unless the script saves there."""
_LOADING = (
    "load-checkpoint",
    "load-from-checkpoint",
    "load-checkpoint-path",
    "load-ckpt",
    "load-ckpt-path",
    "load-from",
    "load-path",
    "load-dir",
    "load-snapshot",
    "snapshot-path",
    "snapshot",
    "init-model",
    "xgb-model",
    "input-model",
    "trained-agent",
    "load-model",
    "load-model-path",
    "load",
    "checkpoint",
    "checkpoint-file",
    "ckpt",
    "ckpt-file",
)
"""Names that mean loading a checkpoint, perhaps only if a switch says so; unless the script saves there."""
_SWITCHES = (
    "resume", "auto-resume", "autoresume", "resume-training", "resume-latest", "resume-from-latest", "continue",
)  # fmt: skip
_STEPS = ("resume-step", "resume-steps", "resume-iter", "resume-iters", "resume-iteration", "load-iter", "load-step")
_TRUE_TYPES = frozenset({"bool", "str2bool", "str_to_bool", "strtobool", "boolean", "BOOL", "parse_bool"})
_TAGS = ("last_checkpoint", "latest_checkpointed_iteration.txt", "latest")
"""Files beside a checkpoint that name the newest one."""
_PARENT_TAGS = frozenset({"latest_checkpointed_iteration.txt", "latest"})
"""With these a folder of checkpoints is named, not one of them."""


class Target(Frozen):
    """The checkpoint that is to be taken up, as far as a proposal depends on it."""

    name: str
    """Of the file or folder."""
    kind: str = "unknown"
    step: int | None = None
    beside: frozenset[str] = frozenset()
    """Names in the folder that it lies in."""


class Proposal(Frozen):
    """How it may be handed over."""

    template: str
    """With placeholders; `rerun` where the script finds it by itself; "" for no idea."""
    reason: str
    """Why, or why there is none: follows the template in words."""


def propose(facts: ResumeFacts, target: Target, args: tuple[str, ...] = ()) -> Proposal:
    """The best guess for a script with these options, given these arguments of its command."""
    options = [option for option in facts.options if _fits(option, args)]
    for option in _ranked(options, _STRONG):
        if template := _with_path(option, target, facts):
            return Proposal(template=template, reason=_declared_by(option))
    if found := _loading(options, _PATHS, target, facts):
        return found
    if asked := _asked_already(args):
        return Proposal(template=RERUN, reason=f"its arguments ask for that already: {asked}")
    if switch := _switch(options, target, facts):
        return switch
    if facts.signs.finds:
        return Proposal(template=RERUN, reason=f"the script finds its newest checkpoint by itself: {facts.signs.finds}")
    if found := _loading(options, _LOADING, target, facts):
        return found
    for option in _ranked(options, _STEPS):
        if target.step is not None and option.takes in (VALUE, OPTIONAL):
            return Proposal(template=_given(option, "{step}"), reason=_declared_by(option))
    return Proposal(template="", reason=_why_none(facts))


def _fits(option: Option, args: tuple[str, ...]) -> bool:
    """Whether it may stand behind these arguments."""
    if option.is_front:
        return False
    return option.command in ("", "?") or option.command in args


def _ranked(options: list[Option], names: tuple[str, ...]) -> list[Option]:
    ranked = [(names.index(key), n, o) for n, o in enumerate(options) for key in o.keys if key in names]
    return [option for _, _, option in sorted(ranked, key=lambda entry: entry[:2])]


def _loading(options: list[Option], names: tuple[str, ...], target: Target, facts: ResumeFacts) -> Proposal | None:
    """The surest of these options that takes a path and is not for saving."""
    for option in _ranked(options, names):
        if not _is_for_saving(option, facts) and (template := _with_path(option, target, facts)):
            return Proposal(template=template, reason=_declared_by(option))
    return None


def _declared_by(option: Option) -> str:
    of_library = {"TrainingArguments": "its TrainingArguments declare it", "LightningCLI": "LightningCLI declares it"}
    return of_library.get(option.source, "the script declares it")


def _with_path(option: Option, target: Target, facts: ResumeFacts) -> str:
    """The option with the checkpoint's path as its value; "" where it takes none."""
    is_idle = option.source == "TrainingArguments" and not facts.signs.passes_on
    if is_idle or option.takes in (NOTHING, VALUES) or option.type in (*_TRUE_TYPES, "int", "float"):
        return ""
    if option.choices and "?" not in option.choices and not option.needs_equals:
        return ""
    if option.source == "configurator" and option.type != "str":
        return ""
    return _given(option, _place(option, target))


def _place(option: Option, target: Target) -> str:
    """Most options take the checkpoint itself; some the folder that it lies in."""
    if target.kind in ("folder", "torch-distributed") and _PARENT_TAGS & target.beside:
        return "{checkpoint_dir}"
    wants_folder = any(key.endswith(("-dir", "-folder")) for key in option.keys)
    is_folder = target.kind in ("hf-trainer", "accelerate", "orbax", "folder", "torch-distributed")
    return "{checkpoint_dir}" if wants_folder and not is_folder else "{checkpoint}"


def _given(option: Option, value: str) -> str:
    if option.source == "hydra":
        return f"\"{option.name}='{value}'\"" if "{" in value else f"{option.name}={value}"
    joined = option.needs_equals or option.takes == OPTIONAL or option.source in ("absl", "fire")
    return f"{option.name}={value}" if joined and option.name.startswith("--") else f"{option.name} {value}"


def _asked_already(args: tuple[str, ...]) -> str:
    """An argument that lets the script go on from its newest checkpoint whenever it is run; "" if there is none."""
    for arg, following in zip(args, (*args[1:], ""), strict=True) if args else ():
        name, equals, value = arg.partition("=")
        if key_of(name) in _SWITCHES and (equals or arg.startswith("--")):
            said = value if equals else "" if following.startswith("-") else following
            if said.lower() in ("", "true", "1", "yes", "auto", "latest", "last"):
                return f"{arg} {said}".strip() if said and not equals else arg
    return ""


def _switch(options: list[Option], target: Target, facts: ResumeFacts) -> Proposal | None:
    """A switch that resumes without a path, where the script can know which checkpoint is meant."""
    for option in options:
        if "init-from" in option.keys and ("resume" in option.choices or option.default == "resume"):
            reason = f"{_declared_by(option)}, and reads its checkpoint from the place where it saves it"
            return Proposal(template=_given(option, "resume"), reason=reason)
    path = _loading(options, _LOADING, target, facts)
    more = path.template if path else ""
    why = "with the path beside it" if path else _knows_which(target, facts)
    for option in _ranked(options, _SWITCHES):
        if why and (template := _switched_on(option)):
            return Proposal(template=f"{template} {more}".rstrip(), reason=f"{_declared_by(option)}; {why}")
    return None


def _switched_on(option: Option) -> str:
    if option.takes == NOTHING:
        return option.name
    if option.type in _TRUE_TYPES:
        return option.name if option.takes == OPTIONAL else _given(option, "True")
    counts = any(word in option.help.lower() for word in ("epoch", "iter", "step"))
    if option.type == "int" and option.default in ("0", None) and set(option.choices) <= {"0", "1"} and not counts:
        return _given(option, "1")
    return ""


def _knows_which(target: Target, facts: ResumeFacts) -> str:
    """Why a script that is told no path takes the right checkpoint; "" where nothing says so."""
    tag = next((tag for tag in _TAGS if tag in target.beside), "")
    if tag:
        return f"{tag} beside the checkpoint names it"
    if facts.signs.knows_newest:
        return "it looks for its newest checkpoint"
    if any(word.rpartition("/")[2] == target.name for word in facts.signs.words):
        return f"its source names {target.name}"
    return ""


def _is_for_saving(option: Option, facts: ResumeFacts) -> bool:
    """Whether it names where the script saves: then a checkpoint's path would send the next ones astray."""
    names = {key.replace("-", "_") for key in option.keys}
    if names & facts.signs.saves_to:
        return True
    help_text = option.help.lower()
    means_loading = any(word in help_text for word in ("resum", "load", "restor", "continu", "start from", "init"))
    means_saving = any(word in help_text for word in ("save", "write", "store", "output"))
    return (means_saving and not means_loading) or (option.default not in (None, "") and not means_loading)


def _why_none(facts: ResumeFacts) -> str:
    idle = any(option.source == "TrainingArguments" for option in facts.options)
    if idle and not facts.signs.passes_on:
        return "the script never gives resume_from_checkpoint to its trainer's train()"
    if not facts.digest:
        return "the script could not be read"
    return "the script declares no option that takes a checkpoint"
