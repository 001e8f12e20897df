"""How generated sequences are compared, and by which predictors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from numpy.typing import ArrayLike
from torch import Tensor

from genailab.data.sequences.alphabet import Alphabet
from genailab.errors import InputError

__all__ = ["SequenceOptions", "SequencePredictors"]


@dataclass(frozen=True, kw_only=True)
class SequenceOptions:
    """How sequences are compared; the defaults suit hundreds to thousands of sequences.

    Parameters
    ----------
    k
        Letters of the words whose spectra are compared; by default 3 to 6 of nucleotides, 1 to 3 of proteins.
    discriminator_k
        Longest word that the discriminators see; by default 4 of nucleotides, 2 of proteins.
    n_motifs
        Motifs that are compared: those with sites in the most training sequences.
    n_folds, n_trees
        Folds of the discriminators, trees of the forest; 0 trees leave it out.
    related
        Share of letters from which two sequences of one length are kept in one fold.
    n_bootstrap
        Resamples an interval is made of.
    max_sequences
        Sequences of a kind that are compared: more are subsampled, because time grows with the square.
    max_train
        Training sequences among which the nearest is sought; copies are sought among all.
    """

    k: tuple[int, ...] | None = None
    discriminator_k: int | None = None
    n_motifs: int = 100
    n_folds: int = 5
    n_trees: int = 30
    related: float = 0.9
    n_bootstrap: int = 200
    max_sequences: int = 2000
    max_train: int = 20_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            lowest = {"n_trees": 0, "n_motifs": 0, "related": 0, "n_folds": 2, "max_sequences": 10}
            if isinstance(value, int | float) and value < lowest.get(field.name, 1):
                raise InputError(f"{field.name} is {value}: it must be at least {lowest.get(field.name, 1)}")
        for each in self.k or ():
            if not 1 <= each <= 6:
                raise InputError(f"k has {each}: spectra are compared of words of 1 to 6 letters")

    def words(self, alphabet: Alphabet, length: int) -> tuple[int, ...]:
        """Lengths of the words compared, none longer than the sequences."""
        chosen = self.k or ((3, 4, 5, 6) if alphabet.size <= 4 else (1, 2, 3))
        return tuple(each for each in chosen if each <= length) or (1,)

    def discriminator_words(self, alphabet: Alphabet, length: int) -> int:
        """Longest word that the discriminators see."""
        return min(self.discriminator_k or (4 if alphabet.size <= 4 else 2), length)


@dataclass(frozen=True, kw_only=True)
class SequencePredictors:
    """Independent judges: each takes uint8 codes ``(n, length)``, none may have trained the generator.

    They should be trained on other sequences than ``train`` and ``real``: the ceiling is made of some of
    ``train``, and a predictor knows what it was trained on.

    Parameters
    ----------
    embed
        Embeddings ``(n, dims)``, for the Frechet distance.
    activity
        Predicted values ``(n,)``.
    classify
        Names of the classes, ``(n,)``. Without, a logistic regression on the labelled training sequences.
    attribute
        Attribution of each letter, ``(n, length)`` or ``(n, letters, length)``.
    """

    embed: Callable[[Tensor], ArrayLike] | None = None
    activity: Callable[[Tensor], ArrayLike] | None = None
    classify: Callable[[Tensor], Sequence[str]] | None = None
    attribute: Callable[[Tensor], ArrayLike] | None = None
