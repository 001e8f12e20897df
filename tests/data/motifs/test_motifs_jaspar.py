"""JASPAR as it is: the newest versions, found by any of their names."""

import numpy as np
import pytest

from genailab.data.motifs import jaspar
from genailab.data.motifs.jaspar import read_jaspar
from genailab.errors import InputError

pytest.importorskip("pyjaspar")


def test_ctcf_is_found_by_name_accession_and_species():
    by_name = read_jaspar(name="ctcf", species=9606)
    by_id = read_jaspar(matrix_id="MA0139")
    assert by_id[0].matrix_id in {motif.matrix_id for motif in by_name}
    assert all(motif.name == "CTCF" and "Homo sapiens" in motif.species for motif in by_name)
    assert by_id[0].consensus == "GCCACCAGGGGGCGC"


def test_each_matrix_is_there_once_in_its_newest_version():
    motifs = read_jaspar(tax_group="vertebrates")
    bases = [motif.matrix_id.split(".")[0] for motif in motifs]
    assert len(set(bases)) == len(bases) > 800
    assert bases == sorted(bases)
    newest = read_jaspar(matrix_id="MA0139")[0].matrix_id
    assert int(newest.split(".")[1]) > 1
    np.testing.assert_array_equal(
        read_jaspar(matrix_id=newest)[0].counts, read_jaspar(matrix_id="MA0139")[0].counts
    )


def test_families_are_found_by_a_part_of_their_name():
    ets = read_jaspar(family="ets", species="homo sapiens")
    assert {"SPIB", "ETS1", "GABPA"} <= {motif.name for motif in ets}
    assert all("Ets" in motif.family for motif in ets)


def test_one_matrix_read_alone_is_the_same_as_read_among_all():
    alone = read_jaspar(matrix_id="MA0139")[0]
    among = next(motif for motif in read_jaspar() if motif.matrix_id == alone.matrix_id)
    np.testing.assert_array_equal(alone.counts, among.counts)


def test_agrees_with_pyjaspar():
    from pyjaspar import jaspardb

    database = jaspardb(release="JASPAR2026")
    for matrix_id in ("MA0139", "MA0080", "MA0004.1"):
        theirs = database.fetch_motif_by_id(matrix_id)
        ours = read_jaspar(matrix_id=matrix_id)[0]
        assert (theirs.matrix_id, theirs.name) == (ours.matrix_id, ours.name)
        np.testing.assert_array_equal([theirs.counts[letter] for letter in "ACGT"], ours.counts)
    database.conn.close()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"name": "CTFC"}, "name 'CTFC': did you mean .*'CTCF'"),
        ({"matrix_id": "MA0139.9"}, "did you mean 'MA0139"),
        ({"species": "Homo sapien"}, "did you mean 'Homo sapiens'"),
        ({"collection": "core"}, "did you mean 'CORE'"),
        ({"tax_group": "vertebrate"}, "did you mean 'vertebrates'"),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest_name(wanted, message):
    with pytest.raises(InputError, match=message):
        read_jaspar(**wanted)


def test_without_pyjaspar_it_is_named(monkeypatch):
    monkeypatch.setattr(jaspar.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install pyjaspar"):
        read_jaspar(name="CTCF")
