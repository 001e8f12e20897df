"""Sequences and chromatin whose truth is known: what a model must be able to find before real data is asked.

Each simulator takes a frozen configuration and a `numpy.random.Generator`, and returns the data with all that
was put into it. Names load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genailab.data.simulate.background import Background
    from genailab.data.simulate.histone_expression import HistoneConfig, simulate_histone_expression
    from genailab.data.simulate.planted_motifs import PlantedMotifsConfig, simulate_planted_motifs
    from genailab.data.simulate.promoters import PromoterConfig, simulate_promoters
    from genailab.data.simulate.protein_dna_binding import BindingConfig, simulate_binding
    from genailab.data.simulate.rna_protein_pairs import PairConfig, simulate_rna_protein_pairs
    from genailab.data.simulate.sites import consensus_motif
    from genailab.data.simulate.two_species import TwoSpeciesConfig, simulate_two_species

__all__ = [
    "Background",
    "BindingConfig",
    "HistoneConfig",
    "PairConfig",
    "PlantedMotifsConfig",
    "PromoterConfig",
    "TwoSpeciesConfig",
    "consensus_motif",
    "simulate_binding",
    "simulate_histone_expression",
    "simulate_planted_motifs",
    "simulate_promoters",
    "simulate_rna_protein_pairs",
    "simulate_two_species",
]

_MODULE_OF = {
    "Background": "background",
    "BindingConfig": "protein_dna_binding",
    "HistoneConfig": "histone_expression",
    "PairConfig": "rna_protein_pairs",
    "PlantedMotifsConfig": "planted_motifs",
    "PromoterConfig": "promoters",
    "TwoSpeciesConfig": "two_species",
    "consensus_motif": "sites",
    "simulate_binding": "protein_dna_binding",
    "simulate_histone_expression": "histone_expression",
    "simulate_planted_motifs": "planted_motifs",
    "simulate_promoters": "promoters",
    "simulate_rna_protein_pairs": "rna_protein_pairs",
    "simulate_two_species": "two_species",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"genailab.data.simulate.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'genailab.data.simulate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
