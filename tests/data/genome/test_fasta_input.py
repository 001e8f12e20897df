"""What a FASTA file may look like, and what is said of one that can't be right."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.fasta import transcribe
from genailab.data.genome.genome import Genome
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

SEQUENCE = "ACGTNRYSWKMBDHVacgtn"


def written(tmp_path, content, name="x.fa"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def whole(path):
    genome = Genome(path)
    return {name: genome.text(name, 0, length) for name, length in genome.chromosomes.items()}


@pytest.mark.parametrize(
    "content",
    [
        ">a b c\nACGTAC\nGT\n>b\nNNN\n",
        ">a\r\nACGTAC\r\nGT\r\n>b\r\nNNN\r\n",  # CR LF
        ">a\nACGTAC\nGT\n>b\nNNN",  # no last newline
        "\ufeff>a\nACGTAC\nGT\n>b\nNNN\n",  # a BOM
        "\n\n>a\n\nA\nCGTACG\n\nT\n\n>b\nNNN\n\n\n",  # ragged and blank lines
        ">a\nACGTACGT \n>b\t1\n NNN\n",  # white space at the ends
        ">a >b\nacgtACGT\n>b\nnnn\n",  # lower case, and a '>' within a header
    ],
)
def test_every_way_of_writing_a_genome_reads_the_same(tmp_path, content):
    assert whole(written(tmp_path, content)) == {"a": "ACGTACGT", "b": "NNN"}


@given(
    records=st.lists(st.text(SEQUENCE, min_size=1, max_size=60), min_size=1, max_size=5),
    widths=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.integers(1, 40),
)
@settings(max_examples=50, deadline=None)
def test_the_codes_are_the_letters_wherever_lines_and_blocks_end(
    tmp_path_factory, records, widths, end, block
):
    text = ""
    for number, record in enumerate(records):
        text += f">r{number} described{end}"
        while record:
            width = widths[len(record) % len(widths)]
            text, record = text + record[:width] + end, record[width:]
    path = written(tmp_path_factory.mktemp("fasta"), text)
    codes, lower = bytearray(), bytearray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genailab.data.genome.fasta._BLOCK", block)
        lengths = transcribe(path, codes.extend, write_mask=lower.extend)
    assert list(lengths.values()) == [len(record) for record in records]
    letters = "".join(records)
    assert codes == bytes(DNA.codes_of[letter.upper()] for letter in letters)
    assert lower == bytes(letter.islower() for letter in letters)


@pytest.mark.parametrize("members", [1, 3])
def test_compressed_files_are_told_by_their_content(tmp_path, members):
    # bgzip writes many gzip members one after the other.
    pieces = [b">a\nACG", b"TAC\nGT\n>", b"b\nNNN\n"]
    if members == 1:
        pieces = [b"".join(pieces)]
    content = b"".join(gzip.compress(piece) for piece in pieces)
    expected = {"a": "ACGTACGT", "b": "NNN"}
    assert whole(written(tmp_path, content, "x.fa.gz")) == expected
    assert whole(written(tmp_path, content, "misnamed.fa")) == expected


@pytest.mark.parametrize("block", range(1, 9))
def test_a_mark_within_a_line_is_no_header_wherever_blocks_end(tmp_path, monkeypatch, block):
    monkeypatch.setattr("genailab.data.genome.fasta._BLOCK", block)
    with pytest.raises(InputError, match=r"x\.fa:3 has '>' at position 4"):
        Genome(written(tmp_path, ">a\nAC\nGT>b\nGT\n"))


def test_truncated_or_damaged_gzip_is_refused(tmp_path):
    content = gzip.compress(b">a\n" + b"ACGTGACTAGCTGATC" * 1000)
    with pytest.raises(InputError, match=r"x\.fa\.gz ends in the middle of its gzip data"):
        Genome(written(tmp_path, content[:-12], "x.fa.gz"))
    damaged = content[:12] + bytes([content[12] ^ 255]) + content[13:]
    with pytest.raises(InputError, match=r"x\.fa\.gz is damaged gzip data"):
        Genome(written(tmp_path, damaged, "x.fa.gz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"x\.fa is empty \(0 bytes\)"),
        ("\n \n", r"x\.fa holds no sequence, only blank lines"),
        ("\nACGT\n>a\nA\n", r"x\.fa:2 is 'ACGT', where the first record's header should be"),
        ("%PDF and more than twenty letters", r"x\.fa:1 is '%PDF and more than t\.\.\.'"),
        (b"\x89HDF\x00\x00", r"x\.fa is a binary file, not FASTA"),
        (">\nACGT\n", r"x\.fa:1 starts a record without a name"),
        (">a\nA\n> b\nACGT\n", r"x\.fa:3 starts a record without a name: write one directly after"),
        (">a\nAC\n>b\nC\n>a c\nG\n", r"x\.fa:5 starts a second record 'a' \(the first is in line 1\)"),
        (">a\n>b\nACGT\n", r"x\.fa:1 starts record 'a', which has no sequence"),
        (">a\nACGT\n>b", r"x\.fa:3 starts record 'b', which has no sequence: the file may be truncated"),
        (">a\nAC\n>b\nACGT\nAGU\n", r"x\.fa:5 has 'U' at position 6 \(from 0\) of record 'b'.*write T for U"),
        (">a\nMKL\n", r"x\.fa:2 has 'L' at position 2 .* looks like a protein"),
        (">a\nAC-T\n", r"x\.fa:2 has '-' at position 2 .*: remove it or write N"),
        (">a\nACGT>b\nACGT\n", r"x\.fa:2 has '>' at position 4"),
    ],
)
def test_says_what_is_wrong_and_in_which_line(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as caught:
        Genome(written(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.fa"]  # nothing half-written is left


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    written(tmp_path, ">a\nA\n", "genome.fa")
    with pytest.raises(InputError, match=r"no file .*genom\.fa: did you mean 'genome\.fa'\?"):
        Genome(tmp_path / "genom.fa")
    with pytest.raises(InputError, match="is a folder, not a file: give the FASTA file in it"):
        Genome(tmp_path)
