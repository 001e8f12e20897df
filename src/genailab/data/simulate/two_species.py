"""Orthologous sequences of two species: some binding motifs are shared, some have changed in one species.

Sequences diverge from a common ancestor by substitutions (Jukes & Cantor 1969), without insertions or
deletions. A factor's motif that diverged differs between the species in a known share of its positions, as
regulatory rewiring does (Villar et al. 2015). Labels are given for both species.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.simulate.background import Background
from genailab.data.simulate.sites import SiteWriter, consensus_motif, sample_sites, spread_starts
from genailab.errors import InputError

__all__ = [
    "OrthologousSequences",
    "TwoSpeciesConfig",
    "diverged_motif",
    "simulate_two_species",
    "substituted_share",
]

SPECIES = ("a", "b")
SHARED = consensus_motif("shared", "CCGGAAGT")
ANCESTRAL = consensus_motif("specific", "TGACGTCA")


@dataclass(frozen=True, kw_only=True)
class TwoSpeciesConfig:
    """Orthologous pairs, their divergence and their motifs.

    Parameters
    ----------
    n_pairs, length
        Size of the data.
    divergence
        Substitutions expected a position since the two species parted, outside the sites.
    shared
        Motif that both species' factor binds.
    specific
        Motif of species a's other factor; species b's is the same with ``motif_divergence`` of its positions
        changed.
    motif_divergence
        Share of the positions, rounded to whole ones.
    activity_shares
        Share of pairs active in both species, in a only, in b only, in neither; kept exactly, up to rounding.
    background
        What the ancestor is drawn from.
    """

    n_pairs: int = 1000
    length: int = 150
    divergence: float = 0.3
    shared: Motif = SHARED
    specific: Motif = ANCESTRAL
    motif_divergence: float = 0.5
    activity_shares: tuple[float, float, float, float] = (0.35, 0.15, 0.15, 0.35)
    background: Background = field(default_factory=Background)

    def __post_init__(self) -> None:
        if min(self.activity_shares) < 0 or abs(sum(self.activity_shares) - 1) > 1e-6:
            raise InputError(
                f"activity_shares are {self.activity_shares}: give four shares (both, a only, b only, "
                "neither) that sum to 1"
            )
        if not 0 <= self.motif_divergence <= 1 or self.divergence < 0:
            raise InputError(
                f"motif_divergence is {self.motif_divergence} and divergence {self.divergence}: give a "
                "share from 0 to 1, and 0 or more"
            )
        if len(self.shared) + len(self.specific) > self.length:
            raise InputError(
                f"motifs of {len(self.shared)} and {len(self.specific)} letters don't fit into "
                f"{self.length}: make the sequences longer"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class OrthologousSequences:
    """Both species' sequences, row by row orthologous, and all that is known of them.

    Parameters
    ----------
    codes
        By species, ``(pairs, length)`` uint8.
    rows
        One row a pair: for each species ``label_<species>``, ``shared_<species>`` and ``specific_<species>``.
        A sequence is active where it has its species' shared or specific site.
    sites
        By species: ``sequence``, ``motif``, ``start``, ``end``, ``strand``. The sites of a pair lie at the
        same positions.
    motifs
        By species: its shared and its specific motif.
    changed
        Positions of the specific motif that differ between the species.
    """

    codes: dict[str, Tensor]
    rows: pd.DataFrame
    sites: dict[str, pd.DataFrame]
    motifs: dict[str, tuple[Motif, Motif]]
    changed: tuple[int, ...]


def simulate_two_species(config: TwoSpeciesConfig, *, generator: np.random.Generator) -> OrthologousSequences:
    """Let an ancestor's sequences diverge, then plant each species' sites.

    A site that both species have is planted with the same letters where the motif is shared, and from each
    species' own motif where it diverged.

    Examples
    --------
    >>> data = simulate_two_species(TwoSpeciesConfig(n_pairs=20), generator=np.random.default_rng(0))
    >>> data.codes["a"].shape, data.rows["label_a"].sum(), data.rows["label_b"].sum()
    (torch.Size([20, 150]), np.int64(10), np.int64(10))
    """
    n = config.n_pairs
    rows = _activities(config, generator)
    other, changed = diverged_motif(config.specific, config.motif_divergence, generator=generator)
    specific = {"a": config.specific, "b": other}
    ancestor = config.background.sample(n, config.length, generator=generator)
    writers = {one: SiteWriter(_evolved(ancestor, config.divergence / 2, generator)) for one in SPECIES}
    common = sample_sites(config.shared, n, generator=generator)
    own = {one: sample_sites(specific[one], n, generator=generator) for one in SPECIES}
    for pair in range(n):
        places = _places(config, generator)
        strands = np.where(generator.random(2) < 0.5, "-", "+").tolist()
        for one, writer in writers.items():
            if rows.at[pair, f"shared_{one}"]:
                writer.write(pair, config.shared.name, places[0], common[pair], strand=strands[0])
            if rows.at[pair, f"specific_{one}"]:
                writer.write(pair, specific[one].name, places[1], own[one][pair], strand=strands[1])
    return OrthologousSequences(
        codes={one: torch.from_numpy(writer.codes) for one, writer in writers.items()},
        rows=rows,
        sites={one: writer.table() for one, writer in writers.items()},
        motifs={one: (config.shared, specific[one]) for one in SPECIES},
        changed=changed,
    )


def diverged_motif(
    motif: Motif, share: float, *, generator: np.random.Generator
) -> tuple[Motif, tuple[int, ...]]:
    """Give ``share`` of a motif's positions to other letters; also tells which positions.

    At a changed position the four letters' counts move on by one to three letters, so that its information
    stays.
    """
    n_changed = round(share * len(motif))
    changed = np.sort(generator.choice(len(motif), n_changed, replace=False))
    counts = motif.counts.copy()
    for position in changed.tolist():
        counts[:, position] = np.roll(counts[:, position], int(generator.integers(1, 4)))
    return Motif(name=motif.name, counts=counts), tuple(changed.tolist())


def substituted_share(divergence: float) -> float:
    """Share of positions that differ after ``d`` substitutions a position: ``3/4 (1 - exp(-4/3 d))``.

    Examples
    --------
    >>> round(substituted_share(0.1), 4)
    0.0936
    """
    return 0.75 * (1 - np.exp(-4 / 3 * divergence)).item()


def _activities(config: TwoSpeciesConfig, generator: np.random.Generator) -> pd.DataFrame:
    n = config.n_pairs
    limits = np.round(np.cumsum(config.activity_shares) * n)
    kind = generator.permutation(np.searchsorted(limits, np.arange(n), side="right"))
    active = {"a": (kind == 0) | (kind == 1), "b": (kind == 0) | (kind == 2)}
    # Which sites make an active sequence so: the shared, the specific, or both; the same in both species.
    sites = generator.integers(3, size=n)
    rows = pd.DataFrame({f"label_{one}": active[one].astype(np.int64) for one in SPECIES})
    for one in SPECIES:
        rows[f"shared_{one}"] = active[one] & (sites != 1)
        rows[f"specific_{one}"] = active[one] & (sites != 0)
    return rows


def _evolved(codes: np.ndarray, divergence: float, generator: np.random.Generator) -> np.ndarray:
    differs = generator.random(codes.shape) < substituted_share(divergence)
    step = generator.integers(1, 4, size=codes.shape)
    return np.where(differs, (codes + step) % 4, codes).astype(np.uint8)


def _places(config: TwoSpeciesConfig, generator: np.random.Generator) -> list[int]:
    widths = [len(config.shared), len(config.specific)]
    order = generator.permutation(2)
    starts = spread_starts([widths[i] for i in order], (0, config.length), generator=generator)
    return [int(starts[order.tolist().index(i)]) for i in range(2)]
