"""Laws of the prior over a VAE's latents, the same for every family."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from genailab.data import CellDataset
from genailab.errors import InputError
from genailab.generative.diffusion import LatentDiffusion
from genailab.generative.latent_generator import PRIORS, LatentGenerator, LatentGeneratorConfig
from genailab.generative.vae import CountVAE, CountVAEConfig
from genailab.training import TrainConfig, fit
from genailab.training import seeded as global_seed

TYPES, DONORS = ("B", "NK"), ("d1", "d2")
SMALL = {"vae": {"n_hidden": 16, "n_layers": 1}}  # the others' sizes have other names
QUICK_SAMPLING = {"score": {"n_steps": 20}}
# Score models and EDM are further settings of the diffusion: that they learn is tested with it.
STEPS = {"diffusion": 100, "flow_matching": 100, "gan": 200, "energy": 100, "vae": 150}


def cells(n: int = 120) -> CellDataset:
    """Two types that express different halves of ten genes."""
    rng = np.random.default_rng(0)
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


@pytest.fixture(scope="module")
def vae() -> CountVAE:
    with global_seed(0):
        model = CountVAE(CountVAEConfig(genes=cells().genes, n_latent=3, n_hidden=16, split_hash="h"))
    fit(model, cells(), config=TrainConfig(max_epochs=60, batch_size=120, learning_rate=1e-2, device="cpu"))
    return model


def around(vae: CountVAE, prior: str, **settings: object) -> LatentGenerator:
    size = SMALL.get(prior, {"width": 16, "depth": 1})
    with global_seed(0):
        return LatentGenerator.around(vae, {"type": TYPES}, cells(), prior=prior, **{**size, **settings})


def draw(model: LatentGenerator, n: int, condition: object, seed: int = 0) -> torch.Tensor:
    options = QUICK_SAMPLING.get(model.config.prior, {})
    return model.sample(n, condition, generator=torch.Generator().manual_seed(seed), **options)


def is_b(counts: torch.Tensor) -> torch.Tensor:
    return counts[:, :5].sum(dim=1) > counts[:, 5:].sum(dim=1)


@pytest.mark.parametrize("prior", STEPS)
def test_one_word_changes_the_family_and_each_learns_where_the_types_are(vae, prior):
    model = around(vae, prior)
    kept = {name: value.clone() for name, value in model.vae.state_dict().items()}
    config = TrainConfig(
        max_epochs=1000,
        max_steps=STEPS[prior],
        batch_size=120,
        learning_rate=1e-2,
        ema_decay=0.95,
        device="cpu",
    )
    fit(model, model.encode(cells()), config=config)
    asked = ["B", "NK"] * 100
    found = draw(model, 200, {"type": asked})
    assert found.shape == (200, 10)
    assert torch.equal(found, found.round())
    assert found.min() >= 0
    right = is_b(found) == torch.tensor([name == "B" for name in asked])
    assert right.float().mean() > 0.8
    # Real cells have 48 counts, give or take 7.
    assert found.sum(dim=1).mean().item() == pytest.approx(cells().library_sizes.mean(), rel=0.15)
    assert all(torch.equal(kept[name], value) for name, value in model.vae.state_dict().items())


@pytest.mark.parametrize("prior", PRIORS)
def test_a_saved_model_gives_the_same_cells_and_sampling_leaves_the_global_state_alone(vae, prior, tmp_path):
    model = around(vae, prior).eval()
    loaded = LatentGenerator.from_pretrained(model.save_pretrained(tmp_path))
    assert loaded.config == model.config
    assert loaded.config.split_hash == "h"
    random_state = torch.get_rng_state()
    one, two, other = (
        draw(model, 9, {"type": "NK"}),
        draw(loaded, 9, {"type": "NK"}),
        draw(model, 9, {"type": "B"}, 1),
    )
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_the_diffusion_is_the_latent_diffusion(vae):
    general = around(vae, "diffusion")
    with global_seed(0):
        thin = LatentDiffusion.around(vae, {"type": TYPES}, cells(), width=16, depth=1)
    assert torch.equal(thin.scale, general.scale)
    for model in (thin, general):
        latents = model.encode(cells())
        fit(model, latents, config=TrainConfig(max_epochs=3, batch_size=60, device="cpu"))
    assert torch.equal(
        draw(general, 20, {"type": "B"}),
        thin.sample(20, {"type": "B"}, generator=torch.Generator().manual_seed(0)),
    )


def test_what_is_learned_is_the_priors_alone_and_its_players_keep_their_rates(vae):
    model = around(vae, "gan", generator_learning_rate_factor=0.5)
    groups = model.parameter_groups(1e-3)
    assert [group["lr"] for group in groups] == [1e-3, 5e-4]
    trained = {id(parameter) for group in groups for parameter in group["params"]}
    assert trained == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    assert trained.isdisjoint({id(parameter) for parameter in model.vae.parameters()})


def test_decoding_undoes_the_standardisation(vae):
    model = around(vae, "diffusion").eval()
    latents = model.encode(cells())
    x = (latents.mean - model.center) / model.scale
    generators = [torch.Generator().manual_seed(3) for _ in range(2)]
    mine = model.decode(x, {"type": "B"}, generator=generators[0])  # the VAE isn't told a type
    its = vae.sample(
        len(x), state=latents.mean[:, :-1], log_library=latents.mean[:, -1:], generator=generators[1]
    )
    # In float32 the way there and back moves a rate by 1e-6, hardly ever a count.
    assert (mine == its).float().mean() > 0.99


def test_the_configuration_holds_every_setting_of_the_prior(vae):
    config = around(vae, "flow_matching", coupling="independent").config
    assert config.settings["schedule"] == "cond_ot"  # the family's
    assert config.settings["coupling"] == "independent"  # the user's
    assert config.settings["drop_condition"] == 0.1  # a default: a later version may have another
    assert config.prior_config().n_dims == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior": "flow_maching"}, "no prior 'flow_maching': did you mean 'flow_matching'"),
        ({"prior": "gan", "settings": {"widht": 3}}, "no setting 'widht': did you mean 'width'"),
        ({"prior": "gan", "settings": {"penalty": "r2"}}, "penalty"),
        ({"prior": "gan", "settings": {"n_dims": 3}}, "'n_dims' is no setting: it follows from"),
        ({"prior": "energy", "settings": {"width": "wide"}}, "'width' cannot be 'wide'"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(vae, settings, message):
    with pytest.raises(InputError, match=message):
        LatentGeneratorConfig(vae=vae.config, **settings)


@pytest.mark.parametrize(
    ("prior", "condition", "options", "message"),
    [
        ("gan", {"type": "NK"}, {"sampler": "ddpm"}, "the prior 'gan' has no option 'sampler'"),
        ("diffusion", {"type": "NK"}, {"n_step": 3}, "has no option 'n_step': did you mean 'n_steps'"),
        ("gan", None, {}, "needs a condition for 'type'"),
        ("energy", {"type": "Nk"}, {}, "'Nk' is not a known type: did you mean 'NK'"),
        ("vae", {"type": "NK", "donor": "d1"}, {}, "knows no condition 'donor'"),
        ("flow_matching", {"type": ["NK"] * 2}, {}, "has 2 values for 3 samples"),
    ],
)
def test_cells_that_cannot_be_drawn_are_refused(vae, prior, condition, options, message):
    with pytest.raises(InputError, match=message):
        around(vae, prior).sample(3, condition, **options)


@pytest.mark.parametrize("prior", ["diffusion", "gan", "energy", "vae"])
def test_no_samples_are_refused(vae, prior):
    with pytest.raises(InputError, match="asked for 0 samples"):
        around(vae, prior).sample(0, {"type": "NK"})
