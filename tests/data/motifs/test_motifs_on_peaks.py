"""JASPAR's matrices on real peaks: the factor's own matrix tells its peaks from shuffled ones."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from genailab.data.motifs.jaspar import read_jaspar
from genailab.data.motifs.motif_scan import best_motif_scores, scan
from genailab.data.sequences.encoding import encode
from genailab.data.sequences.shuffle import shuffle

SHARED = [place / "shared" / "data" for place in Path(__file__).resolve().parents[3:5]]


def peaks(name: str, n: int = 400):
    place = next((folder / name for folder in SHARED if (folder / name).is_file()), None)
    if place is None:
        pytest.skip(f"{name} is not here")
    with gzip.open(place, "rt") as lines:
        letters = [line.strip() for _, line in zip(range(40 * n), lines, strict=False) if line[0] != ">"]
    return encode(letters[:: max(1, len(letters) // n)][:n])


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "factor", "other"), [("ctcf.fa.gz", "CTCF", "Spi1"), ("pu1.fa.gz", "Spi1", "CTCF")]
)
def test_a_factors_matrix_finds_its_peaks(name, factor, other):
    pytest.importorskip("pyjaspar")
    bound = peaks(name)
    shuffled = shuffle(bound, generator=np.random.default_rng(0))
    motifs = [read_jaspar(name=one, tax_group="vertebrates")[0] for one in (factor, other)]
    scores = [best_motif_scores(codes, motifs).numpy() for codes in (bound, shuffled)]
    truth = np.repeat([1, 0], [len(bound), len(shuffled)])
    own, others = (roc_auc_score(truth, np.concatenate(scores)[:, column]) for column in (0, 1))
    assert own > 0.75 > others + 0.1
    sites = [len(scan(codes, motifs[:1])) for codes in (bound, shuffled)]
    assert sites[0] > 3 * sites[1]
