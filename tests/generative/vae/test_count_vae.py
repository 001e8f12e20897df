"""Laws of the CountVAE: its loss is minus a bound, its samples are counts, its library is what was asked."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genailab.data import load_pbmc
from genailab.errors import InputError
from genailab.generative.vae import CountVAE, CountVAEConfig, elbo, importance_weighted_bound
from genailab.training import TrainConfig, fit
from genailab.training.state import compiling_lacks

GENES = tuple(f"gene{i}" for i in range(12))
COVARIATES = {"batch": ("a", "b"), "donor": ("d1", "d2", "d3")}


def build(seed: int = 0, **settings: object) -> CountVAE:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return CountVAE(CountVAEConfig(genes=GENES, n_latent=2, n_hidden=16, **settings))


def cells(n: int = 64, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(0, 2, (n, 1), generator=generator)
    rates = torch.where((torch.arange(len(GENES)) < 6) == (kind == 0), 8.0, 0.5)
    counts = torch.poisson(rates, generator=generator)
    codes = {
        key: torch.randint(0, len(names), (n,), generator=generator) for key, names in COVARIATES.items()
    }
    return {"counts": counts, "library_size": counts.sum(dim=1), **codes}


def train(model: CountVAE, batch: dict[str, Tensor], steps: int) -> list[float]:
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(steps):
            optimiser.zero_grad()
            loss = model.train().loss(batch).total
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize("library", ["observed", "learned"])
@pytest.mark.parametrize("likelihood", ["nb", "zinb", "poisson", "gaussian"])
def test_learns_and_generates_counts(likelihood, library):
    model = build(likelihood=likelihood, library=library, covariates=COVARIATES, library_log_mean=4.0)
    losses = train(model, cells(), 60)
    assert all(map(math.isfinite, losses))
    assert sum(losses[-5:]) < sum(losses[:5])
    sample = model.sample(20, {"batch": "b", "donor": ["d1", "d3"] * 10}, generator=torch.Generator())
    assert sample.shape == (20, len(GENES))
    assert torch.equal(sample, sample.round())
    assert sample.min() >= 0
    assert sample.max() > 0


@pytest.mark.parametrize(
    ("likelihood", "library"), [("nb", "observed"), ("zinb", "learned"), ("gaussian", "learned")]
)
def test_the_loss_is_minus_the_elbo_and_below_it_lies_the_importance_weighted_bound(likelihood, library):
    model = build(likelihood=likelihood, library=library, library_log_mean=4.0)
    batch = cells(16)
    train(model, batch, 30)
    model.eval()
    weights = model.log_weights(batch, n_draws=600, generator=torch.Generator().manual_seed(0))
    assert weights.shape == (600, 16)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        losses = torch.stack([model.loss(batch).total for _ in range(150)])
    error = 4 * math.hypot(losses.std() / math.sqrt(150), weights.mean(dim=1).std() / math.sqrt(600))
    assert abs(losses.mean() + elbo(weights).mean()) < error + 1e-3
    assert (importance_weighted_bound(weights) > elbo(weights)).all()


def test_the_kl_weight_rises_to_beta_and_evaluation_counts_it_whole():
    model = build(beta=0.5, kl_warmup=4)
    batch = cells()

    def weight() -> float:
        loss = model.loss(batch)
        return ((loss.total - loss.terms["reconstruction"]) / loss.terms["kl"]).item()

    model.eval()
    assert weight() == pytest.approx(0.5, rel=1e-3)
    model.train()
    assert [weight() for _ in range(6)] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5], rel=1e-3)
    assert model.eval().steps == 6


def test_the_means_of_a_cell_sum_to_its_library_size():
    model = build(covariates=COVARIATES).eval()
    codes = {"batch": torch.tensor([0, 1]), "donor": torch.tensor([2, 0])}
    log_library = torch.tensor([[3.0], [8.0]])
    means = model.decode(torch.randn(2, 2), log_library, codes)["log_mean"].exp()
    torch.testing.assert_close(means.sum(dim=1), log_library.exp()[:, 0], rtol=1e-4, atol=0)


@pytest.mark.parametrize("likelihood", ["nb", "poisson"])
def test_generated_library_sizes_follow_the_prior(likelihood):
    model = build(likelihood=likelihood, library_log_mean=6.0, library_log_std=0.3)
    totals = model.sample(4000, generator=torch.Generator().manual_seed(0)).sum(dim=1)
    assert totals.mean().item() == pytest.approx(math.exp(6 + 0.3**2 / 2), rel=0.03)


def test_the_learned_library_starts_at_the_observed_total():
    batch = cells()
    posterior = build(library="learned").eval().encode(batch).log_library
    torch.testing.assert_close(posterior.mean[:, 0], batch["library_size"].log())


def test_the_decoder_can_start_from_the_genes_average_shares():
    shares = torch.arange(1.0, len(GENES) + 1) / sum(range(len(GENES) + 1))
    model = build().eval()
    torch.nn.init.zeros_(model.to_logits.weight)
    model.start_from(shares)
    means = model.decode(torch.randn(3, 2), torch.zeros(3, 1), {})["log_mean"].exp()
    torch.testing.assert_close(means, shares.expand(3, -1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("key", COVARIATES)
def test_each_covariate_changes_encoding_and_decoding(key):
    model = build(covariates=COVARIATES).eval()
    batch = {**cells(8), "batch": torch.zeros(8).long(), "donor": torch.zeros(8).long()}
    other = {**batch, key: torch.ones(8).long()}
    assert not torch.allclose(model.encode(batch).state.mean, model.encode(other).state.mean)
    state, log_library = torch.zeros(8, 2), torch.zeros(8, 1)
    one, two = (model.decode(state, log_library, codes)["log_mean"] for codes in (batch, other))
    assert not torch.allclose(one, two)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (None, "needs a condition for 'batch'"),
        ({"batch": "a"}, "needs a condition for 'donor'"),
        ({"batch": "a", "donor": "d9"}, "'d9' is not a known donor: known: 'd1'"),
        ({"batch": "a", "doner": "d1"}, "no condition 'doner': did you mean 'donor'"),
    ],
)
def test_an_incomplete_or_unknown_condition_is_refused(condition, message):
    with pytest.raises(InputError, match=message):
        build(covariates=COVARIATES).sample(3, condition)


@pytest.mark.parametrize(("likelihood", "library"), [("nb", "observed"), ("zinb", "learned")])
def test_a_saved_model_generates_the_same_cells(tmp_path, likelihood, library):
    model = build(
        likelihood=likelihood, library=library, covariates=COVARIATES, split_hash="abc", kl_warmup=9
    )
    train(model, cells(), 3)
    loaded = CountVAE.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    assert loaded.config.genes == GENES
    assert loaded.config.split_hash == "abc"
    condition = {"batch": "a", "donor": "d2"}
    one, two = (m.sample(9, condition, generator=torch.Generator().manual_seed(3)) for m in (model, loaded))
    assert torch.equal(one, two)


def test_sampling_leaves_the_model_and_the_global_random_state_as_they_were():
    model = build(dropout=0.5).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    alone = model.sample(
        1, state=torch.zeros(1, 2), log_library=torch.full((1, 1), 9.0)
    )  # no batch statistics
    assert alone.shape == (1, len(GENES))
    torch.set_rng_state(random_state)
    one, two = (model.sample(30, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"likelihood": "nbinom"}, "likelihood is 'nbinom': choose nb, zinb"),
        ({"library": "given"}, "library is 'given': choose observed or learned"),
        ({"n_latent": 0}, "n_latent is 0: it must be at least 1"),
        ({"genes": ()}, "needs at least one gene"),
        ({"dropout": 1.0}, r"dropout is 1.0: it must be in \[0, 1\)"),
        ({"beta": -1.0}, "beta is -1.0: it must not be negative"),
        ({"kl_warmup": -3}, "kl_warmup is -3"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        CountVAEConfig(**{"genes": GENES, **settings})


@pytest.mark.skipif(compiling_lacks() is not None, reason=compiling_lacks() or "")
def test_the_compiled_model_trains_with_the_same_noise_to_the_same_loss():
    cells = load_pbmc().subset(range(100))
    losses = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = CountVAE(CountVAEConfig(genes=cells.genes, n_latent=4, n_hidden=16, kl_warmup=10))
        model.start_from(cells.gene_shares())
        config = TrainConfig(max_epochs=2, batch_size=50, device="cpu", compile=compiled)
        history = fit(model, cells, config=config, show_progress=False)
        losses.append([record["loss"] for record in history.records])
    assert losses[1] == pytest.approx(losses[0], rel=2e-4)  # other draws differ by 3e-3
