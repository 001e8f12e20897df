"""Gradient x input and integrated gradients beside captum's."""

import pytest
import torch
from torch import nn

from genailab.data.sequences.encoding import one_hot
from genailab.interpret import gradient_x_input, integrated_gradients

attr = pytest.importorskip("captum.attr")


def model_and_sequences() -> tuple[nn.Module, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Conv1d(4, 8, 5), nn.GELU(), nn.MaxPool1d(3), nn.Flatten(), nn.Linear(72, 3))
        codes = torch.randint(0, 4, (5, 33), dtype=torch.uint8)
    return layers.double().eval(), one_hot(codes, dtype=torch.float64)


def test_gradient_x_input():
    model, x = model_and_sequences()
    theirs = attr.InputXGradient(model).attribute(x.clone().requires_grad_(), target=2)
    torch.testing.assert_close(gradient_x_input(model, x, target=2), theirs.detach())


@pytest.mark.parametrize("baseline", [0.0, 0.25])
def test_integrated_gradients(baseline):
    model, x = model_and_sequences()
    theirs = attr.IntegratedGradients(model).attribute(
        x, baselines=baseline, target=1, n_steps=20, method="gausslegendre"
    )
    ours = integrated_gradients(model, x, baseline=baseline, target=1, steps=20)
    torch.testing.assert_close(ours, theirs.detach())
