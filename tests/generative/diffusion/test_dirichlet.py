"""Dirichlet paths on the simplex, against the beta distribution and a toy whose posterior is known."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import beta, betainc, betaincinv
from scipy.stats import kstest
from torch import Tensor

from genailab.data.sequences.encoding import decode, encode
from genailab.errors import InputError
from genailab.generative.diffusion.dirichlet import DirichletPath
from genailab.generative.diffusion.dirichlet_diffusion import DirichletDiffusion, DirichletDiffusionConfig

MOTIFS = {"TATA": "TATAAA", "E-box": "CACGTG"}
LENGTH = 10
CONFIG = DirichletDiffusionConfig(
    length=LENGTH, conditions={"motif": tuple(MOTIFS)}, width=16, depth=1, drop_condition=0.2
)
DNA_PATH = DirichletPath(n_letters=4)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("n_letters", [2, 4])
@pytest.mark.parametrize("concentration", [0.0, 0.3, 2.0, 8.0, 30.0])
def test_the_speed_is_the_derivative_of_the_incomplete_beta_function(n_letters, concentration):
    x = np.array([1e-6, 0.01, 0.2, 0.49, 0.51, 0.7, 0.95])  # both sides of where the series changes
    a, b, step = concentration + 1, n_letters - 1, 1e-5
    slope = (betainc(a + step, b, x) - betainc(a - step, b, x)) / (2 * step)
    expected = -slope * beta(a, b) / (x**concentration * (1 - x) ** b)
    found = DirichletPath(n_letters=n_letters).speed(torch.tensor(x), concentration).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@given(
    n_letters=st.integers(2, 20),
    concentration=st.floats(0, 100),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_the_speed_is_smooth_between_0_and_1_and_known_at_the_corner(n_letters, concentration, seed):
    path = DirichletPath(n_letters=n_letters)
    x = torch.rand(50, generator=generator(seed), dtype=torch.float64).sort().values
    speed = path.speed(x, concentration)
    assert (speed >= 0).all()
    assert (speed.diff() >= -1e-9).all()  # the nearer, the faster
    corner = path.speed(torch.tensor(1.0), concentration).item()
    assert corner == pytest.approx(
        sum(1 / (concentration + 1 + m) for m in range(n_letters - 1)) / (n_letters - 1)
    )
    assert speed.max() <= corner <= 1


def test_noise_is_dirichlet():
    codes = torch.arange(4).repeat(20_000, 1).to(torch.uint8)
    x = DNA_PATH.noisy(codes, torch.full((20_000,), 2.5), generator=generator())
    assert x.shape == (20_000, 4, 4)
    torch.testing.assert_close(x.sum(dim=1), torch.ones(20_000, 4))
    for code in range(4):
        for letter in range(4):
            a = 3.5 if letter == code else 1.0
            share = x[:, letter, code].numpy()  # the position of each code is the code
            assert kstest(share, "beta", args=(a, 6.5 - a)).statistic < 0.015
    assert (
        kstest(
            DNA_PATH.pure_noise(20_000, 1, generator=generator())[:, 2, 0].numpy(), "beta", args=(1, 3)
        ).statistic
        < 0.015
    )


def exact_posterior(prior: Tensor) -> object:
    """p(letter | x, c) of a letter drawn from the prior: a Dirichlet's density is in proportion to x^c."""
    return lambda x, c: (prior[:, None] * x**c) / (prior[:, None] * x**c).sum(dim=1, keepdim=True)


def test_the_flow_to_a_letter_keeps_quantiles_with_an_error_that_halves_with_the_step():
    x = DNA_PATH.pure_noise(200, 1, generator=generator()).double()
    letter = torch.tensor([0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    # The share of the letter moves from Beta(1, 3) to Beta(1 + c, 3), each sample keeping its quantile.
    expected = torch.from_numpy(betaincinv(5, 3, betainc(1, 3, x[:, 2, 0].numpy())))
    errors = []
    for n_steps in (50, 100, 200):
        grid = torch.linspace(0, 4, n_steps + 1, dtype=torch.float64)
        found = DNA_PATH.flow(exact_posterior(letter), x, grid)
        torch.testing.assert_close(found.sum(dim=1), torch.ones(200, 1, dtype=torch.float64))
        # The others shrink alike.
        torch.testing.assert_close(found[:, 0] / found[:, 1], x[:, 0] / x[:, 1])
        errors.append((found[:, 2, 0] - expected).abs().max().item())
    assert [math.log2(one / two) for one, two in pairwise(errors)] == pytest.approx([1, 1], abs=0.1)


def test_with_the_exact_posterior_the_flow_ends_in_the_data():
    prior = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    x = DNA_PATH.pure_noise(2000, 4, generator=generator()).double()
    found = DNA_PATH.flow(exact_posterior(prior), x, torch.linspace(0, 20, 101))
    shares = torch.bincount(found.argmax(dim=1).flatten(), minlength=4) / 8000
    torch.testing.assert_close(shares, prior.float(), atol=0.017, rtol=0)
    # And on the way it is the mixture of Dirichlets that noise makes of the data.
    halfway = DNA_PATH.flow(exact_posterior(prior), x, torch.linspace(0, 4, 81))
    codes = torch.multinomial(prior, 8000, replacement=True, generator=generator(1)).reshape(2000, 4)
    noisy = DNA_PATH.noisy(codes, torch.full((2000,), 4.0), generator=generator(2))
    for letter in range(4):
        one, two = (part[:, letter].flatten().numpy() for part in (halfway, noisy))
        assert kstest(one, two).statistic < 0.03


def draw(seed: int, n: int = 64) -> dict[str, Tensor]:
    source = generator(seed)
    codes = torch.randint(0, 4, (n, LENGTH), generator=source).to(torch.uint8)
    motif = torch.randint(0, 2, (n,), generator=source)
    codes[:, 2:8] = encode(list(MOTIFS.values()))[motif]
    return {"codes": codes, "motif": motif}


@pytest.fixture(scope="module")
def model() -> DirichletDiffusion:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = DirichletDiffusion(CONFIG)
        optimiser = torch.optim.Adam(model.parameters(), lr=6e-3)
        for seed in range(80):
            optimiser.zero_grad()
            model.loss(draw(seed)).total.backward()
            optimiser.step()
    return model.eval()


def share_with(sequences: Tensor, motif: str) -> float:
    return sum(MOTIFS[motif] in text for text in decode(sequences)) / len(sequences)


def test_an_untrained_model_is_a_uniform_guess():
    assert DirichletDiffusion(CONFIG).loss(draw(0)).total.item() == pytest.approx(math.log(4), abs=1e-5)


@pytest.mark.parametrize("guidance_scale", [1.0, 2.0])
def test_writes_the_motif_that_is_asked_for(model, guidance_scale):
    for motif, other in (("TATA", "E-box"), ("E-box", "TATA")):
        found = model.sample(
            100, {"motif": motif}, generator=generator(), n_steps=25, guidance_scale=guidance_scale
        )
        assert (found.shape, found.dtype) == ((100, LENGTH), torch.uint8)
        assert share_with(found, motif) > 0.7  # in random DNA one of 800
        assert share_with(found, other) < 0.1
        assert len(set(decode(found))) > 40  # the letters around the motif stay free


def test_without_a_condition_writes_both_motifs(model):
    found = model.sample(100, generator=generator(), n_steps=25)
    assert min(share_with(found, motif) for motif in MOTIFS) > 0.15


def test_a_saved_model_follows_its_generator_and_changes_nothing_else(model, tmp_path):
    loaded = DirichletDiffusion.from_pretrained(model.save_pretrained(tmp_path)).train()
    random_state = torch.get_rng_state()
    one, two = (m.sample(5, {"motif": "TATA"}, generator=generator(1), n_steps=10) for m in (model, loaded))
    assert torch.equal(one, two)
    assert loaded.training
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "asked for 0 samples"),
        ({"n": 0, "condition": {"motif": "TATA"}}, "asked for 0 samples"),
        ({"condition": {"motif": "TAT"}}, "'TAT' is not a known motif: did you mean 'TATA'"),
        ({"guidance_scale": 2.0}, "guidance_scale is 2.0 but there is no condition"),
        ({"n_steps": 7}, "asked for 7 steps to the concentration 8.0"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, options, message):
    with pytest.raises(InputError, match=message):
        model.sample(**{"n": 2, **options})


def test_batches_and_settings_that_cannot_be_right_are_refused(model):
    codes = encode(["GATTACAGAT"])
    with pytest.raises(InputError, match=r"\('N'\) at position 3 of row 0"):
        model.loss({"codes": encode(["GATNACAGAT"]), "motif": torch.tensor([0])})
    with pytest.raises(InputError, match="but no 'motif'"):
        model.loss({"codes": codes})
    with pytest.raises(InputError, match="row 0 has the motif 2: expected 0 to 1"):
        model.loss({"codes": codes, "motif": torch.tensor([2])})
    with pytest.raises(InputError, match="max_concentration is 0"):
        replace(CONFIG, max_concentration=0)
    with pytest.raises(InputError, match="1 letters can carry no sequence"):
        DirichletPath(n_letters=1)
    with pytest.raises(InputError, match="never trained, as drop_condition is 0"):
        DirichletDiffusion(replace(CONFIG, drop_condition=0.0)).sample(2)
