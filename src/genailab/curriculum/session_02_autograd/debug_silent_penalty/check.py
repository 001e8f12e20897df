"""Checks of s02.debug."""

import torch

from genailab.learn.checking import Attempt, Mistake, check

CUT = (
    "The gradient of the loss knows nothing of the penalty: its value is added, but on the way to it the "
    "weights "
    "leave the graph. Look for what takes a tensor off it."
)


# --- references, float64 -------------------------------------------------------------------------------


def problem_of(attempt: Attempt, *, genes: int = 40, motifs: int = 30):
    """Few genes, many motifs of which three matter: float32."""
    features, effects = attempt.normal(genes, motifs), torch.zeros(motifs, 1)
    effects[:3] = 1.0
    return features, features @ effects + 2 + 2 * attempt.normal(genes, 1)


def loss_parts(features, expression, weights, bias):
    """Mean squared error, and sum of squared weights."""
    error = features.double() @ weights.double() + bias.double() - expression.double()
    return error.square().mean(), weights.double().square().sum()


def ridge(features, expression, strength: float):
    """Closed form, the bias free: centre both, then solve (X^T X / n + strength I) w = X^T y / n."""
    features, expression = features.double(), expression.double()
    centre, level = features.mean(0), expression.mean(0)
    centred = features - centre
    gram = centred.T @ centred / len(features) + strength * torch.eye(features.shape[1]).double()
    weights = torch.linalg.solve(gram, centred.T @ (expression - level) / len(features))
    return weights, level - centre @ weights


def where_it_helps(attempt: Attempt):
    """Draw 40 genes and 1,000 new ones, again where by chance the formula sees no use in a penalty."""
    while True:
        features, expression = problem_of(attempt, genes=1040)
        few, new = (features[:40], expression[:40]), (features[40:], expression[40:])
        errors = []
        for strength in (0.02, 1.0):  # not quite 0: the descent does not end at the free fit either
            weights, bias = ridge(*few, strength)
            errors.append(float(loss_parts(*new, weights, bias)[0]))
        if errors[1] < 0.9 * errors[0]:
            return few, new


# --- checks --------------------------------------------------------------------------------------------


@check("The loss is error plus penalty")
def value(attempt: Attempt) -> None:
    features, expression = problem_of(attempt)
    weights, strength = attempt.normal(30, 1), float(attempt.rng.uniform(0.5, 2))
    bias = torch.tensor([attempt.rng.uniform(1, 3)], dtype=torch.float32)  # far from 0: a penalty on it shows
    error, penalty = loss_parts(features, expression, weights, bias)
    of_bias = strength * bias.double().square().sum()
    attempt.compare(
        "ridge_loss",
        features,
        expression,
        weights,
        bias,
        strength,
        expected=error + strength * penalty,
        mistakes=[
            Mistake(
                "penalty removed", error, "The penalty is gone, not mended: large weights now cost nothing."
            ),
            Mistake(
                "penalty averaged",
                error + strength * penalty / 30,
                "The squared weights are averaged: their sum was right. The same strength now means 30 "
                "times less.",
            ),
            Mistake(
                "penalty on the bias too",
                error + strength * penalty + of_bias,
                "The bias is penalised as well: that pulls the mean expression towards 0, an arbitrary unit.",
            ),
            Mistake(
                "absolute weights",
                error + strength * weights.double().abs().sum(),
                "These are absolute weights (the lasso); the squares were right.",
            ),
        ],
    )


@check("Its gradient knows the penalty")
def gradient(attempt: Attempt) -> None:
    features, expression = problem_of(attempt)
    weights, bias = attempt.normal(30, 1).requires_grad_(), attempt.normal(1).requires_grad_()
    attempt.get("ridge_loss")(features, expression, weights, bias, 1.5).backward()
    start = weights.detach().double()
    error = features.double() @ start + bias.detach().double() - expression.double()
    of_error = 2 / len(features) * features.double().T @ error
    attempt.equal(
        weights.grad,
        of_error + 2 * 1.5 * start,
        given="the gradient of ridge_loss by the weights (30, 1), strength 1.5",
        tolerance=1e-4,
        mistakes=[
            Mistake("penalty cut from the graph", of_error, CUT),
            Mistake(
                "half of the penalty cut from the graph",
                of_error + 1.5 * start,
                "Only half of the penalty's gradient arrives: of the two factors of the square, one still "
                "leaves the "
                "graph.",
            ),
        ],
        axes=("motif", "column"),
    )


@check("Training ends where ridge regression's formula says")
def trained(attempt: Attempt) -> None:
    features, expression = problem_of(attempt)
    weights, bias, _ = attempt.call("train", features, expression, 1.0)
    attempt.equal(
        (weights, bias),
        ridge(features, expression, 1.0),
        given="train(features (40, 30), expression (40, 1), strength=1.0)",
        tolerance=2e-3,
    )


@check("Genes never seen are predicted better with the penalty than without")
def held_out(attempt: Attempt) -> None:
    few, new = where_it_helps(attempt)
    scores = {}
    for strength in (0.0, 1.0):
        weights, bias, _ = attempt.call("train", *few, strength)
        scores[strength] = attempt.call("r_squared", attempt.call("predict", new[0], weights, bias), new[1])
    attempt.require(
        scores[1.0] > scores[0.0],
        "On 1,000 new genes the penalty does not help.",
        given="40 genes with 30 motifs to train on",
        yours=f"R2 = {scores[1.0]:.3f} with strength 1, {scores[0.0]:.3f} without",
        why="That is what a penalty is for: with nearly as many weights as genes, a free fit follows noise.",
    )
