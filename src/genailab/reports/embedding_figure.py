"""The map: real and generated cells in one embedding that was fitted on real cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from genailab.reports.figures import FigureSpec, Patch, Size, base_layout, plain, theme_layout
from genailab.reports.palette import THEMES, type_colour, type_symbol

__all__ = ["embedding_figure"]

# Above this, WebGL draws the points: SVG grows slow at about one element a point.
_SVG_CELLS = 6_000
# More names, or longer ones, would cover the cells: a number, told in the legend, then stands for the name.
_NAMED_TYPES = 14
_NAME_CHARACTERS = 24
_AXES = ("xaxis", "yaxis", "xaxis2", "yaxis2")


def embedding_figure(embedding: pd.DataFrame, types: list[str]) -> FigureSpec:
    """Scatter of cells: a trace for each type and kind, and two of labels.

    Parameters
    ----------
    embedding
        A row a cell: ``x``, ``y``, ``kind`` ("real" or "generated") and ``type``.
    types
        Order of the types, which sets colour, number and shape.

    Returns
    -------
    A figure with patches ``theme``, ``view`` ("real", "generated", "both": overlaid, "side": two
    panels) and ``labels`` ("names" or "numbers"). A trace's ``meta`` says its kind and type, so that the page
    can switch it.
    """
    scatter = go.Scattergl if len(embedding) > _SVG_CELLS else go.Scatter
    traces = [
        _cells(scatter, embedding, kind, name, index)
        for kind in ("real", "generated")
        for index, name in enumerate(types)
    ]
    anchors = _label_positions(embedding, types)
    labels = [_labels(anchors, types, panel) for panel in ("real", "generated")]
    figure = go.Figure([*traces, *labels], _layout(embedding))
    patches = {
        "theme": {theme: _theme(theme, len(types)) for theme in THEMES},
        "view": _views(len(types)),
        "labels": {
            "names": _label_text(anchors, types, named=len(types) <= _NAMED_TYPES),
            "numbers": _label_text(anchors, types, named=False),
        },
    }
    n_real = int((embedding["kind"] == "real").sum())
    n_generated = len(embedding) - n_real
    label = f"Map of {n_real} real and {n_generated} generated cells coloured by {len(types)} cell types"
    return FigureSpec(
        key="embedding",
        label=label,
        figure=figure,
        patches=patches,
        wide=Size(height=580),
        narrow=Size(height=430),
    )


def _cells(
    scatter: type[go.Scatter] | type[go.Scattergl], embedding: pd.DataFrame, kind: str, name: str, index: int
) -> go.Scatter | go.Scattergl:
    cells = embedding[(embedding["kind"] == kind) & (embedding["type"].astype(str) == name)]
    real = kind == "real"
    # The more cells, the smaller their marks, so that a crowd still shows its shape.
    size = round(min(7.0, max(3.0, 7.0 * (1_500 / len(embedding)) ** 0.35)), 1)
    shape = type_symbol(index)
    return scatter(
        x=cells["x"].to_numpy(dtype=np.float32),
        y=cells["y"].to_numpy(dtype=np.float32),
        mode="markers",
        meta={"kind": kind, "type": index},
        name=plain(name),
        hovertemplate="%{fullData.name}<extra>" + kind + "</extra>",
        # Filled against open: the kinds differ in shape, so that nothing hangs on colour alone.
        marker={
            "symbol": shape if real else f"{shape}-open",
            "size": size if real else size + 1,
            "opacity": 0.55 if real else 0.95,
            "line": {"width": 0 if real else 0.2 * size + 0.2},
        },
    )


def _labels(anchors: pd.DataFrame, types: list[str], panel: str) -> go.Scatter:
    shown = [index for index, name in enumerate(types) if name in anchors.index]
    return go.Scatter(
        x=anchors["x"].to_numpy(),
        y=anchors["y"].to_numpy(),
        text=[str(index + 1) for index in shown],
        mode="text",
        meta={"kind": "label", "panel": panel, "types": shown},
        hoverinfo="skip",
        textfont={"size": 12, "weight": 600},
        cliponaxis=False,
    )


def _label_positions(embedding: pd.DataFrame, types: list[str]) -> pd.DataFrame:
    """Middle of each type's cells: the real ones where there are any."""
    names = embedding["type"].astype(str)
    real = embedding["kind"] == "real"
    rows = {}
    for name in types:
        cells = embedding[(names == name) & real]
        cells = cells if len(cells) else embedding[names == name]
        if len(cells):
            rows[name] = (float(cells["x"].median()), float(cells["y"].median()))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["x", "y"])


def _label_text(anchors: pd.DataFrame, types: list[str], *, named: bool) -> Patch:
    shown = [(index, name) for index, name in enumerate(types) if name in anchors.index]
    numbers = [str(index + 1) for index, _ in shown]
    names = [f"{index + 1} {plain(name)}" for index, name in shown]
    room = _room_for_name(anchors, [len(name) for name in names]) if named else [False] * len(names)
    text = [name if fits else number for name, number, fits in zip(names, numbers, room, strict=True)]
    # null leaves a trace as it is: only the two label traces change.
    return Patch(traces={"text": [None] * (2 * len(types)) + [text] * 2})


def _room_for_name(anchors: pd.DataFrame, characters: list[int]) -> list[bool]:
    """Which labels can hold a full name without touching another, on a map of 110 characters by 24 lines."""
    x, y = anchors["x"].to_numpy(), anchors["y"].to_numpy()
    character, line = max(np.ptp(x), 1e-6) / 110, max(np.ptp(y), 1e-6) / 24
    widths = [3 * character] * len(x)
    room = [False] * len(x)
    for i in range(len(x)):
        wide = characters[i] * character
        clear = (np.abs(y - y[i]) > line) | (np.abs(x - x[i]) > (wide + np.array(widths)) / 2)
        clear[i] = True
        if clear.all() and characters[i] <= _NAME_CHARACTERS:
            widths[i], room[i] = wide, True
    return room


def _layout(embedding: pd.DataFrame) -> go.Layout:
    layout = base_layout(margin={"l": 4, "r": 4, "t": 8, "b": 4}, dragmode="zoom")
    for axis, values in (("x", embedding["x"]), ("y", embedding["y"])):
        low, high = float(values.min()), float(values.max())
        pad = 0.05 * (high - low) or 1.0
        style = {
            "range": [low - pad, high + pad],
            "showgrid": False,
            "zeroline": False,
            "showticklabels": False,
        }
        style |= {"showline": True, "mirror": True, "ticks": ""}
        layout[f"{axis}axis"] = style
        layout[f"{axis}axis2"] = {**style, "matches": axis, "anchor": "y2" if axis == "x" else "x2"}
    return layout


def _theme(theme: str, n_types: int) -> Patch:
    colours = [type_colour(index, theme) for index in range(n_types)] * 2
    ink = THEMES[theme]["ink"]
    layout = theme_layout(theme, _AXES)
    return Patch(
        traces={
            "marker.color": [*colours, None, None],
            "marker.line.color": [*colours, None, None],
            "textfont.color": [None] * len(colours) + [ink, ink],
        },
        layout=layout,
    )


def _views(n_types: int) -> dict[str, Patch]:
    """One panel, or two beside each other whose zoom is shared."""

    def patch(*, side: bool) -> Patch:
        second_x, second_y = ("x2", "y2") if side else ("x", "y")
        return Patch(
            traces={
                "xaxis": ["x"] * n_types + [second_x] * n_types + ["x", second_x],
                "yaxis": ["y"] * n_types + [second_y] * n_types + ["y", second_y],
            },
            layout={
                "xaxis.domain": [0, 0.495] if side else [0, 1],
                "xaxis2.domain": [0.505, 1] if side else [0, 1],
                "xaxis2.visible": side,
                "yaxis2.visible": side,
                "margin.t": 28 if side else 8,
                "annotations": [_panel_title("real", 0.2475), _panel_title("generated", 0.7525)]
                if side
                else [],
            },
        )

    overlaid = patch(side=False)
    return {"both": overlaid, "real": overlaid, "generated": overlaid, "side": patch(side=True)}


def _panel_title(text: str, x: float) -> dict[str, object]:
    return {
        "text": text,
        "x": x,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13},
    }
