"""Checks of s01.1."""

import numpy as np

from genailab.learn.checking import Attempt, Mistake, check

ROWS = "ACGT"
AXES = ("letter", "position")


def one_hot(sequence: str, *, letters: str = ROWS) -> np.ndarray:
    """The reference: (4, length), float64."""
    return np.array([[float(letter == base) for base in sequence.upper()] for letter in letters])


def as_tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(np.ascontiguousarray(values))


def kmers_of(attempt: Attempt, n: int = 5) -> list[str]:
    return [attempt.dna(6) for _ in range(n)]


@check("Each letter becomes a column with one 1, in rows A, C, G, T")
def encodes(attempt: Attempt) -> None:
    sequence = attempt.dna(10)
    right = one_hot(sequence)
    attempt.compare(
        "one_hot_encode_sequence",
        sequence,
        expected=as_tensor(right),
        mistakes=[
            Mistake(
                "axes swapped",
                as_tensor(right.T),
                "Positions are in the rows: the tensor is (length, 4), and (4, length) was asked for. "
                "Conv1d slides along the last axis, so positions must stand there.",
            ),
            Mistake(
                "rows in the order A, T, G, C",
                as_tensor(one_hot(sequence, letters="ATGC")),
                "The rows are A, T, G, C. The order asked for is A, C, G, T: it is the alphabet's, the one "
                "motif databases use, and with it flipping the rows complements the strand.",
            ),
            Mistake(
                "numbers instead of one-hot",
                lambda yours: yours.ndim == 1 and len(yours) == len(sequence),
                "One number a letter says that T (3) is three times C (1). One-hot gives each letter an axis "
                "of its own, at the same distance from all others.",
            ),
        ],
        axes=AXES,
        picture="logo",
        rows=list(ROWS),
    )


@check("Lower-case letters are the same bases")
def lower_case(attempt: Attempt) -> None:
    sequence = attempt.dna(9).lower()
    attempt.compare(
        "one_hot_encode_sequence",
        sequence,
        expected=as_tensor(one_hot(sequence)),
        mistakes=[
            Mistake(
                "lower case ignored",
                lambda yours: float(yours.sum()) == 0,
                "Lower-case letters became columns of zeros.",
            )
        ],
        axes=AXES,
        why="Genome files write repeats in lower case (soft-masking): half of the human genome would vanish.",
    )


@check("N is a column of zeros")
def unknown(attempt: Attempt) -> None:
    sequence = attempt.dna(4) + "N" + attempt.dna(4) + "n"
    right = one_hot(sequence)
    uniform, as_a = right.copy(), right.copy()
    uniform[:, [4, 9]] = 0.25
    as_a[0, [4, 9]] = 1
    attempt.compare(
        "one_hot_encode_sequence",
        sequence,
        expected=as_tensor(right),
        mistakes=[
            Mistake(
                "N as A", as_tensor(as_a), "N became an A: an unknown base would look like evidence for A."
            ),
            Mistake(
                "N spread over the letters",
                as_tensor(uniform),
                "N became 0.25 in each row. That is a choice some models make; here zeros were asked for.",
            ),
        ],
        axes=AXES,
        why="Assembly gaps are long runs of N: they must carry no signal.",
    )


@check("Other letters are refused")
def refuses(attempt: Attempt) -> None:
    function = attempt.get("one_hot_encode_sequence")
    letter = str(attempt.rng.choice(list("XJ@7")))
    sequence = f"{attempt.dna(5)}{letter}{attempt.dna(5)}"
    try:
        yours = function(sequence)
    except ValueError:
        return
    attempt.fail(
        f"The letter {letter!r} was taken without a word; raise ValueError.",
        given=f"one_hot_encode_sequence({sequence!r})",
        yours=str(yours),
        expected="ValueError",
        mistake="bad letters pass",
        why="A protein or a file name read by mistake would otherwise train a model on nonsense.",
    )


@check("K-mers become a batch (n, 4, 6) in their order")
def batches(attempt: Attempt) -> None:
    kmers = kmers_of(attempt)
    right = np.stack([one_hot(kmer) for kmer in kmers])
    attempt.compare(
        "encode_kmers",
        kmers,
        expected=as_tensor(right),
        mistakes=[
            Mistake(
                "k-mers joined, not stacked",
                as_tensor(np.concatenate([one_hot(kmer) for kmer in kmers], axis=1)),
                "The k-mers were put end to end: there is no axis for which k-mer it is. torch.stack makes a "
                "new axis, torch.cat goes on along one that is there.",
            ),
            Mistake(
                "reshaped where axes had to be moved",
                as_tensor(
                    np.concatenate([one_hot(kmer) for kmer in kmers], axis=1).reshape(len(kmers), 4, 6)
                ),
                "The shape is right but the letters are mixed up: reshape cuts the numbers in memory order, "
                "it does not move an axis.",
            ),
        ],
        axes=("k-mer", "letter", "position"),
    )


@check("Flattened k-mers keep A's columns first")
def flattens(attempt: Attempt) -> None:
    batch = np.stack([one_hot(kmer) for kmer in kmers_of(attempt)])
    attempt.compare(
        "flatten_kmers",
        as_tensor(batch).float(),
        expected=as_tensor(batch.reshape(len(batch), -1)),
        mistakes=[
            Mistake(
                "positions before letters",
                as_tensor(batch.transpose(0, 2, 1).reshape(len(batch), -1)),
                "The numbers run position by position; all of A's columns were asked for first.",
            ),
            Mistake(
                "batch flattened too",
                as_tensor(batch.reshape(-1)),
                "All k-mers ended in one long row: keep the first axis, which says which k-mer it is.",
            ),
        ],
        axes=("k-mer", "feature"),
    )


@check("Joined k-mers are one sequence")
def joins(attempt: Attempt) -> None:
    kmers = kmers_of(attempt)
    batch = np.stack([one_hot(kmer) for kmer in kmers])
    attempt.compare(
        "join_kmers",
        as_tensor(batch).float(),
        expected=as_tensor(one_hot("".join(kmers))),
        mistakes=[
            Mistake(
                "reshaped where axes had to be moved",
                as_tensor(batch.reshape(4, -1)),
                "The shape is right but the letters are mixed up: reshape does not move the axis of "
                "letters to the front.",
            ),
            Mistake(
                "joined along the letters",
                as_tensor(np.concatenate(list(batch), axis=0)),
                "The k-mers were put below each other (more letters), not one after another.",
            ),
        ],
        axes=AXES,
        picture="logo",
        rows=list(ROWS),
    )
