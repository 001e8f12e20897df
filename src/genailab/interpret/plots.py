"""Figures of attributions, substitutions, attention and motif effects; each returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError
from genailab.interpret.logos import INK, LINE, MUTED, draw_letters, new_figure, style_axes
from genailab.interpret.marginalisation import Marginalisation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_attention", "plot_attribution", "plot_marginalisation", "plot_mutagenesis"]


def plot_attribution(
    attribution: Tensor | np.ndarray, *, start: int = 0, title: str = "", label: str = "attribution"
) -> Figure:
    """Draw the attribution of one sequence, ``(4, length)``, as letters above and below the axis.

    Letters can be told apart up to about 150 positions: draw a part of longer sequences, with ``start`` its
    first position.
    """
    heights = _matrix(attribution)
    ax = new_figure(width=_width(heights.shape[1]), height=2.2).subplots()
    draw_letters(ax, heights, start=start)
    ax.set_xlabel("position", fontsize=9)
    ax.set_ylabel(label, fontsize=9)
    ax.set_title(title, loc="left", color=INK, fontsize=11)
    return ax.figure  # type: ignore[return-value]


def plot_mutagenesis(
    effects: Tensor | np.ndarray,
    sequence: Tensor | np.ndarray | None = None,
    *,
    start: int = 0,
    title: str = "",
    label: str = "change of the prediction",
) -> Figure:
    """Draw the effect of each substitution, ``(4, length)``, as a map: red raises, blue lowers it.

    Letters that stand there already, from the one-hot ``sequence`` or else wherever the effect is exactly 0,
    are marked with a dot.
    """
    values = _matrix(effects)
    there = values == 0 if sequence is None else _matrix(sequence) == 1
    limit = np.abs(values).max() or 1.0
    figure = new_figure(width=_width(values.shape[1]), height=2.0)
    ax = figure.subplots()
    edges = (start - 0.5, start + values.shape[1] - 0.5, len(values) - 0.5, -0.5)
    image = ax.imshow(
        values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", extent=edges, interpolation="none"
    )
    rows, columns = np.nonzero(there)
    if values.shape[1] <= 200:
        ax.plot(columns + start, rows, linestyle="", marker="o", markersize=2.5, color=MUTED)
    style_axes(ax)
    ax.spines[:].set_visible(False)
    ax.set_yticks(range(len(values)), list(DNA.letters))
    ax.set_xlabel("position", fontsize=9)
    ax.set_title(title, loc="left", color=INK, fontsize=11)
    bar = figure.colorbar(image, ax=ax, pad=0.01, aspect=12)
    bar.outline.set_visible(False)
    bar.set_label(label, color=MUTED, fontsize=8)
    bar.ax.tick_params(colors=MUTED, labelsize=7)
    return figure


def plot_attention(
    weights: Tensor | np.ndarray, *, labels: Sequence[str] | str | None = None, title: str = ""
) -> Figure:
    """Draw attention maps, ``(queries, keys)`` or ``(heads, queries, keys)``, one panel a head.

    Parameters
    ----------
    weights
        Of one sequence; rows sum to 1.
    labels
        Of the positions, where queries and keys are the same ones: letters or k-mers.
    title
        Above the figure.
    """
    maps = np.asarray(weights.detach().cpu() if isinstance(weights, Tensor) else weights, dtype=np.float64)
    maps = maps[None] if maps.ndim == 2 else maps
    if maps.ndim != 3 or not maps.size:
        raise InputError(f"attention of shape {maps.shape} is not (heads, queries, keys): take one sequence")
    columns = min(4, len(maps))
    rows = -(-len(maps) // columns)
    figure = new_figure(width=1.0 + 2.6 * columns, height=0.7 + 2.5 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for head, ax in enumerate(panels.flat):
        if head >= len(maps):
            ax.set_visible(False)
            continue
        image = ax.imshow(maps[head], cmap="Blues", vmin=0, vmax=maps.max(), interpolation="none")
        _label_positions(ax, maps.shape[1:], labels)
        ax.set_title(f"head {head}" if len(maps) > 1 else "", fontsize=9, color=MUTED, loc="left")
        ax.spines[:].set_color(LINE)
        ax.tick_params(colors=MUTED, labelsize=7)
    figure.supxlabel("key", fontsize=9, color=MUTED)
    figure.supylabel("query", fontsize=9, color=MUTED)
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11)
    bar = figure.colorbar(image, ax=panels, shrink=0.8, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("weight", color=MUTED, fontsize=8)
    bar.ax.tick_params(colors=MUTED, labelsize=7)
    return figure


def plot_marginalisation(
    results: Mapping[str, Marginalisation], *, title: str = "", label: str = "change of the prediction"
) -> Figure:
    """Draw the mean effect of each motif with its 95% interval, and the backgrounds behind it.

    Parameters
    ----------
    results
        From a name to what `marginalise` returned; drawn in this order from the top.
    title, label
        Above the figure and under its axis.
    """
    from matplotlib.ticker import MaxNLocator

    if not results:
        raise InputError("no marginalisation to draw: give at least one, {'CTCF': marginalise(...)}")
    figure = new_figure(width=6.0, height=0.9 + 0.42 * len(results))
    ax = figure.subplots()
    ax.axvline(0, color=LINE, linewidth=0.8, zorder=0)
    for row, found in enumerate(results.values()):
        effects = found.effects.double().cpu().numpy()
        spread = np.linspace(-0.16, 0.16, len(effects)) if len(effects) > 1 else np.zeros(1)
        ax.plot(effects, row + spread, linestyle="", marker=".", markersize=3, color="#9db8d9", zorder=1)
        margin = 1.96 * found.standard_error if len(effects) > 1 else 0.0
        ax.errorbar(
            found.effect, row, xerr=margin, fmt="o", color="#0b5c8a", markersize=5, capsize=3, zorder=2
        )
    style_axes(ax)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    ax.set_yticks(range(len(results)), list(results))
    ax.set_ylim(len(results) - 0.5, -0.5)
    ax.set_xlabel(label, fontsize=9)
    ax.set_title(title, loc="left", color=INK, fontsize=11)
    return figure


def _matrix(values: Tensor | np.ndarray) -> np.ndarray:
    matrix = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != DNA.size or not matrix.size or not np.isfinite(matrix).all():
        raise InputError(
            f"expected finite numbers (4, length) of one sequence, got shape {matrix.shape}: take one row of "
            "the batch"
        )
    return matrix


def _width(length: int) -> float:
    return float(np.clip(1.5 + 0.12 * length, 4.0, 16.0))


def _label_positions(ax: object, shape: tuple[int, ...], labels: Sequence[str] | str | None) -> None:
    if labels is None or len(labels) > 60 or shape != (len(labels), len(labels)):
        return
    ax.set_xticks(range(len(labels)), list(labels))  # type: ignore[attr-defined]
    ax.set_yticks(range(len(labels)), list(labels))  # type: ignore[attr-defined]
