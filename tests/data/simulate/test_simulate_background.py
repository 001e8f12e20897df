"""Laws of simulated backgrounds and of what sites are made of."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

import genailab.data.simulate as simulate
from genailab.data.motifs.motif import Motif
from genailab.data.simulate import Background, consensus_motif
from genailab.data.simulate.sites import sample_sites, site_energy, spread_starts
from genailab.errors import InputError

ALPHA = 1e-4  # a right sampler fails one in 10,000 seeds; the seeds here are fixed


@pytest.mark.parametrize("name", simulate.__all__)
def test_every_public_name_leads_to_itself(name):
    assert getattr(simulate, name).__name__ == name
    assert name in dir(simulate)


def test_independent_letters_have_the_composition_asked_for():
    shares = (0.1, 0.4, 0.3, 0.2)
    codes = Background(composition=shares).sample(200, 200, generator=np.random.default_rng(0))
    assert codes.dtype == np.uint8
    counts = np.bincount(codes.ravel(), minlength=4)
    assert chisquare(counts, codes.size * np.array(shares)).pvalue > ALPHA


def test_a_chain_follows_its_transitions_and_is_stationary_from_the_first_letter():
    rows = ((0.5, 0.2, 0.2, 0.1), (0.4, 0.3, 0.05, 0.25), (0.25, 0.25, 0.25, 0.25), (0.1, 0.2, 0.3, 0.4))
    background = Background(transitions=rows)
    codes = background.sample(4000, 30, generator=np.random.default_rng(1))
    np.testing.assert_allclose(background.stationary @ np.array(rows), background.stationary)
    for before, row in enumerate(rows):
        following = codes[:, 1:][codes[:, :-1] == before]
        counts = np.bincount(following, minlength=4)
        assert chisquare(counts, counts.sum() * np.array(row)).pvalue > ALPHA
    for position in (0, 29):
        counts = np.bincount(codes[:, position], minlength=4)
        assert chisquare(counts, 4000 * background.stationary).pvalue > ALPHA


def test_measured_transitions_are_those_sampled_from_and_unknown_letters_do_not_count():
    background = Background.cpg_depleted(gc=0.5, kept=0.2)
    codes = torch.from_numpy(background.sample(500, 400, generator=np.random.default_rng(2)))
    codes[::7, ::3] = 4
    found = Background.from_codes(codes)
    np.testing.assert_allclose(found.transitions, background.transitions, atol=0.01)
    assert found.transitions[1][2] == pytest.approx(0.2 * 0.25, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"composition": (0.5, 0.5, 0.5, -0.5)}, r"composition is \(0.5, 0.5, 0.5, -0.5\)"),
        ({"composition": (0.3, 0.3, 0.3, 0.3)}, "sum to 1"),
        ({"transitions": ((0.25,) * 4,) * 3}, "3 rows for 4 letters"),
        ({"transitions": ((0.25,) * 4, (1.0, 0, 0, 0.1), (0.25,) * 4, (0.25,) * 4)}, "row 1 of transitions"),
    ],
)
def test_shares_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Background(**options)


def test_sites_follow_the_motifs_probabilities_position_by_position():
    motif = consensus_motif("m", "TGAWN", purity=0.8)
    sites = sample_sites(motif, 5000, generator=np.random.default_rng(3))
    for position in range(len(motif)):
        counts = np.bincount(sites[:, position], minlength=4)
        assert chisquare(counts, 5000 * motif.probabilities()[:, position]).pvalue > ALPHA


def test_the_energy_is_zero_at_the_consensus_and_its_boltzmann_factor_the_relative_frequency():
    motif = Motif(name="m", counts=np.array([[8, 1], [1, 1], [1, 1], [2, 9]], dtype=float))
    words = np.stack(np.meshgrid(np.arange(4), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2)
    p = motif.probabilities()
    frequency = p[words[:, 0], 0] * p[words[:, 1], 1]
    np.testing.assert_allclose(np.exp(-site_energy(words, motif)), frequency / frequency.max())
    assert site_energy(np.array([0, 3]), motif) == 0


@given(
    widths=st.lists(st.integers(1, 6), min_size=0, max_size=4),
    room=st.integers(0, 12),
    seed=st.integers(0, 99),
)
@settings(max_examples=50, deadline=None)
def test_blocks_stay_inside_their_region_and_apart(widths, room, seed):
    region = (5, 5 + sum(widths) + room)
    starts = spread_starts(widths, region, generator=np.random.default_rng(seed))
    ends = starts + np.array(widths, dtype=int)
    assert len(starts) == len(widths)
    assert (np.diff(starts) >= widths[:-1]).all() if len(widths) > 1 else True
    assert len(widths) == 0 or (starts[0] >= region[0] and ends[-1] <= region[1])


def test_all_placements_are_alike():
    generator = np.random.default_rng(4)
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(3000):
        starts = tuple(spread_starts([2, 1], (0, 6), generator=generator).tolist())
        seen[starts] = seen.get(starts, 0) + 1
    assert len(seen) == 10  # 3 letters left over between 2 blocks: C(5, 2)
    assert chisquare(list(seen.values())).pvalue > ALPHA


def test_a_region_without_room_is_refused():
    with pytest.raises(InputError, match="sites of 9 letters in all do not fit into 0-8"):
        spread_starts([4, 5], (0, 8), generator=np.random.default_rng(0))


def test_a_consensus_gives_its_letters_their_purity():
    motif = consensus_motif("m", "AR", purity=0.8, n_sites=100)
    np.testing.assert_allclose(motif.counts[:, 0], [85, 5, 5, 5])
    np.testing.assert_allclose(motif.counts[:, 1], [45, 5, 45, 5])
    with pytest.raises(InputError, match="'AZ': write it in the letters ACGTN"):
        consensus_motif("m", "AZ")
    with pytest.raises(InputError, match="purity of motif 'm' is 0"):
        consensus_motif("m", "A", purity=0)


def test_the_same_seed_gives_the_same_letters_and_another_does_not():
    drawn = [Background().sample(3, 50, generator=np.random.default_rng(seed)) for seed in (7, 7, 8)]
    assert np.array_equal(drawn[0], drawn[1])
    assert binomtest(int((drawn[0] == drawn[2]).sum()), 150, 0.25).pvalue > ALPHA
