"""s01.adapt Proteins. The lesson is in README.md; save this file to have it checked."""

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
    """Return (20, length), in either case; X, an unknown amino acid, is a column of zeros.

    Any other letter raises ValueError.
    """
    # TODO: As for DNA, with another alphabet
    pass


def hydropathy(x):
    """Return (length,): the hydropathy of each residue of (20, length); 0 for X."""
    # TODO: Weight the rows by HYDROPATHY and sum
    pass


def window_means(values, width):
    """Return (length - width + 1,): the mean of each window of values (length,)."""
    # TODO: As for DNA, without a loop
    pass


def membrane_residues(sequence, width=19, threshold=1.6):
    """Return (length,) of bool: the residues in any window whose mean hydropathy is threshold or more.

    A sequence shorter than the window has none.
    """
    # TODO: From the starts of such windows to all residues in them
    pass
