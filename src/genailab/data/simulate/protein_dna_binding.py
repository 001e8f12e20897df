"""Binding of a protein to many short sequences, as protein-binding arrays and SELEX measure it.

Every start on either strand is a state the protein can be bound in; occupancy is their Boltzmann sum against
the free state (Berg & von Hippel 1987; Foat et al. 2006, MatrixREDUCE; Zhao et al. 2009, BEEML).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.alphabet import DNA
from genailab.data.simulate.background import Background
from genailab.data.simulate.sites import (
    SimulatedSequences,
    SiteWriter,
    consensus_motif,
    sample_sites,
    site_energy,
)
from genailab.errors import InputError

__all__ = ["BindingConfig", "occupancy", "simulate_binding"]

ETS = consensus_motif("ETS", "ACCGGAAGT", purity=0.8)


@dataclass(frozen=True, kw_only=True)
class BindingConfig:
    """Sequences, the protein, and the two assays.

    Parameters
    ----------
    n_sequences, length
        Size of the data; 36 letters are a probe of a protein-binding array without its primer.
    motif
        What the protein binds.
    site_share
        Share of sequences that are given a site, on a random strand; kept exactly, up to rounding. The others
        bind as well as chance has it.
    chemical_potential
        In kT: the consensus alone is occupied ``1 / (1 + exp(-chemical_potential))`` of the time.
    noise
        Of the array: standard deviation of what is added to the natural log of the intensity.
    rounds, reads
        Of SELEX: rounds of selection, each in proportion to occupancy, and reads sequenced before and after.
    background
        What the sequences are drawn from.
    """

    n_sequences: int = 2000
    length: int = 36
    motif: Motif = ETS
    site_share: float = 0.5
    chemical_potential: float = 1.0
    noise: float = 0.2
    rounds: int = 2
    reads: int = 100_000
    background: Background = field(default_factory=Background)

    def __post_init__(self) -> None:
        if len(self.motif) > self.length:
            raise InputError(
                f"motif {self.motif.name!r} has {len(self.motif)} letters and the sequences "
                f"{self.length}: make them longer"
            )
        if not 0 <= self.site_share <= 1 or min(self.noise, self.rounds, self.reads) < 0:
            raise InputError(
                f"site_share {self.site_share}, noise {self.noise}, rounds {self.rounds} or reads "
                f"{self.reads} is out of range: give a share from 0 to 1, and 0 or more"
            )


def simulate_binding(config: BindingConfig, *, generator: np.random.Generator) -> SimulatedSequences:
    """Draw sequences and measure them in both assays.

    Returns ------- ``rows`` has ``has_site``, ``occupancy`` (0 to 1), ``intensity`` (array: occupancy times
    log-normal noise), ``reads_before`` and ``reads_after`` (SELEX).

    Examples
    --------
    >>> data = simulate_binding(BindingConfig(n_sequences=8), generator=np.random.default_rng(0))
    >>> bool((data.rows.query("has_site")["occupancy"] > 0).all()), len(data.sites)
    (True, 4)
    """
    n = config.n_sequences
    has_site = generator.permutation(np.arange(n) < round(config.site_share * n))
    writer = SiteWriter(config.background.sample(n, config.length, generator=generator))
    words = sample_sites(config.motif, n, generator=generator)
    starts = generator.integers(config.length - len(config.motif) + 1, size=n)
    minus = generator.random(n) < 0.5
    for row in np.flatnonzero(has_site).tolist():
        strand = "-" if minus[row] else "+"
        writer.write(row, config.motif.name, int(starts[row]), words[row], strand=strand)
    bound = occupancy(writer.codes, config.motif, chemical_potential=config.chemical_potential)
    selected = bound**config.rounds
    rows = pd.DataFrame({"has_site": has_site, "occupancy": bound})
    rows["intensity"] = bound * np.exp(config.noise * generator.standard_normal(n))
    rows["reads_before"] = generator.multinomial(config.reads, np.full(n, 1 / n))
    rows["reads_after"] = generator.multinomial(config.reads, selected / selected.sum())
    return SimulatedSequences(codes=torch.from_numpy(writer.codes), rows=rows, sites=writer.table())


def occupancy(codes: np.ndarray, motif: Motif, *, chemical_potential: float) -> np.ndarray:
    """How much of the time each sequence is bound, ``(n, length) -> (n,)``.

    ``Z / (1 + Z)`` with ``Z = sum over starts and strands of exp(chemical_potential - energy)``, the energy
    as in `genailab.data.simulate.sites.site_energy`.

    Raises
    ------
    InputError
        If a letter is unknown.
    """
    unknown = np.argwhere(codes >= DNA.size)
    if len(unknown):
        raise InputError(
            f"sequence {unknown[0][0]} has no letter A, C, G or T at position {unknown[0][1]} (from 0): "
            "an unknown letter has no energy, so leave the sequence out"
        )
    words = np.lib.stride_tricks.sliding_window_view(codes, len(motif), axis=1)  # (n, starts, width)
    weights = sum(
        np.exp(chemical_potential - site_energy(words, strand))
        for strand in (motif, motif.reverse_complement())
    )
    bound = np.sum(weights, axis=1)
    return bound / (1 + bound)
