"""Core promoters of two kinds, and how active they are by a thermodynamic formula.

CpG-like promoters lie in DNA rich in G, C and CpG, have several GC boxes and seldom a TATA box; the others
lie in DNA poor in CpG and often have one (Carninci et al. 2006; Sandelin et al. 2007). Activity is the
equilibrium occupancy by polymerase, helped by each bound factor (Bintu et al. 2005, "Transcriptional
regulation by the numbers: models", equations 3 and 5).
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
    site_energy,
    spread_starts,
)
from genailab.errors import InputError

__all__ = ["Element", "PromoterConfig", "promoter_activity", "simulate_promoters"]


@dataclass(frozen=True, kw_only=True)
class Element:
    """A kind of site that helps the polymerase to bind.

    Parameters
    ----------
    motif
        What the factor binds.
    abundance
        Statistical weight of the factor bound to its consensus, without the polymerase.
    help
        How many times likelier each makes the other's binding.
    """

    motif: Motif
    abundance: float = 1.0
    help: float = 10.0


TATA = Element(motif=consensus_motif("TATA", "TATAWAWR", purity=0.85), help=20.0)
INR = Element(motif=consensus_motif("Inr", "YYANWYY", purity=0.85), help=6.0)
GC_BOX = Element(motif=consensus_motif("GC box", "GGGGCGGGG", purity=0.85), help=4.0)


@dataclass(frozen=True, kw_only=True)
class PromoterConfig:
    """Promoters of ``upstream`` letters before the start of transcription and ``downstream`` from it on.

    Parameters
    ----------
    n_sequences, upstream, downstream
        Size of the data; the start of transcription is at position ``upstream``.
    cpg_share
        Share of CpG-like promoters; kept exactly, up to rounding.
    tata_shares, inr_shares
        How often a promoter has the element: CpG-like, then the others.
    gc_boxes
        Mean number of GC boxes (Poisson, at most 3): CpG-like, then the others.
    elements
        TATA box, initiator and GC box.
    polymerase
        Statistical weight of the polymerase bound without help.
    noise
        Standard deviation of what is added to log2 activity.
    cpg_background, other_background
        What the two kinds are planted into.
    """

    n_sequences: int = 1000
    upstream: int = 200
    downstream: int = 50
    cpg_share: float = 0.6
    tata_shares: tuple[float, float] = (0.05, 0.5)
    inr_shares: tuple[float, float] = (0.3, 0.5)
    gc_boxes: tuple[float, float] = (1.8, 0.3)
    elements: tuple[Element, Element, Element] = (TATA, INR, GC_BOX)
    polymerase: float = 0.01
    noise: float = 0.3
    cpg_background: Background = field(
        default_factory=lambda: Background(composition=(0.17, 0.33, 0.33, 0.17))
    )
    other_background: Background = field(default_factory=Background.cpg_depleted)

    def __post_init__(self) -> None:
        if self.upstream < 110 or self.downstream < 10:
            raise InputError(
                f"promoters of {self.upstream} + {self.downstream} letters have no room for the "
                "elements: give upstream at least 110 and downstream at least 10"
            )
        widths = [len(element.motif) for element in self.elements]
        if widths[0] > 26 or widths[1] > 12 or widths[2] > 23:
            raise InputError(
                f"TATA box, initiator and GC box are {widths} letters wide: at most "
                "26, 12 and 23 fit side by side"
            )
        if not 0 <= self.cpg_share <= 1 or self.noise < 0 or self.polymerase <= 0:
            raise InputError(
                f"cpg_share {self.cpg_share}, noise {self.noise} or polymerase {self.polymerase} is out "
                "of range: give a share, 0 or more, and a positive weight"
            )


def simulate_promoters(config: PromoterConfig, *, generator: np.random.Generator) -> SimulatedSequences:
    """Make promoters with their elements, activity and a noisy measurement of it.

    The TATA box starts 31 to 28 letters upstream, the initiator's A is the start of transcription, GC boxes
    lie on either strand 110 to 40 letters upstream.

    Returns ------- ``rows`` has ``cpg``, ``tata``, ``inr`` (bool), ``gc_boxes`` (number), ``activity``
    (occupancy by polymerase, 0 to 1) and ``log2_expression`` (its log2 with noise). ``sites`` also has
    ``energy`` in kT.
    """
    n, length = config.n_sequences, config.upstream + config.downstream
    cpg = generator.permutation(np.arange(n) < round(config.cpg_share * n))
    codes = config.other_background.sample(n, length, generator=generator)
    codes[cpg] = config.cpg_background.sample(int(cpg.sum()), length, generator=generator)
    writer = SiteWriter(codes)
    kind = np.where(cpg, 0, 1)
    tata = generator.random(n) < np.array(config.tata_shares)[kind]
    inr = generator.random(n) < np.array(config.inr_shares)[kind]
    boxes = np.minimum(generator.poisson(np.array(config.gc_boxes)[kind]), 3)
    for sequence in range(n):
        _plant(writer, sequence, config, tata[sequence], inr[sequence], int(boxes[sequence]), generator)
    sites = writer.table()
    sites["energy"] = _energies(codes, sites, config)
    activity = promoter_activity(sites, config)
    measured = np.log2(activity) + config.noise * generator.standard_normal(n)
    rows = pd.DataFrame({"cpg": cpg, "tata": tata, "inr": inr, "gc_boxes": boxes, "activity": activity})
    rows["log2_expression"] = measured
    return SimulatedSequences(codes=torch.from_numpy(codes), rows=rows, sites=sites)


def promoter_activity(sites: pd.DataFrame, config: PromoterConfig) -> np.ndarray:
    """Occupancy by polymerase, ``(n_sequences,)``: ``p F / (1 + p F)``.

    ``p`` is the polymerase's own weight and ``F = prod_s (1 + a_s w_s) / (1 + a_s)`` over the promoter's
    sites, with ``a_s = abundance * exp(-energy)`` and ``w_s`` the element's help.
    """
    element_of = {element.motif.name: element for element in config.elements}
    elements = [element_of[name] for name in sites["motif"]]
    bound = np.array([e.abundance for e in elements]) * np.exp(-sites["energy"].to_numpy())
    help_ = np.array([e.help for e in elements])
    logs = np.log1p(bound * help_) - np.log1p(bound)
    helped = np.exp(np.bincount(sites["sequence"], logs, minlength=config.n_sequences))
    return config.polymerase * helped / (1 + config.polymerase * helped)


def _plant(
    writer: SiteWriter,
    sequence: int,
    config: PromoterConfig,
    tata: bool,
    inr: bool,
    n_boxes: int,
    generator: np.random.Generator,
) -> None:
    start = config.upstream
    tata_box, initiator, gc_box = (element.motif for element in config.elements)
    if tata:
        place = start - int(generator.integers(28, 32))
        writer.write(sequence, tata_box.name, place, sample_sites(tata_box, 1, generator=generator)[0])
    if inr:
        writer.write(sequence, initiator.name, start - 2, sample_sites(initiator, 1, generator=generator)[0])
    words = sample_sites(gc_box, n_boxes, generator=generator)
    places = spread_starts([len(gc_box)] * n_boxes, (start - 110, start - 40), generator=generator)
    for place, word in zip(places.tolist(), words, strict=True):
        strand = "-" if generator.random() < 0.5 else "+"
        writer.write(sequence, gc_box.name, place, word, strand=strand)


def _energies(codes: np.ndarray, sites: pd.DataFrame, config: PromoterConfig) -> np.ndarray:
    motif_of = {element.motif.name: element.motif for element in config.elements}
    energies = np.empty(len(sites))
    for name, forward in motif_of.items():
        for strand, motif in (("+", forward), ("-", forward.reverse_complement())):
            chosen = ((sites["motif"] == name) & (sites["strand"] == strand)).to_numpy()
            found = sites[chosen]
            columns = found["start"].to_numpy()[:, None] + np.arange(len(motif))  # (sites, width)
            energies[chosen] = site_energy(codes[found["sequence"].to_numpy()[:, None], columns], motif)
    return energies
