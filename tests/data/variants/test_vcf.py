"""Reading VCF: every record and every allele once, whatever holds the file together; else one sentence."""

import gzip
import struct
import warnings
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.variants.vcf import read_vcf
from genailab.errors import InputError

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEADER = f"##fileformat=VCFv4.3\n##contig=<ID=chr1,length=100>\n{COLUMNS}\n"
BODY = "chr1\t5\trs1\tA\tC,AT\t9.5\tPASS\tAC=1\nchr1\t7\t.\tGT\tG\t.\tq10\t.\n"
END_OF_BGZF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def written(tmp_path, content, name="some.vcf"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def bgzip(text: str, *, block: int = 40) -> bytes:
    """Blocked gzip as its specification says (SAM format, section 4.1): the size of each block in a field."""
    blocks = []
    for start in range(0, len(text), block):
        piece = text.encode()[start : start + block]
        deflate = zlib.compressobj(wbits=-15)
        body = deflate.compress(piece) + deflate.flush()
        extra = b"BC" + struct.pack("<HH", 2, len(body) + 25)
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", len(extra)) + extra
        blocks.append(head + body + struct.pack("<II", zlib.crc32(piece), len(piece)))
    return b"".join(blocks) + END_OF_BGZF


fields = st.text("ACGTN.<>*", min_size=1, max_size=6)
records = st.tuples(
    st.sampled_from(["chr1", "1", "HLA:x"]),
    st.integers(0, 2**31 - 1),
    st.sampled_from([".", "rs1;rs2"]),
    fields,
    st.lists(fields, min_size=1, max_size=4),
    st.sampled_from([".", "30", "1e-3"]),
    st.sampled_from(["PASS", "q10;s50"]),
    st.sampled_from([".", "AC=1;X", "NOTE=é ü"]),
)


@given(st.lists(records, min_size=1, max_size=8), st.booleans(), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_what_was_written_is_read_one_row_an_allele(tmp_path_factory, rows, crlf, samples):
    more = ["", "\tGT" + "\t0/1:2,3" * samples]
    lines = [
        "\t".join([chrom, str(position), name, ref, ",".join(alts), *rest]) + more[samples > 0]
        for chrom, position, name, ref, alts, *rest in rows
    ]
    text = HEADER + "\n".join(lines) + "\n" * (samples != 1)
    path = tmp_path_factory.mktemp("vcf") / "x.vcf"
    path.write_bytes((text.replace("\n", "\r\n") if crlf else text).encode())
    table = read_vcf(path)
    expected = [
        (record, record + 4, allele, chrom, position, position - 1 if position else -1, name, ref, alt, *rest)
        for record, (chrom, position, name, ref, alts, *rest) in enumerate(rows)
        for allele, alt in enumerate(alts, start=1)
    ]
    found = table.drop(columns=["status", "reason", "detail"]).itertuples(index=False, name=None)
    assert [(*row[:5], max(row[5], -1), *row[6:]) for row in found] == expected
    assert (table["status"] == "ok").all()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode()), bgzip])
def test_compression_line_ends_and_byte_order_mark_make_no_difference(tmp_path, pack, mark, newline):
    plain = read_vcf(written(tmp_path, HEADER + BODY))
    text = mark + (HEADER + BODY).replace("\n", newline)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The content tells, not the ending.
        other = read_vcf(written(tmp_path, pack(text), "other.txt"))
    assert other.equals(plain)
    assert other.attrs["path"].endswith("other.txt")


def test_the_last_line_needs_no_end_and_blank_lines_are_none(tmp_path):
    plain = read_vcf(written(tmp_path, HEADER + BODY))
    assert read_vcf(written(tmp_path, HEADER + BODY.rstrip("\n"))).equals(plain)
    assert read_vcf(written(tmp_path, HEADER + BODY + "\n\n")).equals(plain)


def test_letters_are_folded_and_names_are_not(tmp_path):
    body = "chr1\t5\t.\tacg\tc,<DEL:me>,G]chrX:9]\t.\t.\t.\n"
    table = read_vcf(written(tmp_path, HEADER + body))
    assert table["ref"].tolist() == ["ACG"] * 3
    assert table["alt"].tolist() == ["C", "<DEL:me>", "G]chrX:9]"]


@pytest.mark.parametrize(
    "position", ["abc", "1.5", "-3", "", "+5", "1_000", "1e6", "٣", "2147483648", "9" * 30]
)
def test_a_position_that_is_no_whole_number_is_told_in_its_row(tmp_path, position):
    body = f"chr1\t{position}\t.\tA\tC,G\t.\t.\t.\n" + BODY
    table = read_vcf(written(tmp_path, HEADER + body))
    assert table["status"].tolist() == ["invalid"] * 2 + ["ok"] * 3
    assert table["position"].tolist() == [-1, -1, 5, 5, 7]
    assert set(table["reason"][:2]) == {"POS is not a whole number"}
    assert f"POS {position!r} is not" in table["detail"][0]


def test_a_header_without_records_gives_no_rows_and_a_warning(tmp_path):
    with pytest.warns(UserWarning, match=r"some\.vcf has a header but no record") as warned:
        table = read_vcf(written(tmp_path, HEADER))
    assert warned[0].filename == __file__
    full = read_vcf(written(tmp_path, HEADER + BODY))
    assert len(table) == 0
    assert table.dtypes.equals(full.dtypes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"some\.vcf is empty \(0 bytes\)"),
        (gzip.compress(b"", mtime=0), r"is empty once decompressed"),
        (BODY, r"some\.vcf:1 is a record before any '#CHROM' line: put the file's header before it"),
        (BODY.replace("\t", " "), r"some\.vcf:1 is a record before any '#CHROM' line"),
        ("##fileformat=VCFv4.3\n", r"has no '#CHROM' line and no record"),
        (">chr1\nACGT\n", r"some\.vcf:1 is '>chr1', neither a header nor a record"),
        (HEADER.replace("\tPOS", " POS"), r"some\.vcf:3 names the columns '#CHROM POS ID.*with tabs"),
        (HEADER.replace("REF\tALT", "ALT\tREF"), r"some\.vcf:3 names the columns"),
        (HEADER + BODY.replace("\t", "  "), r"some\.vcf:4 has spaces where a VCF has tabs"),
        (HEADER + BODY + "chr1\t9\t.\tA\tC\n", r"some\.vcf:6 has 5 columns, but a VCF has 8 or more"),
        (HEADER + BODY + "ch", r"some\.vcf:6 has 1 column, but a VCF has 8"),
        (gzip.compress((HEADER + BODY).encode(), mtime=0)[:-12], "is truncated, it ends too early"),
        (bgzip(HEADER + BODY)[:80], "is truncated, it ends too early"),
        (gzip.compress((HEADER + BODY).encode(), mtime=0)[:30] + b"\xff" * 200, "is damaged"),
        (gzip.compress(b"BCF\2\2\0\0\0", mtime=0), "is a BCF, not a VCF: convert it"),
        (b"\x89HDF\r\n\x1a\n\0\0\0", "is binary, not a VCF"),
        ((HEADER + BODY).encode("utf-16"), "is binary, not a VCF"),
    ],
    ids=range(17),  # the bytes themselves make no names that two processes agree on
)
@pytest.mark.filterwarnings("ignore:.*lacks the block")
def test_what_is_no_vcf_is_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_vcf(written(tmp_path, content))


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path):
    written(tmp_path, HEADER, "calls.vcf")
    with pytest.raises(InputError, match=r"no file .*call\.vcf: did you mean 'calls\.vcf'"):
        read_vcf(tmp_path / "call.vcf")
    with pytest.raises(InputError, match="is a folder"):
        read_vcf(tmp_path)


def test_a_bgzip_that_was_cut_between_two_blocks_is_warned_of(tmp_path):
    # Nothing else tells: what is left is a whole gzip file.
    whole = bgzip(HEADER + BODY, block=len(HEADER + BODY.split("\n")[0]) + 1)
    with pytest.warns(UserWarning, match="lacks the block that ends a bgzip file") as warned:
        table = read_vcf(written(tmp_path, whole[: -len(END_OF_BGZF)]))
    assert warned[0].filename == __file__
    assert len(table) == 3
