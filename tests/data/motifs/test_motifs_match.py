"""Laws of comparing motifs: a motif matches itself best, wherever and on whichever strand it lies."""

import numpy as np
import pytest

from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_match import match_motifs
from genailab.errors import InputError

TARGETS = [
    Motif(
        name=f"t{seed}",
        matrix_id=f"T{seed}",
        counts=np.random.default_rng(seed).gamma(0.3, 20, (4, 8 + seed % 5)),
    )
    for seed in range(60)
]


def shifted(motif: Motif, before: int, after: int) -> Motif:
    flat = np.full((4, 1), motif.n_sites / 4)
    return Motif(name="q", counts=np.hstack([flat.repeat(before, 1), motif.counts, flat.repeat(after, 1)]))


@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 0), (2, 4)])
def test_a_motif_is_found_inside_a_longer_one(before, after):
    best = match_motifs(shifted(TARGETS[7], before, after), TARGETS).iloc[0]
    assert (best["motif"], best["offset"], best["overlap"], best["strand"]) == (
        "t7",
        before,
        len(TARGETS[7]),
        "+",
    )
    assert best["e_value"] < 1e-3


def test_the_other_strand_is_found_as_well():
    forward, reverse = (
        match_motifs(TARGETS[3], TARGETS),
        match_motifs(TARGETS[3].reverse_complement(), TARGETS),
    )
    assert (reverse.iloc[0]["motif"], reverse.iloc[0]["strand"]) == ("t3", "-")
    merged = forward.merge(reverse, on="matrix_id")
    np.testing.assert_allclose(merged["p_value_x"], merged["p_value_y"], rtol=1e-6)


def test_p_values_of_unrelated_motifs_are_uniform():
    queries = [
        Motif(name="q", counts=np.random.default_rng(1000 + seed).gamma(0.3, 20, (4, 10)))
        for seed in range(30)
    ]
    p_values = np.concatenate([match_motifs(query, TARGETS)["p_value"] for query in queries])
    for level in (0.05, 0.2, 0.5):
        assert (p_values < level).mean() == pytest.approx(level, rel=0.3)


def test_few_targets_are_warned_of_and_none_refused():
    with pytest.warns(UserWarning, match="rough null distribution"):
        match_motifs(TARGETS[0], TARGETS[:3])
    with pytest.raises(InputError, match="no motifs to compare"):
        match_motifs(TARGETS[0], [])
