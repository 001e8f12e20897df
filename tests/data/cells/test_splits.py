"""Laws of splitting: every cell once, types in proportion, groups whole, no say for the order of rows."""

import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from genailab.data import CellDataset, Split, load_pbmc, split_cells
from genailab.errors import InputError

PARTS = ("train", "valid", "test")


def cells_of(types, *, donors=None, empty=(), label_key="cell_type") -> CellDataset:
    counts = np.ones((len(types), 2), dtype=np.float32)
    counts[list(empty)] = 0
    covariates = {"cell_type": pd.Categorical(list(types))}
    if donors is not None:
        covariates["donor"] = pd.Categorical(list(donors))
    return CellDataset(
        counts=sp.csr_matrix(counts),
        genes=("g1", "g2"),
        cells=tuple(f"cell{i:04d}" for i in range(len(types))),
        covariates=covariates,
        label_key=label_key,
    )


def quietly(dataset, **options) -> Split:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return split_cells(dataset, **options)


fractions_strategy = st.tuples(*[st.integers(1, 20)] * 3).map(lambda w: tuple(x / sum(w) for x in w))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), fractions_strategy, st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_each_cell_is_in_one_place_and_each_type_in_every_part_in_proportion(sizes, fractions, seed):
    types = np.random.default_rng(seed).permutation(np.repeat([f"type{i}" for i in range(len(sizes))], sizes))
    if max(sizes) < 10:
        return
    dataset = cells_of(types)
    split = quietly(dataset, fractions=fractions, seed=seed)
    positions = np.concatenate([split.train, split.valid, split.test])
    left = set(split.left_out["cell"])
    assert sorted([*np.array(dataset.cells)[positions], *left]) == sorted(dataset.cells)
    for number, size in enumerate(sizes):
        members = np.flatnonzero(types == f"type{number}")
        got = [len(np.intersect1d(getattr(split, part), members)) for part in PARTS]
        if size < 10:
            assert got == [0, 0, 0]
        else:
            assert min(got) >= 1
            assert all(
                abs(n - share * size) < 1 or n == 1 for n, share in zip(got, fractions, strict=True)
            ) or (
                # Where a part had to be given its one cell, the largest part gave it.
                min(share * size for share in fractions) < 1
            )


@given(st.permutations(range(45)), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("group_key", [None, "donor"])
def test_the_order_of_the_rows_has_no_say(group_key, order, seed):
    types = np.resize(["T", "B", "NK"], 45)
    dataset = cells_of(types, donors=np.resize(list("abcde"), 45))
    straight = quietly(dataset, group_key=group_key, seed=seed)
    shuffled = quietly(dataset.subset(order), group_key=group_key, seed=seed)
    assert straight.hash == shuffled.hash
    assert straight.align(dataset.subset(order)).parts == shuffled.parts


def test_the_seed_decides_and_the_hash_tells():
    dataset = cells_of(np.resize(["T", "B"], 200))
    first, again, other = (split_cells(dataset, seed=seed) for seed in (0, 0, 1))
    assert first.hash == again.hash != other.hash
    assert len(first.hash) == 64
    assert (len(first.train), len(first.valid), len(first.test)) == (120, 20, 60)


def test_one_type_is_split_alike_whatever_other_types_there_are():
    both = cells_of(["T"] * 40 + ["B"] * 40)
    alone = both.subset(range(40))
    assert split_cells(both, seed=3).parts[:40] == split_cells(alone, seed=3).parts


def test_types_of_one_size_are_not_split_at_the_same_ranks():
    split = split_cells(cells_of(["T"] * 40 + ["B"] * 40))
    assert split.parts[:40] != split.parts[40:]


def test_cells_without_labels_are_split_as_one_type():
    split = split_cells(cells_of(["T"] * 6 + ["B"] * 4, label_key=None))
    assert Counter(split.parts) == {"train": 6, "valid": 1, "test": 3}


def test_rare_types_and_empty_cells_are_left_out_with_a_warning_and_a_reason():
    dataset = cells_of(["T"] * 20 + ["rare"] * 9 + ["B"] * 10, empty=[0, 20, 29])
    with pytest.warns(UserWarning, match="left out") as warned:
        split = split_cells(dataset)
    assert str(warned[0].message) == (
        "20 of 39 cells are left out of the split: 3 cells have no count in any gene; type 'B' has 9 cells, "
        "fewer than 10; type 'rare' has 8 cells, fewer than 10"
    )
    assert warned[0].filename == __file__
    table = split.table(dataset)
    assert table["cell"].tolist() == list(dataset.cells)
    assert table["part"].value_counts().to_dict() == {"left out": 20, "train": 11, "test": 6, "valid": 2}
    assert table.loc[[0, 1, 20, 21, 30], "reason"].tolist() == [
        "no count in any gene",
        "",
        "no count in any gene",
        "type 'rare' has 8 cells, fewer than 10",
        "type 'B' has 9 cells, fewer than 10",
    ]
    assert set(split.left_out["cell"]) == set(table.loc[table["part"] == "left out", "cell"])


def test_bundled_cells_lose_only_the_eight_naive_cells():
    with pytest.warns(
        UserWarning, match=r"8 of 700 cells are left out.*'CD4\+/CD45RA\+/CD25- Naive T' has 8 cells"
    ):
        split = split_cells(load_pbmc())
    assert (len(split.train), len(split.valid), len(split.test), len(split.left_out)) == (415, 70, 207, 8)


@given(st.lists(st.integers(1, 40), min_size=3, max_size=14), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_groups_stay_whole_and_no_part_is_empty(sizes, seed):
    donors = np.repeat([f"donor{i}" for i in range(len(sizes))], sizes)
    dataset = cells_of(["T"] * len(donors), donors=donors)
    split = split_cells(dataset, group_key="donor", min_cells=3, seed=seed)
    table = split.table().assign(donor=donors)
    assert (table.groupby("donor")["part"].nunique() == 1).all()
    assert set(table["part"]) == set(PARTS)


def test_groups_are_shared_out_as_near_to_the_proportions_as_they_allow():
    sizes = {"a": 60, "b": 30, "c": 10}
    donors = np.repeat(list(sizes), list(sizes.values()))
    for seed in range(5):
        split = split_cells(cells_of(["T"] * 100, donors=donors), group_key="donor", seed=seed)
        assert (len(split.train), len(split.valid), len(split.test)) == (60, 10, 30)
    many = np.resize([f"donor{i}" for i in range(50)], 1000)
    split = split_cells(cells_of(["T"] * 1000, donors=many), group_key="donor")
    assert (len(split.train), len(split.valid), len(split.test)) == (600, 100, 300)


@pytest.mark.parametrize("seed", range(5))
def test_one_group_that_outweighs_many_still_leaves_no_part_empty(seed):
    donors = ["large"] * 500 + [f"small{i}" for i in range(9)]
    split = split_cells(cells_of(["T"] * len(donors), donors=donors), group_key="donor", seed=seed)
    assert set(split.parts) == set(PARTS)


def test_too_few_groups_and_types_without_training_cells_are_told():
    two = cells_of(["T"] * 20, donors=["a"] * 10 + ["b"] * 10)
    with pytest.raises(InputError, match=r"'donor' has 2 groups \('a', 'b'\).* at least 3 groups"):
        split_cells(two, group_key="donor")
    with pytest.raises(
        InputError, match=r"group_key 'doner' is not among the covariates: did you mean 'donor'\?;"
    ):
        split_cells(two, group_key="doner")
    apart = cells_of(["T"] * 80 + ["B"] * 10 + ["NK"] * 20, donors=["a"] * 80 + ["b"] * 10 + ["c"] * 20)
    with pytest.warns(UserWarning, match="2 types are in no training group \\('B', 'NK'\\)"):
        split_cells(apart, group_key="donor")


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.7, 0.0, 0.3), (0.6, 0.3, 0.3), (1.2, -0.5, 0.3)])
def test_fractions_that_cannot_be_are_refused(fractions):
    with pytest.raises(InputError, match="not three positive shares of train, valid and test"):
        split_cells(cells_of(["T"] * 20), fractions=fractions)


def test_refuses_a_limit_below_three_and_cells_of_rare_types_only():
    with pytest.raises(InputError, match="min_cells is 2, but train, valid and test need a cell each"):
        split_cells(cells_of(["T"] * 20), min_cells=2)
    with (
        pytest.warns(UserWarning, match="9 of 9 cells"),
        pytest.raises(
            InputError, match=r"none of the 9 cells can be split.* fewer than 10 cells, so lower min_cells"
        ),
    ):
        split_cells(cells_of(["T"] * 9))


def test_saving_and_loading_gives_the_same_split(tmp_path):
    split = quietly(cells_of(["T"] * 20 + ["é"] * 4))
    split.save(tmp_path / "split.json")
    back = Split.load(tmp_path / "split.json")
    assert (back.hash, back.cells, back.parts, back.reasons) == (
        split.hash,
        split.cells,
        split.parts,
        split.reasons,
    )
    assert np.array_equal(back.train, split.train)
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


def test_a_split_that_was_changed_or_is_none_is_refused(tmp_path):
    path = tmp_path / "split.json"
    split_cells(cells_of(["T"] * 20)).save(path)
    path.write_text(path.read_text().replace('"valid"', '"train"', 1))
    with pytest.raises(InputError, match=r"split\.json was changed since it was saved"):
        Split.load(path)
    for content in ("", "{}", "[1, 2]", '{"rows": [], "hash": ""}'):
        path.write_text(content)
        with pytest.raises(InputError, match="is not a split saved by genailab"):
            Split.load(path)
    with pytest.raises(InputError, match=r"nothing\.json cannot be read: No such file"):
        Split.load(tmp_path / "nothing.json")
    with pytest.raises(InputError, match=r"cannot be written to .*No such file"):
        split_cells(cells_of(["T"] * 20)).save(tmp_path / "absent" / "split.json")


def test_a_split_of_other_cells_is_refused():
    dataset = cells_of(["T"] * 20)
    split = split_cells(dataset)
    message = r"0 of the dataset's 19 cells are not in it and 1 of its own are not .* 'cell0000'"
    with pytest.raises(InputError, match=message):
        split.table(dataset.subset(range(1, 20)))
