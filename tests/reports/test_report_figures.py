"""Laws of the figures: every number drawn, every patch fits, no name read as markup."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import curve, embedding, markers

from genailab.reports.curve_figure import best_epoch, curve_figure
from genailab.reports.embedding_figure import embedding_figure
from genailab.reports.figures import plain
from genailab.reports.marker_figure import marker_figure
from genailab.reports.tables import curve_table, embedding_table, marker_sentence, marker_table

TYPES = ["B cell", "NK cell", "Monocyte"]
FIGURES = {
    "embedding": lambda: embedding_figure(embedding(TYPES), TYPES),
    "markers": lambda: marker_figure(markers(TYPES, ["CD3D", "LYZ"]), TYPES),
    "curve": lambda: curve_figure(curve(20), name="count VAE", index=0),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_patch_has_a_value_for_every_trace(name):
    spec = FIGURES[name]()
    for options in spec.patches.values():
        for patch in options.values():
            assert {len(values) for values in patch.traces.values()} <= {len(spec.figure.data)}


@pytest.mark.parametrize("name", FIGURES)
def test_options_of_a_group_set_the_same_things_so_that_each_undoes_the_other(name):
    for options in FIGURES[name]().patches.values():
        assert len({frozenset(patch.traces) for patch in options.values()}) == 1
        assert len({frozenset(patch.layout) for patch in options.values()}) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_is_strict_json_for_a_browser(name):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert json.loads(FIGURES[name]().to_json(), parse_constant=refuse)["figure"]["data"]


def test_the_map_draws_each_cell_once_and_real_apart_from_generated_in_shape():
    cells = embedding(TYPES)
    traces = [trace for trace in embedding_figure(cells, TYPES).figure.data if "type" in trace.meta]
    drawn = np.concatenate([np.column_stack([trace.x, trace.y]) for trace in traces])
    expected = cells[["x", "y"]].to_numpy(np.float32)
    assert sorted(map(tuple, drawn.tolist())) == sorted(map(tuple, expected.tolist()))
    shapes = {
        kind: {t.marker.symbol for t in traces if t.meta["kind"] == kind} for kind in ("real", "generated")
    }
    assert not shapes["real"] & shapes["generated"]


def test_many_cells_are_drawn_by_webgl():
    assert embedding_figure(embedding(["a"], cells=50), ["a"]).figure.data[0].type == "scatter"
    assert embedding_figure(embedding(["a"], cells=4000), ["a"]).figure.data[0].type == "scattergl"


def test_a_type_has_one_colour_for_real_and_generated():
    colours = embedding_figure(embedding(TYPES), TYPES).patches["theme"]["dark"].traces["marker.color"]
    assert colours[:3] == colours[3:6]
    assert len(set(colours[:3])) == 3


def test_the_area_of_a_dot_is_in_proportion_to_the_fraction():
    table = markers(["a"], ["g1", "g2"]).assign(real_fraction=[0.25, 1.0], generated_fraction=[0.0, 0.5])
    sizes = marker_figure(table, ["a"]).patches["width"]["wide"].traces["marker.size"]
    assert sizes[0][1] ** 2 == pytest.approx(4 * sizes[0][0] ** 2, rel=0.01)
    assert sizes[1][0] == 0


def test_turning_the_dot_plot_upright_swaps_its_axes():
    width = marker_figure(markers(TYPES, ["CD3D", "LYZ"]), TYPES).patches["width"]
    assert width["wide"].traces["x"] == width["narrow"].traces["y"]
    assert width["wide"].traces["y"] == width["narrow"].traces["x"]


@given(st.text(max_size=20))
def test_plotly_gets_no_markup_from_a_name(name):
    escaped = plain(name)
    assert "<" not in escaped
    assert ">" not in escaped


@pytest.mark.parametrize("name", ["<b>bold</b>", "<a href='javascript:alert(1)'>x</a>", "%{x} & co"])
def test_hostile_names_reach_plotly_escaped(name):
    spec = marker_figure(markers([name], [name]), [name])
    ticks = spec.patches["width"]["wide"].layout["xaxis.ticktext"]
    assert ticks == [plain(name)]
    assert name not in embedding_figure(embedding([name]), [name]).figure.data[0].hovertemplate


def test_a_missing_loss_is_a_gap_and_the_best_epoch_is_finite():
    table = curve(4).assign(valid=[np.nan, 3.0, np.inf, 2.0])
    assert best_epoch(table) == 3
    assert best_epoch(table.assign(valid=np.nan)) is None
    spec = curve_figure(table.assign(valid=np.nan), name="m", index=0)
    assert len(spec.figure.data[2].x) == 0


def test_tables_hold_every_number_of_their_figure():
    cells, genes = embedding(TYPES), markers(TYPES, ["CD3D", "LYZ"])
    assert len(marker_table(genes).rows) == len(genes)
    per_type = embedding_table(cells, TYPES, {"B cell": 1200}).rows
    assert [row[:4] for row in per_type] == [
        ("B cell", "1,200", "6", "6"),
        ("NK cell", "none", "6", "6"),
        ("Monocyte", "none", "6", "6"),
    ]


@pytest.mark.parametrize("epochs", [1, 2, 26, 1000])
def test_a_long_curve_is_thinned_but_keeps_first_best_and_last(epochs):
    table = curve(epochs)
    table.loc[epochs // 2, "valid"] = -1.0
    rows = curve_table(table, "m").rows
    listed = {row[0] for row in rows}
    assert len(rows) <= 26
    assert {"1", str(epochs), str(epochs // 2 + 1)} <= listed
    assert [row[0] for row in rows if "lowest" in row[2]] == [str(epochs // 2 + 1)]


def test_the_sentence_names_the_largest_difference():
    table = pd.DataFrame(
        {
            "type": ["B cell", "NK cell"],
            "gene": ["MS4A1", "NKG7"],
            "real_mean": [1.0, 2.0],
            "generated_mean": [1.1, 1.5],
            "real_fraction": [0.5, 0.5],
            "generated_fraction": [0.5, 0.5],
        }
    )
    sentence = marker_sentence(table)
    assert "0.30 on average" in sentence
    assert "NKG7 in NK cell (real 2.00, generated 1.50)" in sentence
