"""Laws of simulated pairs: positives fit, negatives don't, and one side alone tells nothing."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.alphabet import PROTEIN, RNA
from genailab.data.sequences.encoding import decode
from genailab.data.simulate import PairConfig, simulate_rna_protein_pairs
from genailab.data.simulate.rna_protein_pairs import FAMILIES, Family
from genailab.errors import InputError

CONFIG = PairConfig(n_positives=100, negatives_per_positive=2, purity=1.0)
PAIRS = simulate_rna_protein_pairs(CONFIG, generator=np.random.default_rng(0))


@given(n=st.integers(8, 60), seed=st.integers(0, 99), ring=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_pair_is_positive_exactly_where_its_families_fit(n, seed, ring):
    # In the ring, family i binds i and i + 1.
    fits = np.eye(4, dtype=bool) | (np.roll(np.eye(4, dtype=bool), 1, axis=1) & ring)
    config = PairConfig(n_positives=n, compatible=tuple(map(tuple, fits.tolist())))
    pairs = simulate_rna_protein_pairs(config, generator=np.random.default_rng(seed))
    number = {family.name: i for i, family in enumerate(FAMILIES)}
    rows = pairs.rows
    found = fits[rows["rna_family"].map(number), rows["protein_family"].map(number)]
    assert np.array_equal(found, rows["label"] == 1)
    assert rows["label"].sum() * 2 == len(rows)


def test_each_rna_and_each_protein_is_as_often_in_negatives_as_asked():
    for side in ("rna_id", "protein_id"):
        counts = PAIRS.rows.groupby([side, "label"]).size().unstack()
        assert (counts[1] == 1).all()
        assert (counts[0] == 2).all()


def test_one_id_is_one_sequence():
    for side, codes in (("rna_id", PAIRS.rna), ("protein_id", PAIRS.protein)):
        first = PAIRS.rows.groupby(side).head(1).sort_values(side).index.to_numpy()
        assert codes.equal(codes[first][PAIRS.rows[side].to_numpy()])


def test_motifs_and_domains_are_where_the_truth_says():
    family = {one.name: one for one in FAMILIES}
    iupac = {"Y": "[CU]", "N": "[ACGU]"}
    for sites, codes, alphabet in (
        (PAIRS.rna_sites, PAIRS.rna, RNA),
        (PAIRS.protein_sites, PAIRS.protein, PROTEIN),
    ):
        texts = decode(codes[:100], alphabet=alphabet)  # the positives: pair i is RNA i and protein i
        assert np.array_equal(sites["sequence"], np.arange(100))
        for site in sites.itertuples():
            if alphabet is RNA:
                pattern = "".join(iupac.get(letter, letter) for letter in family[site.motif].rna)
            else:
                pattern = family[site.motif].domain.replace("-", "").replace("x", ".")
            assert re.fullmatch(pattern, texts[site.sequence][site.start : site.end])


def test_the_same_seed_gives_the_same_pairs():
    again = simulate_rna_protein_pairs(CONFIG, generator=np.random.default_rng(0))
    assert again.rna.equal(PAIRS.rna)
    assert again.protein.equal(PAIRS.protein)
    assert again.rows.equals(PAIRS.rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compatible": ((True,),)}, r"shape \(1, 1\) for 4 families"),
        ({"compatible": ((True,) * 4,) * 4}, "it has no negatives"),
        ({"families": (Family(name="f", rna="GGA", domain="[IV-G"),)}, r"'\[IV-G': write it as"),
        ({"rna_length": 7}, "make them longer"),
        ({"n_positives": 0}, "n_positives is 0"),
    ],
)
def test_pairs_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        PairConfig(**options)


def test_pairs_that_always_fit_cannot_be_shuffled():
    with pytest.raises(InputError, match="1 pairs of these families can't be shuffled"):
        simulate_rna_protein_pairs(PairConfig(n_positives=1), generator=np.random.default_rng(0))
