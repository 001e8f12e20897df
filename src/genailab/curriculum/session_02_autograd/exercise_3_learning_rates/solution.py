"""s02.3 Learning rates and schedules: one way to do it."""

import math
import time

import torch


def step_decay(step, base, every, factor):
    """Whole stretches only: // and not /."""
    return base * factor ** (step // every)


def cosine_decay(step, base, total):
    """The cosine goes from 1 to -1, the rate from base to 0."""
    return base * (1 + math.cos(math.pi * step / total)) / 2


def warmup_cosine(step, base, warm, total):
    """After the warm-up, the cosine counts from its own start."""
    if step < warm:
        return base * (step + 1) / warm
    return cosine_decay(step - warm, base, total - warm)


def gradient_step(features, target, weights, bias, rate):
    """Return the loss at this point, and the point one step further."""
    error = features @ weights + bias - target  # (n, 1)
    loss = error.square().mean().item()
    by_weights = 2 / len(features) * features.T @ error  # (n_features, 1)
    return loss, weights - rate * by_weights, bias - rate * 2 * error.mean(dim=0)


def train_linear(features, target, schedule, steps):
    """Gradients by hand; .item() keeps a number, not the graph that made it."""
    weights, bias, losses = torch.zeros(features.shape[1], 1), torch.zeros(1), []
    for step in range(steps):
        loss, weights, bias = gradient_step(features, target, weights, bias, schedule(step))
        losses.append(loss)
    return weights, bias, losses


def diverged(losses):
    """Every comparison with nan is False: ask for finite first."""
    return not math.isfinite(losses[-1]) or losses[-1] > losses[0]


def choose_rate(train, valid, rates, steps):
    """The best on data that played no part in training, among those that did not diverge."""
    best, lowest = None, math.inf
    for rate in rates:
        weights, bias, losses = train_linear(*train, lambda step, rate=rate: rate, steps)
        loss = (valid[0] @ weights + bias - valid[1]).square().mean().item()
        if not diverged(losses) and loss < lowest:
            best, lowest = rate, loss
    return best


def fit_splice_sites(features, target, seconds):
    """400 steps of a cosine suffice; a slow machine stops early."""
    end = time.monotonic() + 0.9 * seconds
    weights, bias = torch.zeros(features.shape[1], 1), torch.zeros(1)
    for step in range(400):
        rate = warmup_cosine(step, base=0.2, warm=10, total=400)
        _, weights, bias = gradient_step(features, target, weights, bias, rate)
        if time.monotonic() > end:
            break
    return weights, bias
