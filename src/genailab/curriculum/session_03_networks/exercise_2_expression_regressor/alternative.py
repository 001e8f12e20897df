"""s03.2 Expression regressor: another right way, with the dropout written out."""

from itertools import pairwise

import torch
import torch.nn as nn


class Dropout(nn.Module):
    """Zero an entry with probability p and divide what stays by 1 - p, while training."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand_like(x) >= self.p) / (1 - self.p)


class ExpressionRegressor(nn.Module):
    """Hidden layers in a ModuleList, SiLU behind each."""

    def __init__(self, input_size, hidden_sizes, dropout):
        super().__init__()
        sizes = [input_size, *hidden_sizes]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.last = nn.Linear(sizes[-1], 1)
        self.dropout = Dropout(dropout)

    def forward(self, x):
        for layer in self.hidden:
            x = self.dropout(nn.functional.silu(layer(x)))
        return self.last(x).flatten()


def train(model, features, expression):
    """Train with AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    model.train()
    for _ in range(20):
        for rows in torch.randperm(len(features)).split(32):
            model.zero_grad()
            (model(features[rows]) - expression[rows]).square().mean().backward()
            optimizer.step()
    return model


@torch.no_grad()
def predict(model, features):
    """Switch to evaluation and back."""
    before = model.training
    try:
        return model.eval()(features)
    finally:
        model.train(before)


def r_squared(predicted, measured):
    """Return the share of the variance that is explained."""
    return float(1 - (predicted - measured).square().mean() / measured.var(correction=0))


def compare_architectures(candidates, features, expression, valid_features, valid_expression):
    """One model a candidate."""

    def score(sizes):
        model = train(ExpressionRegressor(features.shape[1], sizes, 0.1), features, expression)
        return r_squared(predict(model, valid_features), valid_expression)

    return {sizes: score(sizes) for sizes in candidates}
