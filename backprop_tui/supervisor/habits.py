"""How often the usual libraries save by themselves, and what makes them save more often. Pure."""

from __future__ import annotations

from backprop_tui.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Habit(Frozen):
    """Of one library's trainings."""

    modules: frozenset[str] = frozenset()
    """A script that trains with it imports one of these."""
    word: str = ""
    """And uses this: other scripts import it for other things."""
    name: str = ""
    usually: str = ""
    """When it saves, in words, where no number of steps says it."""
    steps: int | None = None
    """It saves every so many steps."""
    is_default: bool = True
    """Because nobody said otherwise."""
    option: str = ""
    """The option of a command line for that number, without dashes, joined by underscores."""
    todo: str = ""
    """How to make it save more often."""


HABITS = (
    Habit(
        modules=frozenset({"transformers", "trl"}),
        word="Trainer",
        name="the Hugging Face Trainer",
        steps=500,
        option="save_steps",
        todo="set save_steps=N in its TrainingArguments, or --save_steps N where the script takes them as options",
    ),
    Habit(
        modules=frozenset({"detectron2"}),
        name="Detectron2",
        steps=5000,
        option="solver.checkpoint_period",
        todo="set SOLVER.CHECKPOINT_PERIOD N",
    ),
    Habit(
        modules=frozenset({"lightning", "pytorch_lightning"}),
        word="Trainer",
        name="Lightning",
        usually="saves once an epoch",
        todo="add ModelCheckpoint(every_n_train_steps=N) to its callbacks",
    ),
    Habit(
        modules=frozenset({"ultralytics"}),
        name="Ultralytics",
        usually="saves once an epoch",
        todo="make its epochs shorter: fraction=0.2 trains on a part of the data",
    ),
    Habit(
        modules=frozenset({"mmengine", "mmdet", "mmseg", "mmpretrain"}),
        name="MMEngine",
        usually="saves once an epoch",
        todo="set default_hooks.checkpoint to by_epoch=False and interval=N",
    ),
    Habit(
        modules=frozenset({"timm"}),
        word="CheckpointSaver",
        name="timm",
        usually="saves once an epoch",
        option="recovery_interval",
        todo="set --recovery-interval N",
    ),
    Habit(
        modules=frozenset({"stable_baselines3", "sb3_contrib"}),
        name="Stable-Baselines3",
        usually="saves only where it is told to",
        todo="add CheckpointCallback(save_freq=N) to its callbacks",
    ),
    Habit(
        modules=frozenset({"accelerate"}),
        name="Accelerate",
        usually="saves only where it is told to",
        option="checkpointing_steps",
        todo="call accelerator.save_state(DIR) every N steps (its examples take --checkpointing_steps N)",
    ),
    Habit(
        modules=frozenset({"keras", "tensorflow"}),
        name="Keras",
        usually="saves only where it is told to",
        todo="add BackupAndRestore(DIR, save_freq=N) to its callbacks, which also makes it go on where it stopped",
    ),
    Habit(
        modules=frozenset({"fastai"}),
        name="fastai",
        usually="saves only where it is told to",
        todo="add SaveModelCallback(every_epoch=True) to its callbacks",
    ),
    Habit(
        modules=frozenset({"xgboost"}),
        name="XGBoost",
        usually="saves only where it is told to",
        todo="add xgboost.callback.TrainingCheckPoint(directory=DIR, interval=N) to its callbacks",
    ),
)
OTHER = Habit(todo="let it save every few minutes (BACKPROP_CHECKPOINT_EVERY_SECONDS says how often)")


def habit_of(modules: Collection[str], text: str, arguments: Sequence[str]) -> Habit:
    """How a script saves.

    Args:
        modules: what it imports, by full name.
        text: its source, and that of its project.
        arguments: what it was given.
    """
    tops = {module.partition(".")[0] for module in modules}
    found = next((one for one in HABITS if tops & one.modules and one.word in text), OTHER)
    given = _number_after(found.option, arguments) if found.option else None
    return found if given is None else found.replace(steps=given, is_default=False)


def _number_after(option: str, words: Sequence[str]) -> int | None:
    """The number that an option was given."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.lstrip("-").replace("-", "_").lower() == option:
            text = value if equals else "".join(words[at + 1 : at + 2])
            return int(text) if text.isdecimal() and len(text) < 10 and int(text) else None
    return None
