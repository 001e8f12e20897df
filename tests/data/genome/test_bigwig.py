"""What was written to a bigWig is read back, over the same windows as the sequence."""

import builtins

import numpy as np
import pandas as pd
import pytest

from genailab.data.genome.bigwig import read_bigwig
from genailab.data.genome.genome import Genome
from genailab.data.genome.window_places import window_starts
from genailab.errors import InputError

pybigtools = pytest.importorskip("pybigtools")

SIGNAL = {"chr1": np.full(200, np.nan, np.float32), "chr2": np.full(60, np.nan, np.float32)}
SIGNAL["chr1"][20:120] = np.repeat(np.arange(1, 11), 10)
SIGNAL["chr1"][150] = -2.5
SIGNAL["chr2"][:60] = 0.25


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("bigwig") / "x.bw"
    values = [
        (name, int(at), int(at) + 1, float(signal[at]))
        for name, signal in SIGNAL.items()
        for at in np.flatnonzero(~np.isnan(signal))
    ]
    pybigtools.open(str(path), "w").write(
        {name: len(signal) for name, signal in SIGNAL.items()}, iter(values)
    )
    return path


def peaks():
    rows = [("chr1", 0, 1, "+"), ("chr1", 100, 131, "-"), ("chr2", 55, 60, "."), ("chr1", 190, 200, "-")]
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])


@pytest.mark.parametrize("length", [1, 30, 31, 500])
def test_the_signal_is_what_was_written_and_nan_elsewhere(path, length):
    read = read_bigwig(path, peaks(), length)
    assert read.shape == (4, length)
    assert read.dtype == np.float32
    for row, (start, interval) in enumerate(
        zip(window_starts(peaks(), length), peaks().itertuples(), strict=True)
    ):
        signal = SIGNAL[interval.chrom]
        expected = [signal[at] if 0 <= at < len(signal) else np.nan for at in range(start, start + length)]
        np.testing.assert_array_equal(read[row], expected[::-1] if interval.strand == "-" else expected)
    zeros = read_bigwig(path, peaks(), length, missing="zero")
    np.testing.assert_array_equal(zeros, np.nan_to_num(read, nan=0))


def test_signal_and_sequence_are_of_the_same_bases(path, tmp_path):
    # A genome whose bases spell the signal: A where there is none, C where there is.
    text = {name: "".join("A" if np.isnan(v) else "C" for v in signal) for name, signal in SIGNAL.items()}
    (tmp_path / "x.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in text.items()))
    codes = Genome(tmp_path / "x.fa").windows(peaks(), 24).numpy()
    measured = ~np.isnan(read_bigwig(path, peaks(), 24))
    plus = peaks()["strand"].to_numpy() != "-"
    np.testing.assert_array_equal(codes[plus] == 1, measured[plus])
    np.testing.assert_array_equal(codes[~plus] == 2, measured[~plus])


def test_says_what_is_wrong(path, tmp_path):
    with pytest.raises(InputError, match=r"contig '2' in row 1 .*it is called 'chr2' there, so rename it$"):
        read_bigwig(path, pd.DataFrame({"chrom": ["chr1", "2"], "start": 0, "end": 5}), 5)
    with pytest.raises(InputError, match="missing is 'mean': pass 'nan' or 'zero'"):
        read_bigwig(path, peaks(), 5, missing="mean")
    with pytest.raises(InputError, match=r"no file .*y\.bw: did you mean"):
        read_bigwig(path.with_name("y.bw"), peaks(), 5)
    (tmp_path / "text.bw").write_text("track type=wiggle_0\n" * 100)
    with pytest.raises(InputError, match=r"text\.bw is not a bigWig file"):
        read_bigwig(tmp_path / "text.bw", peaks(), 5)


def test_a_missing_extra_is_named(path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pybigtools":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'genailab\[genomics\]'"):
        read_bigwig(path, peaks(), 5)
