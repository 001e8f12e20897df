"""s01.1 DNA sequence encoding. The lesson is in README.md; save this file to have it checked."""

import torch


# Exercise 1: DNA encoding
def one_hot_encode_sequence(sequence):
    """Return a float tensor (4, length): rows A, C, G, T, one column a letter, in either case.

    N is a column of zeros. Any other letter raises ValueError.
    """
    # TODO: Implement one-hot encoding for DNA
    pass


def encode_kmers(kmers):
    """Return a batch (n, 4, 6) of DNA k-mers of length 6, in their order."""
    # TODO: Encode each one and stack them
    pass


def flatten_kmers(batch):
    """Return (n, 24): all of A's columns first, then C's, G's and T's."""
    # TODO: Reshape the batch (n, 4, 6)
    pass


def join_kmers(batch):
    """Return (4, n * 6): the k-mers one after the other, as one sequence."""
    # TODO: Concatenate along the positions
    pass
