"""Counts of k-mers in sequences, sparse: most of the 4,096 6-mers do not occur in 200 letters."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from torch import Tensor

from genailab.data.sequences.alphabet import DNA
from genailab.data.sequences.kmers import canonical_kmers, kmers
from genailab.errors import InputError
from genailab.evaluation.arrays import IntArray

__all__ = ["canonical_of", "kmer_features"]

LONGEST = 10


def kmer_features(codes: Tensor, k: int, *, canonical: bool = False) -> sp.csr_matrix:
    """Count each sequence's k-mers: ``(n, 4^k)`` float32 sparse, columns in alphabetical order.

    Parameters
    ----------
    codes
        DNA codes ``(n, length)``; k-mers with an unknown letter do not count.
    k
        Letters of a word, 1 to 10.
    canonical
        Whether a word and its reverse complement are one column: that of the first in the alphabet. A
        sequence then has the same counts on either strand.

    Raises
    ------
    InputError
        If k is out of range or the sequences are shorter.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import encode
    >>> kmer_features(encode(["ACGG"]), 1).toarray().tolist()
    [[1.0, 1.0, 2.0, 0.0]]
    """
    if not 1 <= k <= min(LONGEST, codes.shape[1]):
        raise InputError(
            f"k is {k}: words have 1 to {LONGEST} letters, and no more than the sequences' {codes.shape[1]}"
        )
    words = kmers(codes, k).numpy()  # (n, starts)
    row, start = np.nonzero(words < DNA.size**k)
    column, n_columns = words[row, start], DNA.size**k
    if canonical:
        columns = canonical_of(k)
        column, n_columns = columns[column], int(columns.max()) + 1
    return sp.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(len(codes), n_columns))


def canonical_of(k: int) -> IntArray:
    """Column of each k-mer when it shares one with its reverse complement, ``(4^k,)``.

    Examples
    --------
    >>> canonical_of(1)  # A with T, C with G
    array([0, 1, 1, 0])
    """
    return canonical_kmers(k)[1].numpy()
