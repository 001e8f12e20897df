"""s01.3 Sequence manipulation: one way to do it."""

import torch

LETTERS = torch.tensor(list(b"ACGT"))  # their numbers in ASCII, (4,)


def one_hot(sequence):
    """Return (4, length), rows A, C, G, T."""
    return (LETTERS[:, None] == torch.tensor(list(sequence.encode()))).float()


def to_text(x):
    """Return the letters of a one-hot tensor (4, length)."""
    return bytes(LETTERS[x.argmax(dim=0)].tolist()).decode()


def reverse_complement(x):
    """Return the other strand of (4, length), or of each sequence of a batch (n, 4, length)."""
    # In the order A, C, G, T the complement of row i is row 3 - i: both steps are flips.
    return x.flip(-2, -1)


def sliding_windows(x, width, stride=1):
    """Return (windows, 4, width): all whole windows of (4, length), at 0, stride, 2 * stride, ..."""
    windows = x.unfold(-1, width, stride)  # (4, windows, width)
    return windows.permute(1, 0, 2)  # (windows, 4, width)


def scan(x, pwm):
    """Return (length - width + 1,): the score of each window of (4, length) with pwm (4, width)."""
    weighted = sliding_windows(x, pwm.shape[1]) * pwm  # (windows, 4, width)
    return weighted.sum(dim=(1, 2))  # (windows,)


def best_score(x, pwm):
    """Return the highest score on either strand, a tensor without axes."""
    forward, backward = scan(x, pwm), scan(reverse_complement(x), pwm)
    return torch.maximum(forward.max(), backward.max())


# Exercise 3: Sequence operations
dna_seq = "ATCGATCG"
dna_seq_rc = to_text(reverse_complement(one_hot(dna_seq)))
