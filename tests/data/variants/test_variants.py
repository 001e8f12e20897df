"""Laws of the check: no row vanishes, each fault has its reason, and a right variant passes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_genome import TextGenome, table_of

from genailab.data.variants.checks import check_variants, summarise_variants
from genailab.data.variants.haplotypes import haplotypes
from genailab.data.variants.vcf import read_vcf
from genailab.errors import InputError

GENOME = TextGenome(chr1="ACGTTTTTACGRNACGT", chr2="GGGCACACACAGGG", MT="ACGTACGT")
STATUSES = {"ok", "skipped", "invalid", "failed"}
HEADER = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"

chroms = st.sampled_from(["chr1", "chr2", "1", "chrM", "chrom1", "", "ünknown"])
positions = st.integers(0, 20).map(str) | st.sampled_from(["x", "-4", "2.5", "99999999", ""])
refs = st.text("ACGTNRacgt", min_size=1, max_size=4) | st.sampled_from(
    ["-", ".", "", "A-", "Q", "GGGCACACACAGGG"]
)
alts = st.text("ACGTacgt", min_size=1, max_size=4) | st.sampled_from(
    [
        "*",
        ".",
        "<DEL>",
        "<*>",
        "-",
        "",
        "A[chr2:3[",
        "]chr2:3]A",
        ".A",
        "A.",
        "N",
        "ACR",
        "Z",
        "é",
        "0",
        "A" * 40,
    ]
)


@given(st.lists(st.tuples(chroms, positions, refs, st.lists(alts, min_size=1, max_size=4)), max_size=25))
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore:.*no record")
def test_no_record_vanishes_whatever_is_wrong_with_it(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("mixed") / "mixed.vcf"
    lines = [
        f"{chrom}\t{position}\t.\t{ref}\t{','.join(some)}\t.\t.\t." for chrom, position, ref, some in rows
    ]
    path.write_text(HEADER + "".join(line + "\n" for line in lines), encoding="utf-8")
    table = read_vcf(path)
    pairs = haplotypes(GENOME, table, 12, aliases={"chrM": "MT"})
    told = pairs.variants
    assert len(told) == sum(len(some) for *_, some in rows)
    assert told[["record", "line", "allele", "chrom", "ref", "alt"]].equals(
        table[["record", "line", "allele", "chrom", "ref", "alt"]]
    )
    assert set(told["status"]) <= STATUSES
    left_out = told[told["status"] != "ok"]
    assert (left_out["reason"] != "").all()
    assert (left_out["detail"] != "").all()
    assert pairs.rows.tolist() == np.flatnonzero(told["status"] == "ok").tolist()
    assert len(pairs.reference) == len(pairs.alternative) == (told["status"] == "ok").sum()
    assert summarise_variants(told)["rows"].sum() == len(told)
    again = check_variants(
        check_variants(table, GENOME, aliases={"chrM": "MT"}), GENOME, aliases={"chrM": "MT"}
    )
    pd.testing.assert_frame_equal(again, check_variants(table, GENOME, aliases={"chrM": "MT"}))


def judged(*row, aliases=None):
    [found] = check_variants(table_of(row), GENOME, aliases=aliases).to_dict("records")
    return found


@pytest.mark.parametrize(
    ("row", "status", "reason", "detail"),
    [
        (("chr1", 2, "A", "T"), "invalid", "REF differs from the genome", "the genome has 'C' there"),
        (("chr1", 2, "CA", "T"), "invalid", "REF differs from the genome", "the genome has 'CG' there"),
        (("chr1", 2, "T", "C"), "invalid", "REF and ALT may be swapped", "'C' there, as ALT says"),
        (("chr2", 4, "TTT", "CAC"), "invalid", "REF and ALT may be swapped", "exchange them"),
        (
            ("1", 2, "C", "T"),
            "invalid",
            "chromosome is not in the genome",
            "'1' is not in the genome: it is called 'chr1' there, so rename it or pass aliases={'1': 'chr1'}",
        ),
        (("chrM", 1, "A", "T"), "invalid", "chromosome is not in the genome", "{'chrM': 'MT'}"),
        (("chrr1", 1, "A", "T"), "invalid", "chromosome is not in the genome", "did you mean 'chr1'"),
        (("chr1", 0, "N", "T"), "skipped", "POS is 0 (telomere)", "positions count from 1"),
        (("chr1", -2, "A", "T"), "invalid", "POS is negative", "positions count from 1"),
        (("chr1", 18, "T", "A"), "invalid", "POS is past the chromosome's end", "'chr1', which has 17 bases"),
        (("chr1", 17, "TA", "T"), "invalid", "REF runs past the chromosome's end", "which has 17 bases"),
        (("chr1", 2, "C", "*"), "skipped", "ALT is '*'", "score that one"),
        (("chr1", 2, "C", "<DEL>"), "skipped", "ALT is symbolic", "ALT is '<DEL>'"),
        (("chr1", 2, "C", "<NON_REF>"), "skipped", "ALT is symbolic", "write it out"),
        (("chr1", 2, "C", "C[chr2:5["), "skipped", "ALT is a breakend", "join of two places"),
        (("chr1", 2, "C", ".C"), "skipped", "ALT is a breakend", "join of two places"),
        (("chr1", 2, "C", "."), "skipped", "ALT is '.' (monomorphic)", "no alternative allele"),
        (("chr1", 2, "C", "-"), "invalid", "allele is written '-'", "put the base before the change"),
        (("chr1", 2, "-", "C"), "invalid", "allele is written '-'", "REF is '-'"),
        (("chr1", 2, "", "C"), "invalid", "allele is not letters of DNA", "REF is ''"),
        (("chr1", 2, ".", "C"), "invalid", "allele is not letters of DNA", "REF is '.'"),
        (("chr1", 2, "C", "CU"), "invalid", "allele is not letters of DNA", "ALT is 'CU'"),
        (("chr1", 2, "C", "CN"), "skipped", "ALT stands for several sequences", "a row for each base"),
        (("chr1", 2, "C", "R"), "skipped", "ALT stands for several sequences", "a row for each base"),
        (("chr1", 2, "C", "C"), "skipped", "ALT is REF", "changes nothing"),
    ],
)
def test_each_fault_has_its_status_its_reason_and_a_sentence(row, status, reason, detail):
    found = judged(*row)
    assert (found["status"], found["reason"]) == (status, reason)
    assert detail in found["detail"]


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        (("chr1", 2, "c", "t"), "", ""),
        (("chr1", 2, "Y", "T"), "REF is ambiguous here", "REF is 'Y', the genome's own letters are used"),
        (("chr1", 12, "A", "T"), "REF is ambiguous here", "REF is 'A'"),  # the genome has R, A or G
        (("chr1", 13, "A", "T"), "REF is ambiguous here", "REF is 'A'"),
        (("chr1", 12, "R", "T"), "", ""),
        (("chr2", 9, "AC", "A"), "not normalised", "normal form: chr2:9 'A"),
        (("chr2", 8, "CAC", "C"), "not normalised", "normal form: chr2:3 'GCA' > 'G'"),
        (("chr1", 2, "CG", "TG"), "not normalised", "normal form: chr1:2 'C' > 'T'"),
    ],
)
def test_a_right_variant_is_ok_and_what_is_worth_knowing_is_noted(row, reason, detail):
    found = judged(*row)
    if row == ("chr2", 9, "AC", "A"):
        assert found["status"] == "ok"  # a C out of CACAC: already where it must be
        assert found["reason"] == ""
        return
    assert (found["status"], found["reason"]) == ("ok", reason)
    assert detail in found["detail"]


def test_an_ambiguous_reference_that_cannot_be_the_genomes_base_is_refused():
    assert judged("chr1", 12, "T", "G")["reason"] != "REF is ambiguous here"  # the genome has R, A or G
    assert judged("chr1", 2, "R", "G")["status"] == "invalid"


def test_names_are_changed_by_the_alias_table_alone():
    assert judged("1", 2, "C", "T", aliases={"1": "chr1"})["contig"] == "chr1"
    assert judged("1", 2, "C", "T", aliases={"1": "chr1"})["status"] == "ok"
    assert judged("1", 2, "C", "T", aliases={"2": "chr1"})["status"] == "invalid"
    assert judged("1", 2, "C", "T")["contig"] == ""
    opened = TextGenome(chr1="ACGT")
    opened.aliases = {"1": "chr1"}
    assert check_variants(table_of(("1", 2, "C", "T")), opened)["contig"].tolist() == ["chr1"]
    with pytest.raises(
        InputError, match="alias '1' stands for 'chr3', which the genome doesn't have: did you"
    ):
        judged("1", 2, "C", "T", aliases={"1": "chr3"})


def test_repeats_and_order_are_noted_and_cost_no_row():
    rows = [
        ("chr2", 8, "CAC", "C"),
        ("chr2", 4, "CAC", "C"),  # the same, spelled otherwise, and before it
        ("chr1", 2, "C", "T"),
        ("chr1", 2, "C", "G"),
        ("chr1", 2, "C", "T"),
        ("chr2", 9, "A", "T"),  # the chromosome again
    ]
    table = check_variants(table_of(*rows), GENOME)
    assert (table["status"] == "ok").all()
    notes = [set(reason.split("; ")) - {""} for reason in table["reason"]]
    repeated, order, spelling = "same change as an earlier row", "out of order", "not normalised"
    assert notes == [{spelling}, {spelling, repeated, order}, set(), set(), {repeated}, {order}]


def test_a_row_that_cannot_be_used_repeats_nothing():
    table = check_variants(table_of(("chr1", 2, "C", "*"), ("chr1", 2, "C", "*")), GENOME)
    assert table["reason"].tolist() == ["ALT is '*'"] * 2


def test_each_allele_of_a_record_is_judged_for_itself(tmp_path):
    path = tmp_path / "many.vcf"
    path.write_text(HEADER + "chr1\t2\t.\tC\tT,<DEL>,CA,-\t.\t.\t.\n")
    table = check_variants(read_vcf(path), GENOME)
    assert table["status"].tolist() == ["ok", "skipped", "ok", "invalid"]
    assert table["allele"].tolist() == [1, 2, 3, 4]


def test_on_error_fail_names_the_file_and_line_of_the_first_and_counts_the_rest(tmp_path):
    path = tmp_path / "bad.vcf"
    places = ["chr1\t2\t.\tC\tT", "chr1\t2\t.\tC\t*", "chr1\tx\t.\tC\tT", "1\t2\t.\tC\tT"]
    path.write_text(HEADER + "".join(f"{place}\t.\t.\t.\n" for place in places))
    table = read_vcf(path)
    message = r"bad\.vcf:4: POS 'x' is not a whole number .* \(1 more of 4 rows are refused\)"
    with pytest.raises(InputError, match=message):
        check_variants(table, GENOME, on_error="fail")
    # What is skipped is no error: a file of all kinds of variants may have it.
    assert len(check_variants(table[:2], GENOME, on_error="fail")) == 2


def test_the_summary_counts_each_status_and_reason():
    rows = [("chr1", 2, "C", "T"), ("chr1", 3, "G", "T"), ("chr1", 2, "C", "*"), ("chr9", 2, "C", "T")]
    counts = summarise_variants(check_variants(table_of(*rows), GENOME))
    assert counts.values.tolist() == [
        ["ok", "", 2],
        ["invalid", "chromosome is not in the genome", 1],
        ["skipped", "ALT is '*'", 1],
    ]


def test_a_table_that_is_none_of_variants_is_refused():
    with pytest.raises(InputError, match=r"no column 'position': did you mean 'positions'\?"):
        check_variants(table_of().rename(columns={"position": "positions"}), GENOME)
    with pytest.raises(InputError, match="column 'position' holds float64 with 0 gaps, not whole numbers"):
        check_variants(table_of(("chr1", 1, "A", "C")).astype({"position": float}), GENOME)
    gap = table_of(("chr1", 1, "A", "C")).assign(position=pd.array([None], "Int64"))
    with pytest.raises(InputError, match=r"holds Int64 with 1 gaps.*write -1 for an unknown place"):
        check_variants(gap, GENOME)
    with pytest.raises(InputError, match="on_error is 'drop': choose 'report' or 'fail'"):
        check_variants(table_of(), GENOME, on_error="drop")


def test_a_table_without_rows_stays_without():
    pairs = haplotypes(GENOME, table_of(), 6)
    assert len(pairs.variants) == 0
    assert pairs.alternative.shape == (0, 6)


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
@pytest.mark.parametrize("column", ["ref", "alt"])
def test_a_gap_for_an_allele_is_no_letters(gap, column):
    genome = TextGenome(c="TACGT")  # "nan" would be read as NAN, which fits the genome's TAC
    table = pd.DataFrame({"chrom": ["c"], "position": [1], "ref": ["T"], "alt": ["C"]}).astype(object)
    table["position"] = table["position"].astype(int)
    table[column] = [gap]
    judged = check_variants(table, genome)
    assert judged.loc[0, "status"] == "invalid"
    assert judged.loc[0, "reason"] == "allele is not letters of DNA"
