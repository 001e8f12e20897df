"""Transcripts, exons, transcription start sites and splice sites of a GTF table.

All tables have ``chrom``, ``start``, ``end`` (0-based half-open) and ``strand``, so that they can be passed
to `Genome.windows` as they are. They take the table that `read_gtf` returns.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from genailab.errors import InputError

__all__ = ["exons", "splice_sites", "transcripts", "tss"]

_PLACE = ["chrom", "start", "end", "strand", "transcript_id", "gene_id"]


def exons(gtf: pd.DataFrame) -> pd.DataFrame:
    """Return the exons, transcripts in the order of the file, each from its 5' to its 3' end.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end``, ``strand``, ``transcript_id``, ``gene_id`` and ``number``, 1 for the
        first exon in the direction of transcription.

    Raises
    ------
    InputError
        If there are no exons, one is of no transcript or strand, or two exons of a transcript overlap or lie
        on different contigs or strands.
    """
    found = gtf.loc[gtf["feature"] == "exon", _PLACE]
    if found.empty:
        raise InputError(
            "the table has no exon records: read the GTF without features=, or with 'exon' among them"
        )
    _check_exons(found)
    # Exons of one transcript stand in the direction of transcription: by falling start on the minus strand.
    along = np.where(found["strand"] == "-", -found["start"], found["start"])
    order = np.lexsort((along, pd.factorize(found["transcript_id"])[0]))
    found = found.iloc[order].reset_index(drop=True)
    _check_overlaps(found)
    return found.assign(number=found.groupby("transcript_id", sort=False).cumcount() + 1)


def transcripts(gtf: pd.DataFrame) -> pd.DataFrame:
    """Return one row a transcript, from the first base of its exons to the last, in the order of the file.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end``, ``strand``, ``transcript_id``, ``gene_id`` and ``n_exons``. Taken from
        the exons, which every GTF has; some have no transcript records.
    """
    groups = exons(gtf).groupby("transcript_id", sort=False)
    first = groups[["chrom", "strand", "gene_id"]].first()
    table = first.assign(start=groups["start"].min(), end=groups["end"].max(), n_exons=groups.size())
    return table.reset_index()[[*_PLACE, "n_exons"]]


def tss(gtf: pd.DataFrame) -> pd.DataFrame:
    """Return the transcription start site of each transcript: the interval of its first base.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end`` (``start + 1``), ``strand``, ``transcript_id``, ``gene_id``. On the
        minus strand it is the last base in genome coordinates.
    """
    table = transcripts(gtf)
    start = np.where(table["strand"] == "-", table["end"] - 1, table["start"])
    return table.assign(start=start, end=start + 1)[_PLACE]


def splice_sites(gtf: pd.DataFrame) -> pd.DataFrame:
    """Return one row an intron, with its splice sites, each transcript from its 5' to its 3' end.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end`` of the intron, ``strand``, ``transcript_id``, ``gene_id``, ``number`` (1
        for the first intron), ``donor``, the position of the intron's first base in the direction of
        transcription (the G of GT), and ``acceptor``, that of its last (the G of AG). Positions are 0-based.
        Exons that abut have no intron between them. Transcripts that share an intron each have a row of it.

    Examples
    --------
    >>> gtf = pd.DataFrame({"chrom": "1", "feature": "exon", "start": [0, 50], "end": [10, 70], "strand": "-",
    ...                     "transcript_id": "t", "gene_id": "g"})
    >>> splice_sites(gtf)[["start", "end", "donor", "acceptor"]].values.tolist()
    [[10, 50, 49, 10]]
    """
    found = exons(gtf)
    minus = (found["strand"] == "-").to_numpy()[:-1]
    starts, ends = found["start"].to_numpy(), found["end"].to_numpy()
    same = (found["transcript_id"].to_numpy()[1:] == found["transcript_id"].to_numpy()[:-1]).astype(bool)
    left = np.where(minus, ends[1:], ends[:-1])
    right = np.where(minus, starts[:-1], starts[1:])
    introns = found.iloc[:-1].assign(
        start=left,
        end=right,
        donor=np.where(minus, right - 1, left),
        acceptor=np.where(minus, left, right - 1),
    )
    return introns[same & (left < right)].reset_index(drop=True)[[*_PLACE, "number", "donor", "acceptor"]]


def _check_exons(found: pd.DataFrame) -> None:
    for row in np.flatnonzero(found["transcript_id"] == "")[:1]:
        raise InputError(f"exon {_where(found.iloc[row])} has no transcript_id: correct the GTF")
    for row in np.flatnonzero(found["strand"] == ".")[:1]:
        exon = found.iloc[row]
        raise InputError(f"exon {_where(exon)} of {exon['transcript_id']!r} has no strand: correct the GTF")
    kinds = found[["transcript_id", "chrom", "strand"]].drop_duplicates()
    twice = kinds["transcript_id"].duplicated()
    if twice.any():
        raise InputError(
            f"transcript {kinds.loc[twice, 'transcript_id'].iloc[0]!r} has exons on more than one contig or "
            "strand: "
            "give each copy a name of its own (RefSeq lists the genes of X and Y under one)"
        )


def _check_overlaps(found: pd.DataFrame) -> None:
    """Raise InputError if two neighbouring exons of a transcript share a base."""
    before, after = found.iloc[:-1].reset_index(drop=True), found.iloc[1:].reset_index(drop=True)
    shared = (before["start"] < after["end"]) & (after["start"] < before["end"])
    for row in np.flatnonzero(shared & (before["transcript_id"] == after["transcript_id"]))[:1]:
        raise InputError(
            f"exons {_where(before.iloc[row])} and {_where(after.iloc[row])} of transcript "
            f"{after['transcript_id'].iloc[row]!r} overlap: correct the GTF"
        )


def _where(exon: pd.Series) -> str:
    return f"{exon['chrom']}:{exon['start']}-{exon['end']}"
