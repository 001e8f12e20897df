"""Figures hold what they were given: letters as tall as their numbers, and no global state."""

import numpy as np
import pytest
import torch

from genailab.data.motifs.motif import Motif
from genailab.errors import InputError
from genailab.interpret import (
    Marginalisation,
    plot_attention,
    plot_attribution,
    plot_logo,
    plot_marginalisation,
    plot_mutagenesis,
)

figure_module = pytest.importorskip("matplotlib.figure")

MOTIF = Motif(name="CTCF", matrix_id="MA0139.2", counts=np.random.default_rng(0).gamma(0.4, 20, (4, 8)))


def extents(figure) -> list[tuple[str, float, float]]:
    """Colour, lowest and highest point of every kind of letter."""
    ax = figure.axes[0]
    boxes = [(patch.get_facecolor(), patch.get_path().get_extents()) for patch in ax.patches]
    return [(colour, box.y0, box.y1) for colour, box in boxes]


def test_a_stack_of_letters_is_as_tall_as_the_information():
    for kind, height in (("bits", MOTIF.information(pseudocount=0).max()), ("weights", None)):
        figure = plot_logo(MOTIF, kind=kind)
        assert isinstance(figure, figure_module.Figure)
        if height is not None:
            assert max(high for _, _, high in extents(figure)) == pytest.approx(height, abs=1e-6)
    assert figure.axes[0].get_title(loc="left") == "CTCF MA0139.2"


def test_negative_letters_hang_below_the_axis_and_the_largest_lies_outside():
    heights = torch.zeros(4, 5)
    heights[0, 1], heights[1, 1], heights[3, 3] = 2.0, 0.5, -1.5
    a, c, t = extents(plot_attribution(heights))
    assert (a[1], a[2]) == pytest.approx((0.5, 2.5))
    assert (c[1], c[2]) == pytest.approx((0.0, 0.5))
    assert (t[1], t[2]) == pytest.approx((-1.5, 0.0))


def test_positions_start_where_they_are_said_to():
    ax = plot_attribution(torch.ones(4, 5), start=100).axes[0]
    assert ax.get_xlim() == pytest.approx((99.4, 104.6))


def test_the_map_of_substitutions_is_symmetric_around_zero():
    effects = torch.randn(4, 30, generator=torch.Generator().manual_seed(0))
    image = plot_mutagenesis(effects, start=7).axes[0].images[0]
    np.testing.assert_allclose(image.get_array(), effects.numpy())
    assert image.norm.vmin == -image.norm.vmax == -effects.abs().max()
    assert image.get_extent()[:2] == [6.5, 36.5]


def test_attention_has_a_panel_a_head_and_effects_a_row_a_motif():
    weights = torch.softmax(torch.randn(5, 6, 6), dim=-1)
    figure = plot_attention(weights, labels="ACGTAC")
    shown = [ax for ax in figure.axes if ax.images and ax.get_visible() and ax.get_title(loc="left")]
    assert len(shown) == 5
    found = Marginalisation(before=torch.zeros(9), after=torch.arange(9.0))
    figure = plot_marginalisation({"one": found, "two": found})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "two"]


def test_figures_are_written_and_belong_to_no_window(tmp_path):
    import sys

    plot_logo(MOTIF).savefig(tmp_path / "logo.png")
    assert (tmp_path / "logo.png").stat().st_size > 1000
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot_logo(np.ones((3, 4)), kind="weights"), "finite numbers"),
        (lambda: plot_logo(MOTIF, kind="letters"), "choose 'bits'"),
        (lambda: plot_attribution(torch.ones(2, 4, 5)), "one row of the batch"),
        (lambda: plot_mutagenesis(torch.full((4, 5), torch.nan)), "finite numbers"),
        (lambda: plot_attention(torch.ones(2, 3, 4, 4)), "take one sequence"),
        (lambda: plot_marginalisation({}), "no marginalisation"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw, message):
    with pytest.raises(InputError, match=message):
        draw()
