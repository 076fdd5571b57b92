"""How a script is proposed to be handed a checkpoint."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from backprop_tui.scripts.proposing import Target, propose
from backprop_tui.scripts.resume_facts import read_resume_facts

P = "p.add_argument("
HF = "from transformers import HfArgumentParser, TrainingArguments\nHfArgumentParser((TrainingArguments,))\n"
LIGHTNING = "from lightning.pytorch.cli import LightningCLI\nLightningCLI(Model)\n"
CONSTANTS = "init_from = 'scratch'\nexec(open('configurator.py').read())\n"


def proposed(folder: Path, source: str, args: tuple[str, ...] = (), **target: object) -> tuple[str, str]:
    script = folder / "train.py"
    script.write_text(textwrap.dedent(source))
    found = {"name": "ckpt_100.pt", "kind": "torch", "step": 100, **target}
    proposal = propose(read_resume_facts(str(script)), Target(**found), args)  # type: ignore[arg-type]
    return proposal.template, proposal.reason


TEMPLATES = [
    # One option, by its name.
    (P + "'--resume-from')", "--resume-from {checkpoint}"),
    (P + "'--resume_from_checkpoint', type=str, default=None)", "--resume_from_checkpoint {checkpoint}"),
    (P + "'--resume-from-checkpoint')", "--resume-from-checkpoint {checkpoint}"),
    (P + "'--ckpt_path')", "--ckpt_path {checkpoint}"),
    (P + "'--checkpoint_path', default='')", "--checkpoint_path {checkpoint}"),
    (P + "'--resume_path')", "--resume_path {checkpoint}"),
    (P + "'--resume_checkpoint')", "--resume_checkpoint {checkpoint}"),
    (P + "'-r', '--resume', default='', metavar='PATH')", "--resume {checkpoint}"),
    (P + "'--resume', nargs='?', const=True, default=False)", "--resume={checkpoint}"),
    (P + "'--resume', nargs='?', type=str, const='auto')", "--resume={checkpoint}"),
    (P + "'--load_checkpoint')", "--load_checkpoint {checkpoint}"),
    (P + "'--load-from')", "--load-from {checkpoint}"),
    (P + "'--restore_from')", "--restore_from {checkpoint}"),
    (P + "'--init_model')", "--init_model {checkpoint}"),
    (P + "'--xgb_model')", "--xgb_model {checkpoint}"),
    (P + "'-i', '--trained-agent', default='', help='Path to a pretrained agent to continue training')",
     "--trained-agent {checkpoint}"),
    (P + "'--load')", "--load {checkpoint}"),
    (P + "'--checkpoint')", "--checkpoint {checkpoint}"),
    (P + "'-c', '--ckpt', type=Path)", "--ckpt {checkpoint}"),
    (P + "'--resume_iters', type=int, default=None)", "--resume_iters {step}"),
    # Other readers.
    ("@click.command()\n@click.option('--resume', type=click.Path())\ndef main(resume): ...", "--resume {checkpoint}"),
    ("import fire\ndef main(resume_from=None): ...\nfire.Fire(main)", "--resume_from={checkpoint}"),
    ("from absl import flags\nflags.DEFINE_string('restore_path', None, '')", "--restore_path={checkpoint}"),
    ("path = sys.argv[sys.argv.index('--resume') + 1]", "--resume {checkpoint}"),
    (HF + "trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)", "--resume_from_checkpoint {checkpoint}"),
    (HF + "checkpoint = args.resume_from_checkpoint\ntrainer.train(checkpoint)", "--resume_from_checkpoint {checkpoint}"),
    (CONSTANTS + "if init_from == 'resume': load()", "--init_from=resume"),
    (CONSTANTS + "resume_from = ''", "--resume_from={checkpoint}"),
    (CONSTANTS + "resume = False\npath = 'out/ckpt_100.pt'", "--resume=True"),
    # The surest first.
    (P + "'--checkpoint')\n" + P + "'--resume')", "--resume {checkpoint}"),
    (P + "'--resume')\n" + P + "'--resume_from_checkpoint')", "--resume_from_checkpoint {checkpoint}"),
    (P + "'--load')\n" + P + "'--ckpt-path')", "--ckpt-path {checkpoint}"),
    # What means something else.
    (P + "'--checkpoint-dir')", ""),
    (P + "'--save-checkpoint')", ""),
    (P + "'--checkpoint_every', type=int)", ""),
    (P + "'--pretrained')\n" + P + "'--weights')\n" + P + "'--model_path')\n" + P + "'--init_checkpoint')", ""),
    (P + "'--resume', type=int, default=0, help='epoch to resume from')", ""),
    (P + "'--checkpoint', help='where to save checkpoints')", ""),
    (P + "'--checkpoint', default='ckpt.pt')", ""),
    (P + "'--checkpoint')\ntorch.save(state, args.checkpoint)", ""),
    (P + "'--ckpt', default='last.pt', help='checkpoint to load')", "--ckpt {checkpoint}"),
    (P + "'--load', choices=['a', 'b'])", ""),
    (P + "'--load', nargs='+')", ""),
    (HF + "trainer.train()", ""),
    ("print('--resume')", ""),
    # A switch without a path: only where the script can know which checkpoint is meant.
    (P + "'--resume', action='store_true')", ""),
    (P + "'--resume', action='store_true')\nload('out/ckpt_100.pt')", "--resume"),
    (P + "'--resume', action='store_true')\npath = find_latest_checkpoint(out)", "--resume"),
    (P + "'--resume', action='store_true')\nopen(os.path.join(d, 'last_checkpoint'))", "--resume"),
    (P + "'--resume', action=argparse.BooleanOptionalAction)\nload(latest_checkpoint(out))", "--resume"),
    (P + "'--resume', type=str2bool, default=False)\nload_latest_model()", "--resume True"),
    (P + "'--resume', type=int, default=0)\nload_latest_model()", "--resume 1"),
    (P + "'--resume', action='store_true')\n" + P + "'--checkpoint')", "--resume --checkpoint {checkpoint}"),
    (P + "'--auto-resume', action='store_true')\nif args.auto_resume:\n    get_last_checkpoint(out)", "--auto-resume"),
    # It finds its checkpoint by itself.
    ("cb = [keras.callbacks.BackupAndRestore(backup_dir='b')]", "rerun"),
    ("import orbax.checkpoint as ocp\nm = ocp.CheckpointManager(p)\ns = m.latest_step()", "rerun"),
    ("last = get_last_checkpoint(args.output_dir)", "rerun"),
    ("state = tf.train.latest_checkpoint(path)", "rerun"),
    ("manager.restore_or_initialize()", "rerun"),
    ("trainer.fit(model, ckpt_path='last')", "rerun"),
    ("trainer.train(resume_from_checkpoint=True)", "rerun"),
    ("runner = Runner(model=m, resume=True)", "rerun"),
    ("trainer = Trainer(model=m, autoresume=True)", "rerun"),
    ("if os.path.exists(CKPT):\n    state = torch.load(CKPT)\ntorch.save(state, CKPT)", "rerun"),
    ("if CKPT.exists():\n    load_checkpoint(model, CKPT)\nsave_checkpoint(model, CKPT)", "rerun"),
    ("if os.path.isfile(a.ckpt):\n    with open(a.ckpt, 'rb') as f:\n        step = pickle.load(f)\n"
     "with open(a.ckpt, 'wb') as f: pickle.dump(1, f)", "rerun"),
    ("p = os.path.join(d, 'ckpt.pt')\nif os.path.exists(os.path.join(d, 'ckpt.pt')):\n"
     "    model.load_state_dict(torch.load(os.path.join(d, 'ckpt.pt')))\ntorch.save(m, os.path.join(d, 'ckpt.pt'))", "rerun"),
    ("try:\n    state = torch.load(CKPT)\nexcept FileNotFoundError:\n    state = None\ntorch.save(state, CKPT)", "rerun"),
    ("import glob\nfiles = sorted(glob.glob('ck/*.pt'))\nif files:\n    model.load_state_dict(torch.load(files[-1]))", "rerun"),
    (P + "'--checkpoint', default='c.pt')\nif os.path.exists(a.checkpoint):\n    state = load(a.checkpoint)\n"
     "save(s, a.checkpoint)", "rerun"),
    (P + "'--load')\nlast = get_last_checkpoint(d)", "rerun"),
    (P + "'--resume')\nlast = get_last_checkpoint(d)", "--resume {checkpoint}"),
    ("if not args.no_resume:\n    path = find_latest_checkpoint(d)", "rerun"),
    # What only looks like it.
    ("if args.resume:\n    path = find_latest_checkpoint(d)", ""),
    ("save_last_checkpoint(model)", ""),
    ("lr = scheduler.get_last_lr()\nelastic_step()\nx = model.last_layer()", ""),
    ("if os.path.exists(CACHE):\n    x = torch.load(CACHE)\nelse:\n    torch.save(x, CACHE)", ""),
    ("if os.path.exists(args.pretrained):\n    model.load_state_dict(torch.load(args.pretrained))", ""),
    ("if not os.path.exists(CKPT):\n    m = load_model(CKPT)\nsave(m, CKPT)", ""),
    ("trainer.fit(model, ckpt_path=args.path)", ""),
    ("import glob\nfor file in glob.glob('*.png'):\n    load(file)", ""),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("source", "template"), TEMPLATES)
def test_template(tmp_path: Path, source: str, template: str) -> None:
    assert proposed(tmp_path, source)[0] == template


@pytest.mark.parametrize(
    ("source", "args", "target", "template"),
    [
        (LIGHTNING, ("fit", "--config", "c.yaml"), {}, "--ckpt_path {checkpoint}"),
        (LIGHTNING, ("--config", "c.yaml"), {}, ""),
        (
            "s = p.add_subparsers()\nt = s.add_parser('train')\nt.add_argument('--resume')",
            ("train",),
            {},
            "--resume {checkpoint}",
        ),
        ("s = p.add_subparsers()\nt = s.add_parser('train')\nt.add_argument('--resume')", ("eval",), {}, ""),
        ("s = p.add_subparsers()\np.add_argument('--resume')", ("train",), {}, ""),
        (P + "'--load_dir')", (), {}, "--load_dir {checkpoint_dir}"),
        (P + "'--load_dir')", (), {"kind": "hf-trainer"}, "--load_dir {checkpoint}"),
        (P + "'--load')", (), {"kind": "folder", "beside": {"latest"}}, "--load {checkpoint_dir}"),
        (P + "'--load')", (), {"kind": "folder"}, "--load {checkpoint}"),
        (P + "'--resume', action='store_true')", (), {"beside": {"last_checkpoint"}}, "--resume"),
        (P + "'--resume_step', type=int)", (), {"step": None}, ""),
        (P + "'--auto-resume', action='store_true')", ("--auto-resume", "--lr", "1"), {}, "rerun"),
        (P + "'--resume', action='store_true')", ("--resume",), {}, "rerun"),
        ("trainer = Trainer(autoresume=cfg.autoresume)", ("c.yaml", "autoresume=true"), {}, "rerun"),
        ("trainer = Trainer(autoresume=cfg.autoresume)", ("c.yaml", "autoresume=false"), {}, ""),
        ("x = 1", ("--continue", "data"), {}, ""),
        (P + "'--resume', nargs='?', const='auto')", ("--resume",), {}, "--resume={checkpoint}"),
    ],
)
def test_arguments_and_the_checkpoint_s_place_count(
    tmp_path: Path, source: str, args: tuple[str, ...], target: dict[str, object], template: str
) -> None:
    beside = frozenset(target.pop("beside", ()))  # type: ignore[call-overload]
    assert proposed(tmp_path, source, args, beside=beside, **target)[0] == template


def test_hydra_quotes_the_path(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("ckpt_path: null\ntrainer:\n  resume: false\n")
    source = "import hydra\n@hydra.main(config_path='conf', config_name='config')\ndef main(cfg): ..."
    assert proposed(tmp_path, source)[0] == "\"ckpt_path='{checkpoint}'\""
    (tmp_path / "conf" / "config.yaml").write_text("trainer:\n  resume: false\n")
    assert proposed(tmp_path, source + "\nfind_latest_checkpoint(cfg)")[0] == "trainer.resume=True"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (P + "'--resume')", "the script declares it"),
        (HF + "trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)", "its TrainingArguments declare it"),
        (
            P + "'--resume', action='store_true')\nload('ckpt_100.pt')",
            "the script declares it; its source names ckpt_100.pt",
        ),
        ("get_last_checkpoint(d)", "the script finds its newest checkpoint by itself: it calls get_last_checkpoint"),
        (
            "if os.path.exists(CKPT):\n    state = load(CKPT)\nsave(state, CKPT)",
            "the script finds its newest checkpoint by itself: it loads CKPT where that exists",
        ),
        (HF + "trainer.train()", "the script never gives resume_from_checkpoint to its trainer's train()"),
        ("x = 1", "the script declares no option that takes a checkpoint"),
    ],
)
def test_reasons(tmp_path: Path, source: str, reason: str) -> None:
    assert proposed(tmp_path, source)[1] == reason


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    facts = read_resume_facts(str(tmp_path / "none.py"))
    assert propose(facts, Target(name="c")).reason == "the script could not be read"
