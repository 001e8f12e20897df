"""mistake: falls at every step"""

import math

import torch


def step_decay(step, base, every, factor):
    return base * factor ** (step / every)


def cosine_decay(step, base, total):
    return base * (1 + math.cos(math.pi * step / total)) / 2


def warmup_cosine(step, base, warm, total):
    if step < warm:
        return base * (step + 1) / warm
    return cosine_decay(step - warm, base, total - warm)


def train_linear(features, target, schedule, steps):
    weights, bias, losses = torch.zeros(features.shape[1], 1), torch.zeros(1), []
    for step in range(steps):
        error = features @ weights + bias - target
        losses.append(error.square().mean().item())
        weights = weights - schedule(step) * 2 / len(features) * features.T @ error
        bias = bias - schedule(step) * 2 * error.mean(dim=0)
    return weights, bias, losses


def diverged(losses):
    return not math.isfinite(losses[-1]) or losses[-1] > losses[0]


def choose_rate(train, valid, rates, steps):
    best, lowest = None, math.inf
    for rate in rates:
        weights, bias, losses = train_linear(*train, lambda step, rate=rate: rate, steps)
        loss = (valid[0] @ weights + bias - valid[1]).square().mean().item()
        if not diverged(losses) and loss < lowest:
            best, lowest = rate, loss
    return best


def fit_splice_sites(features, target, seconds):
    weights, bias, _ = train_linear(features, target, lambda step: 0.2, 200)
    return weights, bias
