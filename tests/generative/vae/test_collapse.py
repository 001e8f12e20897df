"""Posterior collapse: measured where the answer is known, and prevented where it happens."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genailab.data import TensorRows
from genailab.errors import InputError
from genailab.generative.vae import (
    CountVAE,
    CountVAEConfig,
    Gaussian,
    LatentUse,
    SequenceVAE,
    SequenceVAEConfig,
    active_units,
    encode_rows,
    latent_use,
    measure_use,
)
from genailab.training import TrainConfig, fit


def test_a_posterior_that_is_the_prior_is_collapsed():
    use = measure_use(Gaussian(torch.zeros(50, 3), torch.ones(50, 3)))
    assert use.collapsed
    assert use.kl == 0
    assert use.mutual_information == pytest.approx(0, abs=1e-5)
    assert use.total_correlation == pytest.approx(0, abs=1e-5)


def test_rows_that_are_told_apart_carry_the_log_of_their_number():
    means = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    use = measure_use(Gaussian(means, torch.full_like(means, 1e-4)))
    assert use.mutual_information == pytest.approx(math.log(64), abs=1e-3)
    assert use.n_active == 2


def test_the_information_and_the_parts_sum_to_the_kl_on_average():
    generator = torch.Generator().manual_seed(0)
    posterior = Gaussian(torch.randn(2000, 2, generator=generator), torch.full((2000, 2), 0.5))
    use = measure_use(posterior, generator=generator)
    parts = use.mutual_information + use.total_correlation + use.dimension_wise_kl
    assert parts == pytest.approx(use.kl, abs=0.05)
    assert use.kl == pytest.approx(posterior.kl().mean().item(), rel=1e-5)


def test_a_dimension_is_active_where_its_mean_follows_the_row():
    means = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0.2, 0.05])
    assert active_units(means).tolist() == [True, True, False]
    assert active_units(means, threshold=0.5).tolist() == [True, False, False]
    assert measure_use(Gaussian(means, torch.ones(500, 3))).n_active == 2


def test_rows_are_encoded_in_order_whatever_the_batch_and_the_model_stays_as_it_was():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CountVAE(CountVAEConfig(genes=("a", "b", "c"), n_latent=2, n_hidden=8, dropout=0.5)).train()
    counts = torch.randint(1, 9, (30, 3), generator=torch.Generator().manual_seed(0)).float()
    rows = TensorRows(counts=counts, library_size=counts.sum(dim=1))
    one, two = (encode_rows(model, rows, batch_size=size) for size in (7, 100))
    torch.testing.assert_close(one.mean, two.mean)
    torch.testing.assert_close(one.std, two.std)
    assert model.training
    assert latent_use(model, rows).n_rows == 30


def sequences() -> Tensor:
    """A Markov chain that mostly repeats the letter before: all but the first letters a decoder can guess."""
    generator = torch.Generator().manual_seed(0)
    codes = [torch.randint(0, 4, (256,), generator=generator)]
    for _ in range(15):
        other = torch.randint(0, 4, (256,), generator=generator)
        codes.append(torch.where(torch.rand(256, generator=generator) < 0.6, codes[-1], other))
    return torch.stack(codes, dim=1).to(torch.uint8)


def trained(**options: object) -> LatentUse:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SequenceVAE(
            SequenceVAEConfig(length=16, n_latent=2, n_channels=16, kernel=3, dilations=(1, 2, 4), **options)
        )
    rows = TensorRows(codes=sequences())
    config = TrainConfig(max_epochs=25, batch_size=64, learning_rate=5e-3, device="cpu")
    fit(model, rows, config=config, show_progress=False)
    return latent_use(model, rows, generator=torch.Generator().manual_seed(0))


def test_a_powerful_decoder_collapses_and_free_bits_keep_the_latent_in_use():
    without = trained()
    floor = 0.3
    assert without.kl < floor / 2  # of both dimensions together
    kept = trained(free_bits=floor)
    # The floor holds the mean over batches of the training, so it is met to the noise of a batch.
    assert min(kept.kl_per_dimension) > 0.9 * floor
    assert kept.n_active == 2
    assert kept.mutual_information > without.mutual_information + floor


def test_a_decoder_that_sees_no_letters_uses_the_latent_by_itself():
    assert trained(decoder="convolutional").kl > 1


def test_too_few_rows_are_refused():
    with pytest.raises(InputError, match="measured over rows, got 1: give at least 2"):
        measure_use(Gaussian(torch.zeros(1, 2), torch.ones(1, 2)))
    with pytest.raises(InputError, match="no rows to encode"):
        encode_rows(CountVAE(CountVAEConfig(genes=("a",))), TensorRows(counts=torch.zeros(0, 1)))
