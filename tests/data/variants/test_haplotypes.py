"""Laws of the windows: cut from the spliced contig, equal in length, one pair for every spelling."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_genome import TextGenome, splice, table_of

from genailab.data.genome.genome import Genome
from genailab.data.sequences.encoding import decode
from genailab.data.variants.checks import check_variants
from genailab.data.variants.haplotypes import haplotypes
from genailab.data.variants.left_align import trim
from genailab.errors import InputError

ROOT = Path(__file__).parents[3]
ELEMENTS = ROOT.parent / "shared" / "data" / "mpra_satmut_elements.tsv.gz"
SETTINGS = settings(max_examples=20, deadline=None)


def padded(text, start, length):
    return TextGenome(c=text).text("c", start, length)


@st.composite
def tables(draw):
    """A contig with repeats and several changes of it: SNV, MNV, insertion, deletion, both."""
    text = draw(st.text("AC", min_size=3, max_size=30) | st.text("ACGT", min_size=3, max_size=30))
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, min(len(text), start + 5)))
        alt = draw(
            st.text("ACGT", min_size=1, max_size=5).filter(lambda alt, ref=text[start:end]: alt != ref)
        )
        rows.append(("c", start + 1, text[start:end], alt))
    return text, table_of(*rows)


@given(tables(), st.integers(10, 40), st.data())
@SETTINGS
def test_both_windows_are_cut_from_the_contig_as_it_is_and_as_it_becomes(case, length, data):
    text, table = case
    anchor = data.draw(st.integers(0, length - 6))
    pairs = haplotypes(TextGenome(c=text), table, length, anchor=anchor)
    assert pairs.rows.tolist() == list(range(len(table)))
    normal = pairs.variants[["normal_position", "normal_ref", "normal_alt"]]
    for row, (position, ref, alt) in enumerate(normal.itertuples(index=False)):
        start = trim(position - 1, ref, alt).start - anchor
        changed = splice(text, *table.iloc[row, 1:])
        assert decode(pairs.reference[row]) == padded(text, start, length)
        # Left of the contig there is as much N in both: the changed contig begins at the same place.
        assert decode(pairs.alternative[row]) == padded(changed, start, length)


@given(tables(), st.integers(10, 40))
@SETTINGS
def test_the_flank_before_the_anchor_is_the_same_and_the_anchor_is_where_they_part(case, length):
    text, table = case
    pairs = haplotypes(TextGenome(c=text), table, length)
    assert pairs.anchor == length // 2
    assert pairs.reference.shape == pairs.alternative.shape == (len(table), length)
    assert (pairs.reference[:, : pairs.anchor] == pairs.alternative[:, : pairs.anchor]).all()
    for row in pairs.rows:
        _, ref, alt = table.iloc[row, 1:]
        if len(ref) == len(alt):
            assert pairs.reference[row, pairs.anchor] != pairs.alternative[row, pairs.anchor]


@given(st.text("AC", min_size=4, max_size=16), st.integers(8, 30), st.data())
@SETTINGS
def test_every_spelling_of_an_indel_gives_the_same_pair(text, length, data):
    start = data.draw(st.integers(1, len(text) - 1))
    removed = data.draw(st.integers(0, min(3, len(text) - start)))
    inserted = data.draw(st.text("AC", min_size=0 if removed else 1, max_size=3))
    changed = text[:start] + inserted + text[start + removed :]
    if changed == text:
        return
    spellings = []
    for first in range(len(text)):
        for last in range(first + 1, len(text) + 1):
            alt = changed[first : max(first, last + len(changed) - len(text))]
            if alt and splice(text, first + 1, text[first:last], alt) == changed:
                spellings.append(("c", first + 1, text[first:last], alt))
    pairs = haplotypes(TextGenome(c=text), table_of(*spellings), length)
    assert len(pairs) == len(spellings)
    assert (pairs.reference == pairs.reference[0]).all()
    assert (pairs.alternative == pairs.alternative[0]).all()


@given(tables(), st.integers(12, 30))
@SETTINGS
def test_a_variant_and_its_undoing_exchange_the_windows(case, length):
    text, table = case
    position, ref, alt = table.iloc[0, 1:]
    there = haplotypes(TextGenome(c=text), table.iloc[:1], length)
    back = haplotypes(
        TextGenome(c=splice(text, position, ref, alt)), table_of(("c", position, alt, ref)), length
    )
    assert (there.reference == back.alternative).all()
    assert (there.alternative == back.reference).all()


@given(tables(), st.randoms(use_true_random=False))
@SETTINGS
def test_neither_the_other_rows_nor_their_order_have_a_say(case, random):
    text, table = case
    genome = TextGenome(c=text)
    together = haplotypes(genome, table, 20)
    order = random.sample(range(len(table)), len(table))
    shuffled = haplotypes(genome, table.iloc[order], 20)
    assert (shuffled.alternative == together.alternative[order]).all()
    last = haplotypes(genome, table.iloc[[-1]], 20)
    assert (last.alternative == together.alternative[-1]).all()


@given(tables(), st.integers(10, 30))
@settings(max_examples=10, deadline=None)
def test_a_genome_on_disk_gives_what_the_same_letters_in_memory_give(tmp_path_factory, case, length):
    text, table = case
    path = tmp_path_factory.mktemp("genome") / "c.fa"
    path.write_text(f">other\nGATTACA\n>c\n{text.lower()}\n>last\nNNN\n")
    on_disk, in_memory = (haplotypes(genome, table, length) for genome in (Genome(path), TextGenome(c=text)))
    assert (on_disk.reference == in_memory.reference).all()
    assert (on_disk.alternative == in_memory.alternative).all()
    pd.testing.assert_frame_equal(on_disk.variants, in_memory.variants)


@pytest.mark.shared_data
@pytest.mark.skipif(not ELEMENTS.exists(), reason="the shared data folder is absent")
def test_measured_substitutions_fit_the_elements_that_they_rebuild():
    measured = pd.read_csv(ELEMENTS, sep="\t", dtype={"Chrom": str})
    # Eleven rows of each release have no place.
    measured = measured[measured["Release"] == "GRCh38"].dropna(subset="Pos").astype({"Pos": int})
    first = measured.groupby("Element")["Pos"].transform("min")
    table = pd.DataFrame(
        {
            "chrom": measured["Element"],
            "position": measured["Pos"] - first + 1,
            "ref": measured["Ref"],
            "alt": measured["Alt"],
        }
    )
    letters = table.drop_duplicates(["chrom", "position"]).set_index(["chrom", "position"])["ref"]
    contigs = {}
    for element, size in table.groupby("chrom")["position"].max().items():
        known = letters[element]
        contigs[element] = "".join(known.get(position, "N") for position in range(1, size + 1))
    pairs = haplotypes(TextGenome(**contigs), table, 50)
    counts = pairs.variants.groupby(["status", "reason"]).size()
    assert not any("REF" in reason for status, reason in counts.index if status == "invalid")
    # Their deletions are written with '-', which VCF doesn't have: told, not dropped.
    dashes = (table["alt"] == "-").sum()
    assert counts["invalid"].to_dict() == {"allele is written '-'": dashes}
    assert len(pairs) + dashes == len(table)
    different = pairs.reference != pairs.alternative
    assert (different.sum(dim=1) == 1).all()
    assert different[:, pairs.anchor].all()


def test_windows_worked_out_by_hand():
    genome = TextGenome(c="TTTTGCATCCCC")
    table = table_of(
        ("c", 6, "C", "A"),
        ("c", 6, "CA", "TG"),
        ("c", 5, "G", "GAA"),
        ("c", 5, "GCA", "G"),
        ("c", 6, "CA", "G"),
    )
    pairs = haplotypes(genome, table, 8)
    assert decode(pairs.reference) == ["TTTGCATC"] * 5
    assert decode(pairs.alternative) == ["TTTGAATC", "TTTGTGTC", "TTTGAACA", "TTTGTCCC", "TTTGGTCC"]


def test_beyond_the_ends_of_the_contig_stands_n():
    pairs = haplotypes(TextGenome(c="ACGT"), table_of(("c", 1, "A", "C"), ("c", 3, "GT", "G")), 8)
    assert decode(pairs.reference) == ["NNNNACGT", "NACGTNNN"]
    assert decode(pairs.alternative) == ["NNNNCCGT", "NACGNNNN"]


def test_a_change_that_the_window_cannot_hold_is_told_and_one_that_just_fits_is_built():
    genome = TextGenome(c="G" + "ACGT" * 10)
    deletions = [("c", 1, genome.contigs["c"][: size + 1], "G") for size in (10, 11)]
    insertions = [("c", 1, "G", "G" + "T" * size) for size in (10, 11)]
    pairs = haplotypes(genome, table_of(*deletions, *insertions), 20)
    assert pairs.variants["status"].tolist() == ["ok", "skipped", "ok", "skipped"]
    assert pairs.rows.tolist() == [0, 2]
    assert set(pairs.variants["reason"][[1, 3]]) == {"window is too short for the change"}
    assert pairs.variants["detail"][1] == (
        "11 bases change and only 10 of the window's 20 come after its anchor: pass a length of 22 or more"
    )


def test_a_table_checked_before_gives_the_same_and_keeps_its_aliases():
    genome = TextGenome(chr1="ACGTACGTACGT")
    table = table_of(("1", 5, "A", "C"), ("1", 5, "G", "C"))
    checked = check_variants(table, genome, aliases={"1": "chr1"})
    once, twice = haplotypes(genome, checked, 6), haplotypes(genome, table, 6, aliases={"1": "chr1"})
    assert (once.alternative == twice.alternative).all()
    pd.testing.assert_frame_equal(once.variants, twice.variants)
    assert once.variants["status"].tolist() == ["ok", "invalid"]


def test_on_error_fail_stops_and_nothing_of_the_callers_is_changed():
    genome = TextGenome(c="ACGTACGT")
    table = table_of(("c", 1, "a", "c"), ("c", 2, "G", "T"))
    before = table.copy()
    with pytest.raises(InputError, match=r"variant 1: c:2 'G' > 'T': the genome has 'C' there"):
        haplotypes(genome, table, 4, on_error="fail")
    haplotypes(genome, table, 4)
    pd.testing.assert_frame_equal(table, before)


def test_no_variant_that_can_be_built_gives_no_windows():
    pairs = haplotypes(TextGenome(c="ACGT"), table_of(("c", 1, "A", "<DEL>")), 6)
    assert pairs.reference.shape == pairs.alternative.shape == (0, 6)
    assert len(pairs) == 0
    assert len(pairs.variants) == 1


@pytest.mark.parametrize("anchor", [-1, 8])
def test_an_anchor_outside_the_window_is_refused(anchor):
    with pytest.raises(InputError, match=f"anchor is {anchor}, outside a window of 8: choose 0 to 7"):
        haplotypes(TextGenome(c="ACGT"), table_of(("c", 1, "A", "C")), 8, anchor=anchor)


def test_many_snvs_are_built_without_a_loop_over_them(monkeypatch):
    genome = TextGenome(c="ACGT" * 50)
    asked = []
    windows = genome.windows
    monkeypatch.setattr(genome, "windows", lambda *call: asked.append(len(call[0])) or windows(*call))
    positions = np.arange(1, 201)
    refs = [genome.contigs["c"][position - 1] for position in positions]
    table = table_of(
        *(("c", p, ref, "A" if ref != "A" else "C") for p, ref in zip(positions, refs, strict=True))
    )
    haplotypes(genome, table, 10)
    assert len(asked) <= 4


@given(st.integers(2, 40), st.integers(1, 40), st.integers(0, 39))
@SETTINGS
def test_the_length_that_a_skipped_change_asks_for_is_long_enough(size, length, anchor):
    anchor = min(anchor, length - 1)
    genome, table = TextGenome(c="A" + "C" * 50), table_of(("c", 1, "A" + "C" * size, "A"))
    skipped = haplotypes(genome, table, length, anchor=anchor)
    if not len(skipped):
        asked = int(skipped.variants.loc[0, "detail"].split("length of ")[1].split()[0])
        assert len(haplotypes(genome, table, asked, anchor=anchor)) == 1
