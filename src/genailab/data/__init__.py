"""What comes in: cells, sequences, genomes, variants, motifs, and real data of each.

=============== ====================================================================================
`cells`         counts of single cells: found, checked, named, split, selected
`sequences`     letters, codes and one-hot, and what is done with them
`genome`        a FASTA as an array, intervals, genes, data sets of windows
`variants`      a VCF in which no record vanishes, and the sequences that its variants make
`motifs`        binding motifs: matrices, their search, their comparison
`bundled`       real sequences with labels that come with the package
`catalog`       larger data sets, fetched and verified
`simulate`      sequences whose truth is known
=============== ====================================================================================

Names load when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genailab.data.bundled.hla_region import HLARegion, load_hla_region
    from genailab.data.bundled.sequence_sets import (
        SequenceSet,
        load_gb1,
        load_lac_promoters,
        load_splice_junctions,
        load_splice_site_activity,
    )
    from genailab.data.catalog.celltypist_sample import load_celltypist_sample
    from genailab.data.catalog.flip import read_flip_secondary_structure
    from genailab.data.cells.counts import check_counts, find_counts
    from genailab.data.cells.dataset import CellDataset
    from genailab.data.cells.expression import cpm, quantile_normalise, size_factors, tpm, zscore
    from genailab.data.cells.genes import highly_variable_genes
    from genailab.data.cells.labels import join_labels
    from genailab.data.cells.normalise import log_normalise
    from genailab.data.cells.pbmc import load_pbmc, load_pbmc_anndata
    from genailab.data.cells.readers import read_cells
    from genailab.data.cells.splits import Split, split_cells
    from genailab.data.genome.bigwig import read_bigwig
    from genailab.data.genome.chromosome_split import ChromosomeSplit, split_chromosomes
    from genailab.data.genome.gene_structure import exons, splice_sites, transcripts, tss
    from genailab.data.genome.genome import Genome
    from genailab.data.genome.genome_dataset import Augment, GenomeDataset
    from genailab.data.genome.gtf import read_gtf
    from genailab.data.genome.interval_checks import check_intervals
    from genailab.data.genome.intervals import read_bed
    from genailab.data.genome.negatives import gc_content, gc_matched_negatives
    from genailab.data.genome.peaks import read_peaks_fasta
    from genailab.data.motifs.jaspar import read_jaspar
    from genailab.data.motifs.motif import Motif
    from genailab.data.motifs.motif_match import match_motifs
    from genailab.data.motifs.motif_scan import best_motif_scores, motif_scores, scan
    from genailab.data.rows import TensorRows
    from genailab.data.sequences.alphabet import DNA, PROTEIN, RNA, Alphabet
    from genailab.data.sequences.encoding import decode, encode, lowercase_mask, one_hot
    from genailab.data.sequences.kmer_tokenizer import KmerTokenizer
    from genailab.data.sequences.kmers import kmer_counts, kmer_names, kmers
    from genailab.data.sequences.length_groups import LengthGroups
    from genailab.data.sequences.padding import attention_mask, pack, pad, unpack, unpad
    from genailab.data.sequences.reverse_complement import reverse_complement, reverse_predictions
    from genailab.data.sequences.shuffle import shuffle
    from genailab.data.sequences.translation import open_reading_frames, translate
    from genailab.data.sequences.windows import windows
    from genailab.data.variants.checks import check_variants, summarise_variants
    from genailab.data.variants.haplotypes import Haplotypes, haplotypes
    from genailab.data.variants.left_align import left_align
    from genailab.data.variants.vcf import read_vcf

__all__ = [
    "DNA",
    "PROTEIN",
    "RNA",
    "Alphabet",
    "Augment",
    "CellDataset",
    "ChromosomeSplit",
    "Genome",
    "GenomeDataset",
    "HLARegion",
    "Haplotypes",
    "KmerTokenizer",
    "LengthGroups",
    "Motif",
    "SequenceSet",
    "Split",
    "TensorRows",
    "attention_mask",
    "best_motif_scores",
    "check_counts",
    "check_intervals",
    "check_variants",
    "cpm",
    "decode",
    "encode",
    "exons",
    "find_counts",
    "gc_content",
    "gc_matched_negatives",
    "haplotypes",
    "highly_variable_genes",
    "join_labels",
    "kmer_counts",
    "kmer_names",
    "kmers",
    "left_align",
    "load_celltypist_sample",
    "load_gb1",
    "load_hla_region",
    "load_lac_promoters",
    "load_pbmc",
    "load_pbmc_anndata",
    "load_splice_junctions",
    "load_splice_site_activity",
    "log_normalise",
    "lowercase_mask",
    "match_motifs",
    "motif_scores",
    "one_hot",
    "open_reading_frames",
    "pack",
    "pad",
    "quantile_normalise",
    "read_bed",
    "read_bigwig",
    "read_cells",
    "read_flip_secondary_structure",
    "read_gtf",
    "read_jaspar",
    "read_peaks_fasta",
    "read_vcf",
    "reverse_complement",
    "reverse_predictions",
    "scan",
    "shuffle",
    "size_factors",
    "splice_sites",
    "split_cells",
    "split_chromosomes",
    "summarise_variants",
    "tpm",
    "transcripts",
    "translate",
    "tss",
    "unpack",
    "unpad",
    "windows",
    "zscore",
]

_MODULE_OF = {
    "Alphabet": "sequences.alphabet",
    "Augment": "genome.genome_dataset",
    "CellDataset": "cells.dataset",
    "ChromosomeSplit": "genome.chromosome_split",
    "DNA": "sequences.alphabet",
    "Genome": "genome.genome",
    "GenomeDataset": "genome.genome_dataset",
    "HLARegion": "bundled.hla_region",
    "Haplotypes": "variants.haplotypes",
    "KmerTokenizer": "sequences.kmer_tokenizer",
    "LengthGroups": "sequences.length_groups",
    "Motif": "motifs.motif",
    "PROTEIN": "sequences.alphabet",
    "RNA": "sequences.alphabet",
    "SequenceSet": "bundled.sequence_sets",
    "Split": "cells.splits",
    "TensorRows": "rows",
    "attention_mask": "sequences.padding",
    "best_motif_scores": "motifs.motif_scan",
    "check_counts": "cells.counts",
    "check_intervals": "genome.interval_checks",
    "check_variants": "variants.checks",
    "cpm": "cells.expression",
    "decode": "sequences.encoding",
    "encode": "sequences.encoding",
    "exons": "genome.gene_structure",
    "find_counts": "cells.counts",
    "gc_content": "genome.negatives",
    "gc_matched_negatives": "genome.negatives",
    "haplotypes": "variants.haplotypes",
    "highly_variable_genes": "cells.genes",
    "join_labels": "cells.labels",
    "kmer_counts": "sequences.kmers",
    "kmer_names": "sequences.kmers",
    "kmers": "sequences.kmers",
    "left_align": "variants.left_align",
    "load_celltypist_sample": "catalog.celltypist_sample",
    "load_gb1": "bundled.sequence_sets",
    "load_hla_region": "bundled.hla_region",
    "load_lac_promoters": "bundled.sequence_sets",
    "load_pbmc": "cells.pbmc",
    "load_pbmc_anndata": "cells.pbmc",
    "load_splice_junctions": "bundled.sequence_sets",
    "load_splice_site_activity": "bundled.sequence_sets",
    "log_normalise": "cells.normalise",
    "lowercase_mask": "sequences.encoding",
    "match_motifs": "motifs.motif_match",
    "motif_scores": "motifs.motif_scan",
    "one_hot": "sequences.encoding",
    "open_reading_frames": "sequences.translation",
    "pack": "sequences.padding",
    "pad": "sequences.padding",
    "quantile_normalise": "cells.expression",
    "read_bed": "genome.intervals",
    "read_bigwig": "genome.bigwig",
    "read_cells": "cells.readers",
    "read_flip_secondary_structure": "catalog.flip",
    "read_gtf": "genome.gtf",
    "read_jaspar": "motifs.jaspar",
    "read_peaks_fasta": "genome.peaks",
    "read_vcf": "variants.vcf",
    "reverse_complement": "sequences.reverse_complement",
    "reverse_predictions": "sequences.reverse_complement",
    "scan": "motifs.motif_scan",
    "shuffle": "sequences.shuffle",
    "size_factors": "cells.expression",
    "splice_sites": "genome.gene_structure",
    "split_cells": "cells.splits",
    "split_chromosomes": "genome.chromosome_split",
    "summarise_variants": "variants.checks",
    "tpm": "cells.expression",
    "transcripts": "genome.gene_structure",
    "translate": "sequences.translation",
    "tss": "genome.gene_structure",
    "unpack": "sequences.padding",
    "unpad": "sequences.padding",
    "windows": "sequences.windows",
    "zscore": "cells.expression",
}


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"genailab.data.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'genailab.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
