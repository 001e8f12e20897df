"""Couplings pair every data with one noise; optimal transport does it at the least cost."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.diffusion import condition_aware, independent, minibatch_optimal_transport
from genailab.generative.diffusion.coupling import COUPLINGS, couple


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def cost(data: Tensor, noise: Tensor, pairs: tuple[Tensor, Tensor]) -> float:
    return (data[pairs[0]] - noise[pairs[1]]).double().square().sum().item()


@pytest.mark.parametrize("kind", COUPLINGS)
@given(n=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_every_row_is_in_one_pair(kind, n, seed):
    codes = {"a": torch.arange(n) % 3, "b": torch.arange(n) % 2}
    pairs = couple(kind, draw(n, 2, 3, seed=seed), draw(n, 2, 3, seed=seed + 100), codes)
    for index in pairs:
        assert index.sort().values.tolist() == list(range(n))


@given(seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_optimal_transport_costs_the_least_of_all_pairings(seed):
    data, noise = draw(5, 3, seed=seed) + 2, draw(5, 3, seed=seed + 1)
    least = min(cost(data, noise, (torch.arange(5), torch.tensor(p))) for p in permutations(range(5)))
    assert cost(data, noise, minibatch_optimal_transport(data, noise)) == pytest.approx(least, rel=1e-6)


def test_on_a_line_optimal_transport_keeps_the_order_also_far_from_0():
    data, noise = draw(50, 1, seed=0) + 1e4, draw(50, 1, seed=1)
    data_index, noise_index = minibatch_optimal_transport(data, noise)
    order = data[data_index, 0].argsort()
    assert (noise[noise_index][order, 0].diff() > 0).all()


def test_condition_aware_is_optimal_within_each_condition_and_never_crosses():
    data, noise = draw(60, 2, seed=0), draw(60, 2, seed=1)
    codes = {"type": torch.arange(60) % 3, "donor": torch.arange(60) // 30}
    data_index, noise_index = condition_aware(data, noise, codes)
    for code in codes.values():
        assert torch.equal(code[data_index], code[noise_index])
    for kind in range(3):
        for donor in range(2):
            rows = ((codes["type"] == kind) & (codes["donor"] == donor)).nonzero()[:, 0]
            alone = cost(data[rows], noise[rows], minibatch_optimal_transport(data[rows], noise[rows]))
            here = torch.isin(data_index, rows)
            pairs = data_index[here], noise_index[here]
            assert cost(data, noise, pairs) == pytest.approx(alone, rel=1e-6)
    between = [
        cost(data, noise, pairs)
        for pairs in (
            minibatch_optimal_transport(data, noise),
            (data_index, noise_index),
            independent(data, noise),
        )
    ]
    assert between == sorted(between)


def test_only_condition_aware_leaves_each_conditions_noise_standard_normal():
    # Two classes left and right of 0: blind transport gives the right one the right half of the noise.
    side = torch.arange(600) % 2
    data = (6.0 * side - 3.0)[:, None] + 0.1 * draw(600, 1, seed=0)
    noise = draw(600, 1, seed=1)
    means = {}
    for kind in ("optimal_transport", "condition_aware"):
        data_index, noise_index = couple(kind, data, noise, {"side": side})
        means[kind] = noise[noise_index][side[data_index] == 1].mean().item()
    assert means["condition_aware"] == pytest.approx(0, abs=0.2)
    assert means["optimal_transport"] == pytest.approx(0.8, abs=0.15)


def test_without_conditions_condition_aware_is_optimal_transport():
    data, noise = draw(20, 2, seed=0), draw(20, 2, seed=1)
    for one, other in zip(
        condition_aware(data, noise, {}), minibatch_optimal_transport(data, noise), strict=True
    ):
        assert torch.equal(one, other)


def test_what_cannot_be_coupled_is_refused():
    with pytest.raises(InputError, match=r"data are \(3, 2\) but noise is \(4, 2\): give as much noise"):
        minibatch_optimal_transport(torch.zeros(3, 2), torch.zeros(4, 2))
    with pytest.raises(InputError, match="no coupling 'independant': did you mean 'independent'"):
        couple("independant", torch.zeros(3, 2), torch.zeros(3, 2))
