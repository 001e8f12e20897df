"""A set of sequences as the metrics see it; what is costly is computed once and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from torch import Tensor

from genailab.errors import InputError
from genailab.evaluation.arrays import FloatArray
from genailab.evaluation.generated_sequences.collection import SequenceCollection
from genailab.evaluation.generated_sequences.kmer_spectra import word_counts
from genailab.evaluation.generated_sequences.motif_frequencies import MotifPanel
from genailab.evaluation.generated_sequences.options import SequencePredictors
from genailab.evaluation.sequence_summaries import gc_content

__all__ = ["SequenceView"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceView:
    """Sequences with their words, motifs and predictions.

    Parameters
    ----------
    sequences
        Those compared.
    n_given
        How many there were before they were subsampled.
    words
        Lengths of the words that are counted.
    motifs
        That are looked for.
    predictors
        That judge.
    """

    sequences: SequenceCollection
    n_given: int
    words: tuple[int, ...]
    motifs: MotifPanel
    predictors: SequencePredictors

    def __len__(self) -> int:
        return len(self.sequences)

    def count(self) -> str:
        """How many sequences, and of how many where they were subsampled."""
        given = "" if self.n_given == len(self) else f" of {self.n_given:,}"
        return f"{len(self):,}{given}"

    @cached_property
    def counts(self) -> dict[int, sp.csr_matrix]:
        """Counts of the words of each length."""
        codes, alphabet = self.sequences.codes, self.sequences.alphabet
        return {k: word_counts(codes, k, alphabet=alphabet) for k in self.words if k <= codes.shape[1]}

    @cached_property
    def gc(self) -> FloatArray:
        """Share of G and C, ``(n,)``."""
        return gc_content(self.sequences.codes)

    @cached_property
    def hits(self) -> FloatArray:
        """Whether a motif has a site, ``(n, motifs)``."""
        return self.motifs.hits(self.sequences.codes)

    @cached_property
    def embeddings(self) -> FloatArray:
        """By ``predictors.embed``, ``(n, dims)``."""
        return self._predicted(self.predictors.embed, "embed", dims=(2,))

    @cached_property
    def activity(self) -> FloatArray:
        """By ``predictors.activity``, ``(n,)``."""
        return self._predicted(self.predictors.activity, "activity", dims=(1,))

    @cached_property
    def attributions(self) -> FloatArray:
        """By ``predictors.attribute``, ``(n, length)`` or ``(n, letters, length)``."""
        return self._predicted(self.predictors.attribute, "attribute", dims=(2, 3))

    def _predicted(
        self, predictor: Callable[[Tensor], ArrayLike] | None, name: str, *, dims: tuple[int, ...]
    ) -> FloatArray:
        if predictor is None:
            raise InputError(f"there is no predictor {name!r}: pass SequencePredictors({name}=...)")
        found = predictor(self.sequences.codes)
        found = found.detach().cpu().numpy() if isinstance(found, Tensor) else np.asarray(found)
        if found.ndim not in dims or len(found) != len(self):
            raise InputError(
                f"the predictor {name!r} gives shape {found.shape} for {len(self)} sequences: it must give a "
                f"row to each, in {' or '.join(map(str, dims))} dimensions"
            )
        if not np.isfinite(found).all():
            row = int(np.flatnonzero(~np.isfinite(found.reshape(len(self), -1)).all(axis=1))[0])
            raise InputError(
                f"the predictor {name!r} gives no finite value for sequence {row} (from 0): mend it, or "
                "leave the sequence out"
            )
        return found.astype(np.float64)
