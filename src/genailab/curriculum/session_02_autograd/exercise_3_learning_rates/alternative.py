"""s02.3 Learning rates and schedules: another right way, with autograd and without a clock."""

import math

import torch


def step_decay(step, base, every, factor):
    for _ in range(every, step + 1, every):
        base = base * factor
    return base


def cosine_decay(step, base, total):
    return base * math.cos(math.pi / 2 * step / total) ** 2


def warmup_cosine(step, base, warm, total):
    return min(1, (step + 1) / warm) * cosine_decay(max(step - warm, 0), base, total - warm)


def train_linear(features, target, schedule, steps):
    model = torch.nn.Linear(features.shape[1], 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimiser, losses = torch.optim.SGD(model.parameters(), lr=1.0), []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = schedule(step)
        loss = torch.nn.functional.mse_loss(model(features), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    return model.weight.detach().T, model.bias.detach(), losses


def diverged(losses):
    return not losses[-1] <= losses[0]


def choose_rate(train, valid, rates, steps):
    scores = {}
    for rate in rates:
        weights, bias, _ = train_linear(*train, lambda step, rate=rate: rate, steps)
        scores[rate] = torch.nn.functional.mse_loss(valid[0] @ weights + bias, valid[1]).item()
    return min((rate for rate in rates if math.isfinite(scores[rate])), key=scores.get)


def fit_splice_sites(features, target, seconds):
    weights, bias, _ = train_linear(features, target, lambda step: step_decay(step, 0.2, 100, 0.5), 250)
    return weights, bias
