"""What session 1 teaches is what the field's libraries compute."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest
import torch

from genailab.data import load_pbmc
from genailab.learn.checking.loading import load_module, load_source
from genailab.learn.content import find_exercise

BACTERIORHODOPSIN_HELICES = 7


def solution(id: str) -> dict[str, Any]:
    exercise = find_exercise(id)
    return dict(load_source(exercise.text("solution.py"), exercise.folder / "solution.py"))


def checks(id: str) -> Any:
    folder = find_exercise(id).folder
    return load_module(folder / "check.py", f"checks_of_{folder.name}")


def test_the_counts_of_the_expression_matrix_are_a_corner_of_the_bundled_cells() -> None:
    with (find_exercise("s01.2").folder / "counts.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    cells = load_pbmc()
    columns = [cells.genes.index(row[0]) for row in rows]
    places = [cells.cells.index(name) for name in header[1:]]
    counts = np.array([row[1:] for row in rows], dtype=float)
    assert np.array_equal(counts.T, cells.counts.toarray()[np.ix_(places, columns)])


def test_normalisation_is_scanpy_s_with_the_axes_swapped() -> None:
    scanpy, anndata = pytest.importorskip("scanpy"), pytest.importorskip("anndata")
    program, counts = solution("s01.2"), checks("s01.2").COUNTS
    cells = anndata.AnnData(counts.T.astype(np.float64).copy())
    scanpy.pp.normalize_total(cells, target_sum=1e6)
    scanpy.pp.log1p(cells)
    ours = program["log_expression"](torch.from_numpy(counts))
    assert ours.numpy() == pytest.approx(cells.X.T, rel=1e-6)
    scanpy.pp.scale(cells, zero_center=True)
    assert program["z_scores"](ours).numpy() == pytest.approx(cells.X.T, abs=1e-4)


def test_the_other_strand_is_biopython_s() -> None:
    seq = pytest.importorskip("Bio.Seq")
    program, text = solution("s01.3"), "ATGCCGTAAGGTC"
    turned = program["to_text"](program["reverse_complement"](program["one_hot"](text)))
    assert turned == str(seq.Seq(text).reverse_complement())


def test_a_scan_is_torch_s_convolution_without_a_bias() -> None:
    program, generator = solution("s01.3"), torch.Generator().manual_seed(3)
    pwm = torch.randn(4, 9, generator=generator)
    x = program["one_hot"](checks("s01.3").DONORS[5])
    expected = torch.nn.functional.conv1d(x[None], pwm[None])[0, 0]
    assert torch.allclose(program["scan"](x, pwm), expected, atol=1e-5)


def test_the_donor_matrix_finds_real_donors() -> None:
    # Most of the real sites are the best window of their 60 bp: the data and their coordinates are right.
    known = checks("s01.3")
    best = [known.scan(known.one_hot(text), known.DONOR_PWM).argmax() for text in known.DONORS[:200]]
    assert np.mean(np.array(best) == 27) > 0.7


def test_hydropathy_profiles_are_biopython_s() -> None:
    data, analysis = (
        pytest.importorskip("Bio.SeqUtils.ProtParamData"),
        pytest.importorskip("Bio.SeqUtils.ProtParam"),
    )
    program, known = solution("s01.adapt"), checks("s01.adapt")
    assert data.kd == known.SCALE
    protein = known.BACTERIORHODOPSIN
    ours = program["window_means"](program["hydropathy"](program["one_hot_protein"](protein)), 19)
    assert ours.tolist() == pytest.approx(
        analysis.ProteinAnalysis(protein).protein_scale(data.kd, 19, edge=1.0), abs=1e-5
    )


def test_bacteriorhodopsin_is_the_mature_chain_of_swiss_prot() -> None:
    weight = pytest.importorskip("Bio.SeqUtils").molecular_weight
    protein = checks("s01.adapt").BACTERIORHODOPSIN
    assert len(protein) == 249
    # UniProt P02945: 27,052.5 +- 2.7 Da for residues 14 to 261, with retinal (+266.4) and a pyroglutamate
    # at the start (-17.0).
    assert weight(protein[:-1], "protein") + 266.4 - 17.0 == pytest.approx(27_052.5, abs=5)


def test_the_lesson_counts_the_helices_right() -> None:
    known = checks("s01.adapt")
    inside = known.marked(known.BACTERIORHODOPSIN, 19, 1.6).astype(int)
    assert (np.diff(inside, prepend=0) == 1).sum() == 5 < BACTERIORHODOPSIN_HELICES
