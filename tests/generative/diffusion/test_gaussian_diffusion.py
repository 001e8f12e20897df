"""A conditional diffusion of two clusters: asked for one it gives that one, asked for none it gives both."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion import GaussianDiffusion, GaussianDiffusionConfig
from genailab.generative.diffusion.networks import ResidualDenoiser

CENTERS = torch.tensor([[-1.0, -0.5], [1.0, 0.5]])
CLUSTERS = {"cluster": ("left", "right")}


def draw(seed: int, n: int = 256) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 2, (n,), generator=generator)
    return {"x": CENTERS[codes] + 0.2 * torch.randn(n, 2, generator=generator), "cluster": codes}


def learned(n_steps: int = 400, **settings: object) -> GaussianDiffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = GaussianDiffusionConfig(n_dims=2, conditions=CLUSTERS, width=48, depth=2, **settings)
        model = GaussianDiffusion(config)
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        for seed in range(n_steps):
            optimiser.zero_grad()
            model.loss(draw(seed)).total.backward()
            optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def model() -> GaussianDiffusion:
    return learned(drop_condition=0.2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("sampler", "n_steps"), [("dpm++2m", 20), ("ddim", 50), ("ddpm", 100)])
def test_gives_the_cluster_that_is_asked_for(model, sampler, n_steps):
    for code, name in enumerate(CLUSTERS["cluster"]):
        found = model.sample(500, {"cluster": name}, generator=generator(), sampler=sampler, n_steps=n_steps)
        nearest = torch.cdist(found, CENTERS).argmin(dim=1)
        assert (nearest == code).float().mean() > 0.97
        torch.testing.assert_close(found.mean(dim=0), CENTERS[code], atol=0.1, rtol=0)
        torch.testing.assert_close(found.std(dim=0), torch.full((2,), 0.2), atol=0.08, rtol=0)


def test_without_a_condition_gives_both(model):
    found = model.sample(1000, generator=generator())
    right = (torch.cdist(found, CENTERS).argmin(dim=1) == 1).float().mean()
    assert 0.35 < right < 0.65


def test_a_condition_for_each_sample_is_kept_in_order(model):
    wanted = ["left", "right", "right"] * 40
    found = model.sample(120, {"cluster": wanted}, generator=generator())
    names = [CLUSTERS["cluster"][i] for i in torch.cdist(found, CENTERS).argmin(dim=1)]
    assert sum(one == other for one, other in zip(names, wanted, strict=True)) > 115


def test_guidance_moves_samples_away_from_the_other_cluster(model):
    means = [
        model.sample(500, {"cluster": "right"}, generator=generator(), guidance_scale=scale)[:, 0]
        .mean()
        .item()
        for scale in (0.0, 1.0, 3.0)
    ]
    assert means[0] < means[1] - 0.5
    assert means[2] > means[1] - 0.02


@pytest.mark.parametrize(
    ("prediction", "schedule", "sampler"),
    [
        ("eps", "linear", "ddpm"),
        ("eps", "cosine", "ddpm"),
        ("x0", "linear", "dpm++2m"),
        ("v", "linear", "ddim"),
    ],
)
def test_each_prediction_and_schedule_learns(prediction, schedule, sampler):
    other = learned(250, prediction=prediction, schedule=schedule)
    found = other.sample(200, {"cluster": "left"}, generator=generator(), n_steps=60, sampler=sampler)
    torch.testing.assert_close(found.mean(dim=0), CENTERS[0], atol=0.2, rtol=0)


def test_the_same_generator_gives_the_same_samples_and_nothing_else_changes(model):
    random_state = torch.get_rng_state()
    model.train()
    one, two = (model.sample(7, {"cluster": "left"}, generator=generator(3)) for _ in range(2))
    assert model.training
    model.eval()
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert torch.equal(one, model.sample(7, {"cluster": "left"}, generator=generator(3)))


def test_a_saved_model_gives_the_same_samples(model, tmp_path):
    loaded = GaussianDiffusion.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    one, two = (m.sample(5, {"cluster": "left"}, generator=generator(1)) for m in (model, loaded))
    assert torch.equal(one, two)


def test_hiding_conditions_hides_all_of_a_sample_at_the_rate_asked():
    network = ResidualDenoiser(2, {"a": ("x", "y"), "b": ("p", "q", "r")}, width=8, depth=1)
    codes = {"a": torch.zeros(20_000).long(), "b": torch.ones(20_000).long(), "x": torch.zeros(20_000, 2)}
    dropped = network.drop(codes, 0.3, generator=generator())
    assert set(dropped) == {"a", "b"}
    assert torch.equal(dropped["a"] == 2, dropped["b"] == 3)
    assert (dropped["a"] == 2).float().mean().item() == pytest.approx(0.3, abs=0.015)
    assert codes["a"].sum() == 0


def test_a_hidden_condition_is_no_condition():
    network = ResidualDenoiser(2, CLUSTERS, width=8, depth=1)
    torch.nn.init.normal_(network.project_out[1].weight)
    torch.nn.init.normal_(network.blocks[0].film.scale_and_shift.weight)
    x, t = torch.randn(4, 2), torch.tensor(0.5)
    hidden = network.drop({"cluster": torch.tensor([0, 1, 0, 1])}, 1.0)
    torch.testing.assert_close(network(x, t, hidden), network(x, t))
    assert not torch.allclose(network(x, t, {"cluster": torch.zeros(4).long()}), network(x, t))


def test_starts_by_predicting_nothing():
    network = ResidualDenoiser(3, {}, width=8, depth=2)
    assert network(torch.randn(4, 3), torch.rand(4)).abs().max() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"guidance_scale": 2.0}, "guidance_scale is 2.0 but there is no condition"),
        ({"condition": {"cluster": "lefty"}}, "'lefty' is not a known cluster: did you mean 'left'"),
        ({"condition": {"clusters": "left"}}, "no condition 'clusters': did you mean 'cluster'"),
        ({"sampler": "ddmp"}, "no sampler 'ddmp': did you mean"),
        ({"n_steps": 0}, "asked for 0 sampling steps"),
        ({"n": 0, "condition": {"cluster": "left"}}, "asked for 0 samples"),
        ({"n": 0}, "asked for 0 samples"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        model.sample(**{"n": 3, **options})


def test_an_unconditional_model_that_was_never_trained_is_not_sampled():
    never = GaussianDiffusion(
        GaussianDiffusionConfig(n_dims=2, conditions=CLUSTERS, width=8, depth=1, drop_condition=0)
    )
    assert never.sample(2, {"cluster": "left"}).shape == (2, 2)
    for options in ({}, {"condition": {"cluster": "left"}, "guidance_scale": 2.0}):
        with pytest.raises(InputError, match="unconditional model was never trained, as drop_condition is 0"):
            never.sample(2, **options)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prediction": "noise"}, "prediction is 'noise': choose one of eps, x0, v, score, velocity, edm"),
        ({"weighting": "min"}, "weighting is 'min': choose one of simple, eps, min_snr, edm, elbo"),
        ({"times": "even"}, "times is 'even': choose one of uniform, low_discrepancy"),
        ({"coupling": "ot"}, "coupling is 'ot': choose one of independent, optimal_transport"),
        ({"sigma_data": 0.0}, "sigma_data is 0.0: data need a standard deviation above 0"),
        ({"weighting": "elbo", "times": "edm"}, "times are 'edm' but the weights 'elbo' are a bound"),
        ({"schedule": "learned"}, "the schedule is learned but the weighting is 'simple'"),
        ({"schedule": "lineal"}, "no noise schedule 'lineal': did you mean 'linear'"),
        ({"drop_condition": 1.0}, r"drop_condition is 1.0: it must be in \[0, 1\)"),
        ({"dropout": -0.1}, r"dropout is -0.1: it must be in \[0, 1\)"),
        ({"width": 0}, "width is 0: it must be at least 1"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        GaussianDiffusionConfig(**{"n_dims": 2, **settings})
