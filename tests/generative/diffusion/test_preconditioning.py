"""EDM preconditioning makes everything the network sees and is asked for of unit variance."""

from __future__ import annotations

import pytest
import torch

from genailab.errors import InputError
from genailab.generative.diffusion import (
    CondOTSchedule,
    CosineSchedule,
    EDMPreconditioning,
    EDMSchedule,
    GaussianProcess,
    Parametrised,
    VESchedule,
)

TIMES = torch.linspace(0.01, 0.99, 9, dtype=torch.float64)
SCHEDULES = [CosineSchedule(), CondOTSchedule(), VESchedule(), EDMSchedule()]


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_input_and_target_have_unit_variance_at_every_time(schedule):
    n, spread = 40_000, 0.5
    edm = EDMPreconditioning(schedule=schedule, sigma_data=spread)
    x0, noise = spread * draw(n, seed=0), draw(n, seed=1)
    for t in TIMES:
        x_t = GaussianProcess(schedule).add_noise(x0, t, noise)
        target = (x0 - edm.skip(t) * x_t) / edm.out(t)
        for values in (edm.scale_in(t) * x_t, target):
            assert values.std().item() == pytest.approx(1, abs=0.02)
        # c_skip is the best linear guess: what is left over has nothing to do with x_t.
        assert (target * x_t).mean().item() / x_t.std().item() == pytest.approx(0, abs=0.02)


def test_is_the_papers_where_noise_explodes():
    schedule, data = EDMSchedule(), 0.5
    sigma = schedule.sigma(TIMES)
    edm = EDMPreconditioning(schedule=schedule, sigma_data=data)
    total = sigma.square() + data**2
    torch.testing.assert_close(edm.skip(TIMES), data**2 / total)
    torch.testing.assert_close(edm.out(TIMES), sigma * data / total.sqrt())
    torch.testing.assert_close(edm.scale_in(TIMES), 1 / total.sqrt())
    torch.testing.assert_close(edm.noise(TIMES), sigma.log() / 4)


def test_with_data_of_unit_variance_it_is_minus_v_where_variance_is_preserved():
    schedule, x = CosineSchedule(), draw(9, 4, seed=0)
    edm, v = (Parametrised(schedule, kind) for kind in ("edm", "v"))
    found = edm.denoiser(lambda x, t, codes: -x.sin(), None)(x, TIMES)
    torch.testing.assert_close(found, v.denoiser(lambda x, t, codes: x.sin(), None)(x, TIMES))


@pytest.mark.parametrize("kind", ["eps", "score", "velocity"])
def test_a_network_of_another_schedule_sees_unit_variance(kind):
    schedule = VESchedule()
    x0, noise, t = draw(20_000, 1, seed=0), draw(20_000, 1, seed=1), torch.tensor(0.8).double()
    seen = []
    predict = Parametrised(schedule, kind)(lambda x, t, codes: (seen.append(x), x)[1], None)
    predict(GaussianProcess(schedule).add_noise(x0, t, noise), t)
    assert seen[0].std().item() == pytest.approx(1, abs=0.02)


def test_data_without_spread_are_refused():
    with pytest.raises(InputError, match=r"sigma_data is 0.0: data need a standard deviation above 0"):
        EDMPreconditioning(schedule=EDMSchedule(), sigma_data=0.0)
