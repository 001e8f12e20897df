"""mistake: super().__init__() missing"""

import torch
import torch.nn as nn


class PromoterClassifier(nn.Module):
    """Three linear layers, ReLU between them: (batch, 4, length) -> one logit a sequence, (batch,)."""

    def __init__(self, input_size, hidden_size):
        self.layers = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, 1),
        )

    def forward(self, x):
        return self.layers(x.flatten(start_dim=1)).squeeze(1)  # (batch,)


def train(model, sequences, labels):
    """Train with Adam on mini-batches of 64, and return the model."""
    loss_of = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    model.train()
    for _ in range(8):
        for rows in torch.randperm(len(sequences)).split(64):
            loss = loss_of(model(sequences[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


if __name__ == "__main__":
    model = PromoterClassifier(input_size=4 * 200, hidden_size=128)
