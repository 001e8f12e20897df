"""Laws of simulated promoters: elements in their places, activity by the formula."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest

from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.data.simulate import PromoterConfig, consensus_motif, simulate_promoters
from genailab.data.simulate.promoters import Element, promoter_activity
from genailab.data.simulate.sites import site_energy
from genailab.errors import InputError

CONFIG = PromoterConfig(n_sequences=1000, noise=0.0)
WIDE = Element(motif=consensus_motif("TATA", "TATA" + "N" * 23))
DATA = simulate_promoters(CONFIG, generator=np.random.default_rng(0))


def test_activity_is_what_enumerating_all_states_of_the_promoter_gives():
    # Each site empty or bound, polymerase absent or bound: 2^(sites + 1) states, weights multiplied.
    element_of = {element.motif.name: element for element in CONFIG.elements}
    for sequence in range(60):
        sites = DATA.sites[DATA.sites["sequence"] == sequence]
        off = on = 0.0
        for state in np.ndindex(*(2,) * len(sites)):
            without = with_ = 1.0
            for bound, site in zip(state, sites.itertuples(), strict=True):
                element = element_of[site.motif]
                word = DATA.codes[sequence, site.start : site.end]
                word = word if site.strand == "+" else reverse_complement(word)
                weight = element.abundance * np.exp(-site_energy(word.numpy(), element.motif))
                without *= weight if bound else 1.0
                with_ *= weight * element.help if bound else 1.0
            off, on = off + without, on + CONFIG.polymerase * with_
        assert DATA.rows["activity"][sequence] == pytest.approx(on / (on + off))


def test_without_noise_expression_is_the_log2_of_activity_and_noise_has_its_size():
    np.testing.assert_array_equal(DATA.rows["log2_expression"], np.log2(DATA.rows["activity"]))
    noisy = simulate_promoters(dataclasses.replace(CONFIG, noise=0.5), generator=np.random.default_rng(0))
    residual = noisy.rows["log2_expression"] - np.log2(noisy.rows["activity"])
    assert residual.std() == pytest.approx(0.5, rel=0.1)


def test_a_bare_promoter_has_the_polymerases_own_occupancy_and_elements_only_help():
    p = CONFIG.polymerase / (1 + CONFIG.polymerase)
    bare = DATA.rows.query("not tata and not inr and gc_boxes == 0")["activity"]
    np.testing.assert_allclose(bare, p)
    np.testing.assert_allclose(promoter_activity(DATA.sites.iloc[:0], CONFIG), p)
    assert DATA.rows["activity"].min() >= p - 1e-12
    assert DATA.rows["activity"].max() < 1


def test_elements_lie_where_they_do_in_promoters_and_apart():
    sites = DATA.sites.assign(offset=DATA.sites["start"] - CONFIG.upstream)
    assert set(sites.query("motif == 'TATA'")["offset"]) == {-31, -30, -29, -28}
    assert set(sites.query("motif == 'Inr'")["offset"]) == {-2}
    boxes = sites.query("motif == 'GC box'")
    assert boxes["offset"].between(-110, -40 - 9).all()
    assert set(boxes["strand"]) == {"+", "-"}
    assert set(sites.query("motif != 'GC box'")["strand"]) == {"+"}
    for _, own in DATA.sites.groupby("sequence"):
        assert (own["start"].to_numpy()[1:] >= own["end"].to_numpy()[:-1]).all()


def test_the_tables_count_the_same_sites():
    counted = (
        DATA.sites.groupby(["sequence", "motif"])
        .size()
        .unstack(fill_value=0)
        .reindex(range(1000), fill_value=0)
    )
    assert np.array_equal(counted["TATA"], DATA.rows["tata"].astype(int))
    assert np.array_equal(counted["Inr"], DATA.rows["inr"].astype(int))
    assert np.array_equal(counted["GC box"], DATA.rows["gc_boxes"])


def test_kinds_have_the_shares_and_the_dna_asked_for():
    cpg = DATA.rows["cpg"].to_numpy()
    assert cpg.sum() == 600
    for kind, share in ((cpg, 0.05), (~cpg, 0.5)):
        assert binomtest(int(DATA.rows["tata"][kind].sum()), int(kind.sum()), share).pvalue > 1e-4
    codes = DATA.codes.numpy()
    pairs = ((codes[:, :-1] == 1) & (codes[:, 1:] == 2)).mean(axis=1)
    expected = (codes == 1).mean(axis=1) * (codes == 2).mean(axis=1)
    assert pairs[cpg].mean() / expected[cpg].mean() > 0.9
    assert pairs[~cpg].mean() / expected[~cpg].mean() < 0.45


def test_the_same_seed_gives_the_same_promoters():
    again = simulate_promoters(CONFIG, generator=np.random.default_rng(0))
    assert again.codes.equal(DATA.codes)
    assert again.rows.equals(DATA.rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upstream": 100}, r"100 \+ 50 letters have no room"),
        ({"cpg_share": 1.1}, "cpg_share 1.1"),
        ({"elements": (WIDE, *CONFIG.elements[1:])}, r"\[27, 7, 9\] letters wide"),
    ],
)
def test_promoters_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        PromoterConfig(**options)
