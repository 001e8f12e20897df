"""Marker genes by type: for each type a real and a generated row of dots, one under the other."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from genailab.reports.figures import FigureSpec, Patch, Size, base_layout, plain, theme_layout
from genailab.reports.palette import THEMES

__all__ = ["highest_mean", "marker_figure"]

_PITCH = {"wide": 19, "narrow": 13}  # pixels between two rows of dots
_GENE = {"wide": 24, "narrow": 17}  # pixels a gene


def marker_figure(markers: pd.DataFrame, types: list[str]) -> FigureSpec:
    """Dot plot: a dot's area is the fraction of cells that express the gene, its colour the mean.

    Parameters
    ----------
    markers
        A row a pair of ``type`` and ``gene`` with ``real_mean`` and ``generated_mean`` (log-normalised) and
        ``real_fraction`` and ``generated_fraction`` (of cells with a count above 0).
    types
        Order of the types. Genes stand in the order of their first row.

    Returns
    -------
    A figure with patches ``theme`` and ``width``. When narrow it stands upright: genes downwards, and for
    each type a real column and a generated one beside it.
    """
    genes = list(dict.fromkeys(markers["gene"].astype(str)))
    shown = [name for name in types if name in set(markers["type"].astype(str))]
    places = _places(markers, genes, shown)
    figure = go.Figure([_dots(markers, kind) for kind in ("real", "generated")], _layout(markers))
    numbers = {name: types.index(name) + 1 for name in shown}
    patches = {
        "theme": {theme: _theme(theme) for theme in THEMES},
        "width": {
            "wide": _wide(markers, places, genes, shown),
            "narrow": _upright(markers, places, genes, numbers),
        },
    }
    label = (
        f"Dot plot of {len(genes)} marker genes in {len(shown)} cell types, real cells beside generated cells"
    )
    wide = Size(height=2 * _PITCH["wide"] * len(shown) + 95, min_width=_GENE["wide"] * len(genes) + 230)
    narrow = Size(height=_GENE["narrow"] * len(genes) + 60, min_width=2 * _PITCH["narrow"] * len(shown) + 70)
    return FigureSpec(key="markers", label=label, figure=figure, patches=patches, wide=wide, narrow=narrow)


def _places(markers: pd.DataFrame, genes: list[str], shown: list[str]) -> dict[str, list[list[float]]]:
    """Where each dot stands along the genes and along the pairs of rows, for real and for generated."""
    gene = {name: float(index) for index, name in enumerate(genes)}
    row = {name: 2.0 * index for index, name in enumerate(shown)}
    along = [gene[name] for name in markers["gene"].astype(str)]
    real = [row[name] - 0.42 for name in markers["type"].astype(str)]
    generated = [row[name] + 0.42 for name in markers["type"].astype(str)]
    return {"gene": [along, along], "row": [real, generated]}


def _dots(markers: pd.DataFrame, kind: str) -> go.Scatter:
    mean, fraction = markers[f"{kind}_mean"], markers[f"{kind}_fraction"]
    return go.Scatter(
        mode="markers",
        meta={"kind": kind},
        text=[
            f"{plain(gene)} in {plain(name)}<br>{kind}: mean {value:.2f}, in {share:.0%} of cells"
            for gene, name, value, share in zip(markers["gene"], markers["type"], mean, fraction, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "color": mean.to_numpy(dtype=float),
            "coloraxis": "coloraxis",
            "opacity": 1,
            "line": {"width": 0.8},
        },
    )


def _sizes(markers: pd.DataFrame, largest: float) -> list[list[float]]:
    # Area, not diameter, is in proportion to the fraction; a dot that is there stays visible.
    return [
        [
            round(max(largest * share**0.5, 1.5), 2) if share > 0 else 0.0
            for share in markers[f"{kind}_fraction"]
        ]
        for kind in ("real", "generated")
    ]


def highest_mean(markers: pd.DataFrame) -> float:
    """Return the upper end of the colour scale, which real and generated share; the lower end is 0."""
    return max(float(markers["real_mean"].max()), float(markers["generated_mean"].max()), 1e-6)


def _layout(markers: pd.DataFrame) -> go.Layout:
    top = highest_mean(markers)
    layout = base_layout(margin={"l": 10, "r": 10, "t": 10, "b": 10}, dragmode=False)
    # The page draws the scale itself, where it stays in sight while the dots scroll.
    layout["coloraxis"] = {"cmin": 0, "cmax": top, "showscale": False}
    return layout


def _axis(ticks: list[str], at: list[float], span: tuple[float, float], **options: Any) -> dict[str, Any]:
    """Set an axis up with a name at each place."""
    return {
        "tickvals": at,
        "ticktext": [plain(text) for text in ticks],
        "range": list(span),
        "zeroline": False,
        "showgrid": True,
        "ticks": "",
        "automargin": True,
        **options,
    }


def _flat(axis: str, settings: dict[str, Any]) -> dict[str, Any]:
    # Attribute by attribute: setting the whole axis would undo the theme's colours.
    return {f"{axis}.{key}": value for key, value in settings.items()}


def _wide(
    markers: pd.DataFrame, places: dict[str, list[list[float]]], genes: list[str], shown: list[str]
) -> Patch:
    rows, at = [], []
    for index, name in enumerate(shown):
        rows += [f"{_short(name)} · real", "generated"]
        at += [2.0 * index - 0.42, 2.0 * index + 0.42]
    x = _axis(
        genes, [float(i) for i in range(len(genes))], (-0.7, len(genes) - 0.3), tickangle=-90, side="bottom"
    )
    y = _axis(rows, at, (2 * len(shown) - 0.9, -1.1), tickangle=0)
    bands = [_band("y", 2.0 * index) for index in range(1, len(shown), 2)]
    return Patch(
        traces={"x": places["gene"], "y": places["row"], "marker.size": _sizes(markers, _PITCH["wide"] - 3)},
        layout={
            **_flat("xaxis", x),
            **_flat("yaxis", y),
            "shapes": bands,
        },
    )


def _upright(
    markers: pd.DataFrame, places: dict[str, list[list[float]]], genes: list[str], numbers: dict[str, int]
) -> Patch:
    centres = [2.0 * index for index in range(len(numbers))]
    x = _axis(
        [str(number) for number in numbers.values()],
        centres,
        (-1.1, 2 * len(numbers) - 0.9),
        tickangle=0,
        side="top",
    )
    y = _axis(genes, [float(i) for i in range(len(genes))], (len(genes) - 0.3, -0.7), tickangle=0)
    bands = [_band("x", 2.0 * index) for index in range(1, len(numbers), 2)]
    return Patch(
        traces={
            "x": places["row"],
            "y": places["gene"],
            "marker.size": _sizes(markers, _PITCH["narrow"] - 2),
        },
        layout={
            **_flat("xaxis", x),
            **_flat("yaxis", y),
            "shapes": bands,
        },
    )


def _band(axis: str, centre: float) -> dict[str, Any]:
    """Lay a pale band behind a pair, so that the eye keeps real and generated of a type together."""
    across = "x" if axis == "y" else "y"
    return {
        "type": "rect",
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": "rgba(128,128,128,0.10)",
        f"{axis}ref": axis,
        f"{axis}0": centre - 1,
        f"{axis}1": centre + 1,
        f"{across}ref": "paper",
        f"{across}0": 0,
        f"{across}1": 1,
    }


def _short(name: str, limit: int = 30) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "…"


def _theme(theme: str) -> Patch:
    line = THEMES[theme]["muted"]
    return Patch(traces={"marker.line.color": [line, line]}, layout=theme_layout(theme, ("xaxis", "yaxis")))
