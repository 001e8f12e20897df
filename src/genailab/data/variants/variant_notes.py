"""What is worth knowing of a variant that is right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genailab.data.variants.reference_genome import ReferenceGenome
from genailab.data.variants.variant_faults import fits
from genailab.data.variants.variant_table import Finding, short, usable, writer

__all__ = ["NOTES"]


def _ambiguous(table: pd.DataFrame, genome: ReferenceGenome) -> Finding:
    texts = table["ref"].to_numpy(dtype=object)
    return Finding(
        ~fits(table, genome, "ref", exactly=True),
        "ok",
        "REF is ambiguous here",
        lambda row: f"REF is {short(texts[row])}, the genome's own letters are used",
    )


def _respelled(table: pd.DataFrame, genome: ReferenceGenome) -> Finding:
    differs = np.zeros(len(table), bool)
    for name in ("position", "ref", "alt"):
        differs |= (table[name] != table[f"normal_{name}"]).to_numpy(dtype=bool)
    normal = writer(table, normal=True)
    return Finding(differs, "ok", "not normalised", lambda row: f"normal form: {normal(row)}")


def _repeated(table: pd.DataFrame, genome: ReferenceGenome) -> Finding:
    repeated = usable(table)
    changes = table.loc[repeated, ["contig", "normal_position", "normal_ref", "normal_alt"]]
    repeated[repeated] = changes.duplicated().to_numpy()
    normal = writer(table, normal=True)
    return Finding(
        repeated, "ok", "same change as an earlier row", lambda row: f"{normal(row)} is in the table before"
    )


def _unsorted(table: pd.DataFrame, genome: ReferenceGenome) -> Finding:
    chrom = pd.factorize(table["chrom"])[0]
    position = table["position"].to_numpy(np.int64)
    back = np.zeros(len(table), bool)
    # Numbered by first appearance, a chromosome that comes again has a smaller number than the one before.
    back[1:] = (chrom[1:] < chrom[:-1]) | ((chrom[1:] == chrom[:-1]) & (position[1:] < position[:-1]))
    written = writer(table)
    return Finding(back, "ok", "out of order", lambda row: f"{written(row)} belongs before the row above it")


NOTES = (_ambiguous, _respelled, _repeated, _unsorted)
