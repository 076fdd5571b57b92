"""What a printed name stands for: a measure, a counter, something told beside a measure, or none of these.

A measure is a loss or a score: it makes its line worth reading. Names are kept as printed once they are
cleaned, but for three things: blanks become underscores, `Loss` is `loss`, and where no plain `loss` is told,
an unmistakable name of the training loss (`train_loss`, `total_loss`, `step_loss`, …) is taken for it, so that
every run shows a loss. Which name that was is remembered; a plain `loss` that comes later takes its place.
"""

from __future__ import annotations

from functools import lru_cache

from backprop_tui.model.metric_names import is_training_loss
from backprop_tui.protocol.fields import name_of
from backprop_tui.protocol.later import later

MEASURE = "measure"
EXTRA = "extra"
"""Taken beside a measure, if its number has a fraction."""
NOISE = "noise"
STEP = "step"
EPOCH = "epoch"
BATCH = "batch"
TOTAL = "total"

_MEASURES = frozenset([
    "nll", "ppl", "perplexity", "bpb", "bpc", "bpd", "acc", "accuracy", "acc1", "acc5", "top1", "top5", "f1", "auc",
    "auroc", "auprc", "map50", "map75", "map", "ap", "ap50", "ap75", "miou", "iou", "dice", "mse", "mae", "rmse",
    "mape", "rmsle", "r2", "reward", "rewards", "rew", "bleu", "rouge", "rouge1", "rouge2", "rougel", "wer", "cer",
    "psnr", "ssim", "fid", "lpips", "elbo", "logprob", "likelihood", "merror", "ndcg", "mrr", "mcc", "ret",
    "returns", "return",
])  # fmt: skip
_NEVER = frozenset([
    "scale", "scaler", "scaling", "weight", "weights", "coef", "coeff", "coefs", "lambda", "best", "delta",
    "threshold", "patience", "target", "fn", "func", "function", "type", "name", "time", "times", "sec", "secs",
    "second", "seconds", "eta", "elapsed", "remaining", "speed", "throughput", "wall", "runtime", "duration", "fps",
    "improved", "steps", "epochs",
])  # fmt: skip
_NO_EXTRA = frozenset([
    "ms", "s", "mem", "memory", "vram", "gpu", "cpu", "ram", "gb", "mb", "size", "bsz", "seed", "num", "count",
    "workers", "momentum", "decay", "wd", "dropout", "warmup", "flops", "flos", "tflops", "mfu", "version", "v",
    "id", "rank", "world", "device", "wps", "ups", "wpb", "free", "max", "min", "total", "prev", "initial", "init",
    "base", "batch", "samples", "tokens", "params", "parameters", "data", "load", "loader", "forward", "backward",
    "fwd", "bwd", "optim", "hours", "minutes", "h", "date", "img", "imgs", "images", "it", "its", "qps", "dur",
    "tps", "beta1", "beta2", "betas", "eps", "smoothing", "length", "len", "fold", "layer", "layers", "dim",
    "hidden", "heads", "updates", "iterations", "port", "pid",
])  # fmt: skip
_EXTRAS = frozenset(["lr", "learning_rate", "grad_norm", "gradnorm", "gnorm", "entropy", "kl", "kld", "lrs"])
_STEPS = (
    "global_step",
    "total_timesteps",
    "num_timesteps",
    "timesteps",
    "timestep",
    "num_updates",
    "step",
    "iter",
    "iteration",
    "itr",
    "it",
    "update",
    "round",
    "episode",
)
_STEP_RANK = {name: at for at, name in enumerate(_STEPS)}
_COUNTERS = {
    **dict.fromkeys(_STEPS, STEP),
    "epoch": EPOCH,
    **dict.fromkeys(("batch", "minibatch", "batch_idx", "mini_batch"), BATCH),
}
_TOTALS = frozenset({"max_steps", "total_steps", "max_iters", "total_iters", "max_iter", "train_steps"})
_BESIDE_COUNTER = frozenset([
    "train", "training", "trainer", "global", "current", "optimizer", "optim", "opt", "gradient", "grad", "in",
    "at", "after", "for", "the", "end", "of", "on", "and", "time", "val", "valid", "validation", "eval",
    "evaluation", "test", "testing", "finished", "completed", "starting", "start", "done",
])  # fmt: skip
_EVAL = {
    "val": "val_",
    "valid": "val_",
    "validation": "val_",
    "validating": "val_",
    "validate": "val_",
    "eval": "eval_",
    "evaluation": "eval_",
    "evaluating": "eval_",
    "evaluate": "eval_",
    "test": "test_",
    "testing": "test_",
    "dev": "dev_",
    "holdout": "val_",
}
_IN_PARENTHESES = frozenset(["(batch)", "(step)", "(iter)", "(avg)", "(mean)", "(running)"])
_EVAL_WORDS = 3
_TRAIN = frozenset({"train", "training", "trn", "tr"})
_AVERAGE = frozenset({"avg", "average", "mean", "running", "current", "cur", "smoothed"})
_WORD = later(r"[a-z]++[0-9]*+|[0-9]++|@[0-9]++")
_CAMEL = later(r"(?<=[a-z])(?=[A-Z])")
_TITLE = later(r"(?:[A-Z][a-z]++|[a-z]++)(?:[ _](?:[A-Z][a-z]++|[a-z]++))*+\Z|[A-Z]++\Z")
_BLANKS = later(r"\s+")

_remember = lru_cache(maxsize=512)
"""Scripts use few names, and tell them a million times."""


@_remember
def kind_of(name: str) -> str:
    """MEASURE, EXTRA, NOISE, STEP, EPOCH, BATCH or TOTAL."""
    words = words_of(name)
    if not words:
        return NOISE
    counter = _counter_kind(words)
    if counter:
        return counter
    known = {*words, *_WORD.findall(name.lower())}
    if known & _NEVER:
        return NOISE
    if any(word.endswith("loss") or word.startswith("loss") for word in words) or _is_score(words, known):
        return MEASURE
    if "_".join(words) in _EXTRAS or words[-1] in _EXTRAS:
        return EXTRA
    return NOISE if known & _NO_EXTRA else EXTRA


@_remember
def step_rank(name: str) -> int:
    """How much better than others this counter tells the run's step: the less, the better."""
    words = words_of(name)
    return min((_STEP_RANK.get("_".join(words[at:]), 99) for at in range(len(words))), default=99)


def words_of(name: str) -> list[str]:
    return _WORD.findall(_CAMEL.sub("_", name).lower())


def _is_score(words: list[str], known: set[str]) -> bool:
    found = known & _MEASURES
    if found & {"ret", "return", "returns"} and len(words) == 1:
        return False  # a keyword of many languages
    return bool(found)


def _counter_kind(words: list[str]) -> str:
    if "_".join(words) in _TOTALS:
        return TOTAL
    for at in range(len(words)):
        kind = _COUNTERS.get("_".join(words[at:]), "")
        if kind:
            before = words[:at]
            if before[-2:] in (["loss", "at"], ["loss", "after"]):
                del before[-2:]  # validation loss at iteration 1000
            return kind if _BESIDE_COUNTER.issuperset(before) else ""
    return ""


def eval_prefix(text: str) -> str:
    """`val_`, `test_`, … if the name or the beginning of a line speaks of an evaluation; else ""."""
    low = text.lower()
    if not ("val" in low or "test" in low or "dev" in low or "holdout" in low):
        return ""
    for word in words_of(text)[:_EVAL_WORDS]:
        if word in _EVAL:
            return _EVAL[word]
        if word in _TRAIN:
            return ""
    return ""


@_remember
def says_its_data(name: str) -> bool:
    """Whether the name tells by itself on which data it was measured."""
    return any(word in _EVAL or word in _TRAIN for word in words_of(name))


@_remember
def is_eval_name(name: str) -> bool:
    return any(word in _EVAL for word in words_of(name))


@_remember
def canonical(name: str) -> str:
    """The name as it is kept."""
    shown = name_of(name)
    if " " in shown:
        words = _BLANKS.split(shown)
        while len(words) > 1 and words[0].lower() in _AVERAGE:
            del words[0]
        if len(words) > 1 and "/" in words[1] and (words[0].lower() in _TRAIN or words[0].lower() in _EVAL):
            del words[0]  # the name says it itself: Train loss/train/total
        if len(words) > 1 and words[-1].lower() in _IN_PARENTHESES:
            del words[-1]  # loss (batch)
        shown = " ".join(words)
    elif shown.lower() in ("avg.loss", "mean.loss"):
        shown = "loss"
    if _TITLE.match(shown):
        shown = shown.lower()
    return shown.replace(" ", "_")


class MainLoss:
    """Which printed name is the run's `loss`."""

    def __init__(self, printed: str = "") -> None:
        self.printed = printed

    def is_open_to(self, values: dict[str, float]) -> bool:
        """Whether these values would settle it by a name that stands for the loss only if no plain one comes."""
        return not self.printed and "loss" not in values and any(is_training_loss(name) for name in values)

    def settle(self, values: dict[str, float]) -> dict[str, float]:
        """The same values with the training loss named `loss`, where that is beyond doubt."""
        if "loss" in values:
            self.printed = "loss"
        elif not self.printed:
            self.printed = next((one for one in values if is_training_loss(one)), "")
        return self.preview(values)

    def preview(self, values: dict[str, float]) -> dict[str, float]:
        """The values as they are named by what is known so far."""
        name = self.printed
        if not name or name == "loss" or name not in values:
            return values
        return {"loss" if one == name else one: value for one, value in values.items()}
