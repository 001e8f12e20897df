"""Checks of s02.2."""

import math

import torch

from genailab.learn.checking import Attempt, Mistake, check

READY_MADE = (
    "torch.nn.functional.cross_entropy",
    "torch.nn.functional.nll_loss",
    "torch.nn.functional.mse_loss",
    "torch.nn.functional.binary_cross_entropy",
    "torch.nn.functional.binary_cross_entropy_with_logits",
    "torch.nn.CrossEntropyLoss",
    "torch.nn.NLLLoss",
    "torch.nn.MSELoss",
    "torch.nn.BCELoss",
    "torch.nn.BCEWithLogitsLoss",
)


def by_hand(attempt: Attempt) -> None:
    attempt.forbid(
        *READY_MADE,
        why="write the loss itself; later you will use torch's and know what it does.",
        mistake="ready-made loss used",
    )


# --- references, float64 -------------------------------------------------------------------------------


def cross_entropy_each(logits, classes):
    """-log softmax of the true class, by log-sum-exp."""
    logits = logits.double()
    return torch.logsumexp(logits, 1) - logits.gather(1, classes[:, None])[:, 0]


def binary_each(logits, labels):
    logits, labels = logits.double(), labels.double()
    return torch.logaddexp(torch.zeros_like(logits), logits) - labels * logits


def landscape_of(features, expression, first, second):
    features, expression, first, second = (x.double() for x in (features, expression, first, second))
    guesses = first[None, :, None] * features[:, 0] + second[:, None, None] * features[:, 1]
    return (guesses - expression).square().mean(-1)


# --- checks --------------------------------------------------------------------------------------------


@check("Mean squared error of a regression")
def squared(attempt: Attempt) -> None:
    by_hand(attempt)
    prediction, expression = attempt.normal(12, 1), attempt.normal(12) + 2
    error = prediction[:, 0].double() - expression.double()
    right = error.square().mean()
    attempt.compare(
        "mean_squared_error",
        prediction,
        expression,
        expected=right,
        mistakes=[
            Mistake(
                "every gene against every other",
                (prediction.double() - expression.double()).square().mean(),
                "(12, 1) minus (12,) broadcasts to (12, 12): each prediction was compared with the "
                "expression of "
                "every gene. No error is raised, and the model learns to predict the mean.",
            ),
            Mistake(
                "summed, not averaged",
                error.square().sum(),
                "This is the sum over genes. With the mean, the same learning rate fits ten genes and ten "
                "thousand.",
            ),
            Mistake(
                "root taken",
                right.sqrt(),
                "This is the root mean squared error: good to report, but its gradient is undefined where "
                "the fit "
                "is perfect.",
            ),
            Mistake(
                "absolute errors", error.abs().mean(), "This is the mean absolute error: square the errors."
            ),
        ],
    )


@check("Cross-entropy of three classes of variants")
def three_classes(attempt: Attempt) -> None:
    by_hand(attempt)
    logits, classes = 2 * attempt.normal(9, 3), torch.from_numpy(attempt.rng.integers(0, 3, 9))
    each = cross_entropy_each(logits, classes)
    probabilities = logits.double().softmax(1)
    attempt.compare(
        "variant_cross_entropy",
        logits,
        classes,
        expected=each.mean(),
        mistakes=[
            Mistake(
                "logits passed through softmax twice",
                cross_entropy_each(probabilities, classes).mean(),
                "The logits became probabilities and those went through softmax again. The loss can then "
                "never fall "
                f"below {math.log(1 + 2 / math.e):.2f}, however sure the model is.",
            ),
            Mistake("summed, not averaged", each.sum(), "This is the sum over variants: take the mean."),
            Mistake(
                "sign missing", -each.mean(), "A log-probability is never positive; the loss is its negative."
            ),
            Mistake(
                "averaged over the classes too",
                each.mean() / 3,
                "The loss is three times too small: only the true class of a variant counts, so divide by "
                "the "
                "number of variants, not of entries.",
            ),
            Mistake(
                "probability instead of its log",
                -probabilities.gather(1, classes[:, None]).mean(),
                "This is the mean probability of the true class: take its logarithm, so that being sure and "
                "wrong "
                "costs much.",
            ),
            Mistake(
                "softmax over the variants",
                -logits.double().log_softmax(0).gather(1, classes[:, None]).mean(),
                "The probabilities were made to sum to one over variants (axis 0): they must over classes "
                "(axis 1).",
            ),
        ],
        why="Uniform guesses cost log(3) = 1.10 nats a variant: a classifier above that has learned nothing.",
    )


@check("Cross-entropy of two classes")
def two_classes(attempt: Attempt) -> None:
    by_hand(attempt)
    logits = 2 * attempt.normal(11)
    labels = torch.from_numpy(attempt.rng.permutation([0.0, 1.0] * 5 + [0.0])).float()
    each = binary_each(logits, labels)
    attempt.compare(
        "pathogenic_cross_entropy",
        logits,
        labels,
        expected=each.mean(),
        mistakes=[
            Mistake(
                "benign variants not counted",
                (each * labels.double()).mean(),
                "Variants with label 0 add nothing: a model that calls everything pathogenic would be "
                "perfect.",
            ),
            Mistake(
                "labels swapped",
                binary_each(logits, 1 - labels).mean(),
                "The terms of the two labels are exchanged: a logit is the log odds of a 1.",
            ),
            Mistake(
                "logits passed through sigmoid twice",
                binary_each(logits.double().sigmoid(), labels).mean(),
                "The logits became probabilities and those went through sigmoid again.",
            ),
            Mistake("summed, not averaged", each.sum(), "This is the sum over variants: take the mean."),
            Mistake(
                "sign missing", -each.mean(), "A log-probability is never positive; the loss is its negative."
            ),
        ],
    )


@check("Logits of 1000 give a finite, exact loss")
def large_logits(attempt: Attempt) -> None:
    by_hand(attempt)
    logits = torch.zeros(4, 3)
    top = torch.from_numpy(attempt.rng.integers(0, 3, 4))
    logits[torch.arange(4), top] = 1000.0
    classes = top.clone()
    classes[0] = (top[0] + 1) % 3  # sure, and wrong
    overflow = (
        "torch.exp(1000) is infinite and softmax gives an exact 0: log(0) is -infinity. Take the highest "
    )
    overflow += "logit off before the exponential, and never take the log of a probability."
    clipped = (
        "The loss of a confident error is capped: a small number was added inside the logarithm, or the "
    )
    clipped += "probability was clamped. That also takes the gradient away where it is needed most."
    attempt.compare(
        "variant_cross_entropy",
        logits,
        classes,
        expected=cross_entropy_each(logits, classes).mean(),
        mistakes=[
            Mistake("log of 0", lambda yours: not math.isfinite(float(yours)), overflow),
            Mistake("log clipped", lambda yours: 0 < float(yours) < 30, clipped),
        ],
        why="Early in training, and after one step that is too long, logits of this size do occur; one "
        "infinite loss makes every weight nan.",
    )
    two, labels = torch.tensor([1000.0, -1000.0, 1000.0, -1000.0]), torch.tensor([1.0, 0.0, 0.0, 1.0])
    attempt.compare(
        "pathogenic_cross_entropy",
        two,
        labels,
        expected=binary_each(two, labels).mean(),
        mistakes=[
            Mistake("log of 0", lambda yours: not math.isfinite(float(yours)), overflow),
            Mistake("log clipped", lambda yours: 0 < float(yours) < 100, clipped),
        ],
    )


@check("The gradient is probability minus truth")
def gradient(attempt: Attempt) -> None:
    by_hand(attempt)
    logits = (2 * attempt.normal(7, 3)).requires_grad_()
    classes = torch.from_numpy(attempt.rng.integers(0, 3, 7))
    # Not through call: it hands over a copy, and the gradient is wanted at this tensor.
    loss = attempt.get("variant_cross_entropy")(logits, classes)
    attempt.require(
        isinstance(loss, torch.Tensor) and loss.requires_grad,
        "Autograd cannot get from the loss to the logits: an .item(), .detach() or numpy cut the way.",
        mistake="graph broken",
        why="A model cannot learn from a loss that knows nothing of its weights.",
    )
    loss.backward()
    truth = torch.nn.functional.one_hot(classes, 3)
    right = (logits.detach().double().softmax(1) - truth) / len(classes)
    attempt.equal(logits.grad, right, given="the gradient of variant_cross_entropy by the logits (7, 3)")


@check("The landscape has w0 along its columns")
def landscape(attempt: Attempt) -> None:
    by_hand(attempt)
    features = attempt.normal(30, 2)
    expression = features @ torch.tensor([1.5, -0.5]) + 0.3 * attempt.normal(30)
    first, second = torch.linspace(-3, 3, 9), torch.linspace(-2, 2, 7) + 0.1
    right = landscape_of(features, expression, first, second)
    attempt.compare(
        "loss_landscape",
        features,
        expression,
        first,
        second,
        expected=right,
        mistakes=[
            Mistake(
                "axes of the landscape swapped",
                right.T,
                "Rows are w0 in yours. Drawn as a picture, rows run along the vertical axis: that is w1's.",
            ),
            Mistake(
                "weights swapped",
                landscape_of(features.flip(1), expression, first, second),
                "first went to the second feature and second to the first.",
            ),
            Mistake("summed, not averaged", right * 30, "Each entry is a sum over genes: take the mean."),
        ],
        axes=("w1", "w0"),
        picture="matrix",
        rows=[f"w1={value:.1f}" for value in second.tolist()],
    )


@check("Its lowest point is found")
def lowest(attempt: Attempt) -> None:
    by_hand(attempt)
    first, second = torch.linspace(-3, 3, 9), torch.linspace(-2, 2, 7)
    row, column = int(attempt.rng.integers(0, 7)), int(attempt.rng.integers(0, 9))
    bowl = (second - second[row]).square()[:, None] + 2 * (first - first[column]).square() + 0.3
    w0, w1 = first[column].item(), second[row].item()
    attempt.compare(
        "lowest_point",
        bowl,
        first,
        second,
        expected=(w0, w1),
        mistakes=[
            Mistake(
                "pair in the wrong order", (w1, w0), "This is (w1, w0): the row gives w1, the column w0."
            ),
            Mistake(
                "indices instead of weights",
                lambda yours: sorted(map(float, yours)) == sorted([row, column]),
                "These are the row and the column: look up which weights stand there.",
            ),
        ],
    )
