"""Our scan and comparison of motifs beside memelite's FIMO and TomTom."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from genailab.data.motifs.motif import Motif
from genailab.data.motifs.motif_match import match_motifs
from genailab.data.motifs.motif_scan import scan
from genailab.data.sequences.encoding import one_hot

memelite = pytest.importorskip("memelite")

MOTIFS = [
    Motif(
        name=f"m{seed}",
        matrix_id=f"m{seed}",
        counts=np.random.default_rng(seed).gamma(0.4, 20, (4, 7 + seed % 8)),
    )
    for seed in range(80)
]


def test_sites_are_those_of_fimo():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (40, 500), generator=generator, dtype=torch.uint8)
    motifs = MOTIFS[:8]
    pwms = {motif.name: motif.probabilities() for motif in motifs}
    theirs = memelite.fimo(pwms, one_hot(codes).numpy(), threshold=1e-3, bin_size=0.001, eps=0.0)
    ours = scan(codes, motifs, p_value=1e-3)
    found = {
        (row["sequence_name"], row["start"], row["strand"], row["motif_name"]): (row["score"], row["p-value"])
        for table in theirs
        for row in table.to_dict("records")
    }
    mine = {
        (row["sequence"], row["start"], row["strand"], row["motif"]): (row["score"], row["p_value"])
        for row in ours.to_dict("records")
    }
    lengths = {motif.name: len(motif) for motif in motifs}
    both = mine.keys() & found.keys()
    # Words within rounding of the threshold may fall on either side of it.
    assert len(both) > 0.98 * max(len(mine), len(found)) > 100
    for site in both:
        assert mine[site][0] == pytest.approx(found[site][0], abs=0.02)
        # Theirs is that of a bin of scores: a few words of 4 ** length more or less.
        words = 4.0 ** -lengths[site[3]]
        assert mine[site][1] == pytest.approx(found[site][1], rel=0.05, abs=5 * words)


def test_matches_are_those_of_tomtom():
    query = MOTIFS[5].reverse_complement()
    theirs, _, offsets, overlaps, strands = memelite.tomtom(
        [query.probabilities()], [motif.probabilities() for motif in MOTIFS], n_target_bins=None, n_jobs=1
    )
    ours = match_motifs(query, MOTIFS).set_index("matrix_id").loc[[motif.matrix_id for motif in MOTIFS]]
    assert spearmanr(ours["p_value"], theirs[0]).statistic > 0.98
    assert ours["p_value"].argmin() == theirs[0].argmin() == 5
    likely = (theirs[0] < 0.05) & (theirs[0] > 1e-12)
    np.testing.assert_allclose(np.log10(ours["p_value"])[likely], np.log10(theirs[0][likely]), atol=0.3)
    assert ours["overlap"].iloc[5] == overlaps[0, 5]
    assert (ours["strand"].iloc[5] == "-") == bool(strands[0, 5])
    assert ours["offset"].iloc[5] == -offsets[0, 5]
