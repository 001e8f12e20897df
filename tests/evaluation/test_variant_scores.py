"""Laws of an effect: zero without a change, turned round with the alleles, blind to the strand."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.sequences.encoding import encode, one_hot
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.variants.haplotypes import Haplotypes
from genailab.errors import InputError
from genailab.evaluation.variant_scores import score_variants

LENGTH = 12


def pairs_of(seed: int, *, pairs: int = 7, skipped: tuple[int, ...] = (2,)) -> Haplotypes:
    generator = torch.Generator().manual_seed(seed)
    rows = np.array([row for row in range(pairs + len(skipped)) if row not in skipped])
    status = np.full(pairs + len(skipped), "ok", object)
    status[list(skipped)] = "skipped"
    return Haplotypes(
        reference=torch.randint(0, 4, (pairs, LENGTH), generator=generator, dtype=torch.uint8),
        alternative=torch.randint(0, 4, (pairs, LENGTH), generator=generator, dtype=torch.uint8),
        variants=pd.DataFrame({"name": range(len(status)), "status": status, "reason": "", "detail": ""}),
        rows=rows,
        anchor=LENGTH // 2,
    )


def turned(pairs: Haplotypes, change) -> Haplotypes:
    return Haplotypes(
        reference=change(pairs.reference),
        alternative=change(pairs.alternative),
        variants=pairs.variants,
        rows=pairs.rows,
        anchor=pairs.anchor,
    )


def model(seed: int, *, outputs: int = 1):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(outputs, 4, LENGTH, generator=generator, dtype=torch.float64)

    def predict(codes):
        found = torch.einsum("bcl,ocl->bo", one_hot(codes, dtype=torch.float64), weights).tanh()
        return found[:, 0] if outputs == 1 else found

    return predict


@given(st.integers(0, 1000), st.integers(1, 20), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_effect_is_the_difference_of_the_two_predictions(seed, batch_size, both_strands):
    pairs, predict = pairs_of(seed), model(seed)
    scored = score_variants(predict, pairs, batch_size=batch_size, both_strands=both_strands)
    by_hand = predict(pairs.alternative) - predict(pairs.reference)
    if both_strands:
        other = predict(reverse_complement(pairs.alternative)) - predict(reverse_complement(pairs.reference))
        by_hand = (by_hand + other) / 2
    assert scored["effect"].dropna().to_numpy() == pytest.approx(by_hand.numpy())
    assert scored["name"].tolist() == pairs.variants["name"].tolist()
    assert np.flatnonzero(scored["effect"].isna()).tolist() == [2]
    difference = scored["alternative_score"] - scored["reference_score"]
    assert scored["effect"].equals(difference.rename("effect"))


def test_exchanging_the_alleles_turns_the_sign_and_equal_windows_have_no_effect():
    pairs, predict = pairs_of(1), model(1)
    back = Haplotypes(**{**vars(pairs), "reference": pairs.alternative, "alternative": pairs.reference})
    forth_effect, back_effect = (score_variants(predict, one)["effect"].dropna() for one in (pairs, back))
    assert forth_effect.to_numpy() == pytest.approx(-back_effect.to_numpy())
    same = Haplotypes(**{**vars(pairs), "alternative": pairs.reference})
    assert (score_variants(predict, same)["effect"].dropna() == 0).all()


def test_the_strand_has_no_say_unless_asked():
    pairs, predict = pairs_of(2), model(2)
    other = turned(pairs, reverse_complement)
    both = [score_variants(predict, one)["effect"].dropna().to_numpy() for one in (pairs, other)]
    assert both[0] == pytest.approx(both[1])
    one = [
        score_variants(predict, one, both_strands=False)["effect"].dropna().to_numpy()
        for one in (pairs, other)
    ]
    assert one[0] != pytest.approx(one[1])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_prediction_that_is_not_finite_is_told_in_its_row_and_the_others_stay(bad):
    pairs, predict = pairs_of(3), model(3, outputs=2)
    target = pairs.alternative[4]

    def spoiled(codes):
        found = predict(codes)
        found[(codes == target).all(dim=1), 1] = bad
        return found

    scored = score_variants(spoiled, pairs, outputs=("liver", "brain"))
    whole = score_variants(predict, pairs, outputs=("liver", "brain"))
    row = pairs.rows[4]
    assert scored["status"].tolist() == [
        "failed" if i == row else "skipped" if i == 2 else "ok" for i in range(8)
    ]
    assert scored["reason"][row] == "prediction is not finite"
    assert "output 1 of the model is not a finite number" in scored["detail"][row]
    columns = [
        f"{name}_{of}"
        for name in ("reference_score", "alternative_score", "effect")
        for of in ("liver", "brain")
    ]
    assert scored.loc[row, columns].isna().all()
    assert scored.drop(index=row)[columns].equals(whole.drop(index=row)[columns])
    with pytest.raises(InputError, match="variant 5: output 1 of the model is not a finite number"):
        score_variants(spoiled, pairs, on_error="fail")
    assert pairs.variants["status"].tolist().count("ok") == 7


def test_without_windows_every_row_stays_and_has_no_score():
    none = Haplotypes(
        reference=encode(["A"])[:0],
        alternative=encode(["A"])[:0],
        variants=pd.DataFrame({"status": ["skipped"], "reason": ["x"], "detail": ["x"]}),
        rows=np.zeros(0, np.int64),
        anchor=0,
    )
    scored = score_variants(model(0), none)
    assert scored["effect"].isna().tolist() == [True]
    named = score_variants(model(0), none, outputs=("liver", "brain"))
    assert {"effect_liver", "effect_brain"} <= set(named)


def test_predictions_of_another_shape_are_refused():
    pairs = pairs_of(0)
    with pytest.raises(InputError, match=r"predictions for 7 windows have shape \(\): return one value"):
        score_variants(lambda codes: codes.sum(), pairs)
    with pytest.raises(InputError, match=r"3 outputs are named \('a', 'b', 'c'\) but 2 are predicted"):
        score_variants(model(0, outputs=2), pairs, outputs=("a", "b", "c"))
    with pytest.raises(InputError, match="batch_size is 0"):
        score_variants(model(0), pairs, batch_size=0)


def test_a_models_weights_collect_no_gradients():
    weights = torch.zeros(4, LENGTH, requires_grad=True)
    score_variants(lambda codes: (one_hot(codes) * weights).sum((1, 2)), pairs_of(0))
    assert weights.grad is None
