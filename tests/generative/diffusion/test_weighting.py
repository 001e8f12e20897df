"""A weighting is one loss, whichever quantity the network puts out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion import (
    CondOTSchedule,
    CosineSchedule,
    DenoisingObjective,
    EDMPreconditioning,
    EDMSchedule,
    GaussianProcess,
    LearnedSchedule,
    LinearSchedule,
    VESchedule,
    convert,
    loss_weight,
)
from genailab.generative.diffusion.prediction import PREDICTIONS, beside

TIMES = torch.linspace(0.02, 0.98, 49, dtype=torch.float64)
SCHEDULES = [CosineSchedule(), LinearSchedule(), CondOTSchedule(), VESchedule(), EDMSchedule()]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every_schedule
@pytest.mark.parametrize("weighting", ["min_snr", "eps", "edm", "elbo"])
def test_gives_the_same_loss_in_every_parametrisation(weighting, schedule):
    x0, noise = draw(49, 3, seed=0), draw(49, 3, seed=1)

    def estimate(x: Tensor, t: Tensor) -> Tensor:  # of x_0: a wrong one, any one
        return (x / (1 + beside(schedule.sigma(t), x))).tanh()

    losses = []
    for kind in PREDICTIONS:

        def network(x: Tensor, t: Tensor, kind=kind) -> Tensor:
            return convert(estimate(x, t), x, t, schedule, kind="x0", to=kind)

        objective = DenoisingObjective(GaussianProcess(schedule), kind, weighting=weighting)
        losses.append(objective(network, x0, t=TIMES, noise=noise))
    for loss in losses[1:]:
        torch.testing.assert_close(loss, losses[0], rtol=1e-9, atol=0)


def test_min_snr_is_the_papers_for_each_prediction():
    # Hang et al. 2023, section 3.4, for a schedule that preserves variance.
    schedule = CosineSchedule()
    snr = schedule.log_snr(TIMES).exp()
    cut = snr.clamp(max=5.0)
    for kind, expected in (("x0", cut), ("eps", cut / snr), ("v", cut / (snr + 1))):
        torch.testing.assert_close(loss_weight("min_snr", TIMES, schedule, prediction=kind), expected)


def test_edm_weights_the_networks_own_output_by_1():
    for schedule in SCHEDULES:
        out = EDMPreconditioning(schedule=schedule, sigma_data=0.5).out(TIMES)
        weight = loss_weight("edm", TIMES, schedule, prediction="x0", sigma_data=0.5)
        torch.testing.assert_close(weight * out.square(), torch.ones_like(TIMES))


def test_edms_are_the_papers_where_noise_explodes():
    schedule, data = EDMSchedule(), 0.5
    sigma = schedule.sigma(TIMES)
    expected = (sigma.square() + data**2) / (sigma * data).square()  # Karras et al. 2022, table 1
    found = loss_weight("edm", TIMES, schedule, prediction="x0", sigma_data=data)
    torch.testing.assert_close(found, expected)


def test_simple_weights_the_output_by_1_and_the_score_as_its_noise():
    schedule = VESchedule()
    for kind in ("eps", "x0", "v", "velocity"):
        assert (loss_weight("simple", TIMES, schedule, prediction=kind) == 1).all()
    score = loss_weight("simple", TIMES, schedule, prediction="score")
    torch.testing.assert_close(score, schedule.sigma(TIMES).square())


def test_the_bound_does_not_depend_on_the_way_between_its_ends():
    # Kingma et al. 2021, section 5.1: integral of -SNR'/2 E|x0 - x0_hat|^2 over time, whose exact value for
    # data N(0, s^2) and their exact denoiser is log((1 + s^2 SNR_max) / (1 + s^2 SNR_min)) / 2.
    spread = 0.7
    ends = {"log_snr_max": 6.0, "log_snr_min": -6.0}
    learned = LearnedSchedule(n_hidden=8, **ends).requires_grad_(False)
    learned.height.add_(torch.linspace(0, 8, 8))
    t = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    for schedule in (CosineSchedule(**ends), LinearSchedule(**ends), CondOTSchedule(**ends), learned):
        variance = 1 / (spread**-2 + schedule.log_snr(t).exp())  # of x_0 given x_t
        bound = (loss_weight("elbo", t, schedule, prediction="x0") * variance).mean()
        snr = torch.tensor([6.0, -6.0]).double().exp()
        expected = 0.5 * torch.log1p(spread**2 * snr)
        assert bound.item() == pytest.approx((expected[0] - expected[1]).item(), rel=1e-4)


def test_an_unknown_weighting_is_refused():
    with pytest.raises(InputError, match="no weighting 'min_snrr': did you mean 'min_snr'"):
        loss_weight("min_snrr", TIMES, CosineSchedule(), prediction="x0")
