"""s02.adapt Donor sites, yes or no. The lesson is in README.md; save this file to have it checked."""

import torch

# features (n, 240): sequences of 60 bp, one-hot: A, C, G, T of position 0, then of position 1, ...
# labels (n, 1): 1 where an intron begins between positions 29 and 30 (a donor site), otherwise 0.


def donor_probability(features, weights, bias):
    """Return the probability of a donor site (n, 1): the sigmoid of features @ weights + bias."""
    # TODO: exp of a large number is infinite
    pass


def logistic_gradients(features, labels, weights, bias):
    """Return the gradients of the mean cross-entropy by weights (240, 1) and bias (1,), without autograd."""
    # TODO: What is the cross-entropy's derivative by the logit?
    pass


def train_donor_classifier(features, labels):
    """Return weights (240, 1) and bias (1,) after gradient descent with your gradients."""
    # TODO: Choose a rate and a number of steps: a few seconds are enough
    pass


def letter_weights(weights):
    """Return the weights (240, 1) as (4, 60): rows A, C, G, T, a column a position."""
    # TODO: See which letters speak for a donor site
    pass
