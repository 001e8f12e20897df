"""s01.3 Sequence manipulation. The lesson is in README.md; save this file to have it checked.

No loops here (for, while, comprehensions): every function is one or two tensor operations.
"""

import torch

LETTERS = torch.tensor(list(b"ACGT"))  # their numbers in ASCII, (4,)


def one_hot(sequence):
    """Return (4, length), rows A, C, G, T. (Given: (4, 1) against (length,) is compared by broadcasting.)"""
    return (LETTERS[:, None] == torch.tensor(list(sequence.encode()))).float()


def to_text(x):
    """Return the letters of a one-hot tensor (4, length). (Given.)"""
    return bytes(LETTERS[x.argmax(dim=0)].tolist()).decode()


def reverse_complement(x):
    """Return the other strand of (4, length), or of each sequence of a batch (n, 4, length)."""
    # TODO: Implement reverse complement
    pass


def sliding_windows(x, width, stride=1):
    """Return (windows, 4, width): all whole windows of (4, length), at 0, stride, 2 * stride, ..."""
    # TODO: See Tensor.unfold
    pass


def scan(x, pwm):
    """Return (length - width + 1,): the score of each window of (4, length) with pwm (4, width).

    A window's score is the sum of the weights of its letters.
    """
    # TODO: Broadcast the matrix over the windows
    pass


def best_score(x, pwm):
    """Return the highest score on either strand, a tensor without axes."""
    # TODO: A motif on the other strand is a motif
    pass


# Exercise 3: Sequence operations
dna_seq = "ATCGATCG"
# TODO: Implement reverse complement
dna_seq_rc = None  # of dna_seq, as text
