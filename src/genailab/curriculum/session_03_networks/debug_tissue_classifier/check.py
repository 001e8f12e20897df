"""Checks of s03.debug."""

import torch
import torch._dynamo  # the first optimizer loads it, which takes a second: here, before an attempt is timed
import torch.nn.functional as F
from torch import nn

from genailab.learn.checking import Attempt, Mistake, check

GENES, TISSUES, N_TRAIN, N_HIDDEN = 20, 8, 800, 400
SURE = 0.75  # mean probability of the right tissue that a sound training reaches with ease


def build(attempt: Attempt) -> nn.Module:
    make = attempt.get("TissueClassifier")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model: nn.Module = make(GENES, TISSUES)
    return model


def samples(attempt: Attempt) -> tuple[torch.Tensor, torch.Tensor]:
    """Standardised log expression of marker genes, and the tissue each sample is of."""
    profiles, n = 1.5 * attempt.normal(TISSUES, GENES), N_TRAIN + N_HIDDEN
    tissue = torch.from_numpy(attempt.rng.integers(0, TISSUES, n))
    x = profiles[tissue] + attempt.normal(n, GENES)
    return (x - x[:N_TRAIN].mean(0)) / x[:N_TRAIN].std(0), tissue


@check("The probabilities of a sample's tissues sum to one")
def probabilities(attempt: Attempt) -> None:
    model, x = build(attempt), 3 * attempt.normal(7, GENES)
    yours = attempt.call("tissue_probabilities", model, x)
    with torch.no_grad():
        logits = model.layers(x).double()
    attempt.equal(
        yours,
        logits.softmax(dim=1),
        given="tissue_probabilities(model, x), x (7, 20)",
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "logits as probabilities",
                logits,
                "These are logits: some are negative, and rows do not sum to one. Here the softmax was "
                "needed.",
            ),
            Mistake(
                "softmax moved into the model",
                logits.softmax(dim=1).softmax(dim=1),
                "Now the model ends with a softmax, and tissue_probabilities takes another: the "
                "probabilities are nearly "
                "all the same.",
            ),
            Mistake(
                "softmax over the samples",
                logits.softmax(dim=0),
                "Columns sum to one instead of rows: the samples compete for a tissue.",
            ),
            Mistake(
                "independent probabilities",
                logits.sigmoid(),
                "A sigmoid asks of each tissue by itself; a sample is of one tissue, so the row must "
                "sum to one.",
            ),
        ],
        axes=("sample", "tissue"),
    )


@check("The loss is the cross-entropy")
def loss(attempt: Attempt) -> None:
    model, x = build(attempt), 3 * attempt.normal(12, GENES)
    tissue = torch.from_numpy(attempt.rng.integers(0, TISSUES, 12))
    with torch.no_grad():
        logits = model.layers(x).double()
    attempt.compare(
        "tissue_loss",
        model,
        x,
        tissue,
        expected=F.cross_entropy(logits, tissue),
        tolerance=1e-4,
        mistakes=[
            Mistake(
                "logits passed through softmax twice",
                F.cross_entropy(logits.softmax(1), tissue),
                "Two softmaxes lie between the logits and this loss. What does cross_entropy expect?",
            ),
            Mistake(
                "probabilities where logarithms belong",
                F.nll_loss(logits.softmax(1), tissue),
                "nll_loss expects logarithms of probabilities, and got probabilities: the loss is negative.",
            ),
            Mistake(
                "softmax over the samples",
                F.cross_entropy(logits.softmax(0), tissue),
                "The softmax runs over the samples now: its axis was not the bug.",
            ),
            Mistake(
                "sigmoid before the softmax",
                F.cross_entropy(logits.sigmoid(), tissue),
                "A sigmoid squeezes the logits between 0 and 1 before cross_entropy takes its softmax: "
                "as unsure as before.",
            ),
            Mistake(
                "scaled probabilities",
                lambda yours: any(
                    abs(float(yours) - float(F.cross_entropy(by * logits.softmax(1), tissue))) < 1e-4
                    for by in (2, 5, 10, 20, 50, 100)
                ),
                "The probabilities are multiplied by a number: the loss can fall further, but it is no "
                "cross-entropy.",
            ),
        ],
        why="After a softmax, numbers lie between 0 and 1; after another one of 8 tissues no "
        "probability is above 0.28, so "
        "the loss cannot fall below 1.27.",
    )


@check("Samples never seen are named, and with confidence")
def held_out(attempt: Attempt) -> None:
    x, tissue = samples(attempt)
    train = attempt.get("train")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(attempt.seed)
        model = train(build(attempt), x[:N_TRAIN], tissue[:N_TRAIN])
    rows, new = torch.arange(N_HIDDEN), tissue[N_TRAIN:]
    found = attempt.get("tissue_probabilities")(model, x[N_TRAIN:])
    sure, right = float(found[rows, new].mean()), float((found.argmax(1) == new).double().mean())
    attempt.require(
        sure >= SURE,
        f"The right tissue of a sample it has not seen gets a probability of {sure:.2f} on average.",
        given=f"{GENES} genes of {N_TRAIN} samples of {TISSUES} tissues",
        yours=f"mean probability {sure:.2f}, {right:.0%} right",
        expected=f"at least {SURE}; nearest tissue mean is right in {nearest_mean(x, tissue):.0%}, "
        f"chance {1 / TISSUES:.0%}",
    )


def nearest_mean(x: torch.Tensor, tissue: torch.Tensor) -> float:
    means = torch.stack([x[:N_TRAIN][tissue[:N_TRAIN] == number].mean(0) for number in range(TISSUES)])
    return float((torch.cdist(x[N_TRAIN:], means).argmin(1) == tissue[N_TRAIN:]).double().mean())
