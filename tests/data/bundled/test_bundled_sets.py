"""The bundled data are what their table says, obey the biology they claim, and are split without leaks."""

import gzip
import hashlib
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch

from genailab.data.bundled.hla_region import load_hla_region
from genailab.data.bundled.sequence_sets import (
    BUNDLED,
    about_bundled,
    bundled_names,
    load_gb1,
    load_lac_promoters,
    load_splice_junctions,
    load_splice_site_activity,
)
from genailab.data.catalog.celltypist_sample import load_celltypist_sample
from genailab.data.sequences.alphabet import DNA, PROTEIN
from genailab.data.sequences.encoding import decode
from genailab.errors import InputError

LOADERS = (load_splice_junctions, load_splice_site_activity, load_lac_promoters, load_gb1)
PARTS = ("train", "valid", "test")
COMPLEMENT = str.maketrans("ACGT", "TGCA")
STOPS = ("TAA", "TAG", "TGA")


@pytest.fixture(scope="module")
def junctions():
    return load_splice_junctions()


@pytest.fixture(scope="module")
def region():
    return load_hla_region()


@pytest.fixture(scope="module")
def sequence(region):
    with gzip.open(region.fasta, "rt") as file:
        header, *lines = file.read().split("\n")
    assert header.split()[0] == ">BA000025.2"
    return "".join(lines)


@pytest.mark.parametrize("name", bundled_names())
def test_every_file_has_the_checksum_and_the_terms_of_the_table(name):
    about = about_bundled(name)
    content = (BUNDLED / about["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == about["sha256"]
    assert len(content) == int(about["bytes"])
    assert all(about[key] for key in ("title", "origin", "licence", "citation"))
    assert content[3:8] == bytes(
        5
    )  # no name and no time in the gzip header: building again gives these bytes


def test_the_table_lists_every_file_and_they_stay_small():
    files = {
        path.name: path.stat().st_size
        for path in BUNDLED.glob("*.*")
        if path.suffix not in (".py", ".genailab")
    }
    listed = {about_bundled(name)["file"] for name in bundled_names()}
    assert set(files) == listed | {"table.csv", "README.md"}
    assert sum(files.values()) < 4e6


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="no bundled data set 'gb2': did you mean 'gb1'"):
        about_bundled("gb2")


@pytest.mark.parametrize(
    ("load", "shape", "parts"),
    [
        (load_splice_junctions, (3186, 60), (2228, 320, 638)),
        (load_splice_site_activity, (30483, 9), (18469, 5936, 6078)),
        (load_lac_promoters, (50518, 75), (30516, 10067, 9935)),
        (load_gb1, (17227, 55), (15527, 813, 887)),
    ],
)
def test_codes_table_and_parts_fit_each_other(load, shape, parts):
    loaded = load()
    assert tuple(loaded.codes.shape) == shape
    assert loaded.codes.dtype == torch.uint8
    assert decode(loaded.codes, alphabet=loaded.alphabet) == loaded.table["sequence"].tolist()
    assert int(loaded.codes.max()) < loaded.alphabet.size  # no unknown letters
    assert tuple(len(loaded.positions(part)) for part in PARTS) == parts
    assert sum(parts) == len(loaded)
    assert loaded.alphabet is (PROTEIN if load is load_gb1 else DNA)
    measured = loaded.table.select_dtypes("number")
    assert np.isfinite(measured).all(axis=None)


def test_rows_are_the_codes_and_labels_of_their_part(junctions):
    rows = junctions.rows("test")
    at = junctions.positions("test")
    assert torch.equal(rows.columns["codes"], junctions.codes[at])
    assert rows.columns["label"].dtype == torch.int64
    classes = junctions.classes("label")
    assert classes == ("donor", "acceptor", "neither")
    named = [classes[number] for number in rows.columns["label"]]
    assert named == junctions.table["label"].iloc[at].tolist()
    activity = load_splice_site_activity()
    target = activity.rows("valid", target="total").columns["target"]
    assert target.dtype == torch.float32
    assert target.tolist() == activity.table["total"].iloc[activity.positions("valid")].tolist()
    assert len(activity.rows()) == len(activity)


def test_parts_and_columns_that_are_not_there_are_told(junctions):
    with pytest.raises(InputError, match="no part 'tests' in splice_junctions: did you mean 'test'"):
        junctions.rows("tests")
    with pytest.raises(InputError, match="no column 'labels' in splice_junctions: did you mean 'label'"):
        junctions.rows("test", label="labels")


def test_junctions_have_their_signals_where_the_docstring_says(junctions):
    labels = junctions.table["label"]
    assert Counter(labels) == {"donor": 767, "acceptor": 765, "neither": 1654}
    sequences = junctions.table["sequence"]
    assert (sequences.str[30:32] == "GT")[labels == "donor"].mean() > 0.98
    assert (sequences.str[28:30] == "AG")[labels == "acceptor"].mean() > 0.98
    assert (sequences.str[30:32] == "GT")[labels == "neither"].mean() < 0.15


def test_no_relative_of_a_junction_is_in_another_part(junctions):
    table = junctions.table
    assert (table.groupby("group")["part"].nunique() == 1).all()
    letters = np.eye(4, dtype=np.float32)[junctions.codes.numpy()].reshape(len(table), -1)
    differences = 60 - letters @ letters.T
    near = differences <= 15
    apart = table["part"].to_numpy()[:, None] != table["part"].to_numpy()[None]
    assert not (near & apart).any()
    assert len(table) - table["sequence"].nunique() == 185
    assert table["group"].nunique() == 2625
    assert (table["group"].map(table["group"].value_counts()) > 1).sum() == 819


def test_windows_that_share_twenty_letters_are_in_one_part(junctions):
    seen: dict[str, set[str]] = {}
    for sequence, part in zip(junctions.table["sequence"], junctions.table["part"], strict=True):
        for strand in (sequence, sequence.translate(COMPLEMENT)[::-1]):
            for start in range(41):
                seen.setdefault(strand[start : start + 20], set()).add(part)
    assert max(map(len, seen.values())) == 1


def test_classes_of_junctions_are_in_proportion_in_every_part(junctions):
    shares = pd.crosstab(junctions.table["part"], junctions.table["label"], normalize="index")
    assert (shares.max() - shares.min()).max() < 0.01


def test_splice_site_activity_is_the_log_ratio_of_its_reads():
    table = load_splice_site_activity().table
    assert table["sequence"].str.fullmatch("[ACGT]{3}G[CT][ACGT]{4}").all()
    assert table["sequence"].is_unique
    ratio = np.log10((table["included"] + 1) / (table["total"] + 1))
    shift = table["log10_psi"] - ratio
    assert shift.to_numpy() == pytest.approx(np.log10(10.2), abs=2e-4)
    # U2 sites are GT: the consensus CAG|GTAAGT is near 100%, sites with GC are not spliced as a rule.
    assert table.set_index("sequence")["log10_psi"]["CAGGTAAGT"] == pytest.approx(2, abs=0.1)
    assert table.groupby(table["sequence"].str[4])["log10_psi"].mean().diff().iloc[-1] > 0.1


def test_lac_activity_is_the_mean_bin_and_wild_type_like_promoters_are_more_active():
    table = load_lac_promoters().table
    bins = table[[f"bin_{number}" for number in range(10)]].to_numpy()
    assert (bins.sum(axis=1) >= 1).all()
    assert bins.sum() == table["reads"].sum() == 51853
    assert table["activity"].between(0, 9).all()
    mean = (bins * np.arange(10)).sum(axis=1) / bins.sum(axis=1)
    assert table["activity"].to_numpy() == pytest.approx(mean)
    letters = np.array([list(sequence) for sequence in table["sequence"]])
    wild_type = np.array([Counter(column).most_common(1)[0][0] for column in letters.T])
    assert "TATGTTGTGTGG" in "".join(wild_type)
    changed = (letters != wild_type).sum(axis=1)
    assert np.corrcoef(changed, table["activity"])[0, 1] < -0.1


def test_gb1_is_made_of_double_mutants_with_every_substitution():
    loaded = load_gb1()
    letters = loaded.codes.numpy()
    wild_type = np.array([np.bincount(column).argmax() for column in letters.T])
    assert (
        decode(torch.from_numpy(wild_type.astype(np.uint8)), alphabet=PROTEIN)
        == "QYKLILNGKTLKGETTTEAVDAATAEKVFKQYANDNGVDGEWTYDDATKTFTVTE"
    )
    assert ((letters != wild_type).sum(axis=1) == 2).all()
    rows, positions = np.nonzero(letters != wild_type)
    seen = Counter(zip(positions, letters[rows, positions], strict=True))
    assert len(seen) == 55 * 19
    assert min(seen.values()) >= 30


def test_gb1_fitness_is_zero_for_wild_type_reads_and_its_error_that_of_poisson_draws():
    from genailab.data.bundled.sequence_sets import WILD_TYPE_INPUT, WILD_TYPE_SELECTED, _enrichment

    fitness, _ = _enrichment(np.array([WILD_TYPE_INPUT]), np.array([WILD_TYPE_SELECTED]))
    assert fitness == pytest.approx(0)
    draws = np.random.default_rng(0).poisson([[400], [900]], size=(2, 20_000))
    fitness, error = _enrichment(*draws)
    assert fitness.std() == pytest.approx(error.mean(), rel=0.03)
    # The measurement of the first row as the source gives it, to its own digits.
    table = load_gb1().table.set_index("sequence")
    row = table.loc["HAKLILNGKTLKGETTTEAVDAATAEKVFKQYANDNGVDGEWTYDDATKTFTVTE"]
    assert row["fitness"] == pytest.approx(np.log2(1629 / 755) - np.log2(3041820 / 1759617))


def spliced(sequence, exons):
    pieces = [sequence[start:end] for start, end in zip(exons["start"], exons["end"], strict=True)]
    if exons["strand"].iloc[0] == "-":
        pieces = [piece.translate(COMPLEMENT)[::-1] for piece in pieces]
    return "".join(pieces)


def test_the_region_has_its_length_and_no_unknown_letter(region, sequence):
    assert len(sequence) == 2_229_817
    assert set(sequence) == set("ACGT")
    assert region.exons["end"].max() <= len(sequence)
    assert (region.exons["start"] < region.exons["end"]).all()
    assert {"HLA-A", "HLA-B", "HLA-C", "HLA-F", "HLA-G", "TNFA", "MICA"} <= set(region.genes["gene"])
    assert len(region.genes) == 136


def test_genes_code_from_start_to_stop_without_a_break(region, sequence):
    coding = region.genes[~region.genes["pseudo"]]
    assert len(coding) == 72
    faults = Counter()
    for _, gene in coding.iterrows():
        text = spliced(sequence, region.exons[region.exons["cds"] == gene["cds"]])
        codons = [text[at : at + 3] for at in range(gene["codon_start"] - 1, len(text) - 2, 3)]
        faults["start"] += gene["complete_start"] and codons[0] != "ATG"
        faults["stop"] += gene["complete_end"] and codons[-1] not in STOPS
        faults["break"] += any(codon in STOPS for codon in codons[:-1])
    assert faults == {"start": 0, "stop": 0, "break": 0}


def test_introns_begin_with_gt_and_end_with_ag(region, sequence):
    ends = Counter()
    for _, exons in region.exons[~region.exons["pseudo"]].groupby("cds"):
        for (_, before), (_, after) in zip(
            list(exons.iterrows())[:-1], list(exons.iterrows())[1:], strict=True
        ):
            first, second = (before, after) if before["strand"] == "+" else (after, before)
            assert first["end"] < second["start"]
            intron = sequence[first["end"] : second["start"]]
            intron = intron if before["strand"] == "+" else intron.translate(COMPLEMENT)[::-1]
            ends[intron[:2] + intron[-2:]] += 1
    assert ends["GTAG"] / ends.total() > 0.99
    assert ends.total() == 498


def test_the_genome_is_the_fasta_and_leaves_nothing_in_the_package(region, sequence, tmp_path):
    before = set(BUNDLED.iterdir())
    genome = region.genome(tmp_path)
    assert genome.chromosomes == {"BA000025.2": len(sequence)}
    gene = region.genes.set_index("gene").loc["TNFA"]
    assert gene["strand"] == "-"
    assert decode(genome.fetch("BA000025.2", gene["end"] - 3, gene["end"], "-")) == "ATG"
    assert decode(genome.fetch("BA000025.2", 0, len(sequence))) == sequence
    assert set(BUNDLED.iterdir()) == before


def test_genes_span_their_exons(region):
    spans = region.exons.groupby("cds").agg(start=("start", "min"), end=("end", "max"), n=("exon", "size"))
    assert (spans["start"].to_numpy() == region.genes["start"].to_numpy()).all()
    assert (spans["end"].to_numpy() == region.genes["end"].to_numpy()).all()
    assert (spans["n"].to_numpy() == region.genes["n_exons"].to_numpy()).all()


def test_the_celltypist_sample_says_what_to_install(monkeypatch, tmp_path):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"celltypist, which isn't installed: pip install celltypist"):
        load_celltypist_sample()


def test_the_celltypist_sample_is_read_from_the_installed_package(monkeypatch, tmp_path):
    package = tmp_path / "celltypist"
    (package / "data" / "samples").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('need not be imported')")
    sample = package / "data" / "samples" / "sample_cell_by_gene.csv"
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="installed celltypist has no"):
        load_celltypist_sample()
    sample.write_text(",CD3D,MS4A1\nCell_1,0.0,2.0\nCell_2,5.0,0.0\n")
    cells = load_celltypist_sample()
    assert cells.X.toarray().tolist() == [[0, 2], [5, 0]]
    assert cells.obs_names.tolist() == ["Cell_1", "Cell_2"]
    assert cells.var_names.tolist() == ["CD3D", "MS4A1"]
