"""s03.1 Promoter classifier: another right way, layer by layer, with the cross-entropy written out."""

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class PromoterClassifier(nn.Module):
    """Three linear layers with GELU between them."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.first = nn.Linear(input_size, hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)
        self.last = nn.Linear(hidden_size, 1)

    def forward(self, x):
        hidden = nn.functional.gelu(self.first(x.reshape(len(x), -1)))
        hidden = nn.functional.gelu(self.second(hidden))
        return self.last(hidden)[:, 0]  # (batch,)


def train(model, sequences, labels):
    """Minimise -log p of the right label, with p from the logit by logsigmoid."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
    for _ in range(8):
        for x, y in DataLoader(TensorDataset(sequences, labels), batch_size=64, shuffle=True):
            model.zero_grad()
            logit = model(x)
            # log(1 - sigmoid(z)) = logsigmoid(-z)
            logp = y * nn.functional.logsigmoid(logit) + (1 - y) * nn.functional.logsigmoid(-logit)
            (-logp.mean()).backward()
            optimizer.step()
    return model


model = PromoterClassifier(input_size=4 * 200, hidden_size=128)
