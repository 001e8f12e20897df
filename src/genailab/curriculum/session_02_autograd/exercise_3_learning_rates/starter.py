"""s02.3 Learning rates and schedules. The lesson is in README.md; save this file to have it checked."""

import torch


# Exercise 3: schedules, each the rate at a step (counted from 0)
def step_decay(step, base, every, factor):
    """Return base, multiplied by factor once for each full stretch of `every` steps."""
    # TODO: Implement learning rate scheduling
    pass


def cosine_decay(step, base, total):
    """Return half a cosine wave: base at step 0, half of it at total / 2, 0 at total."""
    pass


def warmup_cosine(step, base, warm, total):
    """Rise evenly for `warm` steps from base / warm, then follow a cosine from base to 0 at total."""
    pass


def train_linear(features, target, schedule, steps):
    """Return weights (n_features, 1), bias (1,) and a list of losses, after gradient descent from zeros.

    The loss is the mean squared error; target is (n, 1). Step t uses the rate schedule(t), and losses[t] is a
    Python float: the loss just before step t.
    """
    # TODO: The loop of exercise 1, with a rate that changes
    pass


def diverged(losses):
    """Return whether training failed: the last loss is no finite number, or it is above the first."""
    pass


def choose_rate(train, valid, rates, steps):
    """Return the constant rate whose model has the lowest loss on valid.

    train and valid are pairs (features, target). A rate that diverges is never chosen.
    """
    # TODO: Experiment with different learning rates
    pass


def fit_splice_sites(features, target, seconds):
    """Return weights and bias that predict splice sites never seen; take no longer than this many seconds.

    features (n, 36) are one-hot splice sites of 9 letters, target (n, 1) their log10 inclusion.
    """
    # TODO: Apply to a simple genomics dataset: rate, schedule and number of steps are yours to choose
    pass
