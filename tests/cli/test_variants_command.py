"""``genailab data variants``: every record is counted, and wrong ones are told."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from genailab.cli.main import app
from genailab.errors import InputError

VCF = """##fileformat=VCFv4.2
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
chr1\t2\ta\tC\tT,G\t.\t.\t.
chr1\t3\tb\tA\tC\t.\t.\t.
1\t4\tc\tT\tA\t.\t.\t.
chr1\t4\td\tT\t<DEL>\t.\t.\t.
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "x.fa").write_text(">chr1\nACGTACGT\n")
    (tmp_path / "x.vcf").write_text(VCF)
    return [str(tmp_path / "x.vcf"), "--genome", str(tmp_path / "x.fa")]


def call(*words: str):
    return CliRunner().invoke(app, ["data", "variants", *words])


def test_every_allele_is_counted_and_written_with_its_status(files, tmp_path):
    result = call(*files, "--out", str(tmp_path / "judged.tsv"))
    assert result.exit_code == 0
    table = pd.read_csv(tmp_path / "judged.tsv", sep="\t")
    assert table["status"].tolist() == ["ok", "ok", "invalid", "invalid", "skipped"]
    assert "5  in all" in result.stdout
    counted = json.loads(call(*files, "--json").stdout)
    assert sum(row["rows"] for row in counted) == 5


def test_an_alias_is_used_only_where_it_is_given(files):
    counted = json.loads(call(*files, "--alias", "1=chr1", "--json").stdout)
    assert {row["status"]: row["rows"] for row in counted if row["status"] == "ok"}["ok"] == 3
    with pytest.raises(InputError, match="1=chr1"):
        raise call(*files, "--alias", "chr1").exception


def test_fail_stops_at_the_first_wrong_record_with_its_line(files):
    result = call(*files, "--on-error", "fail")
    assert isinstance(result.exception, InputError)
    assert "x.vcf:4" in str(result.exception)
    assert "the genome has 'G' there" in str(result.exception)
