"""Whether generated coding sequences can be translated, and generated proteins are proteins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genailab.data.sequences.alphabet import PROTEIN
from genailab.data.sequences.translation import STANDARD, CodonTable, translate
from genailab.errors import InputError
from genailab.evaluation.generated_sequences.collection import SequenceCollection

__all__ = ["coding_validity", "protein_validity"]

STOP = PROTEIN.codes_of["*"]


def coding_validity(sequences: SequenceCollection, *, table: CodonTable = STANDARD) -> pd.DataFrame:
    """Check each DNA or RNA sequence as a coding sequence, read from its first letter.

    Returns
    -------
    Boolean columns: ``whole_codons`` (a length in threes), ``starts`` (ATG first), ``stops`` (a stop codon
    last), ``open`` (no stop codon before) and ``valid`` (all four).

    Raises
    ------
    InputError
        If the sequences are proteins.

    Examples
    --------
    >>> checked = coding_validity(SequenceCollection.of(["ATGGCATAA", "ATGTAAGCA"]))
    >>> checked["valid"].tolist(), checked["open"].tolist()
    ([True, False], [True, False])
    """
    if not sequences.alphabet.complements:
        raise InputError(
            f"coding sequences are DNA or RNA, got {sequences.alphabet.name}: leave out coding=True"
        )
    amino_acids = _as_array(translate(sequences.codes, table=table))  # (n, codons)
    n_codons = sequences.lengths // 3
    last = np.arange(amino_acids.shape[1]) == n_codons[:, None] - 1
    stops = (amino_acids == STOP) & (np.arange(amino_acids.shape[1]) < n_codons[:, None])
    checked = pd.DataFrame(
        {
            "whole_codons": sequences.lengths % 3 == 0,
            "starts": _starts_with_atg(sequences),
            "stops": (stops & last).any(axis=1),
            "open": ~(stops & ~last).any(axis=1),
        }
    )
    return checked.assign(valid=checked.all(axis=1))


def protein_validity(sequences: SequenceCollection) -> pd.DataFrame:
    """Check each protein: ``starts`` (methionine first), ``letters`` (amino acids only), ``open``, ``valid``.

    A stop may stand at the end, as translated genes have it; ``open`` says that there is none within.

    Examples
    --------
    >>> from genailab.data.sequences.alphabet import PROTEIN
    >>> protein_validity(SequenceCollection.of(["MKV*", "M*KV", "MKX"], alphabet=PROTEIN))["valid"].tolist()
    [True, False, False]
    """
    codes = sequences.codes.numpy()
    within = np.arange(codes.shape[1]) < sequences.lengths[:, None]
    last = np.arange(codes.shape[1]) == sequences.lengths[:, None] - 1
    stop = (codes == STOP) & within
    letters = (codes < PROTEIN.size) | (stop & last) | ~within
    checked = pd.DataFrame(
        {
            "starts": codes[:, 0] == PROTEIN.codes_of["M"],
            "letters": (letters | stop).all(axis=1),
            "open": ~(stop & ~last).any(axis=1),
        }
    )
    return checked.assign(valid=checked.all(axis=1))


def _starts_with_atg(sequences: SequenceCollection) -> np.ndarray:
    codes = sequences.codes.numpy()
    return (codes[:, :3] == np.array([0, 3, 2])).all(axis=1) & (sequences.lengths >= 3)


def _as_array(codes: object) -> np.ndarray:
    return np.asarray(codes)
