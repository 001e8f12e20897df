"""Laws of reading FLIP's structures: every protein once, every residue with its state and its mask."""

import os
import zipfile
from pathlib import Path

import pytest

from genailab.data.catalog.flip import STATES, read_flip_secondary_structure
from genailab.errors import InputError

GOOD = {
    "sequences.fasta": ">1abc-A\nMKUV\n>2abc-B\nACD\nEF\n>3abc-C\nGG\n",
    "sampled.fasta": (
        ">2abc-B SET=train VALIDATION=True\nHHECC\n"
        ">1abc-A SET=train VALIDATION=False\nCHHC\n"
        ">3abc-C SET=test VALIDATION=False\nCE\n"
    ),
    "mask.fasta": ">1abc-A\n0111\n>2abc-B\n11111\n>3abc-C\n10\n",
}


def archive(tmp_path: Path, **changes: str | None) -> Path:
    path = tmp_path / "splits.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, text in (GOOD | {f"{name}.fasta": text for name, text in changes.items()}).items():
            if text is not None:
                file.writestr(f"splits/{name}", text)
    return path


def test_joins_the_three_files_by_name_whatever_their_order_and_line_breaks(tmp_path):
    table = read_flip_secondary_structure(archive(tmp_path))
    assert table.to_dict("list") == {
        "protein": ["1abc-A", "2abc-B", "3abc-C"],
        "part": ["train", "valid", "test"],
        "sequence": ["MKXV", "ACDEF", "GG"],
        "structure": ["CHHC", "HHECC", "CE"],
        "resolved": ["0111", "11111", "10"],
    }
    crlf = {name.removesuffix(".fasta"): text.replace("\n", "\r\n") for name, text in GOOD.items()}
    assert read_flip_secondary_structure(archive(tmp_path, **crlf)).equals(table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mask": None}, r"splits.zip holds no mask.fasta: expected FLIP's splits.zip, found"),
        (
            {"mask": ">1abc-A\n0111\n>2abc-B\n11111\n"},
            "protein '3abc-C' is in only one of sequences.fasta and",
        ),
        (
            {"mask": ">1abc-A\n011\n>2abc-B\n11111\n>3abc-C\n10\n"},
            "'1abc-A' has 4 residues, 4 states and 3 mask characters",
        ),
        (
            {"mask": ">1abc-A\n0121\n>2abc-B\n11111\n>3abc-C\n10\n"},
            "'1abc-A' has the mask character '2' at position 2",
        ),
        (
            {"sampled": GOOD["sampled.fasta"].replace("CHHC", "CHGC")},
            r"'1abc-A' has the state 'G' at position 2 \(from 0\): expected one of H, E, C",
        ),
        (
            {"sampled": GOOD["sampled.fasta"].replace("SET=test", "SET=held")},
            "the header of '3abc-C' in sampled.fasta says 'SET=held VALIDATION=False'",
        ),
        (
            {"sequences": GOOD["sequences.fasta"] + ">1abc-A\nM\n"},
            "names a protein twice: 4 records, 3 names",
        ),
        ({"sequences": "MKV\n>1abc-A\n"}, "sequences.fasta:1 holds 'MKV' before the first header"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read_flip_secondary_structure(archive(tmp_path, **changes))


def test_says_what_file_to_give(tmp_path):
    (tmp_path / "text.zip").write_text("no archive")
    for name in ("text.zip", "absent.zip"):
        with pytest.raises(InputError, match=f"cannot read .*{name} .*: give FLIP's secondary-structure"):
            read_flip_secondary_structure(tmp_path / name)


@pytest.mark.shared_data
def test_reads_the_real_split():
    root = Path(__file__).parents[3]
    places = [Path(os.path.normpath(root / up / "shared" / "data")) for up in (".", "..")]
    found = [place / "flip_secondary_structure.zip" for place in places]
    if not any(path.is_file() for path in found):
        pytest.skip("the shared data are not here")
    table = read_flip_secondary_structure(next(path for path in found if path.is_file()))
    assert table["part"].value_counts().to_dict() == {"train": 9712, "valid": 1080, "test": 364}
    assert set("".join(table["structure"])) == set(STATES)
    test = table[table["part"] == "test"]
    assert sum(mask.count("1") for mask in test["resolved"]) == 75_402
    assert len(set(table["sequence"][table["part"] == "train"]) & set(test["sequence"])) == 0
