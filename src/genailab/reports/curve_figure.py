"""Training curves: the loss of one model, on training and on validation cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from genailab.reports.figures import FigureSpec, Patch, Size, base_layout, theme_layout
from genailab.reports.palette import THEMES

__all__ = ["best_epoch", "curve_figure"]


def curve_figure(curve: pd.DataFrame, *, name: str, index: int) -> FigureSpec:
    """Two lines, solid for training and dashed for validation, with the best validation epoch marked.

    Parameters
    ----------
    curve
        A row an epoch: ``epoch``, ``train``, ``valid``. A missing loss leaves a gap.
    name
        The model's name.
    index
        Place of the figure among its siblings; its key is ``curve-<index>``.
    """
    epochs = curve["epoch"].to_numpy(dtype=float)
    lines = [
        _line(epochs, curve["train"].to_numpy(dtype=float), "training", "solid"),
        _line(epochs, curve["valid"].to_numpy(dtype=float), "validation", "dash"),
        _best(curve),
    ]
    layout = base_layout(margin={"l": 8, "r": 8, "t": 12, "b": 8}, dragmode="zoom")
    layout.update(
        xaxis={"title": {"text": "epoch"}, "zeroline": False, "automargin": True, "showgrid": False},
        yaxis={"title": {"text": "loss"}, "zeroline": False, "automargin": True, "nticks": 6},
    )
    layout["hovermode"] = "x unified"
    return FigureSpec(
        key=f"curve-{index}",
        label=f"Training and validation loss of {name} over {len(curve)} epochs",
        figure=go.Figure(lines, layout),
        wide=Size(height=270),
        narrow=Size(height=240),
        patches={"theme": {theme: _theme(theme) for theme in THEMES}},
    )


def best_epoch(curve: pd.DataFrame) -> int | None:
    """Row of the lowest validation loss, or None where there is no finite one.

    Examples
    --------
    >>> best_epoch(pd.DataFrame({"epoch": [1, 2, 3], "valid": [2.0, 1.0, 1.5]}))
    1
    """
    valid = curve["valid"].to_numpy(dtype=float)
    valid = np.where(np.isfinite(valid), valid, np.inf)
    return int(valid.argmin()) if len(valid) and np.isfinite(valid.min()) else None


def _line(epochs: np.ndarray, loss: np.ndarray, name: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=epochs,
        y=np.where(np.isfinite(loss), loss, np.nan),
        name=name,
        mode="lines" if len(epochs) > 1 else "markers",
        line={"dash": dash, "width": 2},
        hovertemplate="%{y:.4g}",
    )


def _best(curve: pd.DataFrame) -> go.Scatter:
    row = best_epoch(curve)
    point = curve.iloc[[] if row is None else [row]]
    return go.Scatter(
        x=point["epoch"].to_numpy(dtype=float),
        y=point["valid"].to_numpy(dtype=float),
        name="lowest",
        mode="markers",
        marker={"symbol": "circle-open", "size": 11, "line": {"width": 2}},
        hoverinfo="skip",
    )


def _theme(theme: str) -> Patch:
    colours = THEMES[theme]
    train, valid = colours["accent"], colours["second"]
    return Patch(
        traces={"line.color": [train, valid, valid], "marker.color": [train, valid, valid]},
        layout=theme_layout(theme, ("xaxis", "yaxis")),
    )
