"""A limit in steps, whatever the number of rows."""

import pytest
import torch

from genailab.nn import Loss, Model
from genailab.training import TrainConfig, fit


class Rows:
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitems__(self, indices):
        return {"x": torch.ones(len(indices), 1)}


class Slope(Model):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def loss(self, batch):
        return Loss(self.layer(batch["x"]).square().mean())


@pytest.mark.parametrize(("n_rows", "steps"), [(20, 12), (100, 20)])
def test_stops_at_the_first_whole_epoch_past_the_limit(n_rows, steps):
    config = TrainConfig(max_epochs=50, max_steps=11, batch_size=10, device="cpu")
    # 20 rows: two steps an epoch, six epochs; 100 rows: ten steps an epoch, two epochs.
    assert fit(Slope(), Rows(n_rows), config=config).records[-1]["step"] == steps


def test_does_not_lengthen_a_short_training():
    config = TrainConfig(max_epochs=3, max_steps=1000, batch_size=10, device="cpu")
    assert fit(Slope(), Rows(20), config=config).records[-1]["epoch"] == 3
