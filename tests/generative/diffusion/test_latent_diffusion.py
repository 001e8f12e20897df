"""Laws of the latent diffusion: the VAE stays as it is, latents are standardised, cells are counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from genailab.data import CellDataset
from genailab.errors import InputError
from genailab.generative.diffusion import (
    GaussianDiffusionConfig,
    LatentDiffusion,
    LatentDiffusionConfig,
)
from genailab.generative.vae import CountVAE, CountVAEConfig

TYPES, DONORS = ("B", "NK"), ("d1", "d2")


def cells(n: int = 120, seed: int = 0) -> CellDataset:
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 2
    rates = np.where((np.arange(10) < 5)[None, :] == (kind == 0)[:, None], 9.0, 0.6)
    return CellDataset(
        counts=sp.csr_matrix(rng.poisson(rates).astype(np.float32)),
        genes=tuple(f"g{i}" for i in range(10)),
        cells=tuple(f"c{i}" for i in range(n)),
        covariates={
            "type": pd.Categorical.from_codes(kind, TYPES),
            "donor": pd.Categorical.from_codes(rng.integers(0, 2, n), DONORS),
        },
        label_key="type",
        source="X",
    )


def vae(library: str = "observed", **settings: object) -> CountVAE:
    config = CountVAEConfig(
        genes=cells().genes, n_latent=3, n_hidden=16, library=library, split_hash="h", **settings
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CountVAE(config)


def around(model: CountVAE) -> LatentDiffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LatentDiffusion.around(model, {"type": TYPES}, cells(), width=16, depth=1)


def train(model: LatentDiffusion, n_steps: int) -> list[float]:
    latents = model.encode(cells())
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(n_steps):
            loss = model.train().loss(latents.__getitems__(range(len(latents)))).total
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return losses


@pytest.fixture(scope="module")
def model() -> LatentDiffusion:
    latent = around(vae())
    train(latent, 100)
    return latent.eval()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("library", ["observed", "learned"])
def test_training_leaves_the_vae_as_it_was(library):
    inner = vae(library).train()
    given = {key: value.clone() for key, value in inner.state_dict().items()}
    latent = around(inner)
    before = latent.diffusion.network.project_out[1].weight.clone()
    losses = train(latent, 5)
    assert np.isfinite(losses).all()
    assert not torch.equal(before, latent.diffusion.network.project_out[1].weight)
    assert not any(parameter.requires_grad for parameter in latent.vae.parameters())
    assert latent.training
    assert not latent.vae.training
    for state in (inner.state_dict(), latent.vae.state_dict()):  # running statistics too
        assert all(torch.equal(given[key], value) for key, value in state.items())


@pytest.mark.parametrize("library", ["observed", "learned"])
def test_draws_of_the_training_cells_have_mean_0_and_variance_1(library):
    latent = around(vae(library))
    encoded = latent.encode(cells())
    assert len(encoded) == 120
    standardised = (encoded.mean - latent.center) / latent.scale
    variance = standardised.var(dim=0) + (encoded.std / latent.scale).square().mean(dim=0)
    torch.testing.assert_close(standardised.mean(dim=0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(variance, torch.ones(4), atol=1e-4, rtol=0)


def test_encoding_does_not_depend_on_the_batch_and_keeps_order_codes_and_library_sizes(model):
    data = cells()
    whole, parts = model.encode(data), model.encode(data, batch_size=7)
    torch.testing.assert_close(whole.mean, parts.mean)
    assert whole.tensors["type"].tolist() == list(data.labels.codes)
    torch.testing.assert_close(
        whole.mean[:, -1].exp().double(), torch.tensor(data.library_sizes), rtol=1e-5, atol=0
    )
    assert (whole.std[:, -1] == 0).all()  # an observed library size has no spread


def test_a_dimension_in_which_no_cell_differs_stays_finite():
    data = cells()
    counts = data.counts.toarray()
    counts[:, 0] += counts.sum(axis=1).max() - counts.sum(axis=1)  # one library size for all
    same = CellDataset(
        counts=sp.csr_matrix(counts),
        genes=data.genes,
        cells=data.cells,
        covariates=data.covariates,
        label_key="type",
        source="X",
    )
    latent = LatentDiffusion.around(vae(), {"type": TYPES}, same, width=16, depth=1)
    assert latent.scale[-1] == 1
    loss = latent.loss(latent.encode(same).__getitems__([0, 1, 2])).total
    assert torch.isfinite(loss)


@pytest.mark.parametrize("condition", [{"type": "NK"}, {"type": ["B", "NK", "B", "NK", "B"]}, None])
def test_cells_are_whole_counts_of_the_vaes_genes(model, condition):
    found = model.sample(5, condition, generator=seeded())
    assert found.shape == (5, 10)
    assert torch.equal(found, found.round())
    assert found.min() >= 0


def test_the_same_generator_gives_the_same_cells_and_leaves_the_global_state_alone(model):
    random_state = torch.get_rng_state()
    one, two, other = (
        model.sample(30, {"type": "B"}, generator=seeded(seed), sampler="ddpm", n_steps=10)
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_library_sizes_are_those_of_the_training_cells(model):
    totals = model.sample(2000, {"type": "B"}, generator=seeded()).sum(dim=1)
    assert totals.mean().item() == pytest.approx(cells().library_sizes.mean(), rel=0.25)


def test_a_saved_model_gives_the_same_cells(model, tmp_path):
    loaded = LatentDiffusion.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    assert loaded.config.split_hash == "h"
    assert not any(parameter.requires_grad for parameter in loaded.vae.parameters())
    one, two = (m.sample(6, {"type": "NK"}, generator=seeded(4)) for m in (model, loaded))
    assert torch.equal(one, two)


def test_the_vaes_own_covariates_are_asked_for_beside_the_diffusions():
    latent = around(vae(covariates={"donor": DONORS}))
    found = latent.sample(4, {"type": "B", "donor": ["d1", "d2", "d1", "d2"]}, generator=seeded())
    assert found.shape == (4, 10)
    with pytest.raises(InputError, match="needs a condition for 'donor'"):
        latent.sample(4, {"type": "B"})


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"type": "Nk"}, "'Nk' is not a known type: did you mean 'NK'"),
        ({"type": "B", "donor": "d1"}, "knows no condition 'donor'"),
        ({"typ": "B"}, "knows no condition 'typ'"),
        ({"type": ["B", "NK"]}, "has 2 values for 3 samples"),
    ],
)
def test_a_condition_that_cannot_be_met_is_refused(model, condition, message):
    with pytest.raises(InputError, match=message):
        model.sample(3, condition)


def test_too_few_cells_and_dimensions_that_do_not_fit_are_refused(model):
    with pytest.raises(InputError, match="cannot be standardised on 1 cells: give at least 2"):
        LatentDiffusion.around(vae(), {"type": TYPES}, cells(1))
    with pytest.raises(InputError, match="the diffusion has 9 dimensions: it must have 4"):
        LatentDiffusionConfig(vae=model.config.vae, diffusion=GaussianDiffusionConfig(n_dims=9))
