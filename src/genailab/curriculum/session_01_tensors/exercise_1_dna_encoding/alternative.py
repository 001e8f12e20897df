"""s01.1 DNA sequence encoding: another right way, without a loop over the letters."""

import torch

CODES = torch.full((256,), -1)
for code, letter in enumerate("ACGT"):
    CODES[ord(letter)] = CODES[ord(letter.lower())] = code
CODES[ord("N")] = CODES[ord("n")] = 4


def one_hot_encode_sequence(sequence):
    """Look every letter up, then compare with the numbers of the rows."""
    codes = CODES[torch.tensor([ord(letter) for letter in sequence], dtype=torch.long)]  # (length,)
    if (codes < 0).any():
        raise ValueError("a letter is not A, C, G, T or N")
    return (codes == torch.arange(4)[:, None]).float()  # (4, length)


def encode_kmers(kmers):
    """Encode all of them as one sequence, then cut it."""
    joined = one_hot_encode_sequence("".join(kmers))  # (4, n * 6)
    return joined.reshape(4, len(kmers), 6).permute(1, 0, 2)


def flatten_kmers(batch):
    """Join the last two axes."""
    return batch.flatten(start_dim=1)


def join_kmers(batch):
    """Bring the letters to the front, then join the other two axes."""
    return batch.permute(1, 0, 2).flatten(start_dim=1)
