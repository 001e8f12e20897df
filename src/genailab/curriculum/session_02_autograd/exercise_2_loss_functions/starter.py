"""s02.2 Losses and their landscapes. The lesson is in README.md; save this file to have it checked."""

import torch


# Exercise 2: Loss functions, without those of torch.nn
def mean_squared_error(prediction, expression):
    """Return the mean of the squared errors, a tensor without axes, for a regression.

    prediction is (n, 1), as predict_expression returns it; expression is (n,), as a table holds it.
    """
    # TODO: Bring both to one shape first
    pass


def variant_cross_entropy(logits, classes):
    """Return the mean cross-entropy of variants: benign (0), uncertain (1) or pathogenic (2).

    logits (n, n_classes) are any numbers, also 1000; classes (n,) are the numbers of the true classes.
    """
    # TODO: log of the softmax, without taking the log of 0 and without overflow
    pass


def pathogenic_cross_entropy(logits, labels):
    """Return the mean cross-entropy of a yes-or-no classifier: labels (n,) are 1 (pathogenic) or 0.

    logits (n,) are log(p / (1 - p)) of the probability p of a 1; any numbers, also 1000 and -1000.
    """
    # TODO: Implement cross-entropy for two classes
    pass


def loss_landscape(features, expression, first, second):
    """Return the mean squared error for each pair of weights (w0, w1): (len(second), len(first)).

    The prediction is features @ (w0, w1); features is (n, 2) and expression (n,). In row i and column j of
    what you return, w0 is first[j] and w1 is second[i].
    """
    # TODO: Visualize loss landscapes; the check draws what you return
    pass


def lowest_point(landscape, first, second):
    """Return the pair of floats (w0, w1) at which the landscape is lowest."""
    pass
