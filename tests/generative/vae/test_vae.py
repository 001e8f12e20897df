"""Laws of the VAE of vectors: exact where it is linear, its objectives where they meet, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import FactorAnalysis
from torch import Tensor
from torch.distributions import MultivariateNormal

from genailab.data import TensorRows
from genailab.errors import InputError
from genailab.generative.vae import VAE, KLSchedule, VAEConfig, elbo, importance_weighted_bound
from genailab.training import TrainConfig, fit

CONDITIONS = {"type": ("B", "NK", "T")}
N_DIMS = 6


def build(seed: int = 0, **options: object) -> VAE:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return VAE(VAEConfig(**{"n_dims": N_DIMS, "n_latent": 2, "n_hidden": 16, "n_layers": 1, **options}))


def vectors(n: int = 64, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(0, 3, (n,), generator=generator)
    latent = torch.randn(n, 2, generator=generator)
    loadings = torch.linspace(-1, 1, 2 * N_DIMS).view(2, N_DIMS).sin()
    x = latent @ loadings + (kind[:, None] - 1.0) + 0.3 * torch.randn(n, N_DIMS, generator=generator)
    return {"x": x, "type": kind}


def loss_with_the_same_noise(model: VAE, batch: dict[str, Tensor]) -> Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return model.loss(batch).total


# --- the linear-Gaussian model, whose log p(x) is known --------------------------------------------------


def linear(*, shift: float = 0.0, stretch: float = 1.0) -> tuple[VAE, MultivariateNormal]:
    """Return a probabilistic PCA with its exact posterior, moved and stretched, and its exact p(x).

    The loadings W are orthogonal, so that the posterior N(M^-1 W^T (x - b), s^2 M^-1), M = W^T W + s^2,
    has independent dimensions.
    """
    noise = 0.6
    model = build(n_layers=0, noise_std=noise).double().eval()
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(N_DIMS, 2, generator=generator, dtype=torch.float64))[0]
    loadings = basis * torch.tensor([2.0, 0.7])  # (n_dims, n_latent)
    bias = torch.linspace(-1, 1, N_DIMS, dtype=torch.float64)
    precision = loadings.square().sum(dim=0) + noise**2
    to_mean = loadings.T / precision[:, None]
    log_var = (noise**2 / precision).log() + 2 * math.log(stretch)
    with torch.no_grad():
        model.to_mean.weight.copy_(loadings)
        model.to_mean.bias.copy_(bias)
        model.log_std.fill_(math.log(noise))
        model.to_posterior.weight.copy_(torch.cat([to_mean, torch.zeros_like(to_mean)]))
        model.to_posterior.bias.copy_(torch.cat([-to_mean @ bias + shift, log_var]))
    covariance = loadings @ loadings.T + noise**2 * torch.eye(N_DIMS, dtype=torch.float64)
    return model, MultivariateNormal(bias, covariance)


def test_with_the_exact_posterior_every_draw_gives_the_exact_log_p():
    model, law = linear()
    x = law.sample((10,))
    weights = model.log_weights({"x": x}, n_draws=3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(weights, law.log_prob(x).expand(3, -1))
    with torch.no_grad():
        torch.testing.assert_close(model.loss({"x": x}).terms["kl"], model.encode({"x": x}).state.kl().mean())


def test_elbo_below_iwae_below_the_exact_log_p():
    model, law = linear(shift=0.15, stretch=1.4)
    x = law.sample((400,))
    exact = law.log_prob(x).mean()
    weights = model.log_weights({"x": x}, n_draws=1000, generator=torch.Generator().manual_seed(0))
    bounds = [
        torch.stack([importance_weighted_bound(part).mean() for part in weights.split(k)]).mean()
        for k in (1, 5, 50, 1000)
    ]
    torch.testing.assert_close(bounds[0], elbo(weights).mean())
    assert bounds[0] < bounds[1] < bounds[2] < exact
    assert bounds[-1].item() == pytest.approx(exact.item(), abs=0.01)
    gap = torch.tensor(1.4**2 - 1 - 2 * math.log(1.4)) / 2 * 2  # of the stretch, in two dimensions
    posterior_std = model.encode({"x": x[:1]}).state.std[0].double() / 1.4
    gap = gap + (0.15**2 / posterior_std.square()).sum() / 2
    assert (exact - bounds[0]).item() == pytest.approx(gap.item(), abs=0.03)


@pytest.mark.parametrize("k", [1, 5, 50])
def test_the_iwae_objective_is_minus_the_bound_of_its_draws(k):
    model, law = linear(stretch=1.5)
    iwae = build(n_layers=0, noise_std=0.6, objective="iwae", n_draws=k).double().eval()
    iwae.load_state_dict(model.state_dict())
    x = law.sample((400,))
    weights = model.log_weights({"x": x}, n_draws=20 * k, generator=torch.Generator().manual_seed(0))
    expected = torch.stack([importance_weighted_bound(part).mean() for part in weights.split(k)]).mean()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        found = torch.stack([iwae.loss({"x": x}).total for _ in range(10)]).mean()
    assert found.item() == pytest.approx(-expected.item(), abs=0.03)


def test_trained_linear_it_reaches_the_likelihood_of_factor_analysis():
    x = vectors(400)["x"]
    model = build(n_layers=0)
    config = TrainConfig(max_epochs=400, batch_size=400, learning_rate=3e-2, schedule="cosine", device="cpu")
    fit(model, TensorRows(x=x), config=config, show_progress=False)
    weights = model.log_weights({"x": x}, n_draws=100, generator=torch.Generator().manual_seed(0))
    best = FactorAnalysis(2, tol=1e-6, max_iter=5000).fit(x.numpy()).score(x.numpy())
    # Its posterior has independent dimensions, which costs nothing: the loadings may be rotated to fit.
    assert elbo(weights).mean().item() == pytest.approx(best, abs=0.05)


# --- objectives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "beta", "beta": 1.0},
        {"objective": "beta_tc", "beta": 1.0, "n_train": 64},
        {"objective": "factor", "gamma": 0.0},
    ],
)
def test_objectives_without_their_extra_weight_are_the_elbo(options):
    plain, other = build().eval(), build(**options).eval()
    other.load_state_dict(plain.state_dict(), strict=False)
    torch.testing.assert_close(
        loss_with_the_same_noise(other, vectors()), loss_with_the_same_noise(plain, vectors())
    )


@pytest.mark.parametrize(
    ("options", "term", "weight"),
    [
        ({"objective": "beta", "beta": 5.0}, "kl", 4.0),
        ({"objective": "beta_tc", "beta": 5.0, "n_train": 64}, "total_correlation", 4.0),
        ({"objective": "factor", "gamma": 7.0}, "total_correlation", 7.0),
    ],
)
def test_what_an_objective_adds_to_the_elbo_is_its_weight_times_its_term(options, term, weight):
    loss = build(**options).eval().loss(vectors())
    extra = loss.total - loss.terms["reconstruction"] - loss.terms["kl"]
    torch.testing.assert_close(extra, weight * loss.terms[term], rtol=1e-3, atol=1e-4)


def test_the_kl_schedule_weighs_training_and_evaluation_counts_the_plain_kl():
    model = build(kl_schedule=KLSchedule(kind="linear", n_steps=2), free_bits=100.0)

    def extra() -> float:
        loss = model.loss(vectors())
        return (loss.total - loss.terms["reconstruction"]).item()

    model.train()
    assert [extra() for _ in range(3)] == pytest.approx([100, 200, 200], rel=1e-4)
    model.eval()
    loss = model.loss(vectors())
    torch.testing.assert_close(loss.total, loss.terms["reconstruction"] + loss.terms["kl"])


@pytest.mark.parametrize("objective", ["elbo", "beta", "beta_tc", "factor", "iwae"])
def test_fit_trains_every_objective(objective):
    n_train = 96 if objective == "beta_tc" else None
    model = build(objective=objective, conditions=CONDITIONS, n_train=n_train, gamma=1.0, beta=2.0)
    config = TrainConfig(max_epochs=15, batch_size=32, learning_rate=1e-2, device="cpu")
    train, valid = TensorRows(**vectors(96)), TensorRows(**vectors(128, seed=1))
    history = fit(model, train, valid, config, show_progress=False)
    losses = [record["valid_loss"] for record in history.records]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0] - 0.1


# --- generation ------------------------------------------------------------------------------------------


def test_samples_of_the_linear_model_have_its_mean_and_covariance():
    model, law = linear()
    x = model.float().sample(20_000, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(x.mean(dim=0), law.mean, atol=0.05, rtol=0)
    torch.testing.assert_close(torch.cov(x.T), law.covariance_matrix, atol=0.1, rtol=0)


def test_sampling_leaves_the_model_and_the_global_random_state_as_they_were():
    model = build(conditions=CONDITIONS, dropout=0.5).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    condition = {"type": ["B", "T"] * 5}
    one, two = (model.sample(10, condition, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert one.shape == (10, N_DIMS)
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("objective", ["elbo", "factor"])
def test_a_saved_model_generates_the_same_vectors(tmp_path, objective):
    schedule = KLSchedule(kind="cyclic", n_steps=5)
    model = build(conditions=CONDITIONS, objective=objective, kl_schedule=schedule)
    model.train().loss(vectors())
    loaded = VAE.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    assert loaded.kl_weight.steps == 1
    one, two = (
        m.sample(4, {"type": "NK"}, generator=torch.Generator().manual_seed(3)) for m in (model, loaded)
    )
    assert torch.equal(one, two)


# --- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "betatc"}, "objective is 'betatc': choose one of elbo, beta, beta_tc, factor, iwae"),
        ({"objective": "beta_tc"}, "n_train is None: objective 'beta_tc' needs the number of training rows"),
        ({"estimator": "mss"}, "estimator is 'mss'"),
        ({"n_dims": 0}, "n_dims is 0: it must be at least 1"),
        ({"n_draws": 0}, "n_draws is 0"),
        ({"n_layers": -1}, "n_layers is -1: it must be a number that is not negative"),
        ({"beta": -1.0}, "beta is -1.0"),
        ({"gamma": math.inf}, "gamma is inf"),
        ({"free_bits": math.nan}, "free_bits is nan"),
        ({"noise_std": 0.0}, "noise_std is 0.0: it must be positive, or null"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"objective": "iwae", "free_bits": 0.1}, "objective 'iwae' has no KL term of its own"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        build(**options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": None}, r"the batch holds \['type'\] but no 'x'"),
        ({"x": torch.zeros(4, 3)}, r"'x' is torch.float32 of shape \(4, 3\), expected floats \(batch, 6\)"),
        ({"x": torch.zeros(4, 6).long()}, "'x' is torch.int64"),
        ({"type": None}, r"the batch holds \['x'\] but no 'type'"),
        ({"type": torch.tensor([0, 1, 2, 3])}, "row 3 has the type 3: expected 0 to 2, for B, NK, T"),
        ({"type": torch.zeros(3).long()}, r"type is torch.int64 of shape \(3,\) for 4"),
    ],
)
def test_batches_that_cannot_be_right_are_refused(change, message):
    batch = {"x": torch.zeros(4, N_DIMS), "type": torch.zeros(4).long(), **change}
    with pytest.raises(InputError, match=message):
        build(conditions=CONDITIONS).loss({key: value for key, value in batch.items() if value is not None})


@pytest.mark.parametrize(
    ("n", "condition", "state", "message"),
    [
        (0, {"type": "B"}, None, "asked for 0 samples"),
        (3, None, None, "needs a condition for 'type'"),
        (3, {"type": "Bcell"}, None, "'Bcell' is not a known type: did you mean 'B'|known: 'B'"),
        (3, {"tipe": "B"}, None, "no condition 'tipe': did you mean 'type'"),
        (3, {"type": ["B", "T"]}, None, "has 2 values for 3 samples"),
        (
            3,
            {"type": "B"},
            torch.zeros(2, 2),
            r"state is \(2, 2\), but 3 samples .* need \(3, 2\)",
        ),
    ],
)
def test_samples_that_cannot_be_drawn_are_refused(n, condition, state, message):
    with pytest.raises(InputError, match=message):
        build(conditions=CONDITIONS).sample(n, condition, state=state)


def test_a_value_that_is_not_finite_stops_training_at_its_batch_and_term():
    rows = vectors(64)
    rows["x"][17, 2] = math.nan
    config = TrainConfig(max_epochs=2, batch_size=32, device="cpu")
    with pytest.raises(InputError, match=r"(loss|kl|reconstruction) is nan in batch \d of this epoch"):
        fit(build(), TensorRows(x=rows["x"]), config=config, show_progress=False)


def test_bounds_need_a_draw():
    with pytest.raises(InputError, match="asked for 0 draws from the posterior"):
        build().log_weights(vectors(), n_draws=0)
