"""The numbers behind each figure, for a reader who doesn't see it or wants to check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genailab.reports.curve_figure import best_epoch

__all__ = ["Table", "curve_table", "embedding_table", "marker_sentence", "marker_table"]

_CURVE_ROWS = 25


@dataclass(frozen=True, kw_only=True)
class Table:
    """A caption, the head and the rows; the first cell of a row is its heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def embedding_table(embedding: pd.DataFrame, types: list[str], cell_types: Mapping[str, int]) -> Table:
    """Per type: how many cells are in the data and on the map, and where their middle lies."""
    names = embedding["type"].astype(str)
    rows = []
    for name in types:
        cells = embedding[names == name]
        real, generated = cells[cells["kind"] == "real"], cells[cells["kind"] == "generated"]
        rows.append(
            (
                name,
                f"{cell_types[name]:,}" if name in cell_types else "none",
                f"{len(real):,}",
                f"{len(generated):,}",
                _middle(real),
                _middle(generated),
            )
        )
    head = (
        "type",
        "cells in the data",
        "real on the map",
        "generated on the map",
        "middle, real",
        "middle, generated",
    )
    return Table(
        caption="Cells of each type and the median of their map coordinates", head=head, rows=tuple(rows)
    )


def marker_table(markers: pd.DataFrame) -> Table:
    """Every dot of the dot plot, with the difference of the two means."""
    numbers = markers[["real_mean", "generated_mean", "real_fraction", "generated_fraction"]].to_numpy(float)
    names = zip(markers["gene"], markers["type"], numbers, strict=True)
    rows = tuple(
        (
            str(gene),
            str(name),
            f"{real:.2f}",
            f"{generated:.2f}",
            _minus(f"{generated - real:+.2f}"),
            f"{real_share:.0%}",
            f"{share:.0%}",
        )
        for gene, name, (real, generated, real_share, share) in names
    )
    head = (
        "gene",
        "type",
        "mean, real",
        "mean, generated",
        "difference",
        "expressing, real",
        "expressing, generated",
    )
    return Table(caption="Mean log-normalised expression and share of cells expressing", head=head, rows=rows)


def marker_sentence(markers: pd.DataFrame) -> str:
    """Say the figure in a sentence: how far apart the means are, and where most."""
    if markers.empty:
        return ""
    difference = (markers["generated_mean"] - markers["real_mean"]).abs()
    worst = markers.loc[[difference.idxmax()]].iloc[0]
    return (
        f"Over {len(markers):,} pairs of gene and type, the generated mean differs from the real one by "
        f"{difference.mean():.2f} on average; the most for {worst['gene']} in {worst['type']} "
        f"(real {worst['real_mean']:.2f}, generated {worst['generated_mean']:.2f})."
    )


def curve_table(curve: pd.DataFrame, name: str) -> Table:
    """At most about 25 epochs, evenly spread; the first, the best and the last are always among them."""
    epoch, train, valid = (curve[key].to_numpy(dtype=float) for key in ("epoch", "train", "valid"))
    best = best_epoch(curve)
    picked = set(np.linspace(0, len(curve) - 1, min(len(curve), _CURVE_ROWS)).round().astype(int).tolist())
    picked |= set() if best is None else {best}
    rows = tuple(
        (f"{epoch[i]:g}", _loss(train[i]), _loss(valid[i]) + (" (lowest)" if i == best else ""))
        for i in sorted(picked)
    )
    head = ("epoch", "training loss", "validation loss")
    return Table(caption=f"Loss of {name} by epoch", head=head, rows=rows)


def _middle(cells: pd.DataFrame) -> str:
    return _minus(f"{cells['x'].median():.1f}, {cells['y'].median():.1f}") if len(cells) else "no cells"


def _loss(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "none"


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
