"""s01.adapt Proteins: one way to do it."""

import torch

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"  # the order of the rows

# How readily each goes into a membrane, in the same order (Kyte & Doolittle 1982).
HYDROPATHY = torch.tensor(
    [
        [1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8],  # A to L
        [1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2, -0.9, -1.3],  # M to Y
    ]
).flatten()  # (20,)


def one_hot_protein(sequence):
    """Return (20, length), in either case; X, an unknown amino acid, is a column of zeros."""
    encoded = torch.zeros(20, len(sequence))  # (20, length)
    for position, letter in enumerate(sequence.upper()):
        if letter == "X":
            continue
        if letter not in AMINO_ACIDS:
            raise ValueError(f"{letter!r} at position {position} is not one of {AMINO_ACIDS} or X")
        encoded[AMINO_ACIDS.index(letter), position] = 1
    return encoded


def hydropathy(x):
    """Return (length,): the hydropathy of each residue of (20, length); 0 for X."""
    return HYDROPATHY @ x  # (20,) @ (20, length)


def window_means(values, width):
    """Return (length - width + 1,): the mean of each window of values (length,)."""
    return values.unfold(0, width, 1).mean(dim=1)


def membrane_residues(sequence, width=19, threshold=1.6):
    """Return (length,) of bool: the residues in any window whose mean hydropathy is threshold or more."""
    inside = torch.zeros(len(sequence), dtype=torch.bool)
    if len(sequence) < width:
        return inside
    means = window_means(hydropathy(one_hot_protein(sequence)), width)
    starts = torch.nonzero(means >= threshold)  # (n, 1)
    inside[starts + torch.arange(width)] = True  # (n, width) places
    return inside
