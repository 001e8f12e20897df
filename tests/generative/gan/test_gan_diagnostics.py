"""Laws of the collapse diagnostics."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.errors import InputError
from genailab.evaluation.prdc import prdc
from genailab.evaluation.two_sample import Distances, energy_distance
from genailab.generative.gan import collapse, compare_batches, mode_coverage, near_modes


def seed(number=0):
    return torch.Generator().manual_seed(number)


RING = torch.stack([torch.cos(torch.arange(8) * 0.7854), torch.sin(torch.arange(8) * 0.7854)], dim=1)


def mixture(n, modes, number=0):
    labels = torch.arange(n) % len(modes)
    return modes[labels] + 0.02 * torch.randn(n, modes.shape[1], generator=seed(number)), labels


def test_the_batch_comparison_agrees_with_the_evaluations():
    real, fake = torch.randn(80, 4, generator=seed()), 0.5 + torch.randn(80, 4, generator=seed(1))
    found = compare_batches(real.double(), fake.double())
    distances = Distances.of(real.numpy(), fake.numpy())
    assert found.distance.item() == pytest.approx(float(energy_distance(distances)[0]), rel=1e-4)
    assert found.coverage.item() == pytest.approx(float(prdc(distances)["coverage"][0]), abs=1e-6)


def test_equal_distributions_have_distance_0_diversity_1_and_full_coverage():
    found = [
        compare_batches(torch.randn(100, 3, generator=seed(s)), torch.randn(100, 3, generator=seed(s + 500)))
        for s in range(100)
    ]
    distances = torch.stack([one.distance for one in found])
    assert abs(distances.mean()) < 3 * distances.std() / 10
    assert torch.stack([one.diversity for one in found]).mean().item() == pytest.approx(1, abs=0.02)
    assert torch.stack([one.coverage for one in found]).mean().item() == pytest.approx(0.97, abs=0.02)


def test_one_mode_of_eight_is_an_eighth_of_the_coverage_and_a_collapse():
    real, _ = mixture(160, RING)
    fake, _ = mixture(160, RING[:1], 1)
    found = compare_batches(real, fake)
    assert found.coverage.item() == pytest.approx(1 / 8, abs=0.02)
    assert "times as diverse" in collapse(found.diversity.item(), found.coverage.item())
    opposite, _ = mixture(160, RING[[0, 4]], 1)  # as diverse as the ring, but six modes are missing
    found = compare_batches(real, opposite)
    assert found.diversity > 0.7
    assert found.coverage.item() == pytest.approx(2 / 8, abs=0.02)


def test_rows_made_for_the_wrong_condition_count_as_missing():
    real, labels = mixture(160, RING)
    fake, _ = mixture(160, RING, 1)
    right = compare_batches(real, fake, {"mode": labels})
    assert right.coverage > 0.9
    assert right.distance.item() == pytest.approx(0, abs=0.03)
    # The same rows, each under its neighbour's condition: only the joint distribution tells.
    wrong = compare_batches(real, fake.roll(1, dims=0), {"mode": labels})
    assert wrong.coverage < 0.1
    assert wrong.distance > 0.08
    unconditional = compare_batches(real, fake.roll(1, dims=0))
    assert unconditional.coverage > 0.9


@given(shift=st.floats(-3, 3), scale=st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_units_and_origin_do_not_matter_to_diversity_and_coverage(shift, scale):
    real, fake = torch.randn(40, 3, generator=seed()).double(), torch.randn(40, 3, generator=seed(1)).double()
    before, after = compare_batches(real, fake), compare_batches(real * scale + shift, fake * scale + shift)
    assert after.diversity.item() == pytest.approx(before.diversity.item(), rel=1e-6)
    assert after.coverage.item() == before.coverage.item()
    assert after.distance.item() == pytest.approx(before.distance.item() * scale, abs=1e-6)


def test_a_batch_of_one_row_says_nothing_against_the_generator():
    assert [float(value) for value in compare_batches(torch.zeros(1, 2), torch.ones(1, 2))] == [0, 1, 1]
    assert collapse(1.0, 1.0) is None


@pytest.mark.parametrize("n_hit", [1, 3, 8])
def test_mode_coverage_is_exact_on_a_mixture_with_and_without_labels(n_hit):
    real, labels = mixture(400, RING)
    generated, _ = mixture(300, RING[:n_hit], 1)
    assert mode_coverage(real, generated, labels=labels) == n_hit / 8
    assert mode_coverage(real, generated, n_clusters=8) == n_hit / 8
    assert near_modes(RING, generated, radius=0.1) == (n_hit, 1.0)


def test_a_stray_row_hits_no_cluster_and_noise_is_not_of_high_quality():
    real, labels = mixture(400, RING)
    generated = torch.cat([mixture(300, RING[:1], 1)[0], RING[4:5]])
    assert mode_coverage(real, generated, labels=labels) == 1 / 8
    centre = torch.zeros(100, 2)
    assert near_modes(RING, torch.cat([mixture(300, RING, 1)[0], centre]), radius=0.1) == (8, 0.75)


@pytest.mark.parametrize(
    ("real", "generated", "options", "message"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 4), {}, r"real rows are \(3, 2\) and generated ones \(3, 4\)"),
        (torch.zeros(3, 2), torch.zeros(0, 2), {}, "there are no generated rows"),
        (torch.zeros(3, 2), torch.tensor([[0.0, float("nan")]]), {}, "generated row 0 holds a value"),
        (torch.zeros(3, 2), torch.zeros(3, 2), {"labels": torch.zeros(2)}, r"shape \(2,\) for 3 real rows"),
        (torch.zeros(3, 2), torch.zeros(3, 2), {"n_clusters": 4}, "n_clusters is 4 for 3 real rows"),
    ],
)
def test_mode_coverage_says_what_is_wrong(real, generated, options, message):
    with pytest.raises(InputError, match=message):
        mode_coverage(real, generated, **options)
