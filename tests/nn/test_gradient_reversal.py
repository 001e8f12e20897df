"""Laws of gradient reversal: forwards the identity, backwards times minus the scale."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.nn.gradient_reversal import reversal_scale, reverse_gradient


@given(scale=st.floats(0, 10), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_forwards_the_identity_and_backwards_minus_the_scale(scale, seed):
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed), requires_grad=True)
    weight = torch.randn(3, generator=torch.Generator().manual_seed(seed + 1))
    (plain,) = torch.autograd.grad((x.tanh() @ weight).sum(), x)
    turned = reverse_gradient(x, scale)
    assert torch.equal(turned, x)
    (reversed_,) = torch.autograd.grad((turned.tanh() @ weight).sum(), x)
    torch.testing.assert_close(reversed_, -scale * plain)


def test_the_head_behind_it_still_descends():
    x, head = torch.randn(8, 3), torch.nn.Linear(3, 1)
    (plain,) = torch.autograd.grad(head(x).sum(), head.weight)
    (behind,) = torch.autograd.grad(head(reverse_gradient(x, 5.0)).sum(), head.weight)
    assert torch.equal(plain, behind)


def test_the_scale_grows_from_0_to_nearly_1_as_a_hyperbolic_tangent():
    progress = [i / 50 for i in range(51)]
    scales = [reversal_scale(p) for p in progress]
    assert scales == pytest.approx([math.tanh(5 * p) for p in progress])  # 2 s(10 p) - 1 = tanh(5 p)
    assert scales[0] == 0 < scales[1]
    assert scales == sorted(scales)
    assert scales[-1] > 0.999


@pytest.mark.parametrize("progress", [-0.1, 1.1, math.nan])
def test_progress_is_a_share(progress):
    with pytest.raises(InputError, match=f"progress is {progress}"):
        reversal_scale(progress)
