"""Variants held against a genome: which can be scored, which can't, and why.

No row is ever left out. Each has a ``status``, a ``reason`` from a short list that can be counted, and a
``detail``: one sentence with the values and what to do.

=========== ============================================================================================
status      meaning
=========== ============================================================================================
``ok``      a change of known letters; the reason may hold notes (see `check_variants`)
``skipped`` a right record that gives no window: symbolic, breakend, monomorphic, telomere, too long
``invalid`` a wrong record: it does not fit the genome or is not as VCF writes it
``failed``  set later, where a model's prediction is not a finite number
=========== ============================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from genailab.data.genome.contigs import contig_hint
from genailab.data.variants import variant_faults, variant_notes
from genailab.data.variants.left_align import left_align
from genailab.data.variants.reference_genome import ReferenceGenome
from genailab.data.variants.variant_table import annotate, judge, refuse
from genailab.errors import InputError, nearest

__all__ = ["OnError", "check_variants", "summarise_variants"]

OnError = Literal["report", "fail"]


def check_variants(
    variants: pd.DataFrame,
    genome: ReferenceGenome,
    *,
    aliases: Mapping[str, str] | None = None,
    on_error: OnError = "report",
) -> pd.DataFrame:
    """Judge each variant against the genome, spell it in its normal form and note what it repeats.

    Parameters
    ----------
    variants
        One row for each allele: ``chrom``, ``position`` (1-based), ``ref`` and ``alt``, as from `read_vcf`.
        Rows that already have another ``status`` than ``ok`` keep it.
    genome
        What the positions refer to.
    aliases
        The genome's names of chromosomes that the variants call otherwise, ``{"1": "chr1"}``, beside those
        that the genome was opened with. Names are never guessed.
    on_error
        ``"report"`` returns invalid rows with their reason; ``"fail"`` stops at the first.

    Returns
    -------
    DataFrame
        The same rows in the same order, alleles in upper case, with ``status``, ``reason``, ``detail``,
        ``contig`` (the genome's name, empty if it has none) and the normal spelling of `left_align`.
        Notes of rows that are ``ok``, joined by ``"; "``: ``REF is ambiguous here`` (it or the genome has a
        letter that stands for several), ``not normalised``, ``same change as an earlier row`` and
        ``out of order``.

    Raises
    ------
    InputError
        If a column is missing, an alias names no contig, or with ``on_error="fail"`` a row is invalid.
    """
    aliases = {**genome.aliases, **(aliases or {})}
    _check_call(variants, genome, aliases, on_error)
    table = _unjudged(variants, aliases)
    for faults in variant_faults.FAULTS:
        for fault in faults(table, genome):
            table = judge(table, fault)
    table["contig"] = table["contig"].where(table["contig"].isin(set(genome.chromosomes)), "")
    if on_error == "fail":
        refuse(table, "invalid")
    table = left_align(table, genome)
    for note in variant_notes.NOTES:
        table = annotate(table, note(table, genome))
    return table


def summarise_variants(variants: pd.DataFrame) -> pd.DataFrame:
    """Count the rows of each ``status`` and ``reason``, most frequent first; the counts sum to all rows.

    Examples
    --------
    >>> table = pd.DataFrame({"status": ["ok", "skipped", "ok"], "reason": ["", "ALT is '*'", ""]})
    >>> summarise_variants(table)
        status      reason  rows
    0       ok                 2
    1  skipped  ALT is '*'     1
    """
    counts = variants.groupby(["status", "reason"], sort=True).size().reset_index(name="rows")
    return counts.sort_values(["rows", "status"], ascending=[False, True], kind="stable", ignore_index=True)


def _unjudged(variants: pd.DataFrame, aliases: Mapping[str, str]) -> pd.DataFrame:
    """Return a copy in which only earlier faults are told, not earlier notes."""
    table = variants.copy()
    for name in ("ref", "alt"):
        # str() of a gap is "nan", which would be read as the letters N, A and N.
        written = table[name].astype(str).mask(table[name].isna(), "")
        folded = [text.upper() if text.isalpha() else text for text in written]
        table[name] = np.array(folded, dtype=object)
    if "status" not in table:
        table["status"] = "ok"
    good = table["status"] == "ok"
    for name in ("reason", "detail"):
        table[name] = table[name].mask(good, "") if name in table else ""
    contigs = [aliases.get(name, name) for name in table["chrom"].astype(str)]
    table["contig"] = np.array(contigs, dtype=object)
    return table


def _check_call(
    variants: pd.DataFrame, genome: ReferenceGenome, aliases: Mapping[str, str], on_error: str
) -> None:
    for name in ("chrom", "position", "ref", "alt"):
        if name not in variants:
            raise InputError(f"the variants have no column {name!r}: {nearest(name, variants.columns)}")
    position = variants["position"]
    if not pd.api.types.is_integer_dtype(position) or position.hasnans:
        raise InputError(
            f"column 'position' holds {position.dtype} with {int(position.isna().sum())} gaps, not whole "
            "numbers alone: write -1 for an unknown place and convert it with .astype(int)"
        )
    for name, contig in aliases.items():
        if contig not in genome.chromosomes:
            raise InputError(
                f"alias {name!r} stands for {contig!r}, which the genome doesn't have: "
                f"{contig_hint(contig, genome.chromosomes, aliases=False)}"
            )
    if on_error not in ("report", "fail"):
        raise InputError(f"on_error is {on_error!r}: choose 'report' or 'fail'")
