"""Laws of draws with gradients: the draw is exact, the slope is the one stated."""

import pytest
import torch

from genailab.errors import InputError
from genailab.generative.gan import draw_log_normalised, gumbel_softmax


def seed(number=0):
    return torch.Generator().manual_seed(number)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
def test_letters_are_exact_draws_from_the_softmax_at_any_temperature(temperature):
    logits = torch.tensor([2.0, 0.0, -1.0, 1.0])
    drawn = gumbel_softmax(
        logits.view(1, 4, 1).expand(40_000, 4, 1), temperature=temperature, generator=seed()
    )
    expected = logits.softmax(0)
    error = (expected * (1 - expected) / 40_000).sqrt()
    assert ((drawn.mean(dim=(0, 2)) - expected).abs() < 4 * error).all()


def test_hard_letters_are_one_hot_and_have_the_gradient_of_the_soft_ones():
    logits = torch.randn(3, 4, 5, generator=seed(), requires_grad=True)
    weight = torch.randn(3, 4, 5, generator=seed(1))
    hard = gumbel_softmax(logits, temperature=0.7, generator=seed(2))
    soft = gumbel_softmax(logits, temperature=0.7, hard=False, generator=seed(2))
    assert ((hard == 0) | (hard == 1)).all()
    assert (hard.sum(dim=1) == 1).all()
    assert torch.equal(hard.argmax(dim=1), soft.argmax(dim=1))
    (of_hard,) = torch.autograd.grad((hard * weight).sum(), logits)
    (of_soft,) = torch.autograd.grad((soft * weight).sum(), logits)
    assert of_soft.abs().max() > 0
    torch.testing.assert_close(of_hard, of_soft)


def test_soft_letters_become_one_hot_as_the_temperature_falls():
    logits = torch.randn(50, 4, 6, generator=seed())
    largest = [
        gumbel_softmax(logits, temperature=t, hard=False, generator=seed(1)).amax(dim=1).mean().item()
        for t in (5.0, 1.0, 0.2, 0.01)
    ]
    assert largest == sorted(largest)
    assert largest[-1] > 0.99


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_that_is_not_above_0_is_refused(temperature):
    with pytest.raises(InputError, match=r"temperature is .* must be above 0"):
        gumbel_softmax(torch.zeros(1, 4, 2), temperature=temperature)


@pytest.mark.parametrize("rate", [0.05, 0.7, 6.0])
def test_the_slope_of_log_normalised_counts_is_that_of_their_expectation(rate):
    # E f(x) by its series, in double precision, and its derivative by automatic differentiation.
    library = torch.tensor([[1000.0]], dtype=torch.float64)
    mean = torch.tensor(rate, dtype=torch.float64, requires_grad=True)
    counts = torch.arange(80, dtype=torch.float64)
    probability = torch.distributions.Poisson(mean).log_prob(counts).exp()
    expectation = (probability * torch.log1p(counts * 10)).sum()
    (slope,) = torch.autograd.grad(expectation, mean)

    n = 200_000
    rates = torch.full((1, n), rate, dtype=torch.float64, requires_grad=True)
    drawn = draw_log_normalised(rates, library, generator=seed())
    (slopes,) = torch.autograd.grad(drawn.sum(), rates)
    drawn = drawn.detach()
    assert drawn.mean().item() == pytest.approx(expectation.item(), abs=5 * float(drawn.std()) / n**0.5)
    assert slopes.mean().item() == pytest.approx(slope.item(), abs=5 * float(slopes.std()) / n**0.5 + 1e-9)


def test_the_slope_to_the_library_size_is_that_of_the_normalisation():
    library = torch.tensor([[1000.0]], dtype=torch.float64, requires_grad=True)
    drawn = draw_log_normalised(torch.full((1, 50), 3.0, dtype=torch.float64), library, generator=seed())
    counts = drawn.detach().expm1() / 10
    (slope,) = torch.autograd.grad(drawn.sum(), library)
    expected = -(counts * 1e4 / 1000**2 / (1 + 10 * counts)).sum()
    assert slope.item() == pytest.approx(expected.item(), rel=1e-9)
