"""Training a small GPT-2 from scratch with transformers' Trainer, plain or with identity parameters.

`train` is the Trainer with seeds, a logged loss curve and checkpoints, so it runs on several GPUs as it is (`torchrun`
or `accelerate launch` a script that calls it): a process has one of them, and its part of every batch.
Source: section 5, where GPT-2 small is trained on WikiText; the chapter "Perplexity".
"""

import csv
import math
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from companion.runs import pick_device

from ..checks import check_integer
from .corpus import Corpus, blocks, corpus, tokenizer
from .scalings import library


def gpt2(vocabulary: int, length: int, *, d_emb: int, depth: int, heads: int, dropout: float = 0.0, seed: int = 0,
         attention: str = "sdpa") -> nn.Module:
    """A GPT-2 with random weights, drawn with the seed.

    Raises: ValueError unless the sizes are whole numbers, 1 or more, and the heads divide d_emb.
    """
    sizes = {"vocabulary": vocabulary, "length": length, "d_emb": d_emb, "depth": depth, "heads": heads}
    for name, size in sizes.items():
        check_integer(name, size, 1)
    if d_emb % heads:
        raise ValueError(f"d_emb={d_emb}: must be a multiple of heads={heads}")
    transformers = library()
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_positions=length, n_embd=d_emb, n_layer=depth, n_head=heads, embd_pdrop=dropout,
        attn_pdrop=dropout, resid_pdrop=dropout, bos_token_id=0, eos_token_id=0, attn_implementation=attention)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.GPT2LMHeadModel(config)
    model.loss_type = "ForCausalLM"  # the library's default, which it warns of unless stated
    return model


def train(model: nn.Module, rows: Tensor, folder: str | Path, *, epochs: float, batch: int, lr: float, seed: int = 0,
          save_steps: int | None = None, device: str = "auto", **options: Any) -> list[float]:
    """Train a causal language model on rows of token ids (rows, length), in place; the loss of every step.

    AdamW at a constant learning rate without weight decay, gradients clipped at norm 1. The loss curve is written to
    `folder`/losses.csv. With save_steps, checkpoints go to `folder`, and a later call continues from the last of them:
    it gives what an unbroken run would have given.

    Args: batch, rows a step, of all processes together; device, "cpu", "cuda" or "auto", one for each process; options,
    more of transformers' TrainingArguments, such as bf16=True or activation_checkpointing=True (which recomputes
    activations to save memory).
    Raises: ValueError for fewer rows than a batch, a batch that the processes do not divide, an unknown device, or a
    GPU that is not there.
    """
    pick_device(device)
    if len(rows) < check_integer("batch", batch, 1):
        raise ValueError(f"{len(rows)} rows of text are fewer than a batch of {batch}; use a smaller batch, more text")
    transformers = library()
    library("accelerate")
    from transformers.trainer_utils import get_last_checkpoint

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arguments = transformers.TrainingArguments(**{
        "output_dir": str(folder), "num_train_epochs": epochs, "per_device_train_batch_size": batch,
        "learning_rate": lr, "lr_scheduler_type": "constant", "seed": seed, "dataloader_drop_last": True,
        "logging_steps": 1, "report_to": "none", "disable_tqdm": True, "use_cpu": device == "cpu",
        "save_strategy": "steps" if save_steps else "no", "save_steps": save_steps or 500, "save_total_limit": 2,
        "dataloader_pin_memory": device != "cpu" and torch.cuda.is_available(), **options})
    _share(arguments, batch)
    strings = [{"input_ids": ids, "labels": ids} for ids in rows]
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=strings)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)))
    curve = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    if trainer.is_world_process_zero():
        with (folder / "losses.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("step", "loss"), *curve])
    return [loss for _, loss in curve]


def _share(arguments: Any, batch: int) -> None:
    """Give every process one device and its part of a batch, whatever the machine has.

    The Trainer would give each of a process's GPUs (by DataParallel) and each process a whole batch.
    """
    arguments._n_gpu = min(arguments.n_gpu, 1)
    if batch % arguments.world_size:
        raise ValueError(f"batch={batch}: must be a multiple of the {arguments.world_size} processes, which share it")
    arguments.per_device_train_batch_size = batch // arguments.world_size


@torch.no_grad()
def perplexity(model: nn.Module, rows: Tensor, batch: int = 16) -> float:
    """exp of the mean loss a token, over all but the first of each of the rows (rows, length)."""
    model.eval()
    device = next(model.parameters()).device
    total = 0.0
    for some in rows.split(batch):
        logits = model(some.to(device), use_cache=False).logits[:, :-1].float()  # (batch, length − 1, vocabulary)
        total += float(F.cross_entropy(logits.flatten(0, 1), some[:, 1:].flatten().to(device), reduction="sum"))
    return math.exp(total / rows[:, 1:].numel())


@cache
def tokenised(name: str, vocabulary: int | None, length: int) -> tuple[Corpus, int, dict[str, Tensor]]:
    """Returns a corpus, the size of its vocabulary, and its parts as rows of token ids (rows, length).

    No vocabulary stands for GPT-2's own tokenizer, from the hub.
    """
    source = corpus(name)
    tokens = tokenizer(source, vocabulary) if vocabulary else library().AutoTokenizer.from_pretrained(
        "openai-community/gpt2")
    return source, len(tokens), {part: blocks(texts.values(), tokens, length)
                                 for part, texts in source.documents.items()}
