"""``genailab data variants``: a VCF held against a genome, before anything is predicted from it."""

from __future__ import annotations

import json as json_text
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genailab.errors import InputError

__all__ = ["variants"]


class OnError(StrEnum):
    """What to do about records that cannot be right."""

    report = "report"
    fail = "fail"


def variants(
    vcf: Annotated[Path, typer.Argument(help="VCF: plain, gzip or bgzip.")],
    genome: Annotated[Path, typer.Option(help="FASTA of the genome that its positions refer to.")],
    out: Annotated[Path | None, typer.Option(help="Table to write (.tsv): every record, judged.")] = None,
    alias: Annotated[
        list[str] | None, typer.Option(help="A contig's other name, as 1=chr1; may be repeated.")
    ] = None,
    on_error: Annotated[
        OnError, typer.Option(help="report gives wrong records a reason; fail stops at the first.")
    ] = OnError.report,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Check each variant against the genome and count what can be scored, and what can't and why."""
    from genailab.data import Genome, check_variants, read_vcf, summarise_variants

    checked = check_variants(
        read_vcf(vcf), Genome(genome), aliases=_aliases(alias or []), on_error=on_error.value
    )
    if out is not None:
        checked.to_csv(out, sep="\t", index=False)
    summary = summarise_variants(checked)
    if json:
        typer.echo(json_text.dumps(summary.to_dict("records"), indent=2))
        return
    for row in summary.itertuples():
        typer.echo(f"{row.rows:>9,}  {row.status:<8} {row.reason}")
    typer.echo(f"{len(checked):>9,}  in all" + (f", written to {out}" if out else ""))


def _aliases(given: list[str]) -> dict[str, str]:
    aliases = dict(text.partition("=")[::2] for text in given)
    for name, contig in aliases.items():
        if not name or not contig:
            raise InputError(f"--alias {name}: write the VCF's name, =, and the genome's, for example 1=chr1")
    return aliases
