"""s01.adapt Proteins: another way, by table look-up, cumulative sums and max pooling."""

import torch
import torch.nn.functional as F

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
HYDROPATHY = torch.tensor(
    [
        [1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8],  # A to L
        [1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2, -0.9, -1.3],  # M to Y
    ]
).flatten()  # (20,)


def one_hot_protein(sequence):
    known = AMINO_ACIDS + "X"
    if set(sequence.upper()) - set(known):
        raise ValueError("not a protein")
    codes = torch.tensor([known.index(letter) for letter in sequence.upper()], dtype=torch.long)
    return F.one_hot(codes, 21)[:, :20].T.float()


def hydropathy(x):
    return (x * HYDROPATHY[:, None]).sum(dim=0)


def window_means(values, width):
    running = F.pad(values.double().cumsum(0), (1, 0))
    return (running[width:] - running[:-width]) / width


def membrane_residues(sequence, width=19, threshold=1.6):
    if len(sequence) < width:
        return torch.zeros(len(sequence)) > 0
    hits = (window_means(hydropathy(one_hot_protein(sequence)), width) >= threshold).float()
    # A residue is inside where any of the windows that begin up to width - 1 before it is a hit.
    padded = F.pad(hits, (width - 1, width - 1))[None]
    return F.max_pool1d(padded, width, stride=1)[0] > 0
