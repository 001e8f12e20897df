"""Words of k letters: their numbers along a sequence, and how often each occurs.

The number of a k-mer reads its codes as digits, the first letter the most significant, so that numbers are in
alphabetical order: AA is 0, AC is 1, TT is 15.
"""

from __future__ import annotations

from itertools import product
from numbers import Integral

import torch
from torch import Tensor

from genailab.data.sequences.alphabet import DNA, Alphabet
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError

__all__ = ["canonical_kmers", "kmer_counts", "kmer_names", "kmers"]

MOST_COLUMNS = 4**14  # 2 GB of counts a sequence


def kmers(codes: Tensor, k: int, *, alphabet: Alphabet = DNA) -> Tensor:
    """Give the number of the k-mer that begins at each position.

    Parameters
    ----------
    codes
        Integer codes ``(..., length)``.
    k
        Letters in a word.
    alphabet
        What the codes mean.

    Returns
    -------
    long ``(..., length - k + 1)``: ``0 .. size**k - 1``, and ``size**k`` where a word holds a letter that is
    unknown or stands for several, as code ``size`` is the unknown letter.

    Raises
    ------
    InputError
        If ``k`` is below 1, longer than the sequences, or ``size**k`` does not fit into 64 bits.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import encode
    >>> kmers(encode("AACNT"), 2).tolist()
    [0, 1, 16, 16]
    """
    _check(codes, k, alphabet)
    n_words = codes.shape[-1] - k + 1
    numbers = torch.zeros(*codes.shape[:-1], n_words, dtype=torch.long, device=codes.device)
    known = torch.ones_like(numbers, dtype=torch.bool)
    for offset in range(k):
        letters = codes[..., offset : offset + n_words]  # (..., words)
        numbers = numbers * alphabet.size + letters
        known &= (letters >= 0) & (letters < alphabet.size)
    return numbers.where(known, alphabet.size**k)


def kmer_counts(codes: Tensor, k: int, *, alphabet: Alphabet = DNA, canonical: bool = False) -> Tensor:
    """Count the k-mers of each sequence; words with unknown letters don't count.

    Parameters
    ----------
    codes
        Integer codes ``(batch, length)``.
    k
        Letters in a word.
    alphabet
        What the codes mean.
    canonical
        Count a word and its reverse complement as one, so that a sequence and its other strand agree.

    Returns
    -------
    long ``(batch, size**k)``, or fewer columns with ``canonical``; `kmer_names` names them.

    Examples
    --------
    >>> from genailab.data.sequences.encoding import encode
    >>> kmer_counts(encode(["AACGN"]), 1).tolist()
    [[2, 1, 1, 0]]
    """
    _check_codes(codes)
    if codes.dim() != 2:
        raise InputError(f"kmer_counts takes codes (batch, length), got {tuple(codes.shape)}")
    numbers = kmers(codes, k, alphabet=alphabet)  # (batch, words)
    n_columns = alphabet.size**k
    if n_columns > MOST_COLUMNS:
        raise InputError(
            f"k={k} has {n_columns:,} words, a column each (at most {MOST_COLUMNS:,}): take a smaller k, or "
            "kmers() for the numbers alone"
        )
    if canonical:
        canonical_numbers, columns = canonical_kmers(k, alphabet)
        n_columns = len(canonical_numbers)
        # The number of unknown words comes after all others, and so does their column, which is cut off.
        columns = torch.cat([columns, torch.tensor([n_columns])]).to(codes.device)
        numbers = columns[numbers]
    counts = torch.zeros(len(codes), n_columns + 1, dtype=torch.long, device=codes.device)
    counts.scatter_add_(1, numbers, torch.ones_like(numbers))
    return counts[:, :-1]  # (batch, n_kmers)


def kmer_names(k: int, *, alphabet: Alphabet = DNA, canonical: bool = False) -> list[str]:
    """Name the columns of `kmer_counts`.

    Examples
    --------
    >>> kmer_names(1), kmer_names(1, canonical=True)
    (['A', 'C', 'G', 'T'], ['A', 'C'])
    """
    _check_k(k, alphabet)
    names = ["".join(letters) for letters in product(alphabet.letters, repeat=k)]
    if not canonical:
        return names
    return [names[number] for number in canonical_kmers(k, alphabet)[0].tolist()]


def canonical_kmers(k: int, alphabet: Alphabet = DNA) -> tuple[Tensor, Tensor]:
    """Return the words that come no later than their reverse complement, and the column of every word.

    Numbers ``(columns,)`` and, for each of the ``size**k`` words, the column it shares with its reverse
    complement.
    """
    numbers = torch.arange(alphabet.size**k)
    digits = [numbers // alphabet.size**place % alphabet.size for place in reversed(range(k))]
    words = torch.stack(digits, dim=1)  # (n_kmers, k)
    other_strand = kmers(reverse_complement(words, alphabet=alphabet), k, alphabet=alphabet)[:, 0]
    return torch.minimum(numbers, other_strand).unique(return_inverse=True)


def _check(codes: Tensor, k: int, alphabet: Alphabet) -> None:
    _check_codes(codes)
    _check_k(k, alphabet)
    if codes.shape[-1] < k:
        raise InputError(
            f"there is no word of {k} letters in sequences of {codes.shape[-1]}: take a smaller k, or leave "
            "them out"
        )


def _check_codes(codes: object) -> None:
    if not isinstance(codes, Tensor):
        raise InputError(f"k-mers are words of integer codes, got a {type(codes).__name__}: encode() text")
    if codes.is_floating_point() or codes.dtype == torch.bool:
        raise InputError(f"k-mers are words of integer codes, got {codes.dtype}: decode() reads a one-hot")


def _check_k(k: int, alphabet: Alphabet) -> None:
    if not isinstance(k, Integral) or k < 1 or alphabet.size**k >= 2**63:
        raise InputError(
            f"k must be a whole number of at least 1 and {alphabet.size}**k fit into 64 bits, got k={k}"
        )
