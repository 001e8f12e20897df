"""The report of the single-cell pipeline: generated cells of each type, judged against held-out real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from genailab.errors import InputError, nearest
from genailab.reports.contents import (
    BETTER,
    DatasetSummary,
    Reproduction,
    Score,
    check_columns,
    check_finite,
)
from genailab.reports.curve_figure import best_epoch, curve_figure
from genailab.reports.embedding_figure import embedding_figure
from genailab.reports.figures import FigureSpec
from genailab.reports.marker_figure import highest_mean, marker_figure
from genailab.reports.page import render_page, script_safe
from genailab.reports.palette import TYPE_COLOURS, type_symbol
from genailab.reports.score_table import score_rows, subjects
from genailab.reports.tables import curve_table, embedding_table, marker_sentence, marker_table

__all__ = ["SingleCellReport", "render"]

_EMBEDDING = ("x", "y", "kind", "type")
_MARKERS = ("type", "gene", "real_mean", "generated_mean", "real_fraction", "generated_fraction")
_CURVE = ("epoch", "train", "valid")


@dataclass(frozen=True, kw_only=True)
class SingleCellReport:
    """Exactly what the page shows.

    Parameters
    ----------
    title
        Heading of the page.
    verdict
        One or two plain sentences: the result, losses included.
    dataset
        What came in, what was used, what was left out.
    split_hash
        Fingerprint of the split into training, validation and held-out cells.
    embedding
        A row a cell: ``x``, ``y``, ``kind`` ("real" or "generated"), ``type``; fitted on real cells.
    markers
        A row a pair of ``type`` and ``gene``: ``real_mean``, ``generated_mean`` (log-normalised expression),
        ``real_fraction``, ``generated_fraction`` (cells with a count above 0, in [0, 1]).
    curves
        Model's name to a table with ``epoch``, ``train`` and ``valid`` loss; may be empty.
    scores
        Every score of every subject.
    metric_notes
        Metric's name to one sentence on what it means.
    reproduce
        Command, seed, device, duration, versions, configuration.
    warnings
        Sentences a reader must see before trusting the result.
    model, ceiling
        The subjects that stand first and apart in the score table.

    Raises
    ------
    InputError
        If a table lacks a column, holds a value that is not finite or an unknown kind, or a score's `better`
        is unknown.
    """

    title: str
    verdict: str
    dataset: DatasetSummary
    split_hash: str
    embedding: pd.DataFrame
    markers: pd.DataFrame
    scores: Sequence[Score]
    reproduce: Reproduction
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    metric_notes: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    model: str = "latent diffusion"
    ceiling: str = "ceiling"

    def __post_init__(self) -> None:
        check_columns(self.embedding, _EMBEDDING, "embedding")
        check_finite(self.embedding, ("x", "y"), "embedding")
        check_columns(self.markers, _MARKERS, "markers")
        check_finite(self.markers, _MARKERS[2:], "markers")
        for name, curve in self.curves.items():
            check_columns(curve, _CURVE, f"the curve of {name!r}")
        _check_values("embedding.kind", self.embedding["kind"], ("real", "generated"))
        _check_values("better of a score", [score.better for score in self.scores], tuple(BETTER))

    @property
    def headline(self) -> str:
        """First sentence of the verdict."""
        return self.verdict.partition(". ")[0].rstrip(".") + "."

    @property
    def details(self) -> str:
        """The rest of the verdict; empty where it is one sentence."""
        return self.verdict.partition(". ")[2]

    @property
    def types(self) -> list[str]:
        """Every type of the page in one order: the data set's, then any that only a figure has."""
        found = [
            *self.dataset.cell_types,
            *self.embedding["type"].astype(str),
            *self.markers["type"].astype(str),
        ]
        return list(dict.fromkeys(map(str, found)))

    def count(self, kind: str) -> int:
        """Cells of one kind on the map."""
        return int((self.embedding["kind"] == kind).sum())


def render(report: SingleCellReport) -> str:
    """Write the whole page as HTML text: one file of about 5 MB that opens offline.

    Examples
    --------
    >>> Path("report.html").write_text(render(report), encoding="utf-8")  # doctest: +SKIP
    """
    columns = subjects(report.scores, model=report.model, ceiling=report.ceiling)
    figures = _figures(report)
    context = {
        "report": report,
        "types": _types(report),
        "highest_mean": highest_mean(report.markers) if len(report.markers) else 0.0,
        "smallest": min(report.dataset.cell_types.values()),
        "largest": max(report.dataset.cell_types.values()),
        "figures": {spec.key: spec for spec in figures},
        "figure_json": script_safe("[" + ",".join(spec.to_json() for spec in figures) + "]"),
        "embedding_table": embedding_table(report.embedding, report.types, report.dataset.cell_types),
        "marker_table": marker_table(report.markers),
        "marker_sentence": marker_sentence(report.markers),
        "curves": [_curve(name, curve, i) for i, (name, curve) in enumerate(report.curves.items())],
        "columns": columns,
        "rows": score_rows(report.scores, columns, ceiling=report.ceiling, meanings=report.metric_notes),
        "duration": _duration(report.reproduce.duration_seconds),
    }
    return render_page("single_cell.html.j2", context)


def _figures(report: SingleCellReport) -> list[FigureSpec]:
    figures = [embedding_figure(report.embedding, report.types)] if len(report.embedding) else []
    if len(report.markers):
        figures.append(marker_figure(report.markers, report.types))
    drawn = [(i, name, curve) for i, (name, curve) in enumerate(report.curves.items()) if len(curve)]
    return figures + [curve_figure(curve, name=name, index=i) for i, name, curve in drawn]


def _types(report: SingleCellReport) -> list[dict[str, Any]]:
    counts = report.embedding.groupby([report.embedding["type"].astype(str), "kind"], observed=True).size()
    return [
        {
            "name": name,
            "colour": index % len(TYPE_COLOURS["light"]),
            "shape": type_symbol(index),
            "real": int(counts.get((name, "real"), 0)),
            "generated": int(counts.get((name, "generated"), 0)),
        }
        for index, name in enumerate(report.types)
    ]


def _curve(name: str, curve: pd.DataFrame, index: int) -> dict[str, Any]:
    """Gather a model's curve for the template; without an epoch it has no figure, so no key."""
    if curve.empty:
        return {"name": name, "key": None, "sentence": "No epoch was recorded.", "table": None}
    best = best_epoch(curve)
    sentence = f"{len(curve):,} epoch{'s' if len(curve) > 1 else ''}"
    if best is not None:
        sentence += (
            f"; lowest validation loss {curve['valid'].iloc[best]:.4g} at epoch {curve['epoch'].iloc[best]:g}"
        )
    return {
        "name": name,
        "key": f"curve-{index}",
        "sentence": sentence + ".",
        "table": curve_table(curve, name),
    }


def _check_values(name: str, values: Any, known: tuple[str, ...]) -> None:
    for value in dict.fromkeys(values):
        if value not in known:
            raise InputError(f"{name} is {value!r}: {nearest(str(value), known)}")


def _duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 90 else f"{minutes} min {rest} s"
