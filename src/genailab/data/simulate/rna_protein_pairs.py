"""RNA and protein pairs that bind where the RNA's motif fits the protein's domain.

Each RNA and each protein occurs once among the positives and as often among the negatives as asked: neither
sequence alone says anything of the label, so a model has to look at both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genailab.data.sequences.alphabet import PROTEIN, RNA
from genailab.data.simulate.background import Background
from genailab.data.simulate.sites import SiteWriter, consensus_motif, sample_sites
from genailab.errors import InputError

__all__ = ["FAMILIES", "Family", "PairConfig", "SimulatedPairs", "simulate_rna_protein_pairs"]

# Letters of Swiss-Prot proteins in the order of PROTEIN, rounded.
_PROTEIN_SHARES = (
    0.083, 0.014, 0.055, 0.067, 0.039, 0.071, 0.023, 0.059, 0.058, 0.097,
    0.024, 0.041, 0.047, 0.039, 0.055, 0.066, 0.054, 0.069, 0.011, 0.028,
)  # fmt: skip
_POSITION = rf"(\[[{PROTEIN.letters}]+\]|[{PROTEIN.letters}x])"


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of RNA-binding domain and what it binds.

    Parameters
    ----------
    name
        Of the domain.
    rna
        Consensus of the RNA motif, IUPAC letters.
    domain
        Signature in the domain, in PROSITE's syntax without repeats: ``[IV]-I-G-x-x-G``.
    """

    name: str
    rna: str
    domain: str

    @property
    def signature(self) -> tuple[str, ...]:
        """Letters allowed at each position; none for any."""
        return tuple("" if part == "x" else part.strip("[]") for part in self.domain.split("-"))


# Signatures shortened after PROSITE; the motifs are typical of one member, not of the whole family.
FAMILIES = (
    Family(name="RRM", rna="UGCAUG", domain="[RK]-G-[FY]-[GA]-[FY]-V-x-[FY]"),
    Family(name="KH", rna="UCAUCAY", domain="[IV]-I-G-x-x-G-x-x-[IV]"),
    Family(name="Pumilio", rna="UGUANAUA", domain="[SNC]-[NYR]-V-[VI]-[QE]-x-C"),
    Family(name="CCHC", rna="GGAGAU", domain="C-x-x-C-x-x-x-G-H-x-x-x-x-C"),
)


@dataclass(frozen=True, kw_only=True)
class PairConfig:
    """Pairs, families, and which of them fit.

    Parameters
    ----------
    n_positives, negatives_per_positive
        Size of the data.
    rna_length, protein_length
        Of every sequence.
    families
        Domains with their motifs.
    compatible
        ``compatible[i][j]``: does RNA with the motif of family ``i`` bind protein with the domain of family
        ``j``; each family its own by default.
    purity
        Share of each position of an RNA site that follows the consensus; see `consensus_motif`.
    rna_background, protein_background
        What motifs and domains are planted into.
    """

    n_positives: int = 500
    negatives_per_positive: int = 1
    rna_length: int = 60
    protein_length: int = 120
    families: tuple[Family, ...] = FAMILIES
    compatible: tuple[tuple[bool, ...], ...] | None = None
    purity: float = 0.95
    rna_background: Background = field(default_factory=Background)
    protein_background: Background = field(default_factory=lambda: Background(composition=_PROTEIN_SHARES))

    def __post_init__(self) -> None:
        for family in self.families:
            self._check_family(family)
        fits, n = self.fits, len(self.families)
        if fits.shape != (n, n) or not fits.any(axis=1).all():
            raise InputError(
                f"compatible has shape {fits.shape} for {n} families: give a row and a column to each, "
                "and each row a True"
            )
        if fits.all(axis=1).any() and self.negatives_per_positive:
            raise InputError(
                "an RNA family binds every protein family, so it has no negatives: make one False"
            )
        if self.n_positives < 1 or self.negatives_per_positive < 0:
            raise InputError(
                f"n_positives is {self.n_positives} and negatives_per_positive "
                f"{self.negatives_per_positive}: give at least 1 and 0"
            )

    def _check_family(self, family: Family) -> None:
        if not re.fullmatch(f"{_POSITION}(-{_POSITION})*", family.domain):
            raise InputError(
                f"the domain of family {family.name!r} is {family.domain!r}: write it as [IV]-I-G-x-x-G, "
                "with x for any letter"
            )
        if len(family.rna) > self.rna_length or len(family.signature) > self.protein_length:
            raise InputError(
                f"family {family.name!r} needs {len(family.rna)} RNA and {len(family.signature)} protein "
                f"letters, but sequences have {self.rna_length} and {self.protein_length}: make them longer"
            )

    @property
    def fits(self) -> np.ndarray:
        """Which RNA family (row) binds which protein family (column), bool."""
        if self.compatible is None:
            return np.eye(len(self.families), dtype=bool)
        return np.array(self.compatible)


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedPairs:
    """Pairs and all that is known of them.

    Parameters
    ----------
    rna, protein
        ``(pairs, length)`` uint8 codes of `RNA` and `PROTEIN`.
    rows
        One row a pair: ``label``, ``rna_id`` and ``protein_id`` (who it is: keep the pairs of one id in one
        part of a split), ``rna_family``, ``protein_family``.
    rna_sites, protein_sites
        One row a distinct RNA or protein: ``sequence`` (its id), ``motif`` (the family), ``start``, ``end``,
        ``strand``.
    """

    rna: Tensor
    protein: Tensor
    rows: pd.DataFrame
    rna_sites: pd.DataFrame
    protein_sites: pd.DataFrame


def simulate_rna_protein_pairs(config: PairConfig, *, generator: np.random.Generator) -> SimulatedPairs:
    """Make positives that fit, and negatives from the same sequences with partners shuffled until none fits.

    Examples
    --------
    >>> pairs = simulate_rna_protein_pairs(PairConfig(n_positives=8), generator=np.random.default_rng(0))
    >>> pairs.rna.shape, pairs.protein.shape, pairs.rows["label"].tolist() == [1] * 8 + [0] * 8
    (torch.Size([16, 60]), torch.Size([16, 120]), True)
    """
    n, fits = config.n_positives, config.fits
    rna_family = generator.permutation(np.arange(n) % len(config.families))
    protein_family = np.array([generator.choice(np.flatnonzero(fits[family])) for family in rna_family])
    rna = _rnas(config, rna_family, generator)
    protein = _proteins(config, protein_family, generator)
    families = (fits, rna_family, protein_family)
    shuffled = [_misfits(*families, generator) for _ in range(config.negatives_per_positive)]
    partners = [np.arange(n), *shuffled]
    rna_id = np.tile(np.arange(n), len(partners))
    protein_id = np.concatenate(partners)
    names = np.array([family.name for family in config.families])
    rows = pd.DataFrame({"label": (np.arange(len(rna_id)) < n).astype(np.int64), "rna_id": rna_id})
    rows["protein_id"] = protein_id
    rows["rna_family"], rows["protein_family"] = names[rna_family[rna_id]], names[protein_family[protein_id]]
    return SimulatedPairs(
        rna=torch.from_numpy(rna.codes[rna_id]),
        protein=torch.from_numpy(protein.codes[protein_id]),
        rows=rows,
        rna_sites=rna.table(),
        protein_sites=protein.table(),
    )


def _rnas(config: PairConfig, families: np.ndarray, generator: np.random.Generator) -> SiteWriter:
    motifs = [consensus_motif(f.name, f.rna, purity=config.purity, alphabet=RNA) for f in config.families]
    writer = SiteWriter(config.rna_background.sample(len(families), config.rna_length, generator=generator))
    for sequence, family in enumerate(families.tolist()):
        motif = motifs[family]
        start = int(generator.integers(config.rna_length - len(motif) + 1))
        writer.write(sequence, motif.name, start, sample_sites(motif, 1, generator=generator)[0])
    return writer


def _proteins(config: PairConfig, families: np.ndarray, generator: np.random.Generator) -> SiteWriter:
    codes = config.protein_background.sample(len(families), config.protein_length, generator=generator)
    writer = SiteWriter(codes)
    for sequence, number in enumerate(families.tolist()):
        signature = config.families[number].signature
        start = int(generator.integers(config.protein_length - len(signature) + 1))
        word = codes[sequence, start : start + len(signature)].copy()
        for position, allowed in enumerate(signature):
            if allowed:
                word[position] = PROTEIN.codes_of[allowed[generator.integers(len(allowed))]]
        writer.write(sequence, config.families[number].name, start, word)
    return writer


def _misfits(
    fits: np.ndarray, rna_family: np.ndarray, protein_family: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Permute the proteins so that no RNA fits its new partner: swap those that do until none is left."""
    partner = generator.permutation(len(rna_family))
    for _ in range(1000):
        bad = np.flatnonzero(fits[rna_family, protein_family[partner]])
        if not len(bad):
            return partner
        for row in bad.tolist():
            proteins = protein_family[partner]
            both_misfit = ~fits[rna_family[row], proteins] & ~fits[rna_family, proteins[row]]
            others = np.flatnonzero(both_misfit) if both_misfit.any() else np.arange(len(partner))
            other = int(generator.choice(others))
            partner[[row, other]] = partner[[other, row]]
    raise InputError(
        f"{len(rna_family)} pairs of these families can't be shuffled so that no pair fits: make more "
        "families incompatible, or more pairs"
    )
