"""Laws of simulated orthologues: divergence as stated, sites at the same places, labels in both species."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.simulate import Background, TwoSpeciesConfig, consensus_motif, simulate_two_species
from genailab.data.simulate.sites import site_energy
from genailab.data.simulate.two_species import diverged_motif, substituted_share
from genailab.errors import InputError

CONFIG = TwoSpeciesConfig(n_pairs=600)
DATA = simulate_two_species(CONFIG, generator=np.random.default_rng(0))


def outside_sites():
    free = torch.ones_like(DATA.codes["a"], dtype=torch.bool)
    for sites in DATA.sites.values():
        for site in sites.itertuples():
            free[site.sequence, site.start : site.end] = False
    return free


def test_outside_the_sites_species_differ_as_jukes_and_cantor_say():
    free = outside_sites()
    differ = int((DATA.codes["a"] != DATA.codes["b"])[free].sum())
    expected = 0.75 * (1 - np.exp(-4 / 3 * CONFIG.divergence))
    assert binomtest(differ, int(free.sum()), expected).pvalue > 1e-4


@pytest.mark.parametrize(("first", "second"), [(0.0, 0.4), (0.2, 0.2), (1.0, 3.0)])
def test_divergence_adds_up_along_a_lineage(first, second):
    # Chapman-Kolmogorov: same after both legs = same in both, or changed and changed back.
    p, q = substituted_share(first), substituted_share(second)
    same = (1 - p) * (1 - q) + p * q / 3
    assert 1 - same == pytest.approx(substituted_share(first + second))


def test_a_sequence_is_active_exactly_where_it_has_a_site_of_its_species():
    for one in ("a", "b"):
        sites = set(map(tuple, DATA.sites[one][["sequence", "motif"]].to_numpy().tolist()))
        shared = np.array([(row, "shared") in sites for row in range(600)])
        specific = np.array([(row, "specific") in sites for row in range(600)])
        assert np.array_equal(DATA.rows[f"shared_{one}"], shared)
        assert np.array_equal(DATA.rows[f"specific_{one}"], specific)
        assert np.array_equal(DATA.rows[f"label_{one}"] == 1, shared | specific)


def test_activity_is_shared_and_private_as_asked():
    counts = DATA.rows.groupby(["label_a", "label_b"]).size()
    assert [counts[1, 1], counts[1, 0], counts[0, 1], counts[0, 0]] == [210, 90, 90, 210]


def test_conserved_sites_lie_at_the_same_place_and_shared_ones_have_the_same_letters():
    merged = DATA.sites["a"].merge(DATA.sites["b"], on=["sequence", "motif"])
    assert (merged["start_x"] == merged["start_y"]).all()
    assert (merged["strand_x"] == merged["strand_y"]).all()
    for site in merged.query("motif == 'shared'").itertuples():
        place = slice(site.start_x, site.end_x)
        assert DATA.codes["a"][site.sequence, place].equal(DATA.codes["b"][site.sequence, place])
    assert len(merged) > 100


def test_each_species_sites_fit_its_own_motif_better_than_the_others():
    for one, other in (("a", "b"), ("b", "a")):
        words = []
        for site in DATA.sites[one].query("motif == 'specific'").itertuples():
            word = DATA.codes[one][site.sequence, site.start : site.end]
            words.append((word if site.strand == "+" else reverse_complement(word)).numpy())
        own, foreign = (site_energy(np.array(words), DATA.motifs[s][1]).mean() for s in (one, other))
        assert own < 3 < 9 < foreign


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.5, 4), (1.0, 8)])
def test_a_motif_diverges_at_the_positions_told_and_keeps_its_information(share, expected):
    motif = consensus_motif("m", "TGACGTCA")
    other, changed = diverged_motif(motif, share, generator=np.random.default_rng(1))
    differs = np.flatnonzero((motif.counts != other.counts).any(axis=0))
    assert tuple(differs.tolist()) == changed
    assert len(changed) == expected
    np.testing.assert_allclose(other.information(), motif.information())
    assert sum(a != b for a, b in zip(motif.consensus, other.consensus, strict=True)) == expected


def test_without_divergence_species_are_alike_where_active_alike():
    config = TwoSpeciesConfig(
        n_pairs=40, divergence=0.0, motif_divergence=0.0, activity_shares=(0.0, 0.0, 0.0, 1.0)
    )
    data = simulate_two_species(config, generator=np.random.default_rng(2))
    assert data.codes["a"].equal(data.codes["b"])
    assert data.changed == ()
    assert len(data.sites["a"]) == 0


def test_the_background_stays_as_asked_and_the_same_seed_gives_the_same():
    again = simulate_two_species(CONFIG, generator=np.random.default_rng(0))
    assert again.codes["b"].equal(DATA.codes["b"])
    assert again.rows.equals(DATA.rows)
    config = TwoSpeciesConfig(
        divergence=0.0, background=Background(composition=(0.4, 0.1, 0.1, 0.4)), n_pairs=300
    )
    data = simulate_two_species(config, generator=np.random.default_rng(3))
    inactive = (data.rows["label_b"] == 0).to_numpy()
    letters = data.codes["b"][torch.from_numpy(inactive)]
    assert binomtest(int(((letters == 1) | (letters == 2)).sum()), letters.numel(), 0.2).pvalue > 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activity_shares": (0.5, 0.5, 0.5, 0.5)}, "give four shares"),
        ({"motif_divergence": 1.2}, "motif_divergence is 1.2"),
        ({"divergence": -0.1}, "divergence -0.1"),
        ({"length": 12}, "don't fit into 12"),
    ],
)
def test_species_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        TwoSpeciesConfig(**options)
