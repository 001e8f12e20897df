"""Laws of the score table: nothing lost, the right subject marked, the ceiling never marked."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import SUBJECTS, score, scores

from genailab.reports.score_table import Row, score_rows, subjects


def rows(found) -> list[Row]:
    columns = subjects(found, model="latent diffusion", ceiling="ceiling")
    return score_rows(found, columns, ceiling="ceiling", meanings={})


def marks(found) -> dict[str, str]:
    return {cell.subject: cell.mark for cell in rows(found)[0].cells if cell is not None}


def test_every_score_has_a_cell_and_every_hole_is_kept():
    found = scores()
    del found[6]
    table = rows(found)
    assert sum(cell is not None for row in table for cell in row.cells) == len(found)
    assert all(len(row.cells) == len(SUBJECTS) for row in table)


def test_the_model_stands_first_and_the_ceiling_last():
    found = scores()[::-1]
    columns = subjects(found, model="latent diffusion", ceiling="ceiling")
    assert (columns[0], columns[-1]) == ("latent diffusion", "ceiling")
    assert set(columns) == set(SUBJECTS)


@pytest.mark.parametrize(
    ("better", "values", "best"),
    [
        ("lower", (0.3, -0.1, 0.2), "b"),
        ("higher", (0.3, -0.1, 0.2), "a"),
        ("0.5", (0.9, 0.1, 0.45), "c"),
        ("1", (0.7, 1.2, 1.5), "b"),
    ],
)
def test_best_is_the_closest_to_the_ideal(better, values, best):
    found = [
        score("m", name, value, half=0.001, better=better) for name, value in zip("abc", values, strict=True)
    ]
    assert [name for name, mark in marks(found).items() if mark == "best"] == [best]


@given(
    values=st.lists(st.floats(-5, 5), min_size=2, max_size=5, unique=True),
    half=st.floats(0, 3),
    ceiling=st.floats(-9, 9),
)
def test_one_best_and_what_overlaps_it_is_tied(values, half, ceiling):
    found = [score("m", f"s{i}", value, half) for i, value in enumerate(values)]
    marked = marks(found)
    assert list(marked.values()).count("best") == 1
    best = min(found, key=lambda one: one.value)
    for one in found:
        overlaps = one.ci_low <= best.ci_high
        assert (marked[one.subject] != "") == overlaps
    with_ceiling = marks([*found, score("m", "ceiling", ceiling, half)])
    assert with_ceiling.pop("ceiling") == ""  # real cells take no part
    if ceiling < best.value:  # nobody reaches it: it changes nothing
        assert with_ceiling == marked


def test_passing_the_ceiling_is_no_better_than_reaching_it():
    found = [
        score("m", "caricature", 0.2, 0.01),
        score("m", "as real", 0.5, 0.01),
        score("m", "far", 0.9, 0.01),
    ]
    assert marks(found) == {"caricature": "best", "as real": "", "far": ""}
    with_ceiling = marks([*found, score("m", "ceiling", 0.5, 0.01)])
    assert with_ceiling == {"caricature": "tied", "as real": "tied", "far": "", "ceiling": ""}


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5), half=st.floats(0, 10))
def test_bars_stay_inside_their_row(values, half):
    (row,) = rows([score("m", f"s{i}", value, half) for i, value in enumerate(values)])
    for cell in row.cells:
        assert 0 <= cell.left <= 100
        assert cell.left + cell.width <= 100.02
        assert 0 <= cell.dot <= 100


def test_a_score_that_is_not_defined_is_named_and_never_best():
    found = [score("m", "a", math.nan), score("m", "b", 0.4), score("m", "c", 0.9)]
    (row,) = rows(found)
    assert row.cells[0].text == "not defined"
    assert marks(found) == {"a": "", "b": "best", "c": ""}


def test_numbers_of_a_row_share_their_decimals_and_show_no_minus_zero():
    (row,) = rows(
        [score("m", "a", 0.01234, half=0), score("m", "b", -0.00001, half=0), score("m", "c", 0.3, half=0)]
    )
    assert [cell.text for cell in row.cells] == ["0.0123", "0.0000", "0.3000"]


def test_subjects_scored_alike_share_a_line_of_details():
    (row,) = rows([score("m", "a", 0.1), score("m", "b", 0.2)])
    assert row.details == (("a, b", "30 principal components; 207 cells"),)
