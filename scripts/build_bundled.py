"""Rebuild every file of src/genailab/data/bundled/ from the packages that carry the data.

    python scripts/build_bundled.py [--packages FOLDER] [--out FOLDER]

FOLDER holds the unpacked packages (mavenn/, r-cran-mlbench/, emboss-test/); what it lacks is downloaded into
it with ``pip download`` and ``apt-get download``, without installing anything. The same packages give the
same bytes; ``table.csv`` beside the files holds their checksums.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import embl
import numpy as np
import pandas as pd
from groups import related_groups, split_groups
from read_rda import read_rda

HERE = Path(__file__).resolve().parent
BUNDLED = HERE.parent / "src" / "genailab" / "data" / "bundled"
PARTS = {"training": "train", "validation": "valid", "test": "test"}

WHEELS = {"mavenn": "mavenn==1.1.4"}
DEBIAN = {"r-cran-mlbench": "r-cran-mlbench", "emboss-test": "emboss-test"}

MLBENCH = "Debian r-cran-mlbench 2.1-3, data/DNA.rda"
MAVENN = "mavenn 1.1.4, examples/datasets/"
EMBOSS = "Debian emboss-test 6.6.0, test/embl/hum1.dat, entry BA000025.2"

# file -> what table.csv says of it beside the bytes
ABOUT = {
    "splice_junctions.csv.gz": {
        "name": "splice_junctions",
        "title": "UCI primate splice junctions, 60 bp, three classes",
        "origin": MLBENCH,
        "licence": "CC BY 4.0",
        "citation": "Noordewier, Towell & Shavlik 1991, UCI Machine Learning Repository, doi:10.24432/C5M888",
    },
    "splice_site_activity.csv.gz": {
        "name": "splice_site_activity",
        "title": "5' splice sites in BRCA2 exon 17 with measured inclusion, 9 nt",
        "origin": MAVENN + "mpsa_data.csv.gz",
        "licence": "MIT",
        "citation": "Wong, Kinney & Krainer 2018, doi:10.1016/j.molcel.2018.07.033; MAVE-NN"
        " (Tareen et al. 2022)",
    },
    "lac_promoters.csv.gz": {
        "name": "lac_promoters",
        "title": "E. coli lac promoters sorted by expression (sort-seq), 75 bp",
        "origin": MAVENN + "sortseq_data.csv.gz",
        "licence": "MIT",
        "citation": "Kinney et al. 2010, doi:10.1073/pnas.1004290107; MAVE-NN (Tareen et al. 2022)",
    },
    "gb1.csv.gz": {
        "name": "gb1",
        "title": "GB1 double mutants with counts before and after selection for IgG binding, 55 aa",
        "origin": MAVENN + "gb1_data.csv.gz",
        "licence": "MIT",
        "citation": "Olson, Wu & Sun 2014, doi:10.1016/j.cub.2014.09.072; MAVE-NN (Tareen et al. 2022)",
    },
    "hla_region.fa.gz": {
        "name": "hla_region",
        "title": "Human HLA class I region, chromosome 6p21.3, 2.23 Mb",
        "origin": EMBOSS,
        "licence": "public (INSDC)",
        "citation": "Hirakawa et al. 2001, INSDC BA000025",
    },
    "hla_region_cds.csv.gz": {
        "name": "hla_region_cds",
        "title": "Coding exons of the HLA class I region",
        "origin": EMBOSS,
        "licence": "public (INSDC)",
        "citation": "Hirakawa et al. 2001, INSDC BA000025",
    },
}


def main() -> None:
    """Build the files, then the table that describes them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--packages", type=Path, help="folder of unpacked packages (default: a temporary one)"
    )
    parser.add_argument("--out", type=Path, default=BUNDLED)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        packages = options.packages or Path(temporary)
        fetch(packages)
        build(packages, options.out)
    describe(options.out)


def fetch(packages: Path) -> None:
    """Download and unpack the packages that are not there yet."""
    for name, requirement in WHEELS.items():
        if not (packages / name).is_dir():
            run(sys.executable, "-m", "pip", "download", "--no-deps", "--dest", packages, requirement)
            zipfile.ZipFile(next(packages.glob(f"{name}-*.whl"))).extractall(packages / name)
    for name, package in DEBIAN.items():
        if not (packages / name).is_dir():
            run("apt-get", "download", package, folder=packages)
            run("dpkg-deb", "--extract", next(packages.glob(f"{name}_*.deb")), packages / name)


def run(*words: object, folder: Path | None = None) -> None:
    """Run a program and stop where it fails."""
    subprocess.run([str(word) for word in words], cwd=folder, check=True)


def build(packages: Path, out: Path) -> None:
    """Write every file of ``ABOUT``."""
    out.mkdir(parents=True, exist_ok=True)
    datasets = packages / "mavenn" / "mavenn" / "examples" / "datasets"
    write_csv(
        splice_junctions(next(packages.glob("r-cran-mlbench/**/DNA.rda"))), out / "splice_junctions.csv.gz"
    )
    write_csv(splice_site_activity(datasets / "mpsa_data.csv.gz"), out / "splice_site_activity.csv.gz")
    write_csv(lac_promoters(datasets / "sortseq_data.csv.gz"), out / "lac_promoters.csv.gz")
    write_csv(gb1(datasets / "gb1_data.csv.gz"), out / "gb1.csv.gz")
    entry = embl.read_entry(next(packages.glob("emboss-test/**/hum1.dat")), "BA000025")
    write(embl.fasta(entry), out / "hla_region.fa.gz")
    write_csv(embl.coding_exons(entry), out / "hla_region_cds.csv.gz")


def splice_junctions(path: Path) -> pd.DataFrame:
    """Decode 3 bits a base (100 A, 010 C, 001 G, 000 T) and split so that relatives stay together."""
    columns, attributes = read_rda(path)["DNA"]
    if attributes["names"][-1] != "Class" or len(columns) != 181:
        raise ValueError(f"{path} is not the data frame known: its columns are {attributes['names'][-3:]}")
    levels = [np.array(kind["levels"])[np.array(values) - 1] for values, kind in columns]
    bits = np.stack([column == "1" for column in levels[:-1]], axis=1).reshape(-1, 60, 3)
    letters = np.array(list("ACGT"))[np.where(bits.any(axis=2), bits.argmax(axis=2), 3)]
    sequences = ["".join(row) for row in letters]
    label = pd.Series(levels[-1]).map({"ei": "donor", "ie": "acceptor", "n": "neither"})
    group = related_groups(sequences, shared=20, mismatches=15)
    part = split_groups(group, label.to_numpy(), fractions={"train": 0.7, "valid": 0.1, "test": 0.2})
    return pd.DataFrame({"sequence": sequences, "label": label, "group": group, "part": part})


def splice_site_activity(path: Path) -> pd.DataFrame:
    """Write RNA as DNA and round the measurement far below its noise."""
    table = pd.read_csv(path)
    return pd.DataFrame(
        {
            "sequence": table["x"].str.replace("U", "T"),
            "log10_psi": table["y"].round(4),
            "included": table["ex_ct"],
            "total": table["tot_ct"],
            "part": table["set"].map(PARTS),
        }
    )


def lac_promoters(path: Path) -> pd.DataFrame:
    """Keep the sequences and the reads in each of the ten bins."""
    table = pd.read_csv(path)
    counts = table.filter(like="ct_").rename(columns=lambda name: name.replace("ct_", "bin_"))
    return pd.concat([table["x"].rename("sequence"), counts, table["set"].map(PARTS).rename("part")], axis=1)


def gb1(path: Path, *, per_substitution: int = 30, seed: int = 0) -> pd.DataFrame:
    """Sample double mutants until each of the 1,045 substitutions has been seen in ``per_substitution``."""
    table = pd.read_csv(path)
    codes = np.array([list(sequence) for sequence in table["x"]])
    wild_type = np.array([pd.Series(column).mode()[0] for column in codes.T])
    rows, positions = np.nonzero(codes != wild_type)
    substitutions = pd.factorize(pd.Series(positions.astype(str)) + codes[rows, positions])[0].reshape(-1, 2)
    left = np.full(substitutions.max() + 1, per_substitution)
    chosen = []
    for row in np.random.default_rng(seed).permutation(len(table)):
        if left[substitutions[row]].max() > 0:
            chosen.append(row)
            left[substitutions[row]] -= 1
    kept = table.iloc[np.sort(chosen)]
    return pd.DataFrame(
        {
            "sequence": kept["x"],
            "input": kept["input_ct"],
            "selected": kept["selected_ct"],
            "part": kept["set"].map(PARTS),
        }
    )


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as compressed CSV."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    write(text.getvalue(), path)


def write(text: str, path: Path) -> None:
    """Compress a text so that its bytes depend on nothing else."""
    # Neither a time nor a name in the header: the same text gives the same bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        file.write(text.encode())


def describe(out: Path) -> None:
    """Write table.csv: each file with its origin, licence, size and checksum."""
    rows = [
        {"file": file}
        | about
        | {
            "bytes": (out / file).stat().st_size,
            "sha256": hashlib.sha256((out / file).read_bytes()).hexdigest(),
        }
        for file, about in ABOUT.items()
    ]
    pd.DataFrame(rows).to_csv(out / "table.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
