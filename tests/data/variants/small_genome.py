"""A genome of a few letters, held as text: what the variants ask of a genome and nothing else."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from genailab.data.sequences.encoding import encode


class TextGenome:
    def __init__(self, **contigs: str) -> None:
        self.contigs = contigs
        self.aliases: dict[str, str] = {}
        self.chromosomes = {name: len(text) for name, text in contigs.items()}

    def text(self, contig: str, start: int, length: int) -> str:
        padded = "N" * max(0, -start) + self.contigs[contig][max(0, start) : max(0, start + length)]
        return padded[:length].ljust(length, "N")

    def windows(self, intervals: pd.DataFrame, length: int) -> Tensor:
        assert (intervals["end"] - intervals["start"] == length).all()
        # As the real one, it takes no interval that lies wholly outside.
        assert (intervals["end"] > 0).all()
        assert (intervals["start"] < intervals["chrom"].map(self.chromosomes)).all()
        texts = [self.text(*row, length) for row in zip(intervals["chrom"], intervals["start"], strict=True)]
        return encode(texts) if texts else torch.zeros(0, length, dtype=torch.uint8)


def table_of(*rows: tuple[str, int, str, str]) -> pd.DataFrame:
    """Return variants from (chrom, 1-based position, ref, alt)."""
    return pd.DataFrame(rows, columns=["chrom", "position", "ref", "alt"]).astype(
        {"chrom": object, "position": "int64", "ref": object, "alt": object}
    )


def splice(text: str, position: int, ref: str, alt: str) -> str:
    """Return the whole contig with the variant in it."""
    assert text[position - 1 : position - 1 + len(ref)] == ref
    return text[: position - 1] + alt + text[position - 1 + len(ref) :]
