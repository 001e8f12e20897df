"""Laws of reading peaks: what was written comes back, however it is counted, and agrees with the genome."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.genome import Genome
from genailab.data.genome.peaks import read_peaks_fasta
from genailab.data.sequences.encoding import decode
from genailab.data.sequences.reverse_complement import reverse_complement
from genailab.errors import InputError

SHARED = next(
    (folder for root in Path(__file__).parents if (folder := root / "shared" / "data").is_dir()),
    None,
)


def write(path: Path, records: dict[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    return path


@settings(max_examples=30, deadline=None)
@given(
    starts=st.lists(st.integers(0, 10**9), min_size=1, max_size=6, unique=True),
    chrom=st.sampled_from(["chr1", "X", "HLA-A*01:01", "GL000220.1", "chrUn_2-3"]),
    strand=st.sampled_from(["", "(+)", "(-)", "(.)"]),
    prefix=st.sampled_from(["", "peak::", "a:b::"]),
    one_based=st.booleans(),
    seed=st.integers(0, 99),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    starts: list[int],
    chrom: str,
    strand: str,
    prefix: str,
    one_based: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    letters = ["".join(rng.choice(list("ACGTN"), 12)) for _ in starts]
    names = [f"{prefix}{chrom}:{start + one_based}-{start + 12}{strand}" for start in starts]
    path = write(tmp_path_factory.mktemp("peaks") / "peaks.fa", dict(zip(names, letters, strict=True)))
    codes, intervals = read_peaks_fasta(path, one_based=one_based)
    assert decode(codes) == letters
    assert intervals["start"].tolist() == starts
    assert (intervals["end"] - intervals["start"]).tolist() == [12] * len(starts)
    assert set(intervals["chrom"]) == {chrom}
    assert set(intervals["strand"]) == {strand.strip("()") or "."}


def test_the_genome_holds_the_peak_at_its_interval(tmp_path: Path) -> None:
    sequence = "".join(np.random.default_rng(0).choice(list("ACGT"), 200))
    genome = Genome(write(tmp_path / "genome.fa", {"chr1": sequence}))
    path = write(
        tmp_path / "peaks.fa",
        {"chr1:10-40(+)": sequence[10:40], "chr1:90-120(-)": reverse_complement(sequence[90:120])},
    )
    codes, intervals = read_peaks_fasta(path)
    assert genome.windows(intervals, 30).equal(codes)


def test_gzip_and_soft_mask_make_no_difference(tmp_path: Path) -> None:
    plain = write(tmp_path / "peaks.fa", {"chr1:0-4": "ACGT", "chr2:5-9": "ggta"})
    packed = tmp_path / "peaks.fa.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes().upper().replace(b"CHR", b"chr")))
    for one, other in zip(read_peaks_fasta(plain), read_peaks_fasta(packed), strict=True):
        assert one.equals(other) if hasattr(one, "equals") else one.equal(other)


@pytest.mark.parametrize(
    ("records", "one_based", "message"),
    [
        ({"chr1:0-4": "ACGT", "peak2": "ACGT"}, False, "record 2, 'peak2', has no coordinates"),
        ({"chr1:1-4": "ACGT"}, False, "pass one_based=True"),
        ({"chr1:0-4": "ACGT"}, True, "leave out one_based=True"),
        ({"chr1:4-0": "ACGT"}, False, "4 letters and spans -4"),
        ({"chr1:0-9": "ACGT"}, False, "4 letters and spans 9"),
        ({"chr1:0-4": "ACGT", "chr1:0-5": "ACGTA"}, False, "5 letters and the first record 4"),
    ],
)
def test_names_that_cannot_be_right_are_refused(
    tmp_path: Path, records: dict[str, str], one_based: bool, message: str
) -> None:
    path = write(tmp_path / "peaks.fa", records)
    with pytest.raises(InputError, match=message) as caught:
        read_peaks_fasta(path, one_based=one_based)
    assert str(path) in str(caught.value)


@pytest.mark.shared_data
@pytest.mark.skipif(SHARED is None, reason="no folder of shared data")
@pytest.mark.parametrize(("name", "n_peaks"), [("ctcf", 39_184), ("pu1", 28_677)])
def test_the_peaks_of_the_benchmark(name: str, n_peaks: int) -> None:
    assert SHARED is not None
    codes, intervals = read_peaks_fasta(SHARED / f"{name}.fa.gz")
    assert codes.shape == (n_peaks, 100)
    assert len(intervals) == n_peaks
    assert not intervals.duplicated().any()
