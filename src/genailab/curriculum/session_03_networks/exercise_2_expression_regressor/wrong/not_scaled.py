"""mistake: dropout not scaled"""

import torch
import torch.nn as nn


class Thin(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) if self.training else x


class ExpressionRegressor(nn.Module):
    """Histone marks (genes, input_size) -> expression (genes,)."""

    def __init__(self, input_size, hidden_sizes, dropout):
        super().__init__()
        layers = []
        for size in hidden_sizes:
            layers += [nn.Linear(input_size, size), nn.ReLU(), Thin(dropout)]
            input_size = size
        self.layers = nn.Sequential(*layers, nn.Linear(input_size, 1))

    def forward(self, x):
        return self.layers(x).squeeze(1)  # (genes,)


def train(model, features, expression):
    """Train with Adam on mini-batches of 32, and return the model."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    model.train()
    for _ in range(20):
        for rows in torch.randperm(len(features)).split(32):
            loss = nn.functional.mse_loss(model(features[rows]), expression[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def predict(model, features):
    """Return predictions without dropout and without a graph."""
    training = model.training
    model.eval()
    with torch.no_grad():
        predicted = model(features)
    model.train(training)
    return predicted


def r_squared(predicted, measured):
    """Return the share of the variance that is explained."""
    return float(1 - (predicted - measured).square().sum() / (measured - measured.mean()).square().sum())


def compare_architectures(candidates, features, expression, valid_features, valid_expression):
    """Return the R2 on the validation genes of a model trained for each candidate."""
    scores = {}
    for hidden_sizes in candidates:
        model = ExpressionRegressor(features.shape[1], hidden_sizes, dropout=0.1)
        train(model, features, expression)
        scores[hidden_sizes] = r_squared(predict(model, valid_features), valid_expression)
    return scores
