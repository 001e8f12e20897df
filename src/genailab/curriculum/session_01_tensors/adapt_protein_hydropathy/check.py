"""Checks of s01.adapt, on bacteriorhodopsin and on random proteins.

Bacteriorhodopsin (UniProt P02945, the mature chain, residues 14 to 262) crosses the membrane seven times. The
scale is that of Kyte & Doolittle 1982 (J Mol Biol 157:105), as are the window of 19 and the threshold of 1.6.
"""

import ast

import numpy as np
import torch
from torch import Tensor

from genailab.learn.checking import Attempt, Mistake, check

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
OTHER_ORDER = "ARNDCQEGHILKMFPSTWYV"  # of the three-letter names: BLOSUM's
VALUES = np.array(
    [
        [1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5],  # A to I
        [3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9, -1.3, 4.2],  # L to V
    ]
).ravel()
SCALE = dict(zip(OTHER_ORDER, VALUES, strict=True))
BACTERIORHODOPSIN = (
    "QAQITGRPEWIWLALGTALMGLGTLYFLVKGMGVSDPDAKKFYAITTLVPAIAFTMYLSMLLGYGLTMVPFGGEQNPIYWARYADWLFTTPLLLLDLALLVDADQGTILAL"
    "VGADGIMIGTGLVGALTKVYSYRFVWWAISTAAMLYILYVLFFGFTSKAESMRPEVASTFKVLRNVTVVLWSAYPVVWLIGSEGAGIVPLNIETLLFMVLDVSAKVGFGLI"
    "LLRSRAIFGEAEAPEPSAGDGAAATSD"
)


def one_hot(sequence: str, letters: str = AMINO_ACIDS) -> np.ndarray:
    """The reference: (20, length), float64."""
    return np.array([[float(letter == residue) for residue in sequence.upper()] for letter in letters])


def values_of(sequence: str) -> np.ndarray:
    return np.array([SCALE.get(letter, 0.0) for letter in sequence.upper()])


def means(values: np.ndarray, width: int) -> np.ndarray:
    return np.array([values[start : start + width].mean() for start in range(len(values) - width + 1)])


def marked(sequence: str, width: int, threshold: float) -> np.ndarray:
    inside = np.zeros(len(sequence), dtype=bool)
    for start in starts(sequence, width, threshold):
        inside[start : start + width] = True
    return inside


def starts(sequence: str, width: int, threshold: float) -> np.ndarray:
    return np.flatnonzero(means(values_of(sequence), width) >= threshold)


def at(places: np.ndarray, length: int) -> Tensor:
    return torch.from_numpy(np.isin(np.arange(length), places))


def tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64, order="C"))


def protein(attempt: Attempt, length: int) -> str:
    letters = np.concatenate([np.arange(20), attempt.rng.integers(0, 20, max(length - 20, 0))])
    return "".join(AMINO_ACIDS[code] for code in attempt.rng.permutation(letters)[:length])


def piece(attempt: Attempt) -> str:
    """Of bacteriorhodopsin, long enough to hold two helices."""
    start = int(attempt.rng.integers(0, 100))
    return BACTERIORHODOPSIN[start : start + 100 + int(attempt.rng.integers(0, 40))]


@check("Each amino acid becomes a column with one 1, in twenty rows")
def encodes(attempt: Attempt) -> None:
    sequence = protein(attempt, 24)
    right = one_hot(sequence)
    attempt.compare(
        "one_hot_protein",
        sequence[:12] + sequence[12:].lower(),
        expected=tensor(right),
        mistakes=[
            Mistake(
                "four rows kept from DNA",
                lambda yours: len(yours) == 4,
                "The tensor has four rows: there are twenty amino acids.",
            ),
            Mistake("axes swapped", tensor(right.T), "The tensor is (length, 20): residues belong last."),
            Mistake(
                "rows in another order",
                tensor(one_hot(sequence, OTHER_ORDER)),
                "The rows are in the order of BLOSUM (A, R, N, D ...). HYDROPATHY is in that of AMINO_ACIDS: "
                "arginine would get the value of cysteine.",
            ),
            Mistake(
                "lower case ignored",
                lambda yours: float(yours[:, 12:].sum()) == 0,
                "Lower-case letters became columns of zeros: alignments write insertions that way.",
            ),
        ],
        axes=("amino acid", "position"),
        picture="matrix",
        rows=list(AMINO_ACIDS),
    )


@check("X is a column of zeros, other letters are refused")
def unknown(attempt: Attempt) -> None:
    sequence = protein(attempt, 5) + "X" + protein(attempt, 4)
    attempt.compare(
        "one_hot_protein",
        sequence,
        expected=tensor(one_hot(sequence)),
        mistakes=[
            Mistake(
                "X spread over the letters",
                lambda yours: float(yours[:, 5].sum() - 1) ** 2 < 1e-6,
                "X became something of amino acids: nothing is known of it, and zeros were asked for.",
            )
        ],
        axes=("amino acid", "position"),
    )
    letter = str(attempt.rng.choice(list("BJOUZ*-")))
    wrong = protein(attempt, 5) + letter + protein(attempt, 4)
    try:
        yours = attempt.get("one_hot_protein")(wrong)
    except ValueError:
        return
    attempt.fail(
        f"The letter {letter!r} was taken without a word; raise ValueError.",
        given=f"one_hot_protein({wrong!r})",
        yours=f"a tensor {tuple(yours.shape)}" if isinstance(yours, Tensor) else str(yours),
        expected="ValueError",
        mistake="bad letters pass",
        why="An alignment's gaps, or a stop codon in the middle, mean that it is not the protein you think.",
    )


@check("Each residue gets its hydropathy")
def weights(attempt: Attempt) -> None:
    sequence = protein(attempt, 23) + "X"
    x = one_hot(sequence)
    scale = np.array([SCALE[letter] for letter in AMINO_ACIDS])
    attempt.compare(
        "hydropathy",
        tensor(x).float(),
        expected=tensor(values_of(sequence)),
        mistakes=[
            Mistake(
                "rows not summed",
                tensor(x * scale[:, None]),
                "Each row was weighted, but the rows were not added up: one number a residue was asked for.",
            ),
            Mistake(
                "summed over the positions",
                tensor((x * scale[:, None]).sum(axis=1)),
                "This is one number an amino acid: the sum went over the positions. The axis of letters "
                "must go.",
            ),
            Mistake(
                "the sum of the protein",
                tensor(np.array(values_of(sequence).sum())),
                "This is one number for the protein: where along it would the helix be?",
            ),
        ],
        axes=("residue",),
        picture="track",
    )


@check("Windows are averaged, whole windows only")
def averages(attempt: Attempt) -> None:
    width = int(attempt.rng.integers(3, 12))
    values = values_of(protein(attempt, 30))
    padded = np.convolve(values, np.ones(width) / width, mode="same")
    right = means(values, width)
    attempt.compare(
        "window_means",
        tensor(values).float(),
        width,
        expected=tensor(right),
        mistakes=[
            Mistake(
                "sum, not mean",
                tensor(right * width),
                "The windows were added up: a threshold would then depend on the width.",
            ),
            Mistake("last window missing", tensor(right[:-1]), "The last window is missing."),
            Mistake(
                "padded at the ends",
                tensor(padded),
                "The result is as long as the protein: at its ends zeros were averaged in, as if amino acids "
                "of hydropathy 0 stood there.",
            ),
            Mistake(
                "windows side by side",
                lambda yours: len(yours) == len(values) // width,
                "The windows do not overlap: one begins at every residue (stride 1).",
            ),
        ],
        axes=("window",),
        picture="track",
        tolerance=1e-4,
    )


@check("Residues of membrane windows are marked")
def marks(attempt: Attempt) -> None:
    sequence, width = piece(attempt), int(attempt.rng.integers(15, 22))
    # Sums are multiples of 0.1: a threshold between two of them does not hang on the last bit of a float.
    threshold = (round(1.5 * width, 1) + 0.05) / width
    right, hits = marked(sequence, width, threshold), starts(sequence, width, threshold)
    length = len(sequence)
    attempt.compare(
        "membrane_residues",
        sequence,
        width=width,
        threshold=threshold,
        expected=torch.from_numpy(right),
        mistakes=[
            Mistake(
                "only the starts marked",
                at(hits, length),
                "Only the first residue of each window was marked: a window says something of all of its "
                "residues.",
            ),
            Mistake(
                "only the starts marked",
                lambda yours: len(yours) == length - width + 1,
                "There is one answer a window, not one a residue: a window at s covers s to s + width - 1.",
            ),
            Mistake(
                "only the middles marked",
                at(hits + width // 2, length),
                "Only the residue in the middle of each window was marked.",
            ),
            Mistake(
                "last residue of a window missing",
                at((hits[:, None] + np.arange(width - 1)).ravel(), length),
                "The last residue of each window is missing: arange(width) has width places.",
            ),
            Mistake(
                "threshold on single residues",
                torch.from_numpy(values_of(sequence) >= threshold),
                "Single residues were compared with the threshold. Soluble proteins have greasy residues "
                "too: what crosses a membrane is a stretch of about 19.",
            ),
        ],
        axes=("residue",),
        picture="track",
    )
    _without_loops(attempt, "window_means", "membrane_residues")


@check("Bacteriorhodopsin crosses the membrane, a short or watery piece does not")
def biology(attempt: Attempt) -> None:
    # The window at 50 has a mean of exactly 1.6, which float32 may miss by a bit: the rest has none such.
    rest = BACTERIORHODOPSIN[60:]
    attempt.compare(
        "membrane_residues",
        rest,
        expected=torch.from_numpy(marked(rest, 19, 1.6)),
        axes=("residue",),
        picture="track",
        why="Its helices were the first to be seen in a membrane.",
    )
    for sequence in (BACTERIORHODOPSIN[10:22], "DEKRSTNQ" * 4):
        attempt.compare(
            "membrane_residues",
            sequence,
            expected=torch.zeros(len(sequence), dtype=torch.bool),
            why="A helix must be about 19 residues long to reach from one side of a membrane to the other.",
        )


def _without_loops(attempt: Attempt, *names: str) -> None:
    kinds = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp)
    for function in attempt.tree.body:
        if isinstance(function, ast.FunctionDef) and function.name in names:
            for node in ast.walk(function):
                if isinstance(node, kinds):
                    attempt.fail(
                        f"Line {node.lineno} loops in {function.name}: unfold gives all windows at once, and "
                        "an index tensor (n, width) marks all their residues.",
                        mistake="a loop over windows",
                    )
