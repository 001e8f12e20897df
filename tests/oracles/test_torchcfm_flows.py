"""Flow matching against torchcfm, whose time runs the other way: there 0 is noise and 1 is data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from genailab.generative.diffusion import (
    CondOTSchedule,
    CosineSchedule,
    DenoisingObjective,
    GaussianProcess,
    minibatch_optimal_transport,
)

cfm = pytest.importorskip("torchcfm.conditional_flow_matching")

INFINITE = float("inf")
STRAIGHT = GaussianProcess(CondOTSchedule(log_snr_max=INFINITE, log_snr_min=-INFINITE))
TIMES = torch.linspace(0.05, 0.95, 64)


def draw(seed: int) -> Tensor:
    return torch.randn(64, 3, generator=torch.Generator().manual_seed(seed))


def network(x: Tensor, t: Tensor) -> Tensor:
    return (x + t[:, None]).sin()


def reversed_loss(x_t: Tensor, t: Tensor, velocity: Tensor) -> Tensor:
    """Return the loss on torchcfm's numbers of the same network told our time and direction."""
    return (-network(x_t, 1 - t) - velocity).square().mean(dim=1)


def test_optimal_transport_pairs_and_losses_are_torchcfms():
    data, noise = draw(0) + 1, draw(1)
    matcher = cfm.ExactOptimalTransportConditionalFlowMatcher(sigma=0.0)
    plan = matcher.ot_sampler.get_map(noise, data)  # (noise, data), 1 / n where paired
    data_index, noise_index = minibatch_optimal_transport(data, noise)
    ours = np.zeros_like(plan)
    ours[noise_index, data_index] = 1 / 64
    np.testing.assert_allclose(plan, ours, atol=1e-9)

    x0, eps = data[data_index], noise[noise_index]
    _, x_t, velocity = cfm.ConditionalFlowMatcher(sigma=0.0).sample_location_and_conditional_flow(
        eps, x0, t=1 - TIMES
    )
    objective = DenoisingObjective(STRAIGHT, "velocity")
    found = objective(network, x0, t=TIMES, noise=eps)
    torch.testing.assert_close(found, reversed_loss(x_t, 1 - TIMES, velocity), rtol=1e-5, atol=1e-6)


def test_losses_of_the_pairs_that_torchcfm_draws_are_the_same():
    data, noise = draw(2), draw(3)
    matcher = cfm.ExactOptimalTransportConditionalFlowMatcher(sigma=0.0)
    t, x_t, velocity = matcher.sample_location_and_conditional_flow(noise, data, t=1 - TIMES)
    # What it paired follows from where it is and where it goes.
    eps, x0 = x_t - t[:, None] * velocity, x_t + (1 - t)[:, None] * velocity
    found = DenoisingObjective(STRAIGHT, "velocity")(network, x0, t=1 - t, noise=eps)
    torch.testing.assert_close(found, reversed_loss(x_t, t, velocity), rtol=1e-4, atol=1e-5)


def test_the_trigonometric_path_is_torchcfms_variance_preserving_one():
    data, noise = draw(4), draw(5)
    _, x_t, velocity = cfm.VariancePreservingConditionalFlowMatcher(
        sigma=0.0
    ).sample_location_and_conditional_flow(noise, data, t=1 - TIMES)
    schedule = CosineSchedule(log_snr_max=70.0, log_snr_min=-70.0)  # the whole quarter of the circle
    process = GaussianProcess(schedule)
    torch.testing.assert_close(process.add_noise(data, TIMES, noise), x_t, atol=1e-5, rtol=0)
    torch.testing.assert_close(process.velocity(data, TIMES, noise), -velocity, atol=1e-5, rtol=0)
