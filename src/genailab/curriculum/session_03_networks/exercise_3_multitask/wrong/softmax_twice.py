"""mistake: logits passed through softmax twice"""

import torch
import torch.nn as nn


class MultiTaskModel(nn.Module):
    """Factors (cells, input_size) -> expression (cells,), logits (cells, n_tissues)."""

    def __init__(self, input_size, hidden_size, n_tissues):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
        )
        self.expression_head = nn.Linear(hidden_size, 1)
        self.tissue_head = nn.Linear(hidden_size, n_tissues)

    def forward(self, x):
        shared = self.trunk(x)  # (cells, hidden_size)
        return self.expression_head(shared).squeeze(1), self.tissue_head(shared)


def task_losses(expression, logits, measured, tissue):
    """Return the mean squared error of expression and the mean cross-entropy of tissue."""
    expression_loss = nn.functional.mse_loss(expression, measured)
    return expression_loss, nn.functional.cross_entropy(logits.softmax(dim=1), tissue)


class FixedWeights(nn.Module):
    """The weighted sum of two losses."""

    def __init__(self, expression_weight, tissue_weight):
        super().__init__()
        self.expression_weight, self.tissue_weight = expression_weight, tissue_weight

    def forward(self, expression_loss, tissue_loss):
        return self.expression_weight * expression_loss + self.tissue_weight * tissue_loss


class LearnedWeights(nn.Module):
    """The sum over tasks of exp(-s) * loss + s, with s learned."""

    def __init__(self):
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(2))

    def forward(self, expression_loss, tissue_loss):
        losses = torch.stack([expression_loss, tissue_loss])  # (2,)
        return (torch.exp(-self.log_variance) * losses + self.log_variance).sum()


def train(model, weighting, x, measured, tissue):
    """Train both with Adam on mini-batches of 64; return the model."""
    optimizer = torch.optim.Adam([*model.parameters(), *weighting.parameters()], lr=0.003)
    model.train()
    for _ in range(14):
        for rows in torch.randperm(len(x)).split(64):
            loss = weighting(*task_losses(*model(x[rows]), measured[rows], tissue[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model
