"""Laws of the energy networks: rows by themselves, smooth, bounded where asked, told of conditions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.energy import SequenceEnergy, VectorEnergy, energy_and_score, hot_letters

CONDITIONS = {"cell.type": ("B", "NK", "T")}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Move all weights from where they start, for zeros obey every law."""
    with torch.no_grad():
        for i, parameter in enumerate(network.parameters()):
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=seeded(i)))
    return network.eval()


def vectors(**options: object) -> torch.nn.Module:
    return VectorEnergy(5, CONDITIONS, width=16, depth=2, **options)


def sequences(**options: object) -> torch.nn.Module:
    return SequenceEnergy(4, 9, CONDITIONS, channels=8, kernel=3, depth=2, **options)


def inputs(network: torch.nn.Module, n: int = 6) -> Tensor:
    if isinstance(network, VectorEnergy):
        return torch.randn(n, 5, generator=seeded(1))
    return hot_letters(torch.randint(4, (n, 9), generator=seeded(1)), 4)


@pytest.fixture(autouse=True)
def same_first_weights():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


CODES = {"cell.type": torch.tensor([0, 1, 2, 0, 1, 2])}


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("make", [vectors, sequences])
def test_rows_are_by_themselves_conditions_matter_and_the_gradient_reaches_the_input(make, spectral_norm):
    network = stirred(make(spectral_norm=spectral_norm))
    x = inputs(network)
    energies = network(x, CODES)
    assert energies.shape == (6,)
    torch.testing.assert_close(network(x[2:3], {"cell.type": CODES["cell.type"][2:3]}), energies[2:3])
    assert not torch.isclose(network(x, {"cell.type": (CODES["cell.type"] + 1) % 3}), energies).any()
    score = energy_and_score(lambda x: network(x, CODES), x)[1]
    step = 2e-3 * torch.randn(x.shape, generator=seeded(3))
    slope = (network(x + step, CODES) - network(x - step, CODES)) / 2
    torch.testing.assert_close(slope, -(score * step).flatten(1).sum(dim=1), atol=1e-4, rtol=2e-2)


@pytest.mark.parametrize("make", [vectors, sequences])
def test_a_new_energy_is_flat(make):
    network = make()
    assert not network(inputs(network), CODES).any()


def test_spectral_norm_bounds_how_steep_an_energy_can_get():
    def steepness(spectral_norm: bool) -> float:
        network = VectorEnergy(5, {}, width=16, depth=2, spectral_norm=spectral_norm)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(10)
            for _ in range(30):  # each call in training is a step towards the largest singular value
                network.train()(inputs(network))
        return energy_and_score(network.eval(), inputs(network, 200))[1].norm(dim=1).max().item()

    # 1.1 is the largest slope of SiLU; two residual layers of gain 1 add up to (1 + 1.1)^2.
    assert steepness(True) <= 1.1 * (1 + 1.1) ** 2


def test_unaligned_energies_count_what_is_there_and_not_where():
    network = stirred(SequenceEnergy(4, 30, {}, channels=8, kernel=3, depth=1, aligned=False))
    with torch.no_grad():
        network.weight_matrix.weight.zero_()
    codes = torch.zeros(1, 30, dtype=torch.long)
    here, there = codes.clone(), codes.clone()
    here[0, 8:12], there[0, 15:19] = torch.tensor([1, 2, 3, 1]), torch.tensor([1, 2, 3, 1])
    energies = [network(hot_letters(one, 4)) for one in (codes, here, there)]
    torch.testing.assert_close(energies[1], energies[2])
    assert not torch.isclose(energies[0], energies[1]).any()


def test_what_the_energy_depends_on_must_be_given():
    with pytest.raises(InputError, match=r"depends on 'cell.type': give its codes \(batch,\)"):
        vectors()(torch.zeros(2, 5))
    with pytest.raises(InputError, match="depends on a noise level: give log_sigma"):
        vectors(noisy=True)(torch.zeros(6, 5), CODES)
