"""Laws of learned loss weights: the closed form of the best variances, and who gets the larger weight."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.nn.uncertainty import UncertaintyWeights

KINDS = {"expression": "squared_error", "tissue": "cross_entropy"}


@given(expression=st.floats(0.01, 50), tissue=st.floats(0.01, 5))
@settings(max_examples=20, deadline=None)
def test_the_best_log_variances_of_fixed_losses_are_log_l_and_log_2l(expression, tissue):
    weigh = UncertaintyWeights(KINDS).double()
    losses = {
        "expression": torch.tensor(expression, dtype=torch.float64),
        "tissue": torch.tensor(tissue, dtype=torch.float64),
    }
    best = torch.tensor([math.log(expression), math.log(2 * tissue)], dtype=torch.float64)
    weigh.log_variance.data.copy_(best)
    minimum = weigh(losses)
    minimum.backward()
    assert weigh.log_variance.grad.abs().max() < 1e-12
    # Both tasks then add the same: 1/2 for the misfit and log s for the penalty.
    assert minimum.item() == pytest.approx(1 + 0.5 * best.sum().item(), abs=1e-9)


def test_gradient_descent_finds_them():
    weigh = UncertaintyWeights(KINDS)
    losses = {"expression": torch.tensor(4.0), "tissue": torch.tensor(0.3)}
    optimizer = torch.optim.Adam(weigh.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        weigh(losses).backward()
        optimizer.step()
    assert weigh.log_variance.detach().exp().tolist() == pytest.approx([4.0, 0.6], rel=1e-2)


def test_a_squared_error_is_the_negative_log_likelihood_of_a_gaussian():
    weigh = UncertaintyWeights({"expression": "squared_error"}).double()
    weigh.log_variance.data.fill_(math.log(2.5))
    error = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    gaussian = torch.distributions.Normal(torch.zeros(3).double(), math.sqrt(2.5))
    expected = -gaussian.log_prob(error).mean() - 0.5 * math.log(2 * math.pi)
    torch.testing.assert_close(weigh({"expression": error.square().mean()}), expected)


def test_at_the_start_the_losses_are_weighted_as_they_are_and_others_are_refused():
    weigh = UncertaintyWeights(KINDS)
    assert {name: weight.item() for name, weight in weigh.weights().items()} == {
        "expression": 0.5,
        "tissue": 1.0,
    }
    with pytest.raises(InputError, match=r"the losses \['tissue'\] are not those with a weight"):
        weigh({"tissue": torch.tensor(1.0)})
