"""Trains a small GPT-2 from scratch with the Hugging Face Trainer, in the manner of its run_clm example."""

import logging
import os
from dataclasses import dataclass, field

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, HfArgumentParser, Trainer, TrainingArguments, set_seed

logger = logging.getLogger(__name__)


@dataclass
class ModelArguments:
    n_layer: int = field(default=2, metadata={"help": "Number of transformer blocks."})
    n_embd: int = field(default=128, metadata={"help": "Width of the embeddings."})
    vocab_size: int = field(default=256, metadata={"help": "Size of the vocabulary."})


@dataclass
class DataArguments:
    block_size: int = field(default=96, metadata={"help": "Length of a training sequence in tokens."})
    train_samples: int = field(default=4000, metadata={"help": "How many sequences to make for training."})
    eval_samples: int = field(default=64, metadata={"help": "How many sequences to make for evaluation."})


class Sequences(Dataset):
    """Arithmetic sequences modulo the vocabulary, from a random start with a random stride, with some noise."""

    def __init__(self, count, block_size, vocab_size, seed):
        rng = torch.Generator().manual_seed(seed)
        start = torch.randint(0, vocab_size, (count, 1), generator=rng)
        stride = torch.randint(1, 8, (count, 1), generator=rng)
        tokens = (start + stride * torch.arange(block_size)) % vocab_size
        noise = torch.randint(0, vocab_size, tokens.shape, generator=rng)
        self.tokens = torch.where(torch.rand(tokens.shape, generator=rng) < 0.05, noise, tokens)

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, index):
        return {"input_ids": self.tokens[index], "labels": self.tokens[index]}


def main():
    parser = HfArgumentParser((ModelArguments, DataArguments, TrainingArguments))
    model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    logging.basicConfig(
        format="%(asctime)s - %(levelname)s - %(name)s - %(message)s",
        datefmt="%m/%d/%Y %H:%M:%S",
        level=logging.INFO,
    )
    logger.info(f"Training/evaluation parameters {training_args}")
    set_seed(training_args.seed)

    config = GPT2Config(
        vocab_size=model_args.vocab_size,
        n_positions=data_args.block_size,
        n_embd=model_args.n_embd,
        n_layer=model_args.n_layer,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    logger.info(f"Training new model from scratch - Total size={model.num_parameters() / 2**20:.2f}M params")

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=Sequences(data_args.train_samples, data_args.block_size, model_args.vocab_size, seed=1),
        eval_dataset=Sequences(data_args.eval_samples, data_args.block_size, model_args.vocab_size, seed=2),
    )
    result = trainer.train(resume_from_checkpoint=training_args.resume_from_checkpoint)
    trainer.save_model()
    trainer.log_metrics("train", result.metrics)
    trainer.save_metrics("train", result.metrics)
    trainer.save_state()
    logger.info(f"Saved the final model to {os.path.abspath(training_args.output_dir)}")


if __name__ == "__main__":
    main()
