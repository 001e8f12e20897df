"""Pictures are SVG that parses, say in words what they show, and mark what differs, and only that."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.learn.outcomes import Picture
from genailab.learn.web.pictures import draw_picture

SVG = "{http://www.w3.org/2000/svg}"
STRANGE = [math.nan, math.inf, -math.inf, 0.0, 1e300, -1e-300]
shapes = st.tuples(st.integers(1, 30), st.integers(0, 60))


def numbers(shape, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    return np.where(rng.random(shape) < 0.3, rng.choice(STRANGE, shape), values).tolist()


@settings(max_examples=50, deadline=None)
@given(shapes, shapes, st.integers(0, 2**32), st.sampled_from(["matrix", "logo", "track"]))
def test_any_numbers_of_any_shape_are_drawn(mine, right, seed, kind):
    yours, expected = numbers(mine, seed), numbers(right, seed + 1)
    for drawn in draw_picture(
        Picture(kind=kind, yours=yours, expected=expected, rows=["<A>", "C", "G", "T"])
    ):
        root = ElementTree.fromstring(drawn)
        assert root.attrib["role"] == "img"
        placed = [
            part.attrib[key] for part in root.iter() for key in ("x", "y", "points") if key in part.attrib
        ]
        assert not [place for place in placed if "nan" in place or "inf" in place]
        assert float(root.attrib["width"]) > 0


@pytest.mark.parametrize("kind", ["matrix", "logo"])
def test_what_differs_is_marked_and_said_and_nothing_else(kind):
    expected = np.eye(4)[:, [0, 1, 2, 3, 0, 1]]
    yours = expected.copy()
    yours[:, 4] = [0, 0, 1, 0]
    marked, _ = draw(kind, yours, expected)
    assert marks(marked) == {"matrix": 2, "logo": 1}[kind]
    assert "2 values differ, the first in row 0, column 4" in marked.attrib["aria-label"]
    same, _ = draw(kind, expected, expected)
    assert marks(same) == 0
    assert "differ" not in same.attrib["aria-label"]


def test_another_shape_is_said_and_not_marked():
    yours, _ = draw("matrix", np.ones((3, 2)), np.ones((2, 3)))
    assert "3 by 2, which is another shape" in yours.attrib["aria-label"]
    assert marks(yours) == 0


def test_heights_of_letters_are_the_values():
    values = np.array([[1.0, 0.5], [0.0, 0.25], [0.0, 0.0], [0.0, -0.5]])
    drawn, _ = draw("logo", values, values)
    heights = {}
    for letter in drawn.iter(f"{SVG}path"):
        x, _, _, height = map(float, re.findall(r"-?[\d.]+", letter.attrib["transform"]))
        heights[letter.attrib["class"][-1], int(x // 20)] = height
    unit = heights["A", 0]
    assert heights["A", 1] == pytest.approx(unit / 2, abs=0.01)
    assert heights["C", 1] == pytest.approx(unit / 4, abs=0.01)
    # What is negative hangs upside down.
    assert heights["T", 1] == pytest.approx(-unit / 2, abs=0.01)
    assert set(heights) == {("A", 0), ("A", 1), ("C", 1), ("T", 1)}


def test_both_pictures_have_one_scale():
    small, large = draw("matrix", np.full((1, 20), 0.1), np.full((1, 20), 1.0))
    opacity = [float(next(p.iter(f"{SVG}rect")).attrib["fill-opacity"]) for p in (small, large)]
    assert opacity[0] == pytest.approx(opacity[1] / 10, abs=0.006)


def test_a_line_is_broken_where_a_value_is_missing():
    values = np.array([[0.0, 1.0, math.nan, 1.0, 2.0]])
    drawn, _ = draw("track", values, values)
    assert sum(line.attrib["class"] == "track" for line in drawn.iter(f"{SVG}polyline")) == 2


def draw(kind, yours, expected):
    picture = Picture(kind=kind, yours=yours.tolist(), expected=expected.tolist(), rows=tuple("ACGT"))
    return tuple(map(ElementTree.fromstring, draw_picture(picture)))


def marks(drawn):
    return sum("corner" in line.attrib["class"] for line in drawn.iter(f"{SVG}polyline"))
