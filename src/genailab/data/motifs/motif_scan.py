"""Where motifs occur: all motifs and both strands as one convolution, thresholds from exact p-values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import conv1d

from genailab.data.motifs.motif import PSEUDOCOUNT, Motif, check_background
from genailab.data.motifs.score_distribution import NEVER, ScoreTail, round_log_odds, score_tail
from genailab.data.sequences.alphabet import DNA
from genailab.data.sequences.encoding import one_hot
from genailab.errors import InputError

__all__ = ["best_motif_scores", "motif_scores", "scan"]

SCORES_AT_ONCE = 8_000_000  # 32 MB of scores, so that any number of sequences can be scanned
STRANDS = np.array(["+", "-"])


def motif_scores(
    sequences: Tensor,
    motifs: Sequence[Motif],
    *,
    background: ArrayLike | None = None,
    pseudocount: float = PSEUDOCOUNT,
) -> Tensor:
    """Score every motif at every position of both strands.

    Parameters
    ----------
    sequences
        DNA codes ``(batch, length)`` or one-hot ``(batch, 4, length)``.
    motifs
        As many as wanted, of any lengths up to that of the sequences.
    background
        Shares of A, C, G, T; a quarter each by default.
    pseudocount
        As in `Motif.probabilities`.

    Returns
    -------
    ``(batch, motifs, 2, positions)`` log-odds in bits, rounded to 1/1024 bit: strand + then -, and the
    position where the site starts on the forward strand, whichever strand it reads on. ``positions`` is
    ``length - shortest motif + 1``; -inf where a motif would run over the end or meets an unknown letter.
    """
    _check(sequences, motifs)
    channels = _with_unknown(sequences)
    kernels = _kernels(motifs, background, pseudocount).to(channels.device)
    return _scores(channels, kernels, motifs)


def best_motif_scores(
    sequences: Tensor,
    motifs: Sequence[Motif],
    *,
    background: ArrayLike | None = None,
    pseudocount: float = PSEUDOCOUNT,
) -> Tensor:
    """Best score of each motif in each sequence on either strand, ``(batch, motifs)`` in bits."""
    _check(sequences, motifs)
    kernels = _kernels(motifs, background, pseudocount)
    parts = [scores.amax(dim=(2, 3)) for _, scores in _scored_parts(sequences, kernels, motifs)]
    return torch.cat(parts) if parts else torch.empty(0, len(motifs))


def scan(
    sequences: Tensor,
    motifs: Sequence[Motif],
    *,
    p_value: float = 1e-4,
    background: ArrayLike | None = None,
    pseudocount: float = PSEUDOCOUNT,
) -> pd.DataFrame:
    """Find the sites that score so high that a random word does with at most this probability.

    Parameters
    ----------
    sequences
        DNA codes ``(batch, length)`` or one-hot ``(batch, 4, length)``.
    motifs
        The motifs to look for on both strands.
    p_value
        Of one word of letters drawn from the background; not corrected for the number of words.
    background
        Shares of A, C, G, T; a quarter each by default.
    pseudocount
        As in `Motif.probabilities`.

    Returns
    -------
    One row a site, sorted by sequence and start: ``sequence`` (row of the batch), ``start`` and ``end``
    (0-based, half-open, on the forward strand), ``strand``, ``motif``, ``matrix_id``, ``score`` (bits),
    ``p_value``. Windows that hold an unknown letter are never sites.

    Warns
    -----
    UserWarning
        If a motif is so short or weak that even its best word is likelier than ``p_value``.
    """
    _check(sequences, motifs)
    shares = check_background(background)
    tails = [
        [
            score_tail(one.log_odds(background=shares, pseudocount=pseudocount), shares, up_to=p_value)
            for one in both
        ]
        for both in ((motif, motif.reverse_complement()) for motif in motifs)
    ]
    thresholds = np.array([[tail.threshold(p_value) for tail in both] for both in tails]).reshape(-1, 2)
    _warn_of_unreachable(motifs, tails, thresholds, p_value)
    cut = torch.from_numpy(thresholds).float()[:, :, None]  # exact: multiples of 1/1024
    kernels = _kernels(motifs, shares, pseudocount)
    found: list[np.ndarray] = []
    values: list[np.ndarray] = []
    for first, scores in _scored_parts(sequences, kernels, motifs):
        hit = (scores >= cut.to(scores.device)).nonzero()  # (hits, 4): sequence, motif, strand, start
        values.append(scores[tuple(hit.T)].double().cpu().numpy())
        found.append(hit.cpu().numpy() + np.array([first, 0, 0, 0]))
    hits = np.concatenate([*found, np.empty((0, 4), np.int64)])
    return _table(hits, np.concatenate([*values, np.empty(0)]), motifs, tails)


def _table(
    hits: np.ndarray, scores: np.ndarray, motifs: Sequence[Motif], tails: Sequence[Sequence[ScoreTail]]
) -> pd.DataFrame:
    sequence, which, strand, start = hits.T
    p_values = np.ones(len(hits))
    for index in np.unique(which):
        for side in (0, 1):
            rows = (which == index) & (strand == side)
            p_values[rows] = tails[index][side].p_values(scores[rows])
    widths = np.array([len(motif) for motif in motifs], dtype=np.int64)
    table = pd.DataFrame(
        {
            "sequence": sequence,
            "start": start,
            "end": start + widths[which],
            "strand": STRANDS[strand],
            "motif": np.array([motif.name for motif in motifs], dtype=object)[which],
            "matrix_id": np.array([motif.matrix_id for motif in motifs], dtype=object)[which],
            "score": scores,
            "p_value": p_values,
        }
    )
    order = np.lexsort((strand, which, start, sequence))
    return table.iloc[order].reset_index(drop=True)


def _check(sequences: object, motifs: object) -> None:
    if not isinstance(sequences, Tensor):
        raise InputError(f"motifs are found in codes, got a {type(sequences).__name__}: encode() text first")
    if isinstance(motifs, Motif):
        raise InputError(f"motifs is one motif, {motifs.name!r}: give a list, [motif]")
    if not motifs:
        raise InputError("no motifs to scan for: give at least one, for instance read_jaspar(name='CTCF')")


def _with_unknown(sequences: Tensor) -> Tensor:
    """Add a channel that is 1 where a position holds no letter: ``(batch, 5, length)`` float32."""
    if sequences.dim() == 2 and not sequences.is_floating_point():
        sequences = one_hot(sequences)
    if sequences.dim() != 3 or sequences.shape[1] != DNA.size:
        raise InputError(
            f"sequences have shape {tuple(sequences.shape)}: expected DNA codes (batch, length) or one-hot "
            "(batch, 4, length)"
        )
    letters = (sequences == 1).float()
    return torch.cat([letters, 1 - letters.sum(dim=1, keepdim=True)], dim=1)  # (batch, 5, length)


def _kernels(motifs: Sequence[Motif], background: ArrayLike | None, pseudocount: float) -> Tensor:
    kernels = np.zeros((len(motifs), 2, DNA.size + 1, max(map(len, motifs))), dtype=np.float32)
    for kernel, motif in zip(kernels, motifs, strict=True):
        for strand, one in enumerate((motif, motif.reverse_complement())):
            log_odds = one.log_odds(background=background, pseudocount=pseudocount)
            kernel[strand, : DNA.size, : len(motif)] = round_log_odds(log_odds)
        kernel[:, DNA.size, : len(motif)] = NEVER
    return torch.from_numpy(kernels).flatten(0, 1)  # (motifs * 2, 5, longest)


def _scores(channels: Tensor, kernels: Tensor, motifs: Sequence[Motif]) -> Tensor:
    shortest, longest = min(map(len, motifs)), max(map(len, motifs))
    if channels.shape[2] < shortest:
        raise InputError(
            f"sequences of {channels.shape[2]} letters are shorter than the shortest motif ({shortest}): "
            "give longer sequences"
        )
    beyond = torch.zeros(DNA.size + 1, 1, device=channels.device)
    beyond[DNA.size] = 1
    tail = beyond.expand(len(channels), -1, longest - shortest)
    scores = conv1d(torch.cat([channels, tail], dim=2), kernels)
    scores = scores.masked_fill(scores < NEVER / 2, -torch.inf)
    return scores.unflatten(1, (len(motifs), 2))  # (batch, motifs, 2, positions)


def _scored_parts(
    sequences: Tensor, kernels: Tensor, motifs: Sequence[Motif]
) -> Iterator[tuple[int, Tensor]]:
    rows = max(1, SCORES_AT_ONCE // max(1, len(kernels) * sequences.shape[-1]))
    kernels = kernels.to(sequences.device)
    for first in range(0, len(sequences), rows):
        yield first, _scores(_with_unknown(sequences[first : first + rows]), kernels, motifs)


def _warn_of_unreachable(
    motifs: Sequence[Motif], tails: Sequence[Sequence[ScoreTail]], thresholds: np.ndarray, p_value: float
) -> None:
    never = np.flatnonzero(np.isinf(thresholds).all(axis=1))
    if len(never):
        first = motifs[never[0]]
        best = tails[never[0]][0].at_least[0]
        warnings.warn(
            f"{len(never)} of {len(motifs)} motifs can't have a site with p-value {p_value:g}, the first "
            f"{first.name!r}: its best word has {best:.2g}; raise p_value to find it",
            stacklevel=3,
        )
