"""Decides how a slice's script is handed the checkpoint that it goes on from."""

from __future__ import annotations

import os
import shlex

from backprop_tui.errors import UsageError
from backprop_tui.frozen import Frozen
from backprop_tui.model.secrets import masked_args
from backprop_tui.model.spec import RERUN
from backprop_tui.scripts.command import key_of, script_of
from backprop_tui.scripts.options import key_of as option_key
from backprop_tui.scripts.proposing import Target, propose
from backprop_tui.scripts.resume_facts import VARIABLE, ResumeFacts, read_resume_facts
from backprop_tui.scripts.template import filled, names_in
from backprop_tui.store.scripts import recall
from backprop_tui.text import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from backprop_tui.model.spec import SliceSpec
    from backprop_tui.scripts.command import Found
    from backprop_tui.store.home import Home

FLAG = "--resume-from"
_BESIDE = 2000
"""Names looked at in the folder of a checkpoint."""
_CONTRADICTIONS = frozenset({"overwrite-output-dir", "no-resume", "from-scratch", "restart", "fresh", "overwrite"})
WHAT_TO_SET = "say how it takes one: --resume-arg '--its-option {checkpoint}', or --resume-arg rerun"


class Handover(Frozen):
    """How the script learns of the checkpoint."""

    how: str
    """As in the spec: flag, variable, template, remembered, proposal, rerun, none."""
    checkpoint: str
    step: int | None = None
    template: str = ""
    args: tuple[str, ...] = ()
    """What stands behind the script's own arguments."""
    reason: str = ""
    """Why so, in words."""
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In one line, as it is shown before it is used."""
        args = masked_args(self.args)
        given = {
            "flag": shlex.join(args or (FLAG, self.checkpoint)),
            "variable": f"{VARIABLE}={shlex.quote(self.checkpoint)}",
            RERUN: "the same command again",
            "none": "nothing tells the script of the checkpoint",
        }
        said = given.get(self.how) or shlex.join(args) or "as the arguments say"
        return f"{said} ({self.reason})" if self.reason else said

    def plain(self) -> dict[str, Any]:
        """For --json."""
        return {
            "how": self.how,
            "template": " ".join(masked_args(self.template.split())) or None,
            "args": masked_args(self.args),
            "reason": self.reason,
            "checkpoint": self.checkpoint,
            "step": self.step,
        }


def hand_over(home: Home, spec: SliceSpec, kind: str, *, given: tuple[str, ...] = ()) -> Handover:
    """The way for this spec, which names a checkpoint of this kind.

    A person's own word comes first, then what worked for this script before, then the flag and the variable that
    it may know of backprop, then a proposal.

    Args:
        home: where it is remembered what worked.
        spec: of the slice that will begin; `resume_from` is set.
        kind: the checkpoint's.
        given: arguments that a person has just typed for it: what they say of checkpoints stands.

    Raises:
        UsageError: the way is known to end in "unrecognized arguments", or needs a step that is not known.
    """
    checkpoint = spec.resume_from or ""
    found = script_of(spec)
    facts = read_resume_facts(found.script, spec.cwd) if found.script else ResumeFacts()
    way = _decide(home, spec, found, facts, kind)
    if given and any(_is_given(name, given) for name in names_in(way.template)):
        return Handover(
            how="template", checkpoint=checkpoint, step=spec.resume_step, reason="given among the arguments"
        )
    refusal = recall(home, key_of(found)).refusal_of(way.template, facts.digest) if way.template else None
    if refusal is not None:
        names = " ".join(names_in(way.template))
        raise UsageError(
            f"the script did not take {names}: it said {quoted(refusal.said)}, and would say so again",
            hint=WHAT_TO_SET + ", or --fresh",
        )
    return way.replace(warnings=(*way.warnings, *_contradictions(spec)))


def finds_its_own(home: Home, spec: SliceSpec) -> bool:
    """Whether the script is known to find its newest checkpoint by itself, told of none."""
    asked = spec.setting_or("resume.arg", None)
    if asked is not None:
        return bool(asked == RERUN)
    found = script_of(spec)
    if recall(home, key_of(found)).template == RERUN:
        return True
    if not found.script:
        return False
    facts = read_resume_facts(found.script, spec.cwd)
    return bool(facts.signs.finds) or propose(facts, Target(name=""), spec.command[found.at :]).template == RERUN


def _decide(home: Home, spec: SliceSpec, found: Found, facts: ResumeFacts, kind: str) -> Handover:
    asked = spec.settings.get("resume.arg")
    if asked is not None and asked.value is not None:
        how = RERUN if asked.value == RERUN else "template"
        by = "in an earlier slice" if asked.origin == "run" else asked.origin
        return _filled(spec, how, str(asked.value), f"as asked for: {by}")
    known = recall(home, key_of(found))
    if known.template and (known.digest == facts.digest or _still_declares(facts, known.template)):
        how = RERUN if known.template == RERUN else "remembered"
        return _filled(spec, how, known.template, "remembered: the script took up a checkpoint so before")
    if FLAG in spec.declared_flags:
        return _filled(spec, "flag", "", "the script declares it")
    if facts.reads_variable:
        return _filled(spec, "variable", "", "the script reads it")
    if found.template:
        return _filled(spec, "proposal", found.template, f"proposed: {found.program} takes it so")
    if not found.script:
        return _filled(spec, "none", "", "what the command runs cannot be seen")
    checkpoint = spec.resume_from or ""
    target = Target(
        name=os.path.basename(checkpoint.rstrip("/")), kind=kind, step=spec.resume_step, beside=_beside(checkpoint)
    )
    proposal = propose(facts, target, spec.command[found.at :])
    if not proposal.template:
        return _filled(spec, "none", "", proposal.reason)
    how = RERUN if proposal.template == RERUN else "proposal"
    of_kind = f"; checkpoint kind {kind}" if kind not in ("unknown", "file") else ""
    return _filled(spec, how, proposal.template, f"proposed: {proposal.reason}{of_kind}")


def _filled(spec: SliceSpec, how: str, template: str, reason: str) -> Handover:
    checkpoint = spec.resume_from or ""
    try:
        args = filled(template, checkpoint, spec.resume_step) if template else ()
    except ValueError as error:
        raise UsageError(f"--resume-arg {quoted(template)}: {error}", hint="use {checkpoint} in its place") from None
    return Handover(how=how, checkpoint=checkpoint, step=spec.resume_step, template=template, args=args, reason=reason)


def with_handover(spec: SliceSpec, way: Handover) -> SliceSpec:
    """The spec with this way in it."""
    return spec.replace(resume_args=way.args, resume_how=way.how, resume_template=way.template)


def _still_declares(facts: ResumeFacts, template: str) -> bool:
    declared = {key for option in facts.options for key in option.keys}
    named = names_in(template)
    return bool(named) and all(option_key(name) in declared for name in named)


def _is_given(name: str, args: tuple[str, ...]) -> bool:
    return any(arg.partition("=")[0] == name for arg in args)


def _beside(checkpoint: str) -> frozenset[str]:
    names = []
    try:
        with os.scandir(os.path.dirname(checkpoint.rstrip("/"))) as entries:
            for entry in entries:
                names.append(entry.name)
                if len(names) == _BESIDE:
                    break
    except OSError:
        pass
    return frozenset(names)


def _contradictions(spec: SliceSpec) -> tuple[str, ...]:
    """Arguments that may undo the resume."""
    flags = [arg for arg in spec.command[1:] if arg.startswith("--")]
    found = [flag for flag in flags if option_key(flag.partition("=")[0]) in _CONTRADICTIONS]
    return tuple(f"{arg} is among the arguments: it may keep the script from going on" for arg in found[:3])
