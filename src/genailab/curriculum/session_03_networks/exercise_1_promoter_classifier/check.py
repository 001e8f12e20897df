"""Checks of s03.1."""

from itertools import pairwise

import numpy as np
import torch
import torch._dynamo  # the first optimizer loads it, which takes a second: here, before an attempt is timed
import torch.nn.functional as F
from torch import nn

from genailab.data.simulate.background import Background
from genailab.data.simulate.sites import consensus_motif, sample_sites
from genailab.learn.checking import Attempt, Mistake, check

LENGTH, N_TRAIN, N_HIDDEN = 200, 2000, 800
STARTS = np.array([90, 150])  # where transcription may start
TATA = consensus_motif("TATA", "TATAWAWR", purity=0.9)
INR = consensus_motif("Inr", "YYANWYY", purity=0.9)
ENOUGH = 0.85  # AUROC


# --- the learner's model ----------------------------------------------------------------------------------


def build(attempt: Attempt, *, length: int = LENGTH, hidden: int = 16) -> nn.Module:
    """Make a PromoterClassifier whose layers are known to it and that takes this length."""
    make = attempt.get("PromoterClassifier")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(attempt.seed)
            model = make(input_size=4 * length, hidden_size=hidden)
    except AttributeError as error:
        if "before Module.__init__" not in str(error):
            raise
        attempt.fail(
            "super().__init__() must come first in __init__: it makes the place where nn.Module keeps "
            "its layers.",
            mistake="super().__init__() missing",
        )
    attempt.require(
        isinstance(model, nn.Module), "PromoterClassifier must be a nn.Module.", yours=type(model).__name__
    )
    attempt.require(
        any(True for _ in model.parameters()),
        "model.parameters() is empty: the layers are in a plain Python list or dict, where nn.Module "
        "does not "
        "look. An attribute of its own, nn.Sequential or nn.ModuleList registers them.",
        mistake="layers not registered",
        why="The optimizer would have nothing to train, and the weights would not be saved.",
    )
    return model


def ask(attempt: Attempt, model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the model's logits; a wrong shape gets its name."""
    n, _, length = x.shape
    given = f"PromoterClassifier(input_size=4*{length}, ...)(x), x {tuple(x.shape)}"
    try:
        yours = model(x)
    except RuntimeError as error:
        if length == LENGTH or "mat1 and mat2" not in str(error):
            raise
        attempt.fail(
            f"It takes {LENGTH} letters but not {length}: the number of inputs is written into the class. "
            "Use input_size.",
            given=given,
            yours=str(error),
            mistake="length written into the class",
            why="Promoter windows have no natural length; the next data set will have another.",
        )
    attempt.require(
        isinstance(yours, torch.Tensor), "forward returns no tensor: is there a return?", given=given
    )
    shown = {"given": given, "yours": f"shape {tuple(yours.shape)}", "expected": f"shape {(n,)}"}
    attempt.require(
        yours.ndim > 0,
        "A batch of one sequence lost its axis: squeeze() drops every axis of length 1. Say which one.",
        mistake="squeeze drops the batch",
        why="The last batch of an epoch may hold one sequence, and so may a user's file.",
        **shown,
    )
    attempt.require(
        yours.shape == (n,),
        "One logit a sequence was asked for.",
        mistake="an axis left over" if yours.shape == (n, 1) else None,
        why="(n, 1) beside labels (n,) either raises an error or is broadcast to n times n pairs.",
        **shown,
    )
    return yours


def trace(model: nn.Module, x: torch.Tensor) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], torch.Tensor]:
    """Return input and output of each linear layer, in the order they ran, and the model's result."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    layers = [part for part in model.modules() if isinstance(part, nn.Linear)]
    hooks = [
        layer.register_forward_hook(lambda _, given, made: seen.append((given[0], made))) for layer in layers
    ]
    with torch.no_grad():
        result = model.eval()(x)
    for hook in hooks:
        hook.remove()
    return seen, result


# --- hidden inputs ----------------------------------------------------------------------------------------


def promoters(attempt: Attempt, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """TATA box and initiator in register (30 letters apart), or each at the other's start."""
    rng = attempt.rng
    codes = Background.cpg_depleted().sample(n, LENGTH, generator=rng)
    labels = rng.permutation(np.arange(n) % 2)
    start = rng.integers(0, 2, n)
    for motif, which, offset in ((TATA, start, -30), (INR, np.where(labels == 1, start, 1 - start), -2)):
        columns = STARTS[which][:, None] + offset + np.arange(len(motif))
        codes[np.arange(n)[:, None], columns] = sample_sites(motif, n, generator=rng)
    one_hot = F.one_hot(torch.from_numpy(codes).long(), 4).permute(0, 2, 1).float()  # (n, 4, length)
    return one_hot, torch.from_numpy(labels).float()


def auroc(score, label) -> float:
    score, label = np.asarray(score), np.asarray(label) > 0
    rank = np.empty(len(score))
    rank[np.argsort(score)] = np.arange(1, len(score) + 1)
    n = label.sum()
    return float((rank[label].sum() - n * (n + 1) / 2) / (n * (~label).sum()))


def linear_auroc(features: torch.Tensor, labels: torch.Tensor) -> float:
    """AUROC on the hidden rows of a ridge regression fitted to the others."""
    features, labels = features.double(), labels.double()
    features = features - features[:N_TRAIN].mean(0)
    known = features[:N_TRAIN]
    square = known.T @ known + 100 * torch.eye(known.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(square, known.T @ (labels[:N_TRAIN] - 0.5))
    return auroc(features[N_TRAIN:] @ weights, labels[N_TRAIN:])


def kmers(sequences: torch.Tensor) -> torch.Tensor:
    """Counts of the 64 words of three letters, (n, 64)."""
    codes = sequences.argmax(1)  # (n, length)
    words = codes[:, :-2] * 16 + codes[:, 1:-1] * 4 + codes[:, 2:]
    return torch.zeros(len(codes), 64).scatter_add_(1, words, torch.ones(words.shape))


class Probe(nn.Module):
    """A model of one weight that writes down what a training loop asks and which gradients it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.batches: list[dict[str, torch.Tensor]] = []
        self.kept = False
        self._incoming = torch.zeros(())
        self.weight.register_hook(self._note)
        self.weight.register_post_accumulate_grad_hook(self._compare)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        row = x[:, 0, 0]
        logit = self.weight * (row % 7 - 3) / 2
        if logit.requires_grad:
            batch = {"row": row.long(), "logit": logit.detach()}
            self.batches.append(batch)
            logit.register_hook(lambda gradient: batch.update(gradient=gradient.detach()))
        return logit

    def _note(self, gradient: torch.Tensor) -> None:
        self._incoming = gradient.detach().clone()

    def _compare(self, weight: torch.Tensor) -> None:
        self.kept |= not torch.allclose(weight.grad, self._incoming, rtol=1e-4, atol=1e-7)


# --- checks -----------------------------------------------------------------------------------------------


@check("Any length goes in, one logit a sequence comes out")
def shapes(attempt: Attempt) -> None:
    for length, n in ((LENGTH, 5), (int(attempt.rng.integers(30, 120)), 3), (LENGTH, 1)):
        ask(attempt, build(attempt, length=length), attempt.normal(n, 4, length))
    instance = attempt.get("model")
    attempt.require(
        isinstance(instance, nn.Module), "model at the end of the file must be a PromoterClassifier."
    )
    ask(attempt, instance, attempt.normal(2, 4, LENGTH))


@check("There are three linear layers of the sizes asked for")
def layers(attempt: Attempt) -> None:
    hidden = int(attempt.rng.integers(9, 33))
    model = build(attempt, length=50, hidden=hidden)
    calls, _ = trace(model, attempt.normal(2, 4, 50))
    yours = [(given.shape[-1], made.shape[-1]) for given, made in calls]
    attempt.equal(
        yours,
        [(200, hidden), (hidden, hidden), (hidden, 1)],
        given=f"the nn.Linear that run in PromoterClassifier(input_size=200, hidden_size={hidden})",
        mistakes=[
            Mistake(
                "a layer too few", lambda found: len(found) < 3, "Fewer than three nn.Linear run in forward."
            ),
        ],
    )


@check("An activation bends what passes between the layers")
def bends(attempt: Attempt) -> None:
    calls, _ = trace(build(attempt), attempt.normal(6, 4, LENGTH))
    for number, ((_, made), (taken, _)) in enumerate(pairwise(calls), start=1):
        same = made.shape == taken.shape and torch.allclose(made, taken)
        attempt.require(
            not same,
            f"What layer {number} makes goes into layer {number + 1} as it is: put an activation "
            f"between them.",
            mistake="no activation between the layers",
            why="W2 (W1 x) is (W2 W1) x: linear layers in a row are one linear layer, and no linear "
            "layer can say "
            "'TATA box and initiator at the same start'.",
        )


@check("What forward returns is a logit")
def logits(attempt: Attempt) -> None:
    calls, result = trace(build(attempt), 3 * attempt.normal(40, 4, LENGTH))
    attempt.equal(
        result.flatten(),
        calls[-1][1].flatten().double(),
        given="x (40, 4, 200): the last linear layer, and what forward returns",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "sigmoid in forward",
                torch.sigmoid(calls[-1][1]).flatten().double(),
                "forward ends with a sigmoid: these are probabilities. The loss for logits takes the "
                "sigmoid itself, "
                "in a form that neither overflows nor loses its gradient.",
            ),
            Mistake(
                "ReLU on the logit",
                torch.relu(calls[-1][1]).flatten().double(),
                "An activation follows the last layer: no logit can be negative, so nothing is ever called a "
                "non-promoter.",
            ),
        ],
    )


@check("Training follows the gradient of the binary cross-entropy")
def loss(attempt: Attempt) -> None:
    train = attempt.get("train")
    probe, n = Probe(), 90
    rows = torch.arange(n).float()[:, None, None].expand(n, 4, 3).contiguous()
    labels = torch.from_numpy(attempt.rng.integers(0, 2, n)).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        trained = train(probe, rows, labels)
    attempt.require(
        isinstance(trained, nn.Module), "train must return the model.", mistake="model not returned"
    )
    batches = [batch for batch in probe.batches if "gradient" in batch]
    attempt.require(batches, "train never called backward() on a loss of the model's logits.")
    compare_gradient(attempt, batches[0], labels)
    attempt.require(
        not probe.kept,
        "The gradients of earlier batches are still in .grad: zero them before each backward().",
        mistake="gradients not zeroed",
    )
    seen = {int(row) for batch in batches for row in batch["row"]}
    attempt.require(
        len(seen) >= n - 1,
        f"Only {len(seen)} of the {n} sequences were ever shown to the model.",
        mistake="sequences never shown",
    )


def compare_gradient(attempt: Attempt, batch: dict[str, torch.Tensor], labels: torch.Tensor) -> None:
    logit, label = batch["logit"].double(), labels[batch["row"]].double()
    n, p = len(logit), torch.sigmoid(logit)
    twice = (torch.sigmoid(p) - label) * p * (1 - p) / n
    right = (p - label) / n
    attempt.equal(
        batch["gradient"],
        right,
        given=f"the gradient of your loss by the logits of the first mini-batch ({n} sequences)",
        tolerance=1e-4 / n,
        mistakes=[
            Mistake(
                "logits passed through sigmoid twice",
                twice,
                "The logits go through a sigmoid and then into a loss that takes one itself: "
                "sigmoid(sigmoid(z)) lies "
                "between 0.5 and 0.73, so nothing can ever be called a non-promoter.",
            ),
            Mistake(
                "squared error of probabilities",
                2 * (p - label) * p * (1 - p) / n,
                "This is the mean squared error of the probabilities. Where the model is sure and wrong "
                "its gradient "
                "vanishes; that of the cross-entropy is largest there.",
            ),
            Mistake(
                "squared error of logits",
                2 * (logit - label) / n,
                "This is the mean squared error of the logits: a promoter called with great confidence "
                "is punished.",
            ),
            Mistake(
                "loss summed, not averaged",
                right * n,
                "The loss of the mini-batch is a sum; the mean was asked.",
            ),
            Mistake(
                "labels of other sequences",
                lambda yours: bool(
                    (torch.minimum((yours * n - p).abs(), (yours * n - p + 1).abs()) < 1e-4).all()
                ),
                "The loss is the right one, but labels and sequences do not belong together: were they "
                "shuffled "
                "separately?",
            ),
        ],
        why="The gradient of the cross-entropy by a logit is (probability - label) / n.",
    )


@check("Promoters never seen are told from decoys, which no linear model can do")
def held_out(attempt: Attempt) -> None:
    train = attempt.get("train")
    sequences, labels = promoters(attempt, N_TRAIN + N_HIDDEN)
    model = build(attempt, hidden=64)
    ask(attempt, model, sequences[:2])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = train(model, sequences[:N_TRAIN].clone(), labels[:N_TRAIN].clone())
    attempt.require(
        isinstance(model, nn.Module), "train must return the model.", mistake="model not returned"
    )
    with torch.no_grad():
        yours = auroc(model.eval()(sequences[N_TRAIN:]).reshape(-1), labels[N_TRAIN:])
    if yours >= ENOUGH:
        return
    attempt.fail(
        f"On {N_HIDDEN} sequences it has not seen, your model reaches an AUROC of {yours:.3f}: try more "
        f"epochs, another "
        "learning rate, or Adam. Fit the training data first, then look at this number.",
        given=f"{N_TRAIN} sequences of {LENGTH} letters to train on, hidden_size=64",
        yours=f"AUROC {yours:.3f}",
        expected=f"at least {ENOUGH}. Baselines: GC content {linear_auroc(gc(sequences), labels):.3f}, "
        f"counts of 3-mers "
        f"{linear_auroc(kmers(sequences), labels):.3f}, one linear layer "
        f"{linear_auroc(sequences.flatten(1), labels):.3f}",
        why="A falling training loss shows only that there are more weights than sequences.",
    )


def gc(sequences: torch.Tensor) -> torch.Tensor:
    return sequences[:, 1:3].mean((1, 2))[:, None]
