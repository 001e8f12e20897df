"""Windows of a genome with and without each variant, of equal length and on one anchor.

The first changed base of a variant's normal spelling (`left_align`) stands at the same offset of both
windows, so the flank before it is the same in both, and every spelling of an indel gives the same pair.
After the change the alternative window runs on in the genome: a deletion draws more of it in, an insertion
pushes as much of it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from genailab.data.sequences.alphabet import DNA
from genailab.data.variants.checks import OnError, check_variants
from genailab.data.variants.left_align import trim
from genailab.data.variants.reference_genome import ReferenceGenome, codes_at
from genailab.data.variants.variant_table import Finding, judge, usable
from genailab.errors import InputError

__all__ = ["Haplotypes", "haplotypes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Haplotypes:
    """Pairs of windows and the table of variants they belong to.

    Parameters
    ----------
    reference, alternative
        Codes ``(windows, length)`` uint8 without and with the variant; N beyond the ends of the contig.
    variants
        Every row that came in, in its order, with ``status``, ``reason`` and ``detail``.
    rows
        Position in ``variants`` of each pair, ``(windows,)``, rising: the rows whose status is ``ok``.
    anchor
        Offset in both windows of the first changed base.
    """

    reference: Tensor
    alternative: Tensor
    variants: pd.DataFrame
    rows: NDArray[np.int64]
    anchor: int

    def __len__(self) -> int:
        return len(self.rows)


def haplotypes(
    genome: ReferenceGenome,
    variants: pd.DataFrame,
    length: int,
    *,
    anchor: int | None = None,
    aliases: Mapping[str, str] | None = None,
    on_error: OnError = "report",
) -> Haplotypes:
    """Build the reference and the alternative window of each variant that can be built.

    SNV, MNV, insertion, deletion and the mixture of both. A change that doesn't fit between the anchor and
    the end of the window is ``skipped``: the model would not see all of it.

    Parameters
    ----------
    genome
        What the positions refer to.
    variants
        A table from `read_vcf`, or any with ``chrom``, ``position`` (1-based), ``ref`` and ``alt``; checked
        with `check_variants` unless it was (it then has a column ``contig``).
    length
        Bases of a window.
    anchor
        Offset of the first changed base; the middle, ``length // 2``, unless given.
    aliases, on_error
        As in `check_variants`.

    Raises
    ------
    InputError
        If the anchor lies outside the window, or as `check_variants` says.
    """
    anchor = length // 2 if anchor is None else anchor
    if not 0 <= anchor < length:
        raise InputError(f"anchor is {anchor}, outside a window of {length}: choose 0 to {length - 1}")
    if "contig" not in variants:
        variants = check_variants(variants, genome, aliases=aliases, on_error=on_error)
    variants = _skip_long(variants, length, anchor)
    rows = np.flatnonzero(usable(variants))
    contigs = variants["contig"].to_numpy(dtype=object)[rows]
    changes = _changes(variants.iloc[rows])
    reference = codes_at(genome, contigs, changes.starts - anchor, length)
    alternative = _alternative(genome, contigs, changes, reference, anchor)
    return Haplotypes(
        reference=torch.from_numpy(reference),
        alternative=torch.from_numpy(alternative),
        variants=variants,
        rows=rows,
        anchor=anchor,
    )


class _Changes(NamedTuple):
    starts: NDArray[np.int64]
    removed: NDArray[np.int64]  # bases
    added: NDArray[np.object_]  # text


def _changes(variants: pd.DataFrame) -> _Changes:
    starts = variants["normal_position"].to_numpy(np.int64) - 1
    refs, alts = (variants[name].to_numpy(dtype=object) for name in ("normal_ref", "normal_alt"))
    removed, added = _lengths(refs), alts.copy()
    for row in np.flatnonzero((removed != 1) | (_lengths(alts) != 1)):
        change = trim(int(starts[row]), refs[row], alts[row])
        starts[row], removed[row], added[row] = change.start, len(change.removed), change.added
    return _Changes(starts, removed, added)


def _lengths(texts: NDArray) -> NDArray[np.int64]:
    return np.fromiter(map(len, texts), np.int64, len(texts))


def _skip_long(variants: pd.DataFrame, length: int, anchor: int) -> pd.DataFrame:
    room = length - anchor
    rows = np.flatnonzero(usable(variants))
    changes = _changes(variants.iloc[rows])
    sizes = np.zeros(len(variants), np.int64)
    sizes[rows] = np.maximum(changes.removed, _lengths(changes.added))

    def detail(row: int) -> str:
        return (
            f"{sizes[row]} bases change and only {room} of the window's {length} come after its anchor: pass "
            f"a length of {max(2 * sizes[row], anchor + sizes[row])} or more"
        )

    return judge(variants, Finding(sizes > room, "skipped", "window is too short for the change", detail))


def _alternative(
    genome: ReferenceGenome, contigs: NDArray, changes: _Changes, reference: NDArray[np.uint8], anchor: int
) -> NDArray[np.uint8]:
    """Splice the changes in; those that remove and add the same numbers of bases are done together."""
    alternative = reference.copy()
    length = reference.shape[1]
    sizes = pd.DataFrame({"removed": changes.removed, "added": _lengths(changes.added)})
    for key, indices in sizes.groupby(["removed", "added"]).indices.items():
        (removed, added), rows = cast(tuple[int, int], key), np.asarray(indices)
        letters = "".join(changes.added[rows]).encode()
        codes = DNA.encode_table[np.frombuffer(letters, np.uint8)].reshape(len(rows), added)
        after = reference[rows, anchor + removed :]
        # A deletion draws in what lies behind the reference window.
        behind = changes.starts[rows] - anchor + length
        more = codes_at(genome, contigs[rows], behind, max(0, removed - added))
        alternative[rows, anchor:] = np.concatenate([codes, after, more], axis=1)[:, : length - anchor]
    return alternative
