"""Laws of a genome: fetching is slicing, strands mirror, the index is whole, current and shared."""

import multiprocessing
import os
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data.genome.genome import Genome
from genailab.data.sequences.alphabet import DNA
from genailab.errors import InputError

RNG = np.random.default_rng(0)
TEXT = {name: "".join(RNG.choice(list("ACGTacgtNRY"), size)) for name, size in (("chr1", 300), ("chr2", 41))}
CONTENT = "".join(f">{name} assembled\n{text}\n" for name, text in TEXT.items())


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    path = tmp_path_factory.mktemp("genome") / "x.fa"
    path.write_text(CONTENT)
    return Genome(path, soft_mask=True)


def naive(name: str, start: int, end: int, strand: str) -> str:
    text = TEXT[name].upper()
    letters = "".join(text[i] if 0 <= i < len(text) else "N" for i in range(start, end))
    return "".join(DNA.complements[letter] for letter in reversed(letters)) if strand == "-" else letters


stretches = st.tuples(st.sampled_from(list(TEXT)), st.integers(-50, 350), st.integers(0, 80))


@given(stretches, st.sampled_from("+-."))
@settings(max_examples=50, deadline=None)
def test_fetching_is_slicing_with_n_beyond_the_ends(genome, stretch, strand):
    name, start, size = stretch
    assert genome.text(name, start, start + size, strand) == naive(name, start, start + size, strand)
    letters = naive(name, start, start + size, "+")
    lower = [0 <= i < len(TEXT[name]) and TEXT[name][i].islower() for i in range(start, start + size)]
    assert genome.mask(name, start, start + size).tolist() == lower
    assert genome.mask(name, start, start + size, "-").tolist() == lower[::-1]
    assert genome.fetch(name, start, start + size).tolist() == [DNA.codes_of[letter] for letter in letters]


@given(
    st.lists(st.tuples(st.sampled_from(list(TEXT)), st.integers(0, 40), st.integers(1, 30), st.booleans())),
    st.integers(1, 400),
)
@settings(max_examples=50, deadline=None)
def test_windows_are_fetches_with_the_middle_base_in_the_middle(genome, rows, length):
    intervals = pd.DataFrame(rows, columns=["chrom", "start", "width", "minus"]).astype(
        {"start": int, "width": int}
    )
    intervals["end"] = intervals["start"] + intervals["width"]
    intervals["strand"] = np.where(intervals["minus"].astype(bool), "-", "+")
    windows = genome.windows(intervals, length)
    assert windows.shape == (len(rows), length)
    assert windows.dtype == torch.uint8
    for window, (name, start, width, minus) in zip(windows, rows, strict=True):
        strand = "-" if minus else "+"
        itself = genome.fetch(name, start, start + width, strand)
        assert window[length // 2] == itself[width // 2]
        # The window and the interval are pieces of the same strand, laid over each other at the middle.
        left, right = min(length // 2, width // 2), min((length + 1) // 2, (width + 1) // 2)
        middle, own = length // 2, width // 2
        assert torch.equal(window[middle - left : middle + right], itself[own - left : own + right])
    same = intervals.assign(start=intervals["start"], end=intervals["start"] + length)
    assert [DNA.decode_table[row].tobytes().decode() for row in genome.windows(same, length).numpy()] == [
        naive(name, start, start + length, "-" if minus else "+") for name, start, _, minus in rows
    ]


def test_the_minus_strand_is_the_plus_strand_of_the_other_genome(genome, tmp_path):
    path = tmp_path / "other.fa"
    path.write_text("".join(f">{name}\n{naive(name, 0, len(text), '-')}\n" for name, text in TEXT.items()))
    starts = np.arange(30)
    plus = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + 1 + starts % 3, "strand": "+"})
    size = len(TEXT["chr1"])
    mirrored = plus.assign(start=size - plus["end"], end=size - plus["start"], strand="-")
    for length in (20, 21):
        assert torch.equal(genome.windows(plus, length), Genome(path).windows(mirrored, length))


def test_dots_and_absent_strands_are_plus_and_copies_are_the_callers(genome):
    intervals = pd.DataFrame({"chrom": ["chr1"], "start": [5], "end": [15]})
    plain = genome.windows(intervals, 10)
    assert torch.equal(plain, genome.windows(intervals.assign(strand="."), 10))
    plain.zero_()
    genome.fetch("chr1", 5, 15).zero_()
    assert genome.text("chr1", 5, 15) == naive("chr1", 5, 15, "+")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("1", 0, 5, "+"), r"row 1 .*contig '1' is not in .*x\.fa: .*'chr1' there.*aliases=\{'1': 'chr1'\}"),
        (("chr12", 0, 5, "+"), "contig 'chr12' .*did you mean 'chr"),
        (("chr2", 41, 50, "+"), r"chr2:41-50 in row 1 lies outside the contig, which has 41 bases"),
        (("chr2", 9, 9, "+"), "chr2:9-9 in row 1 holds no base"),
        (("chr2", 9, 7, "+"), "chr2:9-7 in row 1 holds no base"),
        (("chr2", 0, 5, "plus"), r"strand 'plus' in row 1 of the intervals is none of '\+', '-' and '\.'"),
        (("chr2", 0.5, 5, "+"), "column 'start' .*float64, not whole numbers"),
    ],
)  # fmt: skip
def test_windows_say_which_row_is_wrong(genome, row, message):
    table = pd.DataFrame([("chr1", 0, 5, "+"), row], columns=["chrom", "start", "end", "strand"])
    with pytest.raises(InputError, match=message):
        genome.windows(table, 10)


def test_the_other_ways_of_asking_wrongly(genome):
    peaks = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [5]})
    with pytest.raises(InputError, match=r"window of 0 bases holds nothing"):
        genome.windows(peaks, 0)
    with pytest.raises(InputError, match=r"no column 'chrom': did you mean 'chr'"):
        genome.windows(peaks.rename(columns={"chrom": "chr"}), 5)
    with pytest.raises(InputError, match="chr1:9-3 starts after its end"):
        genome.fetch("chr1", 9, 3)
    with pytest.raises(InputError, match="strand '1' of chr1:0-3 is none of"):
        genome.fetch("chr1", 0, 3, "1")
    with pytest.raises(InputError, match=r"soft mask of .* was not kept: open it with"):
        Genome(genome.path).mask("chr1", 0, 3)


def test_aliases_are_followed_only_where_they_are_given(genome):
    named = Genome(genome.path, aliases={"1": "chr1"})
    assert named.text("1", 3, 9) == genome.text("chr1", 3, 9)
    assert named.windows(pd.DataFrame({"chrom": [1], "start": [3], "end": [9]}), 6).shape == (1, 6)
    with pytest.raises(InputError, match="alias 'x' leads to 'chr9', which is no contig"):
        Genome(genome.path, aliases={"x": "chr9"})
    with pytest.raises(InputError, match=r"alias 'chr1' \(for 'chr2'\) is itself a contig"):
        Genome(genome.path, aliases={"chr1": "chr2"})


def test_the_index_follows_the_fasta_and_is_built_only_then(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">a\nACGT\n")
    built = Genome(path).index_path
    assert built == tmp_path / "x.fa.genailab"
    first = built.stat().st_mtime_ns, built.stat().st_ino
    assert (Genome(path).index_path.stat().st_mtime_ns, built.stat().st_ino) == first
    old = path.stat()
    path.write_text(">a\nTTTT\n")
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))  # same size and time, other bases
    assert Genome(path).text("a", 0, 4) == "TTTT"
    path.write_text(">a\nTTTT\n>b\nGG\n")
    assert Genome(path).chromosomes == {"a": 4, "b": 2}


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 400])
def test_an_index_that_is_not_whole_is_built_again(tmp_path, damage):
    path = tmp_path / "x.fa"
    path.write_text(CONTENT)
    built = Genome(path).index_path
    whole = built.read_bytes()
    for content in (damage, whole[:-3], whole[5:], whole[: len(whole) // 2]):
        built.write_bytes(content)
        assert Genome(path).text("chr1", 0, 300) == naive("chr1", 0, 300, "+")
        assert built.read_bytes() == whole


def test_a_mask_asked_for_later_is_added(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(CONTENT)
    Genome(path)
    assert Genome(path, soft_mask=True).mask("chr1", 0, 300).any()
    with_mask = Genome(path).index_path.stat().st_ino
    assert Genome(path).text("chr2", 0, 41) == naive("chr2", 0, 41, "+")
    assert Genome(path).index_path.stat().st_ino == with_mask  # and it isn't taken away again


def test_a_folder_that_cannot_be_written_has_its_index_in_the_cache(tmp_path, monkeypatch):
    # chmod does not stop root, so the folder is made to refuse where the index is opened for writing.
    folder = tmp_path / "read_only"
    folder.mkdir()
    path = folder / "x.fa"
    path.write_text(CONTENT)
    real_open = type(path).open

    def refuse(self, mode="r", *args, **kwargs):
        if "x" in mode and self.parent == folder:
            raise PermissionError(13, "Permission denied", str(self))
        return real_open(self, mode, *args, **kwargs)

    monkeypatch.setattr(type(path), "open", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    genome = Genome(path)
    assert genome.index_path.parent == tmp_path / "cache" / "genailab" / "genomes"
    assert genome.text("chr2", 0, 41) == naive("chr2", 0, 41, "+")
    assert [file.name for file in folder.iterdir()] == ["x.fa"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(path / "below a file"))
    with pytest.raises(
        InputError, match=r"can't be written to .*x\.fa\.genailab \(Permission denied\) nor to"
    ):
        Genome(path)
    assert Genome(path, cache=tmp_path / "mine").index_path.parent == tmp_path / "mine"


def test_a_cache_keeps_genomes_of_one_name_apart(tmp_path):
    for folder, content in (("hg19", ">a\nAAAA\n"), ("hg38", ">a\nCCCC\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.fa").write_text(content)
    genomes = [Genome(tmp_path / folder / "x.fa", cache=tmp_path) for folder in ("hg19", "hg38")]
    assert [genome.text("a", 0, 4) for genome in genomes] == ["AAAA", "CCCC"]
    assert genomes[0].index_path != genomes[1].index_path


def test_a_fasta_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.fa"
    path.write_text(">a\nACGT\n")

    def meanwhile(fasta, write, **options):
        write(bytes(4))
        path.write_text(">a\nACGTACGT\n")
        return {"a": 4}

    monkeypatch.setattr("genailab.data.genome.genome_index.transcribe", meanwhile)
    with pytest.raises(InputError, match="changed while its index was built"):
        Genome(path)
    assert [file.name for file in tmp_path.iterdir()] == ["x.fa"]


def read_all(path, barrier, results):
    barrier.wait()
    genome = Genome(path, soft_mask=True)
    results.put((genome.text("chr1", 0, 300), int(genome.mask("chr2", 0, 41).sum())))


def test_processes_that_build_at_once_all_end_well(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(CONTENT)
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    workers = [context.Process(target=read_all, args=(path, barrier, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert found == {(naive("chr1", 0, 300, "+"), sum(letter.islower() for letter in TEXT["chr2"]))}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.fa", "x.fa.genailab"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_the_same_genome_however_they_start(genome, method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(genome.text, ("chr1", -3, 30, "-")) == naive("chr1", -3, 30, "-")


def test_a_pickle_holds_the_path_and_the_settings_but_no_bases(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">chr1\n" + "ACGT" * 10_000)
    genome = Genome(path, soft_mask=True, cache=tmp_path / "cache", aliases={"1": "chr1"})
    pickled = pickle.dumps(genome)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert again.index_path == genome.index_path
    assert again.text("1", 0, 9) == "ACGTACGTA"
    assert again.mask("1", 0, 9).sum() == 0


def test_a_number_names_a_contig_and_a_fraction_is_no_place(tmp_path):
    path = tmp_path / "numbered.fa"
    path.write_text(">1\nACGT\n")
    genome = Genome(path)
    assert genome.text(1, 0, np.int64(4)) == genome.text("1", 0, 4) == "ACGT"
    with pytest.raises(InputError, match="contig '2' is not in"):
        genome.fetch(2, 0, 4)
    for start, end in ((0.0, 4), (0, "4")):
        with pytest.raises(InputError, match="no whole number"):
            genome.fetch("1", start, end)
