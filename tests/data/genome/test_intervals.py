"""BED files and intervals: what is read, what is refused and with which words; no row vanishes."""

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.chromosome_split import split_chromosomes
from genailab.data.genome.genome import Genome
from genailab.data.genome.interval_checks import check_intervals
from genailab.data.genome.intervals import read_bed
from genailab.data.genome.overlaps import OverlapIndex
from genailab.errors import InputError


def bed(tmp_path, text, name="x.bed"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


names = st.text("abcXYZ012_.-", min_size=1, max_size=8)
records = st.lists(
    st.tuples(
        names,
        st.integers(0, 10**9),
        st.integers(1, 10**6),
        names,
        st.integers(0, 1000),
        st.sampled_from("+-."),
    ),
    min_size=1,
    max_size=20,
)


@given(records, st.integers(3, 6), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["x.bed", "x.bed.gz"]))
@settings(max_examples=50, deadline=None)
def test_reading_undoes_writing_and_keeps_every_row(tmp_path_factory, rows, width, end, name):
    rows = [(chrom, start, start + size, *rest) for chrom, start, size, *rest in rows]
    text = end.join("\t".join(map(str, row[:width])) for row in rows) + end
    found = read_bed(bed(tmp_path_factory.mktemp("bed"), text, name))
    assert list(found.columns) == ["chrom", "start", "end", "name", "score", "strand"]
    assert found["start"].dtype == found["end"].dtype == np.int64
    for read, row in zip(found.itertuples(index=False), rows, strict=True):
        expected = row[:width] + (".", np.nan, ".")[width - 3 :]
        np.testing.assert_equal(tuple(read), expected)


def test_headings_are_no_records_and_further_columns_are_kept(tmp_path):
    text = (
        "\ufeffbrowser position chr7:1-100\n# made by hand\ntrack name=x description='a b'\n\n"
        "chr7\t10\t90\tgene\t0\t+\t20\t80\t255,0,0\t2\t5,6,\t0,74,\ntrack\t1\t2\tx\t0\t-\t1\t1\t0\t1\t1\t0\n"
    )
    found = read_bed(bed(tmp_path, text))
    assert found["chrom"].tolist() == ["chr7", "track"]  # a contig may be called so
    assert found["thickStart"].tolist() == ["20", "1"]
    assert found["blockStarts"].tolist() == ["0,74,", "0"]


def test_peak_files_have_their_own_columns(tmp_path):
    text = "chr1\t5\t95\tpeak1\t870\t.\t12.5\t-1\t3.25\t40\n"
    found = read_bed(bed(tmp_path, text, "x.narrowPeak.gz"))
    assert found[["signalValue", "pValue", "qValue", "peak"]].values.tolist() == [[12.5, -1, 3.25, 40]]
    assert found["strand"].tolist() == ["."]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t9\t5", r"x\.bed:2 has the interval chr1:9-5, whose start lies after its end: swap them"),
        ("chr1\t5\t5", r"x\.bed:2 .*chr1:5-5, which holds no base: .*1-based positions, subtract 1"),
        ("chr1\t-5\t5", r"x\.bed:2 has start -5, before the contig begins"),
        ("chr1\t1.5\t5", r"x\.bed:2 has '1\.5' as its start, which is no whole number"),
        ("chr1\t1\t1,000", r"x\.bed:2 has '1,000' as its end"),
        ("chr1\t1_0\t50", r"x\.bed:2 has '1_0' as its start"),
        ("chrom\tstart\tend", r"x\.bed:2 has 'start' as its start.*put '#' before a line of column names"),
        ("chr1\t5", r"x\.bed:2 has 2 columns where BED has 3 to 12"),
        ("chr1\t5\t9" + "\tx" * 10, r"x\.bed:2 has 13 columns where BED has 3 to 12"),
        ("chr1\t5\t9\tname", r"x\.bed:2 has 4 columns but the first record has 3"),
        ("chr1 5 9", r"x\.bed:2 has spaces where BED has tabs"),
    ],
)
def test_says_what_is_wrong_with_which_line(tmp_path, line, message):
    with pytest.raises(InputError, match=message):
        read_bed(bed(tmp_path, f"chr1\t0\t10\n{line}\n"))


def test_the_other_bad_files(tmp_path):
    with pytest.raises(InputError, match=r"x\.bed:1 has strand 'x', none of"):
        read_bed(bed(tmp_path, "chr1\t0\t9\tn\t0\tx\n"))
    with pytest.raises(InputError, match=r"x\.bed:1 has 'high' as its score, which is no number"):
        read_bed(bed(tmp_path, "chr1\t0\t9\tn\thigh\n"))
    with pytest.raises(InputError, match=r"holds no intervals"):
        read_bed(bed(tmp_path, "# nothing\ntrack name=x\n"))
    with pytest.raises(InputError, match=r"empty \(0 bytes\)"):
        read_bed(bed(tmp_path, ""))
    with pytest.raises(InputError, match=r"no file .*absent"):
        read_bed(tmp_path / "absent.bed")
    (tmp_path / "x.bed.gz").write_bytes(gzip.compress(b"chr1\t0\t9\n" * 999)[:-9])
    with pytest.raises(InputError, match="ends in the middle of its gzip data"):
        read_bed(tmp_path / "x.bed.gz")
    (tmp_path / "x.bed").write_bytes(b"chr1\t0\t9\tna\xefve\n")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_bed(tmp_path / "x.bed")


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "x.fa"
    path.write_text(">chr1\n" + "ACGT" * 25 + "\n>chr2\nACGT\n")
    return Genome(path)


def table(rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


WRONG = [
    (("1", 0, 5), "1:0-5: contig '1' is not in the genome: it is called 'chr1' there"),
    (("chr2", 0, 6), "chr2:0-6: it ends beyond the contig, which has 4 bases"),
    (("chr1", 5, 5), "chr1:5-5: it holds no base"),
    (("chr1", 9, 5), "chr1:9-5: its start lies after its end"),
    (("chr1", -1, 5), "chr1:-1-5: it starts before 0"),
]


def test_every_row_comes_back_with_a_status_and_a_reason(genome):
    rows = [("chr1", 0, 100), *(row for row, _ in WRONG), ("chr2", 0, 4)]
    checked = check_intervals(table(rows), genome, on_error="report")
    assert list(checked[["chrom", "start", "end"]].itertuples(index=False, name=None)) == rows
    assert checked["status"].tolist() == ["ok", *["failed"] * len(WRONG), "ok"]
    for reason, (_, expected) in zip(checked["reason"].iloc[1:-1], WRONG, strict=True):
        assert reason.startswith(expected)
    assert (checked["reason"].iloc[[0, -1]] == "").all()


@pytest.mark.parametrize(("row", "reason"), WRONG)
def test_or_the_first_that_fails_stops_the_work(genome, row, reason):
    with pytest.raises(InputError) as caught:
        check_intervals(table([("chr1", 0, 5), row]), genome)
    assert str(caught.value).startswith("1 of 2 intervals don't fit")
    assert f"(first: row 1, {reason}" in str(caught.value)


def test_what_passes_the_check_can_be_read(genome):
    checked = check_intervals(table([row for row, _ in WRONG] + [("chr2", 1, 3)]), genome, on_error="report")
    assert genome.windows(checked[checked["status"] == "ok"], 8).shape == (1, 8)
    with pytest.raises(InputError, match="on_error is 'ignore': pass"):
        check_intervals(table([("chr1", 0, 5)]), genome, on_error="ignore")


def test_coordinates_that_look_one_based_are_pointed_out(genome):
    with pytest.warns(UserWarning, match=r"may be 1-based \(1 of them end exactly one base beyond"):
        beyond = check_intervals(table([("chr1", 1, 101)]), genome, on_error="report")
    assert beyond["status"].tolist() == ["failed"]
    with pytest.warns(UserWarning, match=r"may be 1-based \(1 of them start at 1 and none at 0"):
        check_intervals(table([("chr1", 1, 50), ("chr1", 51, 100)]), genome)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_intervals(table([("chr1", 0, 50), ("chr1", 1, 100)]), genome)


regions_strategy = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=10
)


@given(regions_strategy)
@settings(max_examples=50, deadline=None)
def test_overlap_is_sharing_a_base(regions):
    index = OverlapIndex(table([(chrom, start, start + size) for chrom, start, size in regions]))
    starts, sizes = (values.ravel() for values in np.meshgrid(np.arange(32), np.arange(1, 5)))
    for chrom in "abc":
        taken = np.zeros(40, dtype=bool)
        for _, start, size in (region for region in regions if region[0] == chrom):
            taken[start : start + size] = True
        shared = [taken[start : start + size].any() for start, size in zip(starts, sizes, strict=True)]
        np.testing.assert_array_equal(index.hits(chrom, starts, starts + sizes), shared)


chromosomes = st.lists(st.sampled_from(["chr1", "chr2", "chr8", "chr9"]), max_size=30).map(
    lambda more: ["chr1", "chr8", "chr9", *more]
)


@given(chromosomes, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_each_interval_is_in_one_part_and_chromosomes_are_never_divided(names, random):
    rows = [(name, 10 * place, 10 * place + 5) for place, name in enumerate(names)]
    split = split_chromosomes(table(rows))
    positions = np.concatenate([split.train, split.valid, split.test])
    assert sorted(positions) == list(range(len(names)))
    assert {names[place] for place in split.valid} == {"chr8"}
    assert {names[place] for place in split.test} == {"chr9"}
    shuffled = random.sample(rows, len(rows))
    assert split_chromosomes(table(shuffled)).hash == split.hash
    if len(split.train) > 1:
        moved = [rows[0], *((("chr2" if row[0] == "chr1" else row[0]), *row[1:]) for row in rows[1:])]
        assert (split_chromosomes(table(moved)).hash == split.hash) == (moved == rows)


def test_intervals_in_no_part_stay_in_the_table_with_the_reason():
    rows = table([(name, 0, 5) for name in ("chr1", "chrX", "chr8", "chr9", "chr1")])
    rows = rows.assign(
        status=["ok", "ok", "ok", "ok", "failed"], reason=["", "", "", "", "it starts before 0"]
    )
    split = split_chromosomes(rows, train=["chr1"])
    assert split.train.tolist() == [0]
    assert split.left_out["reason"].to_dict() == {1: "chromosome chrX is in no part", 4: "it starts before 0"}
    assert len(split.table) == len(rows)


def test_a_split_that_cannot_be_meant_is_refused():
    rows = table([(name, 0, 5) for name in ("1", "8", "9")])
    with pytest.raises(
        InputError, match="no interval lies on 'chr8', which is named for valid: it is called '8'"
    ):
        split_chromosomes(rows)
    with pytest.raises(InputError, match="chromosome '8' is named for valid and for test: name it once"):
        split_chromosomes(rows, valid=["8"], test=["8"])
    with pytest.raises(InputError, match="no interval is left for train"):
        split_chromosomes(rows.iloc[1:], valid=["8"], test=["9"])
    assert split_chromosomes(rows, valid="8", test="9").train.tolist() == [0]


@pytest.mark.parametrize("ending", ["", ".gz", ".bgz"])
def test_peaks_have_their_columns_however_they_are_compressed(tmp_path, ending):
    path = tmp_path / f"x.narrowPeak{ending}"
    text = b"chr1\t0\t5\tn\t1\t.\t1.5\t2\t3\t4\n"
    path.write_bytes(gzip.compress(text) if ending else text)
    assert read_bed(path)[["signalValue", "pValue", "qValue", "peak"]].values.tolist() == [[1.5, 2, 3, 4]]


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    bed(tmp_path, "chr1\t0\t5\n")
    (tmp_path / "x.fa").write_text(">chr1\nACGTA\n")
    assert len(read_bed("~/x.bed")) == 1
    assert Genome("~/x.fa").chromosomes == {"chr1": 5}
