"""Checks of s01.3, on splice donors of real genes and on random sequences."""

import ast
import csv
import gzip
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import genailab
from genailab.learn.checking import Attempt, Mistake, check

LETTERS = "ACGT"
AXES = ("letter", "position")
WINDOWS = ("window", "letter", "position")
LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def donors() -> list[str]:
    """Sequences of 60 bp whose intron begins at position 30 (the UCI splice junctions)."""
    # Not by load_splice_junctions: it imports pandas, for which a learner would wait a second.
    path = Path(genailab.__file__).parent / "data" / "bundled" / "splice_junctions.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [row["sequence"] for row in csv.DictReader(file) if row["label"] == "donor"]
    return [sequence for sequence in rows if set(sequence) <= set(LETTERS)]


def one_hot(sequence: str) -> np.ndarray:
    """The reference: (4, length), float64."""
    return np.array([[float(letter == base) for base in sequence] for letter in LETTERS])


def reverse_complement(x: np.ndarray) -> np.ndarray:
    return x[..., ::-1, ::-1]


def windows(x: np.ndarray, width: int, stride: int = 1) -> np.ndarray:
    starts = range(0, x.shape[1] - width + 1, stride)
    return np.stack([x[:, start : start + width] for start in starts])


def scan(x: np.ndarray, pwm: np.ndarray) -> np.ndarray:
    return (windows(x, pwm.shape[1]) * pwm).sum(axis=(1, 2))


DONORS = donors()
SITES = np.stack([one_hot(sequence[27:36]) for sequence in DONORS])  # the last 3 of the exon, 6 of the intron
DONOR_PWM = np.log2((SITES.sum(axis=0) + 1) / (len(SITES) + 4) / 0.25)  # (4, 9), bits


def tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64, order="C"))


def real(attempt: Attempt) -> np.ndarray:
    """A stretch around a real donor, on either strand, of a length not known beforehand."""
    sequence = str(attempt.rng.choice(DONORS))
    x = one_hot(sequence[: 60 - int(attempt.rng.integers(12))])
    return x if attempt.rng.random() < 0.5 else reverse_complement(x)


def without_loops(attempt: Attempt) -> None:
    """Fail where a function has a loop of any kind; elsewhere in the file the learner may try things out."""
    functions = [node for node in attempt.tree.body if isinstance(node, ast.FunctionDef)]
    for node in (part for function in functions for part in ast.walk(function)):
        if isinstance(node, LOOPS):
            attempt.fail(
                f"Line {node.lineno} loops. One tensor operation does all positions at once.",
                mistake="a loop over positions",
                why="A human genome has three billion positions: a loop over them takes Python hours, a "
                "tensor operation seconds.",
            )


@check("The other strand: complemented and reversed")
def turns(attempt: Attempt) -> None:
    x = one_hot(attempt.dna(11))
    attempt.compare(
        "reverse_complement",
        tensor(x).float(),
        expected=tensor(reverse_complement(x)),
        mistakes=[
            Mistake(
                "complement without reversal",
                tensor(x[::-1]),
                "The letters were complemented, but they still run in the old direction: the other strand "
                "is read the other way round (5' to 3').",
            ),
            Mistake(
                "reversal without complement",
                tensor(x[:, ::-1]),
                "The order was reversed, but the letters are the old ones: opposite A stands T, opposite C "
                "stands G.",
            ),
            Mistake(
                "axes swapped",
                tensor(reverse_complement(x).T),
                "Letters and positions have changed places: the result must be (4, length) again.",
            ),
        ],
        axes=AXES,
        picture="logo",
        rows=list(LETTERS),
    )
    without_loops(attempt)


@check("Each sequence of a batch is turned, the batch is not")
def turns_batch(attempt: Attempt) -> None:
    batch = np.stack([one_hot(attempt.dna(7)) for _ in range(4)])
    attempt.compare(
        "reverse_complement",
        tensor(batch).float(),
        expected=tensor(reverse_complement(batch)),
        mistakes=[
            Mistake(
                "batch reversed too",
                tensor(batch[::-1, ::-1, ::-1]),
                "The sequences themselves are in reverse order: each now has the label of another. Flip only "
                "the last two axes.",
            ),
            Mistake(
                "batch taken for the letters",
                tensor(batch[::-1, ::-1, :]),
                "The first two axes were flipped: count axes from the end (-1 is positions, -2 letters), and "
                "it holds with and without a batch.",
            ),
        ],
        axes=("sequence", *AXES),
    )


@check("Turned twice it is itself, and GC is kept")
def laws(attempt: Attempt) -> None:
    x = tensor(real(attempt)).float()
    once = attempt.call("reverse_complement", x)
    attempt.equal(
        attempt.call("reverse_complement", once),
        x.double(),
        given="reverse_complement(reverse_complement(x))",
        why="The other strand of the other strand is the strand itself.",
        axes=AXES,
    )
    attempt.equal(
        once[1:3].sum(),
        float(x[1:3].sum()),
        given="the number of G and C in reverse_complement(x)",
        why="G pairs with C: both strands have the same GC content.",
    )


@check("The reverse complement of dna_seq")
def of_the_text(attempt: Attempt) -> None:
    sequence, yours = attempt.names.get("dna_seq"), attempt.get("dna_seq_rc")
    attempt.require(
        sequence == "ATCGATCG", f"dna_seq was 'ATCGATCG' and is now {sequence!r}: leave it as it is."
    )
    attempt.equal(yours, "CGATCGAT", given="dna_seq = 'ATCGATCG'")


@check("Windows: every start once, up to the last whole window")
def cuts(attempt: Attempt) -> None:
    x, width = real(attempt), int(attempt.rng.integers(3, 10))
    _compare_windows(attempt, x, width, 1)


@check("Windows with a stride")
def cuts_with_stride(attempt: Attempt) -> None:
    stride, width = int(attempt.rng.integers(2, 5)), int(attempt.rng.integers(5, 10))
    # The last window ends with the sequence: one too few is then seen.
    length = width + stride * int(attempt.rng.integers(4, 8))
    _compare_windows(attempt, one_hot(attempt.dna(length)), width, stride)
    # And here letters are left over at the end.
    _compare_windows(attempt, one_hot(attempt.dna(length + stride - 1)), width, stride)


def _compare_windows(attempt: Attempt, x: np.ndarray, width: int, stride: int) -> None:
    right = windows(x, width, stride)
    options = {} if stride == 1 else {"stride": stride}
    known = [
        Mistake(
            "last window missing",
            tensor(right[:-1]),
            "The last window is missing: length L has L - width + 1 starts, as the window at 0 counts too.",
        ),
        Mistake(
            "letters before windows",
            tensor(right.transpose(1, 0, 2)),
            "The axes are (4, windows, width), as unfold leaves them; (windows, 4, width) was asked for. A "
            "batch of sequences has its letters in the middle: permute moves axes.",
        ),
        Mistake(
            "reshaped where axes had to be moved",
            tensor(right.transpose(1, 0, 2).reshape(right.shape)),
            "The shape is right but letters and windows are mixed up: reshape keeps the order in memory, "
            "permute moves axes.",
        ),
        Mistake(
            "letters after positions",
            tensor(right.transpose(0, 2, 1)),
            "The axes are (windows, width, 4): letters belong before positions.",
        ),
    ]
    if stride > 1:
        known.append(
            Mistake("stride ignored", tensor(windows(x, width)), "There is a window at every start.")
        )
    attempt.compare(
        "sliding_windows",
        tensor(x).float(),
        width,
        **options,
        expected=tensor(right),
        mistakes=known,
        axes=WINDOWS,
    )
    without_loops(attempt)


@check("A matrix is scored at every position of a real donor site")
def scans(attempt: Attempt) -> None:
    _forbid_convolution(attempt)
    x = real(attempt)
    by_letter = windows(x, 9) * DONOR_PWM
    attempt.compare(
        "scan",
        tensor(x).float(),
        tensor(DONOR_PWM).float(),
        expected=tensor(by_letter.sum(axis=(1, 2))),
        mistakes=[
            Mistake(
                "matrix read backwards",
                tensor(scan(x, DONOR_PWM[:, ::-1])),
                "The matrix was reversed: that is a convolution as mathematicians define it. A motif is laid "
                "on as it is.",
            ),
            Mistake(
                "scores of the other strand",
                tensor(scan(x, reverse_complement(DONOR_PWM))),
                "These are the scores of the reverse complement: only the strand given was asked for here.",
            ),
            Mistake(
                "mean, not sum",
                tensor(by_letter.mean(axis=(1, 2))),
                "The weights were averaged. They are logarithms of odds: independent positions multiply "
                "their odds, so logarithms are added.",
            ),
            Mistake(
                "positions not summed",
                tensor(by_letter.sum(axis=1)),
                "One number for each position of each window is left: add up over the width too.",
            ),
        ],
        tolerance=1e-4,
        picture="track",
        why="A score in bits says how much likelier the window is as a donor site than by chance.",
    )
    without_loops(attempt)


@check("The best score counts both strands")
def both_strands(attempt: Attempt) -> None:
    _forbid_convolution(attempt)
    site = _telling_site(attempt)
    for x in (site, reverse_complement(site)):
        forward, backward = scan(x, DONOR_PWM), scan(reverse_complement(x), DONOR_PWM)
        reversed_only = scan(x, DONOR_PWM[:, ::-1])
        attempt.compare(
            "best_score",
            tensor(x).float(),
            tensor(DONOR_PWM).float(),
            expected=tensor(np.array(max(forward.max(), backward.max()))),
            mistakes=[
                Mistake(
                    "one strand only",
                    tensor(np.array(forward.max())),
                    "Only the strand given was scanned: proteins bind either, and half of all sites are on "
                    "the other.",
                ),
                Mistake(
                    "strands added up",
                    tensor(np.array(forward.max() + backward.max())),
                    "The best scores of both strands were added: two halves do not make a site.",
                ),
                Mistake(
                    "strands added up",
                    tensor(np.array((forward + backward).max())),
                    "The scores of both strands were added, and at places that are not even opposite.",
                ),
                Mistake(
                    "reversal without complement",
                    tensor(np.array(max(forward.max(), reversed_only.max()))),
                    "The second scan read the same letters backwards: the other strand has complements.",
                ),
            ],
            tolerance=1e-4,
        )
    without_loops(attempt)


def _telling_site(attempt: Attempt) -> np.ndarray:
    """A donor site that scores best as it is, and whose complement scores better than its reverse complement.

    On its other strand, the best score of the strand, of the letters read backwards and of both strands are
    then three numbers, which tell the mistakes apart.
    """
    turned = DONOR_PWM[:, ::-1]
    for place in attempt.rng.permutation(len(DONORS)):
        site = one_hot(DONORS[place])[:, 20:45]
        other = reverse_complement(site)
        if scan(site, DONOR_PWM).max() > scan(other, turned).max() + 0.1 > scan(other, DONOR_PWM).max() + 0.2:
            break
    return site


@check("Both strands of a sequence have the same best score")
def strand_symmetry(attempt: Attempt) -> None:
    pwm = attempt.normal(4, int(attempt.rng.integers(4, 12)))
    for x in (one_hot(attempt.dna(30)), real(attempt)):
        given, other = tensor(x).float(), tensor(reverse_complement(x)).float()
        attempt.equal(
            attempt.call("best_score", other, pwm),
            attempt.call("best_score", given, pwm).double(),
            given="best_score of the reverse complement, against best_score of the sequence",
            tolerance=1e-4,
            why="Which strand an assembly calls forward is a convention that no protein knows.",
        )


def _forbid_convolution(attempt: Attempt) -> None:
    attempt.forbid(
        "torch.nn.functional.conv1d",
        "torch.nn.Conv1d",
        why="it does in one call what you are to build here; it comes in session 4, and you will know what "
        "is inside.",
        mistake="a convolution called",
    )
