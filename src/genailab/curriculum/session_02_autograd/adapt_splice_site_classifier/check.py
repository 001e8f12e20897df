"""Checks of s02.adapt."""

import torch

from genailab.data.bundled.sequence_sets import load_splice_junctions
from genailab.learn.checking import Attempt, Mistake, check

JUNCTIONS = load_splice_junctions()
BETTER_BY = 0.015  # in accuracy, than calling every GT in the middle a donor site
AUTOGRAD = ("torch.Tensor.backward", "torch.autograd.backward", "torch.nn.functional.cross_entropy")


def by_hand(attempt: Attempt) -> None:
    attempt.forbid(*AUTOGRAD, why="the gradient is yours to derive.", mistake="autograd used")


# --- references, float64 -------------------------------------------------------------------------------


def gradients(features, labels, weights, bias):
    """Closed form: X^T (p - y) / n and its mean, of the mean cross-entropy."""
    error = torch.special.expit(features @ weights + bias) - labels
    return features.T @ error / len(features), error.mean(0)


def with_error(problem, error_of):
    """What the same product gives with another error in place of p - y."""
    features, labels, weights, bias = problem
    logits = features @ weights + bias
    error = error_of(logits, torch.special.expit(logits), labels)
    return features.T @ error / len(features), error.mean(0)


# --- hidden inputs -------------------------------------------------------------------------------------


def junctions(attempt: Attempt, part: str):
    """One-hot (n, 240), whether it is a donor site, and whether it reads GT in the middle, both (n, 1)."""
    rows = attempt.rng.permutation(JUNCTIONS.positions(part))
    codes = JUNCTIONS.codes[rows].long()
    features = torch.nn.functional.one_hot(codes, 4).flatten(1).float()  # (n, 240)
    labels = torch.tensor((JUNCTIONS.table["label"] == "donor").to_numpy()[rows]).float()[:, None]
    return features, labels, ((codes[:, 30] == 2) & (codes[:, 31] == 3))[:, None]


def few(attempt: Attempt):
    features, labels, _ = junctions(attempt, "train")
    return features[:40], labels[:40], 0.5 * attempt.normal(240, 1), attempt.normal(1)


# --- checks --------------------------------------------------------------------------------------------


@check("Probabilities are right at any logit")
def probabilities(attempt: Attempt) -> None:
    by_hand(attempt)
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [-1000.0, 0.0], [1000.0, 0.0]])
    weights, bias = attempt.normal(2, 1).abs() + 0.5, attempt.normal(1)
    right = torch.special.expit((features @ weights + bias).double())
    attempt.compare(
        "donor_probability",
        features,
        weights,
        bias,
        expected=right,
        mistakes=[
            Mistake(
                "overflow in the sigmoid",
                lambda yours: not yours.isfinite().all() and bool((yours[:3] - right[:3]).abs().max() < 1e-4),
                "A large logit gave infinity over infinity: write the sigmoid so that every exponential is "
                "of a "
                "number that is not positive, or take torch.sigmoid.",
            ),
            Mistake("sign of the logit", 1 - right, "This is the probability of no donor site."),
        ],
        axes=("sequence", "column"),
    )


@check("The gradients are those of the mean cross-entropy")
def right_gradients(attempt: Attempt) -> None:
    by_hand(attempt)
    problem = few(attempt)
    exact = tuple(part.double() for part in problem)
    yours = attempt.call("logistic_gradients", *problem)
    attempt.equal(
        tuple(yours) if isinstance(yours, list) else yours,
        gradients(*exact),
        given="logistic_gradients(features (40, 240), labels (40, 1), weights (240, 1), bias (1,))",
        mistakes=[
            Mistake(
                "gradient of the squared error",
                with_error(exact, lambda _, p, y: 2 * (p - y) * p * (1 - p)),
                "This is the gradient of the squared error of the probability. It vanishes where the model "
                "is sure "
                "and wrong, p (1 - p) being 0 there; that of the cross-entropy does not.",
            ),
            Mistake(
                "derivative of the sigmoid kept",
                with_error(exact, lambda _, p, y: (p - y) * p * (1 - p)),
                "There is a factor p (1 - p) too many: the logarithm's derivative cancels it.",
            ),
            Mistake(
                "error taken from the logits",
                with_error(exact, lambda z, p, y: z - y),
                "The label was taken off the logit: take it off the probability.",
            ),
            Mistake(
                "factor 2 kept",
                with_error(exact, lambda _, p, y: 2 * (p - y)),
                "There is a factor 2 too many: that was the square's.",
            ),
            Mistake(
                "summed, not averaged",
                with_error(exact, lambda _, p, y: len(p) * (p - y)),
                "The values are n times too large: the loss is a mean over sequences.",
            ),
            Mistake(
                "sign of the gradient",
                with_error(exact, lambda _, p, y: y - p),
                "Each value has the opposite sign: the error is probability minus label.",
            ),
        ],
    )


@check("Donor sites never seen are told better than by their GT")
def told(attempt: Attempt) -> None:
    by_hand(attempt)
    features, labels, _ = junctions(attempt, "train")
    new_features, new_labels, reads_gt = junctions(attempt, "test")
    weights, bias = attempt.call("train_donor_classifier", features, labels)
    probability = attempt.call("donor_probability", new_features, weights, bias)
    yours = float(((probability > 0.5) == (new_labels > 0.5)).float().mean())
    rule = float((reads_gt == (new_labels > 0.5)).float().mean())
    never = float((new_labels < 0.5).float().mean())
    attempt.require(
        yours >= rule + BETTER_BY,
        f"{yours:.1%} of the new sequences are called right; the rule that every GT in the middle is a "
        f"donor site gets {rule:.1%}.",
        given=f"{len(features)} primate sequences to train on, {len(new_features)} unrelated ones",
        yours=f"accuracy {yours:.3f}",
        expected=f"at least {rule + BETTER_BY:.3f} (GT alone {rule:.3f}, never a donor site {never:.3f})",
        mistake="no better than GT alone",
        why="Nearly every donor site reads GT, but so do other places, by chance. What the model must add "
        "is the rest of the site: how it pairs with U1 RNA. More steps, or longer ones, get there.",
    )


@check("The weights are laid out as letters by positions")
def laid_out(attempt: Attempt) -> None:
    weights = attempt.normal(240, 1)
    attempt.compare(
        "letter_weights",
        weights,
        expected=weights.double().reshape(60, 4).T,
        mistakes=[
            Mistake(
                "letters before positions",
                weights.double().reshape(4, 60),
                "The shape is right but the weights are mixed up: the features run position by position, so "
                "the "
                "first four weights are one column.",
            ),
            Mistake(
                "positions in the rows",
                weights.double().reshape(60, 4),
                "Positions are in the rows: (4, 60) was asked for.",
            ),
        ],
        axes=("letter", "position"),
        picture="logo",
        rows=list("ACGT"),
    )
