"""Laws of normalised expression: what depth, length and scale no longer change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genailab.data.cells.expression import cpm, log1p, quantile_normalise, size_factors, tpm, zscore
from genailab.errors import InputError

few = settings(max_examples=50, deadline=None)
seeds = st.integers(0, 1000)
LENGTHS = np.linspace(500, 5000, 12)


def counts_of(seed: int, samples: int = 4, genes: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).poisson(20, (samples, genes)) + 1


@given(seeds)
@few
def test_samples_sum_to_a_million_whatever_their_depth(seed):
    counts = counts_of(seed)
    deeper = counts * np.array([[1], [2], [30], [7]])
    for scale in (cpm, lambda values: tpm(values, LENGTHS)):
        assert scale(counts).sum(axis=1) == pytest.approx([1e6] * 4)
        np.testing.assert_allclose(scale(deeper), scale(counts))


@given(seeds)
@few
def test_tpm_does_not_see_length_and_is_cpm_where_all_are_equal(seed):
    molecules = counts_of(seed)
    np.testing.assert_allclose(tpm(molecules * LENGTHS, LENGTHS), cpm(molecules))
    np.testing.assert_allclose(tpm(molecules, [1234.5] * 12), cpm(molecules))
    np.testing.assert_allclose(tpm(molecules, LENGTHS * 10), tpm(molecules, LENGTHS))


@given(seeds, st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
@few
def test_size_factors_of_scaled_copies_are_the_scales(seed, scales):
    scales = np.array(scales)
    sample = counts_of(seed, samples=1)
    expected = scales / stats.gmean(scales)
    assert size_factors(scales[:, None] * sample) == pytest.approx(expected)
    # Genes that are absent somewhere have no say.
    absent = np.hstack([scales[:, None] * sample, [[0], [9e9], [1], [5]]])
    assert size_factors(absent) == pytest.approx(expected)


@given(seeds)
@few
def test_size_factors_ignore_the_few_genes_that_change(seed):
    counts = np.repeat(counts_of(seed, samples=1), 3, axis=0).astype(float)
    counts[1, :5] *= 100
    assert size_factors(counts)[[0, 2]] == pytest.approx(size_factors(counts)[1])


@given(seeds)
@few
def test_quantile_normalised_samples_share_their_values_and_keep_their_order(seed):
    values = np.random.default_rng(seed).lognormal(size=(5, 9))
    normal = quantile_normalise(values)
    np.testing.assert_allclose(np.sort(normal, axis=1), np.tile(np.sort(values, axis=1).mean(axis=0), (5, 1)))
    np.testing.assert_array_equal(normal.argsort(axis=1), values.argsort(axis=1))
    np.testing.assert_allclose(quantile_normalise(normal), normal)


def test_equal_values_stay_equal_in_quantile_normalisation():
    normal = quantile_normalise(np.array([[1.0, 1.0, 5.0, 0.0], [4.0, 3.0, 2.0, 1.0]]))
    assert normal[0, 0] == normal[0, 1] == pytest.approx(np.mean([1.5, 2.0]))


@pytest.mark.parametrize(("axis", "number"), [("samples", 0), ("genes", 1)])
def test_zscores_are_scipys_and_do_not_see_shift_and_scale(axis, number):
    values = np.random.default_rng(0).normal(size=(6, 5))
    np.testing.assert_allclose(zscore(values, axis=axis), stats.zscore(values, axis=number))
    np.testing.assert_allclose(zscore(3 * values + 7, axis=axis), zscore(values, axis=axis))


def test_what_does_not_vary_has_zscore_zero():
    values = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    assert (zscore(values)[:, 0] == 0).all()
    assert (zscore(values.T, axis="genes")[0] == 0).all()


def test_log1p_is_undone_by_expm1():
    counts = counts_of(0)
    np.testing.assert_allclose(np.expm1(log1p(counts)), counts)
    np.testing.assert_allclose(2 ** log1p(counts, base=2) - 1, counts)


@pytest.mark.parametrize(
    "function", [cpm, lambda values: tpm(values, LENGTHS), log1p, zscore, quantile_normalise, size_factors]
)
def test_names_are_kept_values_are_the_same_and_nothing_of_the_callers_changes(function):
    table = pd.DataFrame(counts_of(3), index=list("wxyz"), columns=[f"gene{i}" for i in range(12)])
    before = table.copy()
    result = function(table)
    assert result.index.equals(table.index)
    np.testing.assert_allclose(result.to_numpy(), function(table.to_numpy()))
    if isinstance(result, pd.DataFrame):
        assert result.columns.equals(table.columns)
    pd.testing.assert_frame_equal(table, before)


def test_lengths_find_their_genes_by_name():
    table = pd.DataFrame([[10, 10]], columns=["long", "short"])
    lengths = pd.Series({"short": 1000, "other": 7, "long": 3000})
    assert tpm(table, lengths).loc[0].to_dict() == pytest.approx({"long": 250000.0, "short": 750000.0})
    with pytest.raises(InputError, match="1 genes have no length, first 'long'"):
        tpm(table, lengths.drop("long"))


NAMED = pd.DataFrame([[1.0, 2.0], [0.0, 0.0]], index=["liver", "brain"], columns=["TP53", "MYC"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cpm(NAMED), "sample 'brain' has no counts at all"),
        (lambda: tpm(np.zeros((1, 2)), [1, 1]), "sample 0 has no counts"),
        (lambda: cpm(NAMED - 1.5), "sample 'liver', gene 'TP53' has -0.5: give counts before"),
        (lambda: log1p(np.array([[1, -2]])), "sample 0, gene 1 has -2"),
        (lambda: cpm(NAMED.replace(2.0, np.nan)), "sample 'liver', gene 'MYC' has nan, which is no number"),
        (lambda: zscore(np.array([[np.inf]])), "sample 0, gene 0 has inf"),
        (lambda: tpm(NAMED, [1000]), "1 gene lengths for 2 genes"),
        (lambda: tpm(NAMED, [1000, 0]), "gene 'MYC' has length 0, but must be above 0"),
        (lambda: size_factors(NAMED), "no gene is counted in all 2 samples"),
        (lambda: zscore(NAMED, axis="cells"), "axis must be 'samples' or 'genes', got 'cells'"),
        (lambda: cpm(np.array([1, 2])), r"is \(samples, genes\), got \(2,\)"),
        (lambda: cpm(NAMED.assign(symbol="a")), "holds numbers only"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(call, message):
    with pytest.raises(InputError, match=message):
        call()
