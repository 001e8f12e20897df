"""mistake: lower case ignored"""

import torch


def one_hot_encode_sequence(sequence):
    rows = torch.zeros(4, len(sequence))
    for position, letter in enumerate(sequence):
        if letter not in "ACGT":
            continue
        rows["ACGT".index(letter), position] = 1
    return rows


def encode_kmers(kmers):
    return torch.stack([one_hot_encode_sequence(kmer) for kmer in kmers])


def flatten_kmers(batch):
    return batch.flatten(1)


def join_kmers(batch):
    return torch.cat(list(batch), dim=1)
