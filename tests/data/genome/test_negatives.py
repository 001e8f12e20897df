"""Laws of matched negatives: as many rows as asked, none over a positive, each with its positive's GC."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.genome import Genome
from genailab.data.genome.negatives import gc_content, gc_matched_negatives
from genailab.data.genome.overlaps import OverlapIndex
from genailab.errors import InputError

SIZE = 60_000


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    """Two contigs whose GC content rises from 0.2 to 0.8, with a stretch of N, and a small third."""
    generator = np.random.default_rng(0)
    letters = []
    for _ in range(2):
        gc = generator.random(SIZE) < np.linspace(0.2, 0.8, SIZE)
        text = np.where(gc, generator.choice(list("CG"), SIZE), generator.choice(list("AT"), SIZE))
        text[20_000:25_000] = "N"
        letters.append("".join(text))
    path = tmp_path_factory.mktemp("genome") / "x.fa"
    path.write_text(f">chr1\n{letters[0]}\n>chr2\n{letters[1]}\n>small\nACGTACGTGG\n")
    return Genome(path)


def positives(seed, n=30):
    generator = np.random.default_rng(seed)
    starts = generator.integers(30_000, SIZE - 400, n)
    widths = generator.choice([100, 101, 300], n)
    names = generator.choice(["chr1", "chr2"], n)
    return pd.DataFrame({"chrom": names, "start": starts, "end": starts + widths})


def counted(genome, row):
    text = genome.text(row.chrom, row.start, row.end)
    known = sum(map(text.count, "ACGT"))
    return (text.count("G") + text.count("C")) / known, 1 - known / len(text)


def test_gc_content_is_counted_among_the_known_bases(genome):
    table = pd.concat(
        [positives(0), pd.DataFrame({"chrom": "chr1", "start": [19_950, 21_000], "end": [20_100, 22_000]})]
    )
    found = gc_content(genome, table)
    for row, (gc, unknown) in zip(table.iloc[:-1].itertuples(), found.iloc[:-1].to_numpy(), strict=True):
        assert (gc, unknown) == pytest.approx(counted(genome, row))
    assert np.isnan(found["gc"].iloc[-1])
    assert found["unknown"].iloc[-1] == 1


@given(st.integers(0, 1000), st.integers(1, 3), st.sampled_from([0.01, 0.05]))
@settings(max_examples=20, deadline=None)
def test_negatives_match_and_overlap_nothing(genome, seed, n_per_positive, tolerance):
    table = positives(seed).assign(strand="-")
    exclude = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [40_000, 0], "end": [50_000, 10_000]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = gc_matched_negatives(
            genome, table, n_per_positive=n_per_positive, exclude=exclude, tolerance=tolerance,
            generator=np.random.default_rng(seed),
        )  # fmt: skip
    assert found["positive"].tolist() == np.repeat(np.arange(len(table)), n_per_positive).tolist()
    own = table.iloc[found["positive"]].reset_index(drop=True)
    assert (found["chrom"] == own["chrom"]).all()
    assert (found["strand"] == "-").all()
    good = found[found["status"] == "ok"]
    assert len(good) > 0.8 * len(found)
    assert (good["end"] - good["start"] == (own["end"] - own["start"])[good.index]).all()
    assert not good.duplicated(["chrom", "start", "end"]).any()
    avoided = OverlapIndex(pd.concat([table, exclude]))
    for row in good.itertuples():
        assert not avoided.hits(row.chrom, np.array([row.start]), np.array([row.end])).any()
        gc, unknown = counted(genome, row)
        assert unknown == 0
        assert gc == pytest.approx(row.gc)
        assert abs(gc - counted(genome, own.loc[row.Index])[0]) <= tolerance + 1e-12


def test_the_same_generator_gives_the_same_windows(genome):
    one, same, other = (
        gc_matched_negatives(genome, positives(1), generator=np.random.default_rng(seed), tolerance=0.05)
        for seed in (5, 5, 6)
    )
    assert one.equals(same)
    assert not one["start"].equals(other["start"])


def test_draws_are_spread_over_all_that_matches(genome):
    # A wide tolerance matches everything: the starts must be even over what is neither N nor the positive.
    table = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [100]})
    found = gc_matched_negatives(
        genome, table, n_per_positive=4000, tolerance=1, generator=np.random.default_rng(0)
    )
    starts = found["start"].to_numpy()
    assert ((starts >= 100) & ((starts <= 19_900) | (starts >= 25_000))).all()
    low = (starts < 20_000).mean()
    share = 19_801 / (19_801 + SIZE - 25_000 - 99)
    assert abs(low - share) < 5 * (share * (1 - share) / len(starts)) ** 0.5


def test_as_many_unknown_letters_as_asked_for(genome):
    table = pd.DataFrame({"chrom": ["chr1"], "start": [59_000], "end": [60_000]})
    exclude = pd.DataFrame({"chrom": ["chr1"], "start": [25_100], "end": [60_000]})
    options = {"exclude": exclude, "tolerance": 1, "n_per_positive": 300}
    for limit in (0.0, 0.3):
        found = gc_matched_negatives(
            genome, table, max_unknown=limit, generator=np.random.default_rng(0), **options
        )
        shares = gc_content(genome, found)["unknown"]
        assert shares.max() <= limit
        assert (shares > 0).any() == (limit > 0)


def test_what_cannot_be_matched_stays_and_is_counted(genome):
    table = pd.DataFrame(
        {"chrom": ["chr1", "small", "chr1"], "start": [100, 0, 21_000], "end": [200, 10, 21_100]}
    )
    with pytest.warns(
        UserWarning, match=r"2 of 3 negatives could not be matched \(first: no free window of 10"
    ):
        found = gc_matched_negatives(genome, table, generator=np.random.default_rng(0), tolerance=0.1)
    assert found["status"].tolist() == ["ok", "unmatched", "unmatched"]
    assert found["start"].tolist()[1:] == found["end"].tolist()[1:] == [-1, -1]
    assert "on small with GC 0.600 ± 0.1" in found["reason"].iloc[1]
    assert found["reason"].iloc[0] == ""
    with pytest.raises(InputError, match="holds no base"):
        genome.windows(found, 10)  # unmatched rows can't be taken for windows


def test_says_what_is_wrong(genome):
    generator = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"row 0 .*contig '1' is not in"):
        gc_matched_negatives(genome, positives(0).assign(chrom="1"), generator=generator)
    with pytest.raises(
        InputError, match="tolerance is 2, which is out of range: pass a value between 0 and 1"
    ):
        gc_matched_negatives(genome, positives(0), generator=generator, tolerance=2)
    with pytest.raises(InputError, match=r"n_per_positive is 0, .* 1 or more"):
        gc_matched_negatives(genome, positives(0), generator=generator, n_per_positive=0)
