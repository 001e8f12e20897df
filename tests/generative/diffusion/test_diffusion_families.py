"""Diffusion, score model, EDM and flow matching are settings of one class: each learns the same data."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion import GaussianDiffusion, GaussianDiffusionConfig

MEAN = torch.tensor([0.8, -0.6])
SIDES = {"side": ("left", "right")}

FAMILIES = {
    "diffusion": {"weighting": "min_snr"},
    "score": {"schedule": "ve", "prediction": "score"},
    "edm": {"schedule": "edm", "prediction": "edm", "times": "edm"},
    "flow": {"schedule": "cond_ot", "prediction": "velocity", "times": "logit_normal"},
    "ot_flow": {"schedule": "cond_ot", "prediction": "velocity", "coupling": "optimal_transport"},
    "interpolant": {"schedule": "trigonometric", "prediction": "velocity", "times": "uniform"},
    "bound": {"schedule": "learned", "weighting": "elbo"},
    "sigmoid": {"schedule": "sigmoid", "prediction": "x0"},
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(seed: int, n: int = 128) -> Tensor:
    return MEAN + 0.5 * torch.randn(n, 2, generator=generator(seed))


def trained(n_steps: int = 250, **options: object) -> GaussianDiffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GaussianDiffusion(GaussianDiffusionConfig(n_dims=2, width=32, depth=1, **options))
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, n_steps)
        for seed in range(n_steps):
            optimiser.zero_grad()
            model.loss({"x": draw(seed)}).total.backward()
            optimiser.step()
            decay.step()
    return model.eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_the_mean_and_the_spread(family, tmp_path):
    model = trained(**FAMILIES[family])
    # The score's error near noise is large in x_0, which only a sampler that adds fresh noise forgets.
    options = {"sampler": "ddpm", "n_steps": 60} if family == "score" else {"n_steps": 30}
    found = model.sample(1000, generator=generator(), **options)
    torch.testing.assert_close(found.mean(dim=0), MEAN, atol=0.15, rtol=0)
    torch.testing.assert_close(found.std(dim=0), torch.full((2,), 0.5), atol=0.12, rtol=0)
    loaded = GaussianDiffusion.from_pretrained(model.save_pretrained(tmp_path))
    one, two = (m.sample(5, generator=generator()) for m in (model, loaded))
    assert torch.equal(one, two)


def test_sampling_starts_from_as_much_noise_as_the_schedule_ends_with():
    for schedule, spread in (("cosine", 1.0), ("ve", 50.0), ("edm", 80.0), ("cond_ot", 1.0)):
        model = GaussianDiffusion(GaussianDiffusionConfig(n_dims=2, width=8, depth=1, schedule=schedule))
        noise = model._noise(4000, generator(), torch.device("cpu"))
        assert noise.std().item() == pytest.approx(spread, rel=0.03)


def test_conditions_follow_the_data_through_a_coupling():
    # A network that only sees its condition can tell the two sides apart, so its x_0 is the side's mean.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = GaussianDiffusionConfig(
            n_dims=1, conditions=SIDES, width=16, depth=1, prediction="x0", coupling="condition_aware"
        )
        model = GaussianDiffusion(config)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(150):
            side = torch.randint(0, 2, (64,))
            x = (2.0 * side - 1)[:, None] + 0.05 * torch.randn(64, 1)
            loss = model.loss({"x": x, "side": side}).total
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    for name, mean in (("left", -1.0), ("right", 1.0)):
        found = model.sample(100, {"side": name}, generator=generator())
        assert found.mean().item() == pytest.approx(mean, abs=0.1)


def test_a_learned_schedule_moves_and_stays_a_schedule():
    before = GaussianDiffusion(
        GaussianDiffusionConfig(n_dims=2, width=8, depth=1, **FAMILIES["bound"])
    ).schedule
    after = trained(50, **FAMILIES["bound"]).schedule
    times = torch.linspace(0, 1, 101)
    one, other = (schedule.log_snr(times).detach() for schedule in (before, after))
    assert (one - other).abs().max() > 0.01
    torch.testing.assert_close(one[[0, -1]], other[[0, -1]])
    assert (other.diff() < 0).all()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"y": torch.zeros(3, 2)}, r"the batch holds \['y'\] but no 'x'"),
        ({"x": torch.zeros(3, 5)}, r"'x' is torch.float32 of shape \(3, 5\), expected floats \(batch, "),
        ({"x": torch.zeros(3, 2).long()}, r"'x' is torch.int64 of shape \(3, 2\)"),
    ],
)
def test_a_batch_that_is_not_vectors_is_refused(batch, message):
    model = GaussianDiffusion(GaussianDiffusionConfig(n_dims=2, width=8, depth=1))
    with pytest.raises(InputError, match=message):
        model.loss(batch)
