"""s03.3 Multi-task model: another right way, with the losses written out."""

import itertools

import torch
import torch.nn as nn


class MultiTaskModel(nn.Module):
    """One hidden layer more narrow than the other, tanh behind the last."""

    def __init__(self, input_size, hidden_size, n_tissues):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(input_size, 2 * hidden_size),
            nn.GELU(),
            nn.Linear(2 * hidden_size, hidden_size),
            nn.Tanh(),
        )
        self.expression_head = nn.Linear(hidden_size, 1)
        self.tissue_head = nn.Linear(hidden_size, n_tissues)

    def forward(self, x):
        shared = self.trunk(x)
        return self.expression_head(shared)[:, 0], self.tissue_head(shared)


def task_losses(expression, logits, measured, tissue):
    """Means over the cells."""
    logp = logits.log_softmax(dim=1)
    return (expression - measured).square().mean(), -logp[torch.arange(len(tissue)), tissue].mean()


class FixedWeights(nn.Module):
    """Weights in a buffer."""

    def __init__(self, expression_weight, tissue_weight):
        super().__init__()
        self.register_buffer("weights", torch.tensor([expression_weight, tissue_weight]))

    def forward(self, expression_loss, tissue_loss):
        return self.weights @ torch.stack([expression_loss, tissue_loss])


class LearnedWeights(nn.Module):
    """Task by task."""

    def __init__(self):
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(2))

    def forward(self, expression_loss, tissue_loss):
        first, second = self.log_variance
        return expression_loss / first.exp() + first + tissue_loss / second.exp() + second


def train(model, weighting, x, measured, tissue):
    """Train with AdamW."""
    parameters = itertools.chain(model.parameters(), weighting.parameters())
    optimizer = torch.optim.AdamW(list(parameters), lr=0.003)
    for _ in range(15):
        for rows in torch.randperm(len(x)).split(48):
            optimizer.zero_grad()
            expression, logits = model(x[rows])
            weighting(*task_losses(expression, logits, measured[rows], tissue[rows])).backward()
            optimizer.step()
    return model
