"""Laws of positions: only distances count, norms are kept."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.nn.positions import Rotary, sinusoidal_positions


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(shift=st.integers(0, 500), width=st.sampled_from([2, 4, 10, 16]), seed=st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_rotated_products_depend_on_the_distance_alone_and_norms_are_kept(shift, width, seed):
    rotary = Rotary(width)
    q, k = draw(2, 3, 6, width, seed=seed), draw(2, 3, 6, width, seed=seed + 1)
    here = rotary(q) @ rotary(k).transpose(2, 3)
    there = rotary(q, start=shift) @ rotary(k, start=shift).transpose(2, 3)
    torch.testing.assert_close(here, there, atol=1e-3, rtol=1e-3)  # angles are single precision
    torch.testing.assert_close(rotary(q, start=shift).norm(dim=3), q.norm(dim=3), atol=1e-5, rtol=1e-5)


def test_one_vector_everywhere_gives_a_score_that_is_a_function_of_the_distance_and_no_constant():
    same = draw(1, 1, 1, 8).expand(1, 1, 20, 8)
    rotated = Rotary(8)(same)
    scores = (rotated @ rotated.transpose(2, 3))[0, 0]
    for distance in range(20):
        diagonal = scores.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5, rtol=1e-5)
    assert scores[0].std() > 0.1


def test_position_zero_is_not_rotated_and_two_rotations_add_up():
    x = draw(1, 1, 5, 6)
    torch.testing.assert_close(Rotary(6)(x)[:, :, 0], x[:, :, 0])
    one = x[:, :, :1]
    twice = Rotary(6)(Rotary(6)(one, start=3), start=4)
    torch.testing.assert_close(twice, Rotary(6)(one, start=7), atol=1e-5, rtol=1e-5)


def test_a_start_is_the_place_in_a_longer_sequence():
    x = draw(1, 2, 9, 6)
    torch.testing.assert_close(Rotary(6)(x[:, :, 4:], start=4), Rotary(6)(x)[:, :, 4:], atol=1e-6, rtol=1e-6)
    assert not torch.allclose(Rotary(6)(x[:, :, 4:]), Rotary(6)(x)[:, :, 4:], atol=1e-2)


def test_sinusoids_have_one_norm_and_products_by_distance_and_tell_positions_apart():
    table = sinusoidal_positions(300, 32)
    torch.testing.assert_close(table.square().sum(dim=1), torch.full((300,), 16.0))
    products = table @ table.T
    for distance in (1, 7, 100):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-3, rtol=1e-3)
    assert (products - 100 * torch.eye(300)).max() < 15.9  # no two are the same
    torch.testing.assert_close(sinusoidal_positions(40, 32), table[:40])


@pytest.mark.parametrize("width", [0, 1, 5])
def test_needs_pairs_of_features(width):
    with pytest.raises(InputError, match=f"{width}"):
        sinusoidal_positions(3, width)
    with pytest.raises(InputError, match=f"has {width}: make it even"):
        Rotary(width)
