"""Laws of the samplers of sequences, on toys that can be enumerated."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy import enumerate_sequences, gibbs, gibbs_with_gradients, hot_letters

LETTERS, LENGTH = 3, 4


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coupled(x: Tensor) -> Tensor:
    """An energy with preferences of single letters and of neighbours, and a term that is not linear."""
    fields = torch.randn(LETTERS, LENGTH, generator=seeded(1))
    pairs = torch.randn(LETTERS, LETTERS, generator=seeded(2))
    neighbours = torch.einsum("bal,ac,bcl->b", x[:, :, :-1], pairs, x[:, :, 1:])
    return (fields * x).sum(dim=(1, 2)) + neighbours + 0.5 * torch.sin(3 * (fields * x).sum(dim=(1, 2)))


def number(codes: Tensor) -> Tensor:
    """Return each sequence's place in the enumeration."""
    powers = LETTERS ** torch.arange(codes.shape[1] - 1, -1, -1)
    return (codes.long() * powers).sum(dim=1)


ALL = enumerate_sequences(LETTERS, LENGTH)
EXACT = (-coupled(hot_letters(ALL, LETTERS))).softmax(dim=0)


def run(name: str, codes: Tensor, n_steps: int, **options: object) -> Tensor:
    if name == "gibbs":
        return gibbs(coupled, codes, n_letters=LETTERS, n_steps=n_steps, **options)
    return gibbs_with_gradients(coupled, codes, n_letters=LETTERS, n_steps=n_steps, **options).states


def total_variation(codes: Tensor) -> float:
    found = torch.bincount(number(codes), minlength=len(ALL)) / len(codes)
    return 0.5 * (found - EXACT).abs().sum().item()


def noise_floor(n: int) -> float:
    """Return about how far n exact draws lie from their own distribution."""
    return 0.5 * (2 / math.pi * EXACT * (1 - EXACT) / n).sqrt().sum().item()


def test_the_enumeration_holds_every_sequence_once_in_order():
    assert ALL.dtype == torch.uint8
    assert torch.equal(number(ALL), torch.arange(LETTERS**LENGTH))
    assert torch.equal(hot_letters(ALL, LETTERS).argmax(dim=1), ALL.long())


@pytest.mark.parametrize("name", ["gibbs", "gradients"])
def test_started_in_the_target_the_chains_stay_there(name):
    n = 20_000
    start = ALL[torch.multinomial(EXACT, n, replacement=True, generator=seeded())]
    moved = run(name, start, 15, generator=seeded(3))
    assert total_variation(moved) < 1.5 * noise_floor(n)
    assert (moved != start).any(dim=1).double().mean() > 0.8


@pytest.mark.parametrize("name", ["gibbs", "gradients"])
def test_started_elsewhere_the_chains_find_the_target(name):
    n = 5_000
    start = torch.zeros(n, LENGTH, dtype=torch.uint8)
    assert total_variation(start) > 0.8
    assert total_variation(run(name, start, 80, generator=seeded(3))) < 1.5 * noise_floor(n)


@pytest.mark.parametrize("name", ["gibbs", "gradients"])
def test_one_step_is_in_detailed_balance(name):
    start = ALL[torch.multinomial(EXACT, 60_000, replacement=True, generator=seeded())]
    end = run(name, start, 1, generator=seeded(5))
    flow = torch.zeros(81, 81).index_put_((number(start), number(end)), torch.ones(60_000), accumulate=True)
    away = flow - flow.diag().diag()
    assert ((away - away.T).abs() <= 5 * (away + away.T + 1).sqrt()).all()
    assert away.sum() > 10_000
    assert ((start != end).sum(dim=1) <= 1).all()  # one letter at a time


def test_for_a_linear_energy_of_one_position_gradients_propose_by_the_exact_root_of_the_odds():
    # q(c) is proportional to exp(-E_c / 2), whose moves the acceptance then corrects.
    fields = torch.tensor([3.0, 0.0, 1.0])
    start = torch.zeros(40_000, 1, dtype=torch.uint8)
    end = gibbs_with_gradients(
        lambda x: (fields[:, None] * x).sum(dim=(1, 2)), start, n_letters=3, n_steps=1, generator=seeded()
    ).states
    counts = torch.bincount(end[:, 0].long(), minlength=3)
    # Acceptance: exp(E_0 - E_c) q(0 | c) / q(c | 0), with q in closed form.
    half = (-fields / 2).exp()
    q = half / (half.sum() - half[:, None])  # q[i, c] = half_c / sum of the others than i
    move = [q[0, c] * min(1.0, (fields[0] - fields[c]).exp() * q[c, 0] / q[0, c]) for c in (1, 2)]
    assert counts[1].item() / 40_000 == pytest.approx(float(move[0]), abs=0.01)
    assert counts[2].item() / 40_000 == pytest.approx(float(move[1]), abs=0.01)


@pytest.mark.parametrize("name", ["gibbs", "gradients"])
def test_fixed_positions_keep_their_letters_and_the_rest_follows_the_conditional(name):
    n = 8_000
    start = torch.tensor([2, 0, 1, 0], dtype=torch.uint8).repeat(n, 1)
    fixed = torch.tensor([True, False, True, False])
    moved = run(name, start, 30, fixed=fixed, generator=seeded(1))
    assert torch.equal(moved[:, fixed], start[:, fixed])
    agree = (ALL[:, fixed] == start[0, fixed]).all(dim=1)
    exact = EXACT[agree] / EXACT[agree].sum()
    found = (torch.bincount(number(moved), minlength=81) / n)[agree]
    torch.testing.assert_close(found, exact, atol=4 * 0.5 / math.sqrt(n), rtol=0)


@pytest.mark.parametrize("name", ["gibbs", "gradients"])
def test_chains_follow_their_generator_and_keep_type_start_and_global_state(name):
    start, state = ALL[:20].clone(), torch.get_rng_state()
    one, two = (run(name, start, 9, generator=seeded(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.dtype == torch.uint8
    assert torch.equal(start, ALL[:20])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("codes", "options", "message"),
    [
        (
            torch.tensor([[0, 1], [1, 4]]),
            {},
            r"code 4 at position 1 of sequence 1 .* is none of the 3 letters",
        ),
        (torch.zeros(2, 3), {}, r"expected codes \(batch, length\) as whole numbers, got torch.float32"),
        (ALL, {"fixed": torch.ones(4, dtype=torch.bool)}, "all positions of sequence 0 are fixed"),
        (
            ALL,
            {"fixed": torch.ones(3, dtype=torch.bool)},
            r"fixed is torch.bool \(3,\) for sequences \(81, 4\)",
        ),
    ],
)
@pytest.mark.parametrize("name", ["gibbs", "gradients"])
def test_what_cannot_be_sampled_is_refused(name, codes, options, message):
    with pytest.raises(InputError, match=message):
        run(name, codes, 2, **options)


def test_energies_that_are_no_numbers_are_refused_with_the_step():
    for sampler, name in ((gibbs, "gibbs"), (gibbs_with_gradients, "gibbs_with_gradients")):
        with pytest.raises(InputError, match=rf"^{name} met nan at "):
            sampler(lambda x: x[:, 0, 0] * torch.nan, ALL, n_letters=3, n_steps=2)
    with pytest.raises(InputError, match="cannot be enumerated"):
        enumerate_sequences(20, 30)
    with pytest.raises(InputError, match="1 letter leaves nothing to change"):
        gibbs_with_gradients(coupled, ALL, n_letters=1, n_steps=2)
