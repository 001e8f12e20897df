"""Of two values: what counts as the same, and the sentence that says what does not."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genailab.learn.checking.comparison import describe, difference, to_array

VALUES = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
EXPECTED = torch.tensor(VALUES, dtype=torch.float64)


class Lies(torch.Tensor):
    """Says yes to everything."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        return EXPECTED.clone()


class SaysOne(float):
    def __sub__(self, other):
        return 0.0

    def __eq__(self, other):
        return True

    __hash__ = None


class LooksRight:
    def __array__(self, *arguments, **options):
        return np.array(VALUES)

    def __eq__(self, other):
        return True

    __hash__ = None


class Unspeakable:
    def __repr__(self):
        raise RuntimeError


SAME = {
    "float32": torch.tensor(VALUES),
    "float64": torch.tensor(VALUES, dtype=torch.float64),
    "float16, exact": torch.tensor(VALUES, dtype=torch.float16),
    "bfloat16, exact": torch.tensor(VALUES, dtype=torch.bfloat16),
    "not contiguous": torch.tensor(VALUES).T.contiguous().T,
    "with a gradient": torch.tensor(VALUES, requires_grad=True) * 1,
    "a parameter": nn.Parameter(torch.tensor(VALUES)),
    "expanded": torch.tensor(VALUES)[None].expand(1, 2, 3)[0],
}


@pytest.mark.parametrize("name", SAME)
def test_what_holds_the_same_numbers_is_the_same(name):
    assert difference(SAME[name], EXPECTED) is None


OTHER = {
    "a list": (VALUES, "a torch tensor"),
    "an array": (np.array(VALUES), "a torch tensor"),
    "None": (None, "a torch tensor"),
    "a class that looks like an array": (LooksRight(), "a torch tensor"),
    "no data": (torch.zeros(2, 3, device="meta"), "device meta"),
    "sparse": (torch.tensor(VALUES).to_sparse(), "sparse"),
    "whole numbers": (torch.tensor(VALUES).long(), "floating-point"),
    "booleans": (torch.tensor(VALUES).bool(), "floating-point"),
    "complex": (torch.tensor(VALUES) + 0j, "floating-point"),
    "a column": (torch.tensor(VALUES).reshape(6, 1), "shape"),
    "an axis more": (torch.tensor(VALUES)[..., None], "shape"),
    "transposed": (torch.tensor(VALUES).T, "shape"),
    "no axis": (torch.tensor(1.0), "shape"),
    "nothing": (torch.zeros(0, 3), "shape"),
    "not a number": (torch.tensor(VALUES) * math.nan, "nan"),
    "infinite": (torch.tensor(VALUES) * math.inf, "inf"),
    "one value": (torch.tensor([[1.0, 2, 3], [4, 9, 6]]), r"1 of 6 values is wrong; the first, at \[1, 1\]"),
    "a subclass that says yes": (torch.zeros(2, 3).as_subclass(Lies), "wrong"),
    "half precision": (torch.tensor(VALUES).half() * 1.001, "float16, which keeps three digits"),
}


@pytest.mark.parametrize("name", OTHER)
def test_what_differs_is_said(name):
    yours, words = OTHER[name]
    with pytest.raises(ValueError, match=words):
        raise ValueError(difference(yours, EXPECTED) or "the same")
    describe(yours)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=5), st.sampled_from([0.5, 2.0]))
@settings(max_examples=40, deadline=None)
def test_the_tolerance_is_relative_to_the_largest_magnitude(values, factor):
    expected = torch.tensor(values, dtype=torch.float64)
    gap = 1e-3 * max(1.0, float(expected.abs().max())) * factor
    yours = expected.clone()
    yours[0] += gap
    assert (difference(yours, expected, tolerance=1e-3) is None) == (factor < 1)


def test_kinds_are_kept_apart_in_every_direction():
    kinds = {
        "f": torch.ones(2),
        "i": torch.ones(2).long(),
        "b": torch.ones(2).bool(),
        "c": torch.ones(2) + 0j,
    }
    for one, yours in kinds.items():
        for other, expected in kinds.items():
            assert (difference(yours, expected) is None) == (one == other)


def test_widths_of_integers_do_not_matter_unless_a_dtype_is_asked_for():
    codes = torch.tensor([0, 3])
    assert difference(codes.to(torch.uint8), codes) is None
    assert "int64" in difference(codes.to(torch.uint8), codes, dtype=torch.int64)


def test_the_imaginary_part_counts():
    assert difference(torch.tensor([1 + 1j]), torch.tensor([1 + 2j])) is not None
    assert difference(torch.tensor([1 + 2j]).conj(), torch.tensor([1 - 2j])) is None


def test_an_array_may_come_as_a_list_but_not_as_text_or_in_pieces():
    expected = np.array([1.0, 2.0])
    assert difference([1.0, 2.0], expected) is None
    assert "numbers" in difference(["1", "2"], expected)
    assert difference([1 + 1j, 2 + 1j], expected) is not None
    assert difference([[1.0], [2.0, 3.0]], expected) is not None


@pytest.mark.parametrize(
    "value", [3, 3.0, np.float32(3), np.int64(3), torch.tensor(3.0), torch.tensor(3), np.array(3)]
)
def test_a_number_may_come_as_any_real_number(value):
    assert difference(value, 3.0) is None
    assert difference(value, 4.0) is not None


@pytest.mark.parametrize(
    "value", [True, torch.tensor(True), "3", None, 3 + 0j, torch.tensor([3.0, 3.0]), np.bool_(True), [3.0]]
)
def test_what_is_no_real_number_is_none(value):
    assert difference(value, 3.0).startswith("Expected a number")


def test_numbers_without_end_are_only_themselves():
    for expected in (math.inf, -math.inf, math.nan):
        assert difference(1.0, expected) is not None
        assert difference(expected, expected) is None
        assert difference(expected, 1.0) is not None
        assert difference(torch.tensor([expected]), torch.tensor([expected])) is None
        assert difference(torch.tensor([0.0]), torch.tensor([expected])) is not None


def test_a_class_of_the_learners_has_no_say():
    assert difference(SaysOne(3), 4.0) is not None
    assert difference(LooksRight(), 4.0) is not None
    assert difference({"a": SaysOne(3)}, {"a": 4.0}) is not None


def test_the_place_is_named_in_lists_and_dicts():
    expected = {"loss": 1.0, "grads": [torch.zeros(2), torch.ones(2)]}
    yours = {"loss": 1.0, "grads": [torch.zeros(2), torch.zeros(2)]}
    assert difference(yours, yours) is None
    assert difference(yours, expected).startswith(
        "At 'grads': Value 1 (counted from 0): 2 of 2 values are wrong"
    )
    assert "keys" in difference({"loss": 1.0}, expected)
    assert "Expected 2 values, got 1" in difference([1], [1, 2])
    assert "letter 1, position 0" in difference(
        torch.zeros(2, 1), torch.tensor([[0.0], [1]]), axes=("letter", "position")
    )


def test_words_for_every_value():
    assert describe(torch.zeros(100)) == "tensor(100,) float32"
    assert describe("A" * 100).endswith("(100 letters)")
    assert "yield" in describe(number for number in "12")
    assert describe(Unspeakable()) == "a Unspeakable whose __repr__ fails"
    assert describe(torch.zeros(2, device="meta")) == "tensor(2,) float32 on meta"
    assert len(describe(list(range(10**5)))) < 300


def test_a_tensor_without_numbers_is_a_value_error():
    with pytest.raises(ValueError, match="holds no numbers"):
        to_array(torch.zeros(2, device="meta"))
