"""Laws of simulated histone marks: expression by the formula, marks in their places."""

import dataclasses

import numpy as np
import pytest

from genailab.data.simulate import HistoneConfig, simulate_histone_expression
from genailab.data.simulate.histone_expression import MARKS, STATES
from genailab.errors import InputError

CONFIG = HistoneConfig(n_genes=2000, noise=0.0)
DATA = simulate_histone_expression(CONFIG, generator=np.random.default_rng(0))


def test_expression_is_the_formula_of_the_levels():
    rows = DATA.rows
    expected = CONFIG.intercept + CONFIG.bivalent_effect * rows["H3K4me3"] * rows["H3K27me3"]
    for mark, effect in zip(MARKS, CONFIG.effects, strict=True):
        expected = expected + effect * rows[mark]
    np.testing.assert_allclose(rows["log_expression"], expected)
    assert rows["measured_expression"].equals(rows["log_expression"])


def test_bivalent_genes_carry_the_active_mark_and_are_as_silent_as_polycomb_targets():
    means = DATA.rows.groupby("state").mean(numeric_only=True)
    assert means.loc["bivalent", "H3K4me3"] > 0.7 * means.loc["active", "H3K4me3"]
    assert means.loc["bivalent", "log_expression"] < means.loc["active", "log_expression"] - 3
    assert means.loc["bivalent", "log_expression"] < means.loc["unmarked", "log_expression"]


def test_no_additive_formula_of_the_levels_fits_where_the_two_marks_interact():
    levels = np.column_stack([np.ones(2000), DATA.rows[list(MARKS)]])
    y = DATA.rows["log_expression"].to_numpy()
    left = y - levels @ np.linalg.lstsq(levels, y, rcond=None)[0]
    assert left.std() > 0.05
    product = DATA.rows["H3K4me3"] * DATA.rows["H3K27me3"]
    full = np.column_stack([levels, product])
    assert np.abs(y - full @ np.linalg.lstsq(full, y, rcond=None)[0]).max() < 1e-9


def test_reads_are_poisson_around_level_times_profile():
    levels = DATA.rows[list(MARKS)].to_numpy()
    expected = CONFIG.depth * (levels[:, :, None] * DATA.profiles + CONFIG.background)
    z = (DATA.marks.numpy() - expected) / np.sqrt(expected)
    assert z.mean() == pytest.approx(0, abs=5 / np.sqrt(z.size))
    assert z.var() == pytest.approx(1, abs=0.02)
    assert (DATA.marks == DATA.marks.round()).all()


def test_marks_lie_where_they_do_in_chromatin():
    profile = dict(zip(MARKS, DATA.profiles, strict=True))
    middle = CONFIG.n_bins // 2
    assert profile["H3K4me3"][middle - 1] < 0.4 < profile["H3K4me3"][middle + 2]  # the nucleosome-free region
    assert profile["H3K36me3"][:middle].max() < 0.1 < 0.9 < profile["H3K36me3"][-5:].min()
    width = {mark: (values > 0.5).sum() for mark, values in profile.items()}
    assert width["H3K4me3"] < width["H3K27me3"] <= width["H3K9me3"]
    np.testing.assert_allclose([values.max() for values in profile.values()], 1)


def test_states_have_the_shares_asked_for_and_the_same_seed_gives_the_same():
    counts = DATA.rows["state"].value_counts()
    assert [counts[state] for state in STATES] == [800, 300, 400, 200, 300]
    again = simulate_histone_expression(CONFIG, generator=np.random.default_rng(0))
    assert again.marks.equal(DATA.marks)
    assert again.rows.equals(DATA.rows)
    noisy = simulate_histone_expression(
        dataclasses.replace(CONFIG, noise=0.7), generator=np.random.default_rng(0)
    )
    assert noisy.rows["log_expression"].equals(DATA.rows["log_expression"])
    assert (noisy.rows["measured_expression"] - noisy.rows["log_expression"]).std() == pytest.approx(
        0.7, rel=0.1
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state_shares": (0.5, 0.5)}, "give 5 shares"),
        ({"effects": (1.0,)}, "give one to each of"),
        ({"n_genes": 0}, "n_genes 0"),
        ({"depth": -1.0}, "depth -1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        HistoneConfig(**options)
