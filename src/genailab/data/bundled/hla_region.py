"""2.2 Mb of human DNA with its genes, carried by every installation: the offline genome of the examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from genailab.data.bundled.sequence_sets import BUNDLED, about_bundled

if TYPE_CHECKING:
    from genailab.data.genome.genome import Genome

__all__ = ["HLARegion", "load_hla_region"]


@dataclass(frozen=True, kw_only=True, eq=False)
class HLARegion:
    """The human HLA class I region as INSDC entry BA000025.2.

    Parameters
    ----------
    fasta
        gzip-compressed FASTA with one record, ``BA000025.2``, as `genome` opens it.
    genes
        One row a coding sequence: ``cds`` (its number), ``gene``, ``chrom``, ``start``, ``end`` (0-based
        half-open, from the first to the last coding base on the forward strand), ``strand``, ``n_exons``,
        ``codon_start`` (1 to 3: where the first whole codon begins), ``complete_start`` and ``complete_end``
        (false where the coding sequence goes on outside the region, or its end is unknown), ``pseudo`` (a
        pseudogene, which need not code for anything) and ``protein_id``.
    exons
        One row a coding exon in the order of transcription: the same columns, with ``exon`` from 0. They
        hold coding bases only, no untranslated regions.
    """

    fasta: Path
    genes: pd.DataFrame
    exons: pd.DataFrame
    source: str
    licence: str
    citation: str

    def genome(self, cache: str | Path | None = None) -> Genome:
        """Open the sequence for `fetch` and `windows`; its index goes to ``cache``, or the data folder."""
        from genailab.data.catalog.catalog import data_folder
        from genailab.data.genome.genome import Genome

        # Not beside the FASTA: nothing should be written among the files of the package.
        return Genome(self.fasta, cache=cache or data_folder() / "genomes")


def load_hla_region() -> HLARegion:
    """Load 2,229,817 bp of chromosome 6p21.3 with 136 coding sequences, 64 of them pseudogenes.

    Among them HLA-A, -B, -C, -E, -F and -G, MICA, MICB, LTA and TNF (as ``TNFA``), under the names of 2001.
    The sequence holds no N.

    Examples
    --------
    >>> region = load_hla_region()
    >>> len(region.genes), len(region.exons), int((~region.genes["pseudo"]).sum())
    (136, 690, 72)
    """
    about = about_bundled("hla_region")
    exons = pd.read_csv(BUNDLED / about_bundled("hla_region_cds")["file"], keep_default_na=False)
    return HLARegion(
        fasta=BUNDLED / about["file"],
        genes=_genes(exons),
        exons=exons,
        source=about["origin"],
        licence=about["licence"],
        citation=about["citation"],
    )


def _genes(exons: pd.DataFrame) -> pd.DataFrame:
    of_gene = exons.groupby("cds", sort=True)
    shared = of_gene[
        ["gene", "chrom", "strand", "codon_start", "complete_start", "complete_end", "pseudo"]
    ].first()
    return shared.assign(
        start=of_gene["start"].min(),
        end=of_gene["end"].max(),
        n_exons=of_gene.size(),
        protein_id=of_gene["protein_id"].first(),
    ).reset_index()[
        [
            "cds", "gene", "chrom", "start", "end", "strand", "n_exons",
            "codon_start", "complete_start", "complete_end", "pseudo", "protein_id",
        ]
    ]  # fmt: skip
