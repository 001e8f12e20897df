"""Every stretch that our genome gives is the one that pyfaidx and pysam read from the same FASTA."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.genome import Genome

pyfaidx = pytest.importorskip("pyfaidx")

SIZES = {"chr1": 5000, "chr2": 61, "chr3": 1}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("oracle") / "x.fa"
    generator = np.random.default_rng(0)
    with path.open("w") as file:
        for name, size in SIZES.items():
            letters = "".join(generator.choice(list("ACGTacgtNRYSWKMBDHV"), size))
            file.write(
                f">{name} described\n" + "".join(f"{letters[i : i + 60]}\n" for i in range(0, size, 60))
            )
    return path


@pytest.fixture(scope="module")
def both(path):
    return Genome(path), pyfaidx.Fasta(str(path), sequence_always_upper=True)


stretches = st.sampled_from(list(SIZES)).flatmap(
    lambda name: st.tuples(
        st.just(name), st.integers(0, SIZES[name] - 1).flatmap(
            lambda start: st.tuples(st.just(start), st.integers(start + 1, SIZES[name]))
        ),
    )
)  # fmt: skip


@given(stretches, st.sampled_from("+-"))
@settings(max_examples=50, deadline=None)
def test_every_fetch_equals_pyfaidx(both, stretch, strand):
    genome, fasta = both
    name, (start, end) = stretch
    expected = fasta[name][start:end]
    expected = expected.reverse.complement if strand == "-" else expected
    assert genome.text(name, start, end, strand) == str(expected)


def test_names_and_lengths_equal_pyfaidx(both):
    genome, fasta = both
    assert genome.chromosomes == {name: len(fasta[name]) for name in fasta.keys()}  # noqa: SIM118


@given(stretches)
@settings(max_examples=25, deadline=None)
def test_every_fetch_equals_pysam(both, path, stretch):
    pysam = pytest.importorskip("pysam")
    name, (start, end) = stretch
    with pysam.FastaFile(str(path)) as fasta:
        assert both[0].text(name, start, end) == fasta.fetch(name, start, end).upper()


def test_a_bgzip_file_of_pysam_reads_as_the_plain_one(path, both, tmp_path):
    pysam = pytest.importorskip("pysam")
    packed = tmp_path / "x.fa.gz"
    pysam.tabix_compress(str(path), str(packed))
    genome = Genome(packed, soft_mask=True)
    assert genome.text("chr1", 0, SIZES["chr1"]) == both[0].text("chr1", 0, SIZES["chr1"])
    masked = pyfaidx.Fasta(str(path))["chr1"][:].seq
    assert genome.mask("chr1", 0, SIZES["chr1"]).tolist() == [letter.islower() for letter in masked]
