"""Laws of planted motifs: they are where the truth says, and the labels follow from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.simulate import Background, PlantedMotifsConfig, consensus_motif, simulate_planted_motifs
from genailab.data.simulate.planted_motifs import follows_rule
from genailab.data.simulate.sites import site_energy
from genailab.errors import InputError

EXACT = tuple(consensus_motif(name, word, purity=1.0) for name, word in (("x", "TGACTCAG"), ("y", "GGGAAT")))
configs = st.fixed_dictionaries(
    {
        "rule": st.sampled_from(["and", "or", "xor"]),
        "positive_share": st.floats(0, 1),
        "both_strands": st.booleans(),
        "length": st.integers(20, 60),
    }
)


def simulated(seed=0, **options):
    config = PlantedMotifsConfig(**{"n_sequences": 200, "motifs": EXACT, **options})
    return config, simulate_planted_motifs(config, generator=np.random.default_rng(seed))


@given(options=configs, seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_each_site_reads_its_motif_on_its_strand_inside_the_sequence_and_apart(options, seed):
    _, data = simulated(seed, n_sequences=40, **options)
    words = {"x": [3, 2, 0, 1, 3, 1, 0, 2], "y": [2, 2, 2, 0, 0, 3]}
    for site in data.sites.itertuples():
        found = data.codes[site.sequence, site.start : site.end]
        assert (found if site.strand == "+" else reverse_complement(found)).tolist() == words[site.motif]
    for _, sites in data.sites.groupby("sequence"):
        assert (sites["start"].to_numpy()[1:] >= sites["end"].to_numpy()[:-1]).all()
    assert options["both_strands"] or (data.sites["strand"] == "+").all()


@given(options=configs, seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_labels_follow_the_rule_from_the_table_of_sites(options, seed):
    config, data = simulated(seed, n_sequences=40, **options)
    present = np.zeros((40, 2), bool)
    for site in data.sites.itertuples():
        present[site.sequence, ["x", "y"].index(site.motif)] = True
    x, y = present.T
    expected = {"and": x & y, "or": x | y, "xor": x ^ y}[config.rule]
    assert np.array_equal(data.rows["clean_label"].astype(bool), expected)
    assert np.array_equal(data.rows[["has_x", "has_y"]], present)
    assert data.rows["label"].equals(data.rows["clean_label"])
    assert data.rows["label"].sum() == round(config.positive_share * 40)


def test_neither_motif_alone_says_anything_of_an_xor_label():
    _, data = simulated(rule="xor", n_sequences=4000)
    for name in ("has_x", "has_y"):
        assert binomtest(int(data.rows.query("label == 1")[name].sum()), 2000, 0.5).pvalue > 1e-4


def test_negatives_of_a_spacing_can_hold_both_motifs_otherwise_placed():
    _, data = simulated(spacing=(3, 5), n_sequences=400, both_strands=False)
    wide = data.sites.pivot(index="sequence", columns="motif", values="start")
    gap = (wide["y"] - wide["x"] - 8).reindex(range(400))
    right = gap.between(3, 5).to_numpy()
    assert np.array_equal(right, data.rows["label"] == 1)
    assert np.array_equal(right, data.rows["spaced"])
    both = (data.rows["has_x"] & data.rows["has_y"]).to_numpy()
    assert 20 < (both & ~right).sum() < 100  # a quarter of the 200 negatives
    assert set(gap[right]) == {3, 4, 5}


def test_noise_flips_the_share_of_labels_asked_for():
    _, data = simulated(label_noise=0.2, n_sequences=2000)
    flipped = int((data.rows["label"] != data.rows["clean_label"]).sum())
    assert binomtest(flipped, 2000, 0.2).pvalue > 1e-4


def test_sites_fit_their_motif_better_than_the_background_does():
    motif = consensus_motif("m", "TGASTCAYW", purity=0.9)
    _, data = simulated(motifs=(motif,), rule="or", positive_share=1.0, both_strands=False)
    starts = data.sites["start"].to_numpy()
    columns = starts[:, None] + np.arange(len(motif))
    planted = site_energy(data.codes.numpy()[np.arange(200)[:, None], columns], motif)
    elsewhere = site_energy(data.codes.numpy()[np.arange(200)[:, None], (columns + 30) % 200], motif)
    assert planted.mean() < 3 < 10 < elsewhere.mean()


def test_both_strands_are_used_alike_and_starts_are_spread_evenly():
    _, data = simulated(motifs=EXACT[:1], rule="or", positive_share=1.0, n_sequences=3000, length=27)
    assert binomtest(int((data.sites["strand"] == "-").sum()), 3000, 0.5).pvalue > 1e-4
    assert chisquare(np.bincount(data.sites["start"], minlength=20)).pvalue > 1e-4


def test_the_region_and_the_background_are_kept():
    background = Background(composition=(0.1, 0.2, 0.3, 0.4))
    _, data = simulated(region=(50, 80), background=background, n_sequences=500)
    assert data.sites["start"].min() >= 50
    assert data.sites["end"].max() <= 80
    outside = data.codes[:, list(range(50)) + list(range(80, 200))].numpy().ravel()
    expected = len(outside) * np.array(background.composition)
    assert chisquare(np.bincount(outside, minlength=4), expected).pvalue > 1e-4


def test_the_same_seed_gives_the_same_data():
    first, again, other = (simulated(seed)[1] for seed in (5, 5, 6))
    assert first.codes.equal(again.codes)
    assert first.rows.equals(again.rows)
    assert first.sites.equals(again.sites)
    assert not first.codes.equal(other.codes)


def test_three_motifs_follow_the_rules_too():
    present = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    assert follows_rule(present, "and").tolist() == [True, False, False, False]
    assert follows_rule(present, "or").tolist() == [True, True, True, False]
    assert follows_rule(present, "xor").tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 13}, "motifs need 14 letters, but may lie in 0-13 of 13"),
        ({"region": (190, 210)}, "may lie in 190-210 of 200"),
        ({"motifs": ()}, "give at least one"),
        ({"motifs": (EXACT[0], EXACT[0])}, r"named \['x', 'x'\]"),
        ({"rule": "nand"}, "choose 'and', 'or' or 'xor'"),
        ({"rule": "xor", "spacing": (1, 2)}, "means nothing"),
        ({"spacing": (4, 2)}, r"spacing \(4, 2\)"),
        ({"spacing": (0, 190)}, "motifs need 204 letters"),
        ({"positive_share": 1.5}, "positive_share is 1.5"),
        ({"label_noise": -0.1}, "label_noise is -0.1"),
    ],
)
def test_what_cannot_be_planted_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        PlantedMotifsConfig(**{"motifs": EXACT, **options})
