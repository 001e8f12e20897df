"""s01.1 DNA sequence encoding: one way to do it."""

import torch

LETTERS = "ACGT"


def one_hot_encode_sequence(sequence):
    """Return a float tensor (4, length): rows A, C, G, T, one column a letter, in either case."""
    encoded = torch.zeros(4, len(sequence))  # (4, length)
    for position, letter in enumerate(sequence.upper()):
        if letter == "N":
            continue  # nothing is known: no row gets the one
        if letter not in LETTERS:
            raise ValueError(f"{letter!r} at position {position} is not A, C, G, T or N")
        encoded[LETTERS.index(letter), position] = 1
    return encoded


def encode_kmers(kmers):
    """Return a batch (n, 4, 6) of DNA k-mers of length 6, in their order."""
    return torch.stack([one_hot_encode_sequence(kmer) for kmer in kmers])


def flatten_kmers(batch):
    """Return (n, 24): all of A's columns first, then C's, G's and T's."""
    return batch.reshape(len(batch), -1)


def join_kmers(batch):
    """Return (4, n * 6): the k-mers one after the other, as one sequence."""
    return torch.cat(list(batch), dim=1)
