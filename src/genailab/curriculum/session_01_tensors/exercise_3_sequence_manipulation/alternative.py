"""s01.3 Sequence manipulation: another way, by index tensors and einsum, turning the matrix, not the DNA."""

import torch

LETTERS = torch.tensor(list(b"ACGT"))
COMPLEMENT = torch.tensor([3, 2, 1, 0])


def one_hot(sequence):
    return (LETTERS[:, None] == torch.tensor(list(sequence.encode()))).float()


def to_text(x):
    return bytes(LETTERS[x.argmax(dim=0)].tolist()).decode()


def reverse_complement(x):
    length = x.shape[-1]
    backwards = length - 1 - torch.arange(length)
    return x.index_select(-2, COMPLEMENT).index_select(-1, backwards)


def sliding_windows(x, width, stride=1):
    starts = torch.arange(0, x.shape[1] - width + 1, stride)
    places = starts[:, None] + torch.arange(width)  # (windows, width)
    return x[:, places].transpose(0, 1)


def scan(x, pwm):
    return torch.einsum("nlw,lw->n", sliding_windows(x, pwm.shape[1]), pwm)


def best_score(x, pwm):
    both = torch.stack([pwm, reverse_complement(pwm)])  # (2, 4, width)
    return torch.einsum("nlw,slw->ns", sliding_windows(x, pwm.shape[1]), both).max()


dna_seq = "ATCGATCG"
dna_seq_rc = to_text(reverse_complement(one_hot(dna_seq)))
