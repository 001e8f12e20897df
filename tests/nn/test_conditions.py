"""What a user may ask a model for, and what is said when it cannot be had."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genailab.errors import InputError
from genailab.nn.conditioning import encode_condition

TYPES = {"cell_type": ("B", "NK", "CD4 T")}
TYPES_AND_DONORS = {**TYPES, "donor": ("d1", "d2")}


@pytest.mark.parametrize(
    "asked",
    [
        ["NK", "CD4 T", "NK"],
        ("NK", "CD4 T", "NK"),
        np.array(["NK", "CD4 T", "NK"]),
        torch.tensor([1, 2, 1]),
        torch.tensor([1, 2, 1], dtype=torch.int32),
    ],
)
def test_names_and_codes_say_the_same(asked):
    codes = encode_condition({"cell_type": asked}, TYPES, 3)
    assert codes["cell_type"].tolist() == [1, 2, 1]
    assert codes["cell_type"].dtype == torch.long


def test_one_name_stands_for_all_and_covariates_come_in_the_models_order():
    codes = encode_condition({"donor": "d2", "cell_type": ["B", "NK"]}, TYPES_AND_DONORS, 2)
    assert list(codes) == ["cell_type", "donor"]
    assert codes["donor"].tolist() == [1, 1]


def test_a_model_without_covariates_needs_no_condition():
    assert encode_condition(None, {}, 3) == {}


@pytest.mark.parametrize(
    ("condition", "n", "message"),
    [
        ({"cell_type": "NK"}, 0, "asked for 0 samples: ask for at least 1"),
        (None, 2, r"needs a condition for 'cell_type', one of \['B', 'NK'"),
        ({"celltype": "NK"}, 2, "no condition 'celltype': did you mean 'cell_type'"),
        ({"cell_type": "CD4T"}, 2, "'CD4T' is not a known cell_type: did you mean 'CD4 T'"),
        ({"cell_type": np.array(["CD4T", "B"])}, 2, "^'CD4T' is not"),
        ({"cell_type": ["B", "NK", "B"]}, 2, "has 3 values for 2 samples: give one, or 2"),
        ({"cell_type": torch.tensor([0, 3])}, 2, "code 3 of 'cell_type' is outside 0 to 2"),
        ({"cell_type": torch.tensor([-1, 0])}, 2, "code -1 of 'cell_type' is outside 0 to 2"),
        ({"cell_type": torch.tensor([0.5, 1.0])}, 2, "codes of 'cell_type' are torch.float32"),
    ],
)
def test_says_what_cannot_be_asked_for(condition, n, message):
    with pytest.raises(InputError, match=message):
        encode_condition(condition, TYPES, n)
