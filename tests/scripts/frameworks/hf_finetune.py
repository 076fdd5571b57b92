"""Trains a small BERT classifier with the Hugging Face Trainer; own options by argparse."""

import argparse

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output_dir", type=str, default="bert-out")
    parser.add_argument("--max_steps", type=int, default=2000)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--learning_rate", type=float, default=3e-4)
    parser.add_argument("--save_steps", type=int, default=25)
    parser.add_argument("--eval_steps", type=int, default=50)
    parser.add_argument("--logging_steps", type=int, default=5)
    parser.add_argument(
        "--resume_from_checkpoint", type=str, default=None, help="Folder of a checkpoint to go on from."
    )
    return parser.parse_args()


def make_data(count, seed):
    """Sentences of made-up tokens: the first one tells the label, nineteen times in twenty."""
    rng = torch.Generator().manual_seed(seed)
    tokens = torch.randint(5, 40, (count, 32), generator=rng)
    labels = ((tokens[:, 0] < 22) ^ (torch.rand(count, generator=rng) < 0.05)).long()
    return [{"input_ids": t, "attention_mask": torch.ones_like(t), "labels": y} for t, y in zip(tokens, labels)]


def accuracy(prediction):
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


args = parse_args()
config = BertConfig(
    vocab_size=40, hidden_size=128, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256, num_labels=2
)
training_args = TrainingArguments(
    output_dir=args.output_dir,
    max_steps=args.max_steps,
    per_device_train_batch_size=args.batch_size,
    learning_rate=args.learning_rate,
    eval_strategy="steps",
    eval_steps=args.eval_steps,
    save_steps=args.save_steps,
    save_total_limit=2,
    logging_steps=args.logging_steps,
    report_to="none",
)
trainer = Trainer(
    model=BertForSequenceClassification(config),
    args=training_args,
    train_dataset=make_data(8000, seed=1),
    eval_dataset=make_data(64, seed=2),
    compute_metrics=accuracy,
)
trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
print(trainer.evaluate())
