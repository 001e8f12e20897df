"""mistake: rows in the order A, T, G, C"""

import torch


def one_hot_encode_sequence(sequence):
    rows = torch.zeros(4, len(sequence))
    for position, letter in enumerate(sequence.upper()):
        if letter == "N":
            continue
        rows["ATGC".index(letter), position] = 1
    return rows


def encode_kmers(kmers):
    return torch.stack([one_hot_encode_sequence(kmer) for kmer in kmers])


def flatten_kmers(batch):
    return batch.flatten(1)


def join_kmers(batch):
    return torch.cat(list(batch), dim=1)
