"""Motifs planted into a background, and labels that follow from which are there and how they stand.

The setting in which models and attributions can be wrong without anyone guessing: Koo & Eddy 2019,
"Representation learning of genomic sequence motifs with convolutional neural networks"; Prakash et al. 2022,
simDNA.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch

from genailab.data.motifs.motif import Motif
from genailab.data.simulate.background import Background
from genailab.data.simulate.sites import (
    SimulatedSequences,
    SiteWriter,
    consensus_motif,
    sample_sites,
    spread_starts,
)
from genailab.errors import InputError

__all__ = ["PlantedMotifsConfig", "Rule", "follows_rule", "simulate_planted_motifs"]

Rule = Literal["and", "or", "xor"]

AP1 = consensus_motif("AP-1", "TGASTCA")
GATA = consensus_motif("GATA", "WGATAAG")


@dataclass(frozen=True, kw_only=True)
class PlantedMotifsConfig:
    """What is planted and when a sequence is positive.

    Parameters
    ----------
    n_sequences, length
        Size of the data.
    motifs
        Motifs with names of their own; each is planted at most once in a sequence.
    rule
        A sequence is positive where all motifs (``and``), any (``or``) or an odd number of them (``xor``)
        occur.
    spacing
        Fewest and most letters between a motif's end and the next one's start. Motifs, in the order given,
        must then also be so spaced: sequences with all motifs otherwise placed are negatives. For ``and``
        only.
    region
        Where sites may lie, 0-based half-open; anywhere by default.
    both_strands
        Whether each site's strand is drawn; + otherwise.
    positive_share
        Share of positives before noise; kept exactly, up to rounding.
    label_noise
        Share of labels that are flipped, each by its own draw.
    background
        What the motifs are planted into.
    """

    n_sequences: int = 1000
    length: int = 200
    motifs: tuple[Motif, ...] = (AP1, GATA)
    rule: Rule = "and"
    spacing: tuple[int, int] | None = None
    region: tuple[int, int] | None = None
    both_strands: bool = True
    positive_share: float = 0.5
    label_noise: float = 0.0
    background: Background = field(default_factory=Background)

    def __post_init__(self) -> None:
        names = [motif.name for motif in self.motifs]
        if not names or len(set(names)) < len(names):
            raise InputError(f"motifs are named {names}: give at least one, each with a name of its own")
        if self.rule not in ("and", "or", "xor"):
            raise InputError(f"rule is {self.rule!r}: choose 'and', 'or' or 'xor'")
        for name in ("positive_share", "label_noise"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}: give a share from 0 to 1")
        self._check_room()

    def _check_room(self) -> None:
        low, high = self.allowed
        needed = sum(map(len, self.motifs))
        if self.spacing is not None:
            least, most = self.spacing
            if self.rule != "and" or len(self.motifs) < 2 or not 0 <= least <= most:
                raise InputError(
                    f"spacing {self.spacing} with rule {self.rule!r} and {len(self.motifs)} motifs means "
                    "nothing: give (fewest, most) letters between two or more motifs, with rule='and'"
                )
            needed += most * (len(self.motifs) - 1)
        if not 0 <= low <= high <= self.length or high - low < needed:
            raise InputError(
                f"motifs need {needed} letters, but may lie in {low}-{high} of {self.length}: widen the "
                "region or the sequences"
            )

    @property
    def allowed(self) -> tuple[int, int]:
        """Where sites may lie."""
        return (0, self.length) if self.region is None else self.region


class _Pattern(NamedTuple):
    present: tuple[bool, ...]
    spaced: bool
    positive: bool


def simulate_planted_motifs(
    config: PlantedMotifsConfig, *, generator: np.random.Generator
) -> SimulatedSequences:
    """Plant motifs so that the labels follow from them by ``config.rule``.

    The class of each sequence is drawn first, then one of the patterns of motifs that give this class, all
    alike.

    Returns
    -------
    ``rows`` has ``label`` (with noise), ``clean_label``, ``has_<motif>`` and, where a spacing is asked for,
    ``spaced``.

    Examples
    --------
    >>> data = simulate_planted_motifs(PlantedMotifsConfig(n_sequences=4), generator=np.random.default_rng(0))
    >>> data.codes.shape, data.rows["clean_label"].sum()
    (torch.Size([4, 200]), np.int64(2))
    """
    n = config.n_sequences
    positive = generator.permutation(np.arange(n) < round(config.positive_share * n))
    patterns = _patterns(config)
    writer = SiteWriter(config.background.sample(n, config.length, generator=generator))
    words = [sample_sites(motif, n, generator=generator) for motif in config.motifs]
    chosen = []
    for sequence in range(n):
        fitting = [pattern for pattern in patterns if pattern.positive == positive[sequence]]
        if not fitting:
            raise InputError(
                f"no pattern of motifs gives a {'positive' if positive[sequence] else 'negative'} "
                "sequence: set positive_share to 0 or 1, or change the rule"
            )
        pattern = fitting[generator.integers(len(fitting))]
        for motif, start in _placed(config, pattern, generator):
            strand = "-" if config.both_strands and generator.random() < 0.5 else "+"
            word = words[motif][sequence]
            writer.write(sequence, config.motifs[motif].name, start, word, strand=strand)
        chosen.append(pattern)
    rows = _rows(config, chosen, flipped=generator.random(n) < config.label_noise)
    return SimulatedSequences(codes=torch.from_numpy(writer.codes), rows=rows, sites=writer.table())


def follows_rule(present: np.ndarray, rule: Rule) -> np.ndarray:
    """Whether sequences with these motifs, ``(n, motifs)`` bool, are positive, ``(n,)`` bool.

    Examples
    --------
    >>> follows_rule(np.array([[True, True], [True, False]]), "xor")
    array([False,  True])
    """
    count = np.asarray(present).sum(axis=1)
    return {"and": count == np.shape(present)[1], "or": count > 0, "xor": count % 2 == 1}[rule]


def _patterns(config: PlantedMotifsConfig) -> list[_Pattern]:
    subsets = list(product([False, True], repeat=len(config.motifs)))
    follows = follows_rule(np.array(subsets), config.rule)
    if config.spacing is None:
        return [_Pattern(present, False, bool(yes)) for present, yes in zip(subsets, follows, strict=True)]
    apart = [_Pattern(present, False, False) for present in subsets]
    return [*apart, _Pattern((True,) * len(config.motifs), True, True)]


def _placed(
    config: PlantedMotifsConfig, pattern: _Pattern, generator: np.random.Generator
) -> list[tuple[int, int]]:
    present = np.flatnonzero(pattern.present)
    if pattern.spaced:
        return _spaced(config, generator)
    while True:
        order = generator.permutation(present)
        widths = [len(config.motifs[motif]) for motif in order]
        starts = spread_starts(widths, config.allowed, generator=generator)
        placed = list(zip(order.tolist(), starts.tolist(), strict=True))
        # At least half of all orders break the spacing, so this ends.
        if config.spacing is None or len(present) < len(config.motifs) or not _is_spaced(config, placed):
            return placed


def _spaced(config: PlantedMotifsConfig, generator: np.random.Generator) -> list[tuple[int, int]]:
    least, most = config.spacing or (0, 0)
    widths = [len(motif) for motif in config.motifs]
    gaps = generator.integers(least, most + 1, size=len(widths) - 1)
    within = np.cumsum([0, *(np.array(widths[:-1]) + gaps)])
    low, high = config.allowed
    start = generator.integers(low, high - (within[-1] + widths[-1]) + 1)
    return list(enumerate((start + within).tolist()))


def _is_spaced(config: PlantedMotifsConfig, placed: list[tuple[int, int]]) -> bool:
    least, most = config.spacing or (0, 0)
    starts = np.array([start for _, start in sorted(placed)])
    gaps = np.diff(starts) - np.array([len(motif) for motif in config.motifs[:-1]])
    return bool(((gaps >= least) & (gaps <= most)).all())


def _rows(config: PlantedMotifsConfig, chosen: list[_Pattern], *, flipped: np.ndarray) -> pd.DataFrame:
    clean = np.array([pattern.positive for pattern in chosen], dtype=np.int64)
    present = np.array([pattern.present for pattern in chosen], dtype=bool).reshape(-1, len(config.motifs))
    rows = pd.DataFrame({"label": clean ^ flipped, "clean_label": clean})
    for number, motif in enumerate(config.motifs):
        rows[f"has_{motif.name}"] = present[:, number]
    if config.spacing is not None:
        rows["spaced"] = [pattern.spaced for pattern in chosen]
    return rows
