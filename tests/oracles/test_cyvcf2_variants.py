"""Our VCF reader beside cyvcf2 and pysam (both htslib): the same records, alleles and fields."""

import gzip
import warnings

import numpy as np
import pytest

from genailab.data.variants.vcf import read_vcf

cyvcf2 = pytest.importorskip("cyvcf2")
pysam = pytest.importorskip("pysam")

HEADER = """##fileformat=VCFv4.3
##contig=<ID=1,length=100000>
##contig=<ID=chrX,length=5000>
##contig=<ID=HLA:0101,length=900>
##FILTER=<ID=q10,Description="Quality below 10">
##FILTER=<ID=s50,Description="Less than 50% of samples have data">
##ALT=<ID=DEL,Description="Deletion">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Total depth">
##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">
##INFO=<ID=DB,Number=0,Type=Flag,Description="dbSNP member">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\ttwo
"""
ALTS = ["A", "ACGTT", "T,G", "<DEL>", "*,T", "T]1:90]", ".", "C,<DEL>,GTGA"]


def lines(count: int, seed: int) -> str:
    random = np.random.default_rng(seed)
    picked = [
        [
            random.choice(["1", "chrX", "HLA:0101"]),
            str(random.integers(1, 900)),
            random.choice([".", "rs7", "rs7;rs8"]),
            "".join(random.choice(list("ACGTN"), random.integers(1, 9))),
            random.choice(ALTS),
            random.choice([".", "50", "0.25"]),
            random.choice([".", "PASS", "q10", "q10;s50"]),
            random.choice([".", "DP=4", "DB;DP=14"]),
            "GT\t0|1\t./.",
        ]
        for _ in range(count)
    ]
    return HEADER + "".join("\t".join(fields) + "\n" for fields in picked)


@pytest.fixture(params=["plain", "gzip", "bgzip"])
def path(request, tmp_path):
    place = tmp_path / ("x.vcf" if request.param == "plain" else "x.vcf.gz")
    text = lines(300, seed=7)
    if request.param == "plain":
        place.write_text(text)
    elif request.param == "gzip":
        place.write_bytes(gzip.compress(text.encode()))
    else:
        with pysam.BGZFile(str(place), "w") as file:
            file.write(text.encode())
    return place


def test_every_allele_has_the_fields_that_cyvcf2_reads(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = read_vcf(path)
    expected = [
        (number, allele, found.CHROM, found.POS, found.start, found.ID or ".", found.REF, alt)
        for number, found in enumerate(cyvcf2.VCF(str(path)))
        for allele, alt in enumerate(found.ALT or ["."], start=1)
    ]
    columns = ["record", "allele", "chrom", "position", "start", "id", "ref", "alt"]
    assert list(table[columns].itertuples(index=False, name=None)) == expected


@pytest.mark.parametrize("path", ["plain", "bgzip"], indirect=True)  # pysam doesn't open plain gzip
def test_quality_filter_and_info_are_as_pysam_reads_them(path):
    table = read_vcf(path).drop_duplicates("record").reset_index(drop=True)
    with pysam.VariantFile(str(path)) as file:
        records = list(file)
    assert len(records) == len(table)
    for row, record in zip(table.itertuples(), records, strict=True):
        assert (None if row.qual == "." else float(row.qual)) == record.qual
        assert ([] if row.filter == "." else row.filter.split(";")) == list(record.filter)
        info = dict(part.partition("=")[::2] for part in row.info.split(";") if part != ".")
        assert {key: int(value) if value else True for key, value in info.items()} == dict(record.info)


def test_an_index_made_by_htslib_finds_the_rows_at_the_same_places(tmp_path):
    header = HEADER.rstrip("\n").rsplit("\n", 1)[0] + "\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    positions = sorted(np.random.default_rng(3).integers(1, 90_000, 200).tolist())
    place = tmp_path / "sorted.vcf"
    place.write_text(header + "".join(f"1\t{position}\t.\tA\tC\t.\t.\t.\n" for position in positions))
    table = read_vcf(place)
    pysam.tabix_index(str(place), preset="vcf", force=True)
    with pysam.VariantFile(f"{place}.gz") as file:
        # fetch takes 0-based half-open coordinates, as `start` is.
        for start, end in [(0, 10_000), (5_000, 5_001), (40_000, 90_000)]:
            found = [record.start for record in file.fetch("1", start, end)]
            inside = table["start"].between(start, end, inclusive="left")
            assert found == table.loc[inside, "start"].tolist()
