"""Laws of simulated binding: Boltzmann occupancy over both strands, and what the assays make of it."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.simulate import BindingConfig, consensus_motif, simulate_binding
from genailab.data.simulate.protein_dna_binding import occupancy
from genailab.errors import InputError

MOTIF = consensus_motif("m", "ACCGGAAG", purity=0.8)


def codes_of(n, length, seed):
    return np.random.default_rng(seed).integers(4, size=(n, length)).astype(np.uint8)


@given(seed=st.integers(0, 999), mu=st.floats(-3, 5))
@settings(max_examples=25, deadline=None)
def test_occupancy_is_the_sum_over_all_states_and_knows_no_strand(seed, mu):
    codes = codes_of(4, 15, seed)
    p = MOTIF.probabilities()
    total = np.zeros(4)
    for row, sequence in enumerate(codes):
        for strand in (sequence, 3 - sequence[::-1]):
            for start in range(15 - 8 + 1):
                odds = [p[strand[start + i], i] / p[:, i].max() for i in range(8)]
                total[row] += np.exp(mu) * np.prod(odds)
    found = occupancy(codes, MOTIF, chemical_potential=mu)
    np.testing.assert_allclose(found, total / (1 + total))
    other = reverse_complement(torch.from_numpy(codes)).numpy()
    np.testing.assert_allclose(occupancy(other, MOTIF, chemical_potential=mu), found)


def test_a_lone_consensus_is_occupied_as_the_chemical_potential_says():
    pure = consensus_motif("m", "ACCGGAAG", purity=1.0)
    codes = np.array([[0, 1, 1, 2, 2, 0, 0, 2]], np.uint8)
    assert occupancy(codes, pure, chemical_potential=2.0).item() == pytest.approx(1 / (1 + np.exp(-2)))


def test_without_noise_intensity_is_occupancy_and_noise_has_its_size():
    config = BindingConfig(n_sequences=1500, noise=0.0)
    data = simulate_binding(config, generator=np.random.default_rng(0))
    assert data.rows["intensity"].equals(data.rows["occupancy"].rename("intensity"))
    again = occupancy(data.codes.numpy(), config.motif, chemical_potential=config.chemical_potential)
    np.testing.assert_array_equal(again, data.rows["occupancy"])
    noisy = simulate_binding(dataclasses.replace(config, noise=0.3), generator=np.random.default_rng(0))
    ratio = np.log(noisy.rows["intensity"] / noisy.rows["occupancy"])
    assert ratio.std() == pytest.approx(0.3, rel=0.1)


def test_each_round_of_selex_multiplies_by_occupancy():
    config = BindingConfig(n_sequences=50, rounds=3, reads=200_000)
    rows = simulate_binding(config, generator=np.random.default_rng(1)).rows
    expected = rows["occupancy"] ** 3 / (rows["occupancy"] ** 3).sum() * 200_000
    kept = expected > 5
    assert rows["reads_after"].sum() == rows["reads_before"].sum() == 200_000
    observed = np.append(rows["reads_after"][kept], rows["reads_after"][~kept].sum())
    assert chisquare(observed, np.append(expected[kept], expected[~kept].sum())).pvalue > 1e-4
    assert chisquare(rows["reads_before"]).pvalue > 1e-4


def test_sites_are_where_the_truth_says_and_bind():
    config = BindingConfig(n_sequences=300, motif=consensus_motif("m", "ACCGGAAG", purity=1.0))
    data = simulate_binding(config, generator=np.random.default_rng(2))
    assert data.rows["has_site"].sum() == len(data.sites) == 150
    assert np.array_equal(data.sites["sequence"], np.flatnonzero(data.rows["has_site"]))
    for site in data.sites.itertuples():
        word = data.codes[site.sequence, site.start : site.end]
        word = word if site.strand == "+" else reverse_complement(word)
        assert word.tolist() == [0, 1, 1, 2, 2, 0, 0, 2]
    bound = data.rows.groupby("has_site")["occupancy"].median()
    assert bound[True] > 0.7 > 0.1 > bound[False]
    assert data.sites["end"].max() <= config.length


def test_the_same_seed_gives_the_same_and_bad_input_is_refused():
    first, again = (simulate_binding(BindingConfig(), generator=np.random.default_rng(3)) for _ in range(2))
    assert first.codes.equal(again.codes)
    assert first.rows.equals(again.rows)
    with pytest.raises(InputError, match="9 letters and the sequences 8"):
        BindingConfig(length=8)
    with pytest.raises(InputError, match="site_share -1"):
        BindingConfig(site_share=-1)
    with pytest.raises(InputError, match=r"sequence 1 has no letter .* at position 2"):
        occupancy(np.array([[0] * 9, [0, 0, 4] + [0] * 6]), MOTIF, chemical_potential=0.0)
