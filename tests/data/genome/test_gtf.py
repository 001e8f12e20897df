"""Laws of gene models: coordinates shift at the border, strands mirror, real introns are GT..AG."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.gene_structure import exons, splice_sites, transcripts, tss
from genailab.data.genome.genome import Genome
from genailab.data.genome.gtf import read_gtf
from genailab.errors import InputError

SHARED = next(
    (place for root in Path(__file__).parents if (place := root / "shared" / "data").is_dir()),
    Path(__file__).parents[3] / ".." / "shared" / "data",
)
ATTRIBUTES = 'gene_id "g"; transcript_id "t";'


def line(feature, start, end, strand="+", attributes=ATTRIBUTES, chrom="chr1"):
    return f"{chrom}\tmade\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def gtf(tmp_path, text, name="x.gtf"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_one_based_closed_becomes_zero_based_half_open(tmp_path):
    text = "#!genome-build made\n" + line("exon", 1, 10) + line("exon", 21, 21)
    for name in ("x.gtf", "x.gtf.gz"):
        found = read_gtf(gtf(tmp_path, text, name))
        assert found[["start", "end"]].values.tolist() == [[0, 10], [20, 21]]
        assert found["score"].isna().all()


def test_attributes_are_read_quoted_or_bare_repeated_or_with_semicolons(tmp_path):
    attributes = 'gene_id "g;1"; exon_number 2; tag "basic"; note ""; tag "CCDS"; transcript_id "t 1"'
    found = read_gtf(gtf(tmp_path, line("exon", 1, 9, attributes=attributes) + line("gene", 1, 9))).iloc[0]
    assert found[["gene_id", "exon_number", "tag", "transcript_id", "note"]].tolist() == [
        "g;1", "2", "basic,CCDS", "t 1", "",
    ]  # fmt: skip
    few = read_gtf(tmp_path / "x.gtf", attributes=["tag"], features=["exon"])
    assert list(few.columns[8:]) == ["gene_id", "transcript_id", "tag"]
    assert few["feature"].tolist() == ["exon"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("exon", 9, 5), r"x\.gtf:2 starts at 9, after its end 5: swap them"),
        (line("exon", 0, 5), r"x\.gtf:2 has start 0, but GTF counts from 1"),
        (line("exon", "1e3", 5), r"x\.gtf:2 has '1e3' as its start"),
        (line("exon", -3, 5), r"x\.gtf:2 has '-3' as its start"),
        (line("exon", 3, 5, "*"), r"x\.gtf:2 has strand '\*'"),
        (line("exon", 3, 5).replace("\t.\t+", "\tx\t+"), r"x\.gtf:2 has 'x' as its score"),
        ("chr1\tmade\texon\t3\n", r"x\.gtf:2 has 4 columns where GTF has 9"),
        (line("exon", 3, 5).replace("\t", " "), r"x\.gtf:2 has 1 columns where GTF has 9, separated by tabs"),
        (line("exon", 3, 5, attributes='transcript_id "t";'), r"x\.gtf:2 has no gene_id"),
        (line("exon", 3, 5, attributes='gene_id "g'), r"x\.gtf:2 has attributes that can't be read"),
        (line("exon", 3, 5, attributes="ID=exon1;Parent=t"), r"x\.gtf:2 .*it looks like GFF 3"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_which_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_gtf(gtf(tmp_path, line("gene", 1, 50) + text))


def test_the_other_bad_files(tmp_path):
    with pytest.raises(InputError, match="holds no records"):
        read_gtf(gtf(tmp_path, "# nothing\n"))
    path = gtf(tmp_path, line("exon", 1, 9))
    with pytest.raises(InputError, match="has no 'exons' records: did you mean 'exon'"):
        read_gtf(path, features=["exons"])
    with pytest.raises(InputError, match=r"has no attribute 'gene_nme' .*: did you mean 'gene_id'"):
        read_gtf(path, attributes=["gene_nme"])


def model(rows):
    names = ["transcript_id", "start", "end", "strand"]
    return pd.DataFrame(rows, columns=names).assign(chrom="chr1", feature="exon", gene_id="g")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("t", 0, 9, "+"), ("t", 8, 12, "+")], "exons chr1:0-9 and chr1:8-12 of transcript 't' overlap"),
        ([("t", 0, 9, "-"), ("t", 8, 12, "-")], "exons chr1:8-12 and chr1:0-9 of transcript 't' overlap"),
        (
            [("t", 0, 9, "+"), ("t", 20, 22, "-")],
            "transcript 't' has exons on more than one contig or strand",
        ),
        ([("", 0, 9, "+")], "exon chr1:0-9 has no transcript_id"),
        ([("t", 0, 9, ".")], "exon chr1:0-9 of 't' has no strand"),
    ],
)
def test_gene_models_that_cannot_be_are_refused(rows, message):
    with pytest.raises(InputError, match=message):
        splice_sites(model(rows))


def test_a_table_without_exons_is_refused():
    with pytest.raises(InputError, match="no exon records: read the GTF without features="):
        tss(model([]))


# Exon and intron lengths in turn, from the 5' end on; an intron of 0 is none.
lengths = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=6)


@given(lengths, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_both_strands_mirror_each_other(pairs, random):
    size, position, plus = 1000, 100, []
    for exon, intron in pairs:
        plus.append(("t", position, position + exon, "+"))
        position += exon + intron
    minus = [("t", size - end, size - start, "-") for _, start, end, _ in plus]
    forward, backward = (model(random.sample(rows, len(rows))) for rows in (plus, minus))
    assert tss(forward)["start"].tolist() == [100]
    assert tss(backward)["start"].tolist() == [size - 1 - 100]
    assert (
        exons(forward)["number"].tolist() == exons(backward)["number"].tolist() == [*range(1, len(pairs) + 1)]
    )
    ours, mirrored = splice_sites(forward), splice_sites(backward)
    assert (ours["end"] - ours["start"]).tolist() == [intron for _, intron in pairs[:-1] if intron]
    assert (size - mirrored["end"]).tolist() == ours["start"].tolist()
    for site in ("donor", "acceptor"):
        assert (size - 1 - mirrored[site]).tolist() == ours[site].tolist()
    span = transcripts(backward).iloc[0]
    assert (span["start"], span["end"], span["n_exons"]) == (minus[-1][1], minus[0][2], len(pairs))


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is absent")
def test_real_introns_begin_with_gt_and_end_with_ag(tmp_path):
    genes = read_gtf(SHARED / "chr9_1_1000000.gtf.gz")
    kinds = genes["feature"].value_counts()
    assert kinds[["gene", "transcript", "exon", "CDS"]].tolist() == [23, 105, 831, 410]
    introns = splice_sites(genes).drop_duplicates(["start", "end", "strand"])
    genome = Genome(SHARED / "chr9_1_1000000.fa.gz", cache=tmp_path)
    minus = np.where(introns["strand"] == "-", -1, 1)
    at_donor, at_acceptor = (
        introns.assign(start=introns[site], end=introns[site] + 1) for site in ("donor", "acceptor")
    )
    # Windows of 4 hold the site's base third: "xxGT" from a donor, and one base before it "xxAG".
    donors = genome.windows(at_donor, 4)[:, 2:]
    before = at_acceptor.assign(start=at_acceptor["start"] - minus, end=at_acceptor["end"] - minus)
    acceptors = genome.windows(before, 4)[:, 2:]
    canonical = (donors == donors.new_tensor([2, 3])).all(1) & (
        acceptors == acceptors.new_tensor([0, 2])
    ).all(1)
    assert len(introns) == 195
    assert canonical.float().mean() > 0.95
    # Had a strand or a border been read wrongly, hardly any would be.
    shifted = genome.windows(at_donor.assign(start=at_donor["start"] + 1, end=at_donor["end"] + 1), 4)[:, 2:]
    assert (shifted == shifted.new_tensor([2, 3])).all(1).float().mean() < 0.2


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is absent")
def test_real_transcripts_are_those_of_the_file():
    genes = read_gtf(SHARED / "chr9_1_1000000.gtf.gz")
    stated = genes[genes["feature"] == "transcript"].set_index("transcript_id").sort_index()
    derived = transcripts(genes).set_index("transcript_id").sort_index()
    columns = ["chrom", "start", "end", "strand", "gene_id"]
    assert stated[columns].equals(derived[columns])
    number = exons(genes).merge(
        genes[genes["feature"] == "exon"], on=["transcript_id", "start", "end"], validate="one_to_one"
    )
    assert (number["number"].astype(str) == number["exon_number"]).all()


def test_attributes_never_take_the_place_of_columns(tmp_path):
    named = ' start "99"; strand "?"; chrom "zz"; source "havana";'
    plain = read_gtf(gtf(tmp_path, line("exon", 1, 10)))
    found = read_gtf(gtf(tmp_path, line("exon", 1, 10, attributes=ATTRIBUTES + named), name="named.gtf"))
    pd.testing.assert_frame_equal(found[plain.columns], plain)
    assert found.loc[0, "attribute_start"] == "99"
    assert found.loc[0, "attribute_source"] == "havana"
