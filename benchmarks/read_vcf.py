"""VCF to a table of alleles, then to windows: 100,000 records, reading beside cyvcf2 and pysam.

The readers take turns, one thread, CPU seconds of the process. cyvcf2 and pysam hand out records, so the
table is made of them as a user would, with 5 columns where `read_vcf` has 15. Windows have no counterpart
there: `check_variants` and `haplotypes` are timed alone.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import save_result

from genailab.data.genome.genome import Genome
from genailab.data.variants.checks import check_variants
from genailab.data.variants.haplotypes import haplotypes
from genailab.data.variants.vcf import read_vcf

RECORDS, BASES, LENGTH, ROUNDS = 100_000, 5_000_000, 200, 7
HEADER = "##fileformat=VCFv4.3\n##contig=<ID=c>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
COLUMNS = ["chrom", "position", "id", "ref", "alt"]


def main() -> None:
    """Write a genome and its variants, then time each step."""
    with tempfile.TemporaryDirectory() as folder:
        letters = _write_genome(Path(folder) / "c.fa")
        snvs, indels = (_write_variants(Path(folder), letters, indel=kind) for kind in (False, True))
        readers = {"genailab": read_vcf, "cyvcf2": _with_cyvcf2, "pysam": _with_pysam}
        seconds = {name: [] for name in readers}
        for _ in range(ROUNDS):
            for name, read in readers.items():
                seconds[name].append(_cpu(read, snvs))
        assert all(read(snvs)["ref"].equals(read_vcf(snvs)["ref"]) for read in readers.values())
        genome = Genome(Path(folder) / "c.fa")
        steps = {
            f"{step}, {kind}": [_steps(genome, path)[step] for _ in range(3)]
            for kind, path in (("SNV", snvs), ("indels", indels))
            for step in ("check_variants", "haplotypes")
        }
    found = {name: _spread(values) for name, values in {**seconds, **steps}.items()}
    save_result(
        "read_vcf", {"records": RECORDS, "window": LENGTH, "cpu_seconds": found}, packages=("cyvcf2", "pysam")
    )


def _write_genome(path: Path) -> str:
    bases = np.random.default_rng(0).choice(list(b"ACGT"), BASES).astype(np.uint8)
    letters = bases.tobytes().decode()
    path.write_text(">c\n" + "\n".join(letters[i : i + 60] for i in range(0, BASES, 60)) + "\n")
    return letters


def _write_variants(folder: Path, letters: str, *, indel: bool) -> Path:
    random = np.random.default_rng(1)
    path = folder / f"{'indel' if indel else 'snv'}.vcf"
    lines = []
    for position in np.sort(random.integers(1, BASES - 20, RECORDS)).tolist():
        ref, more = letters[position - 1], letters[position : position + random.integers(1, 9)]
        alleles = [ref, ref + more] if indel else [ref, "CGTA"["ACGT".index(ref)]]
        if indel and position % 2:
            alleles.reverse()
        lines.append(f"c\t{position}\trs{position}\t{alleles[0]}\t{alleles[1]}\t100\tPASS\tAC=20;AF=0.01\n")
    path.write_text(HEADER + "".join(lines))
    return path


def _with_cyvcf2(path: Path) -> pd.DataFrame:
    from cyvcf2 import VCF

    rows = [(one.CHROM, one.POS, one.ID, one.REF, alt) for one in VCF(str(path)) for alt in one.ALT]
    return pd.DataFrame(rows, columns=COLUMNS)


def _with_pysam(path: Path) -> pd.DataFrame:
    import pysam

    with pysam.VariantFile(str(path)) as file:
        rows = [(one.chrom, one.pos, one.id, one.ref, alt) for one in file for alt in one.alts]
    return pd.DataFrame(rows, columns=COLUMNS)


def _steps(genome: Genome, path: Path) -> dict[str, float]:
    table = read_vcf(path)
    checked = check_variants(table, genome)
    return {
        "check_variants": _cpu(check_variants, table, genome),
        "haplotypes": _cpu(haplotypes, genome, checked, LENGTH),
    }


def _cpu(call: Callable[..., Any], *arguments: object) -> float:
    started = time.process_time()
    call(*arguments)
    return time.process_time() - started


def _spread(values: list[float]) -> dict[str, float]:
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


if __name__ == "__main__":
    main()
