"""Sequence logos: letters as tall as they matter.

Schneider & Stephens 1990, "Sequence logos: a new way to display consensus sequences". Each letter is one
compound path, so that a thousand positions draw at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from torch import Tensor

from genailab.data.motifs.motif import Motif
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LETTER_COLOURS", "draw_letters", "new_figure", "plot_logo"]

# The field's green, blue, orange and red, of different lightness for readers who see fewer colours.
LETTER_COLOURS = {"A": "#2a7f43", "C": "#2159b0", "G": "#e69a10", "T": "#b3202c", "U": "#b3202c"}
INK, MUTED, LINE = "#1d2127", "#5a6069", "#b9b5ab"
Kind = Literal["bits", "weights", "attribution"]
_AXIS = {"bits": "bits", "weights": "log-odds (bits)", "attribution": "attribution"}


def plot_logo(
    matrix: Motif | np.ndarray | Tensor,
    *,
    kind: Kind = "bits",
    start: int = 0,
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a motif or an attribution, one stack of letters a position.

    Parameters
    ----------
    matrix
        A motif, or ``(4, length)`` numbers, rows A, C, G, T.
    kind
        ``"bits"``: letters share the information content of their position, from a motif or counts.
        ``"weights"`` and ``"attribution"``: letters are as tall as their numbers (the log-odds of a motif);
        negative ones hang from the axis upside down.
    start
        Number of the first position on the axis.
    title
        The motif's name and accession by default.
    ax
        Axes to draw into, instead of a new figure.

    Returns
    -------
    A matplotlib figure: ``plot_logo(motif).savefig("ctcf.png")``.
    """
    heights = _heights(matrix, kind)
    if ax is None:
        ax = new_figure(width=min(14.0, 1.6 + 0.35 * heights.shape[1]), height=2.4).subplots()
    draw_letters(ax, heights, start=start)
    if kind == "bits":
        ax.set_ylim(0, 2)
        ax.set_yticks([0, 1, 2])
    ax.set_ylabel(_AXIS[kind])
    if title is None and isinstance(matrix, Motif):
        title = f"{matrix.name} {matrix.matrix_id}".strip()
    ax.set_title(title or "", loc="left", color=INK, fontsize=11)
    return ax.figure  # type: ignore[return-value]


def draw_letters(ax: Axes, heights: np.ndarray, *, start: int = 0, letters: str = DNA.letters) -> None:
    """Draw stacks of letters of these heights ``(letters, length)``, the largest outermost."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    paths: dict[str, list[Any]] = {letter: [] for letter in letters}
    for position, column in enumerate(heights.T):
        for row, low, high in _stack(column):
            letter = letters[row]
            paths[letter].append(_glyph(letter).transformed(_placed(start + position, low, high)))
    for letter, found in paths.items():
        if found:
            colour = LETTER_COLOURS.get(letter, INK)
            ax.add_patch(PathPatch(Path.make_compound_path(*found), color=colour, linewidth=0))
    reach = np.clip(heights, 0, None).sum(axis=0).max(), np.clip(heights, None, 0).sum(axis=0).min()
    margin = 0.05 * (reach[0] - reach[1]) or 1.0
    ax.set_ylim(reach[1] - (margin if reach[1] < 0 else 0), reach[0] + margin)
    ax.set_xlim(start - 0.6, start + heights.shape[1] - 0.4)
    if reach[1] < 0:
        ax.axhline(0, color=LINE, linewidth=0.8, zorder=0)
    style_axes(ax)


def new_figure(*, width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that belongs to no window."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("figures need matplotlib: pip install matplotlib") from error
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def style_axes(ax: Axes) -> None:
    """Keep the two axes that are read, in a quiet grey."""
    from matplotlib.ticker import MaxNLocator

    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(LINE)
    ax.tick_params(colors=MUTED, labelsize=8)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, steps=[1, 2, 5, 10]))
    ax.xaxis.label.set_color(MUTED)
    ax.yaxis.label.set_color(MUTED)


def _heights(matrix: Motif | np.ndarray | Tensor, kind: Kind) -> np.ndarray:
    if kind not in _AXIS:
        raise InputError(f"kind is {kind!r}: choose 'bits', 'weights' or 'attribution'")
    if isinstance(matrix, Tensor):
        matrix = matrix.detach().cpu().numpy()
    if kind == "bits":
        motif = matrix if isinstance(matrix, Motif) else Motif(name="matrix", counts=matrix)
        pseudocount = 1e-9  # a logo shows what was counted
        return motif.probabilities(pseudocount=pseudocount) * motif.information(pseudocount=pseudocount)
    heights = matrix.log_odds() if isinstance(matrix, Motif) else np.asarray(matrix, dtype=np.float64)
    if heights.ndim != 2 or len(heights) != DNA.size or not np.isfinite(heights).all():
        raise InputError(
            f"a logo needs finite numbers (4, length), got shape {heights.shape}: take one sequence of a "
            "batch"
        )
    return heights


def _stack(column: np.ndarray) -> list[tuple[int, float, float]]:
    """Row, end near the axis and far end of each letter; both negative below the axis."""
    placed, up, down = [], 0.0, 0.0
    for row in np.argsort(np.abs(column)):
        value = float(column[row])
        if value > 0:
            placed.append((int(row), up, up + value))
            up += value
        elif value < 0:
            placed.append((int(row), down, down + value))
            down += value
    return placed


def _placed(position: float, near: float, far: float) -> Any:
    from matplotlib.transforms import Affine2D

    # A negative height turns the letter upside down.
    return Affine2D().scale(0.94, far - near).translate(position - 0.47, near)


_GLYPHS: dict[str, Any] = {}


def _glyph(letter: str) -> Any:
    """Return the outline of a letter, filling the unit square."""
    if letter not in _GLYPHS:
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextPath
        from matplotlib.transforms import Affine2D

        outline = TextPath((0, 0), letter, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
        box = outline.get_extents()
        fit = Affine2D().translate(-box.x0, -box.y0).scale(1 / box.width, 1 / box.height)
        _GLYPHS[letter] = outline.transformed(fit)
    return _GLYPHS[letter]
