"""Splitting cells into training, validation and test parts, with every cell accounted for."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from genailab.data.cells.dataset import CellDataset
from genailab.data.cells.split_table import LEFT_OUT, PARTS, Split
from genailab.errors import InputError, nearest

__all__ = ["Split", "split_cells"]

_ALL = "all cells"  # the one type of a dataset without labels
_TRIED_EXHAUSTIVELY = 8  # 3^8 = 6,561 ways to give groups to parts are looked at in a moment


def split_cells(
    dataset: CellDataset,
    *,
    fractions: Sequence[float] = (0.6, 0.1, 0.3),
    group_key: str | None = None,
    min_cells: int = 10,
    seed: int = 0,
) -> Split:
    """Split cells so that each type, or each whole donor or batch, is where it should be.

    Without ``group_key`` every type is split in the proportions asked for (largest remainders, at least one
    cell a part), and how one type is split doesn't depend on the others. With it a group is never divided,
    because cells of one donor resemble each other, and a score on a donor seen in training says little about
    the next donor; the proportions are then met as nearly as whole groups allow.

    Cells without any count, and those of types with fewer than ``min_cells`` cells, are left out with a
    warning that counts them, and stay in the split's table with the reason.

    Parameters
    ----------
    dataset
        The cells; its labels are the types, and without labels all cells are of one type.
    fractions
        Shares of train, valid and test: positive, adding up to 1.
    group_key
        The covariate whose groups stay whole; at least three groups.
    min_cells
        Types with fewer cells than this are left out; at least 3, one a part.
    seed
        The same seed and cells give the same split, in whatever order the cells stand.

    Raises
    ------
    InputError
        If a setting is out of range, the groups are too few, or no cell remains.

    Examples
    --------
    >>> import warnings
    >>> from genailab.data import load_pbmc
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     split = split_cells(load_pbmc())
    >>> len(split.train), len(split.valid), len(split.test), len(split.left_out)
    (415, 70, 207, 8)
    >>> print(said[0].message)
    8 of 700 cells are left out of the split: type 'CD4+/CD45RA+/CD25- Naive T' has 8 cells, fewer than 10
    """
    shares = _check_settings(fractions, min_cells)
    types = np.asarray(dataset.labels if dataset.label_key else [_ALL] * dataset.n_cells, dtype=object)
    reasons = _reasons(dataset, types, min_cells)
    kept = np.flatnonzero(reasons == "")
    if len(kept) == 0:
        raise InputError(
            f"none of the {dataset.n_cells} cells can be split: all have no counts or belong to types with "
            f"fewer than {min_cells} cells, so lower min_cells or give a coarser label"
        )
    parts = np.full(dataset.n_cells, LEFT_OUT, dtype=object)
    if group_key is None:
        parts[kept] = _by_type(types[kept], np.asarray(dataset.cells, dtype=object)[kept], shares, seed)
    else:
        parts[kept] = _by_group(_groups(dataset, group_key)[kept], group_key, shares, seed)
        _warn_of_types_not_trained_on(types, parts)
    return Split(cells=dataset.cells, parts=tuple(parts), reasons=tuple(reasons))


def _check_settings(fractions: Sequence[float], min_cells: int) -> np.ndarray:
    shares = np.asarray(fractions, dtype=np.float64)
    if shares.shape != (3,) or not (shares > 0).all() or not np.isclose(shares.sum(), 1.0):
        raise InputError(
            f"fractions are {tuple(fractions)}, which are not three positive shares of train, valid and test "
            "that add up to 1: pass for example (0.6, 0.1, 0.3)"
        )
    if min_cells < 3:
        raise InputError(
            f"min_cells is {min_cells}, but train, valid and test need a cell each: pass 3 or more"
        )
    return shares


def _reasons(dataset: CellDataset, types: np.ndarray, min_cells: int) -> np.ndarray:
    """Why each cell is left out, ``(cells,)``; an empty string where it isn't."""
    reasons = np.full(dataset.n_cells, "", dtype=object)
    empty = dataset.library_sizes == 0
    reasons[empty] = "no count in any gene"
    told = [f"{empty.sum()} cells have no count in any gene"] if empty.any() else []
    for name, size in sorted(pd.Series(types[~empty]).value_counts().items()):
        if size < min_cells:
            reason = f"type {name!r} has {size} cells, fewer than {min_cells}"
            reasons[(types == name) & ~empty] = reason
            told.append(reason)
    if told:
        warnings.warn(
            f"{(reasons != '').sum()} of {dataset.n_cells} cells are left out of the split: "
            + "; ".join(told),
            stacklevel=3,
        )
    return reasons


def _by_type(types: np.ndarray, cells: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    parts = np.empty(len(types), dtype=object)
    for name in np.unique(types):
        members = np.flatnonzero(types == name)
        # Sorted names and a generator for each type: neither the rows' order nor other types have a say.
        members = members[np.argsort(cells[members])]
        shuffled = np.random.default_rng([seed, zlib.crc32(name.encode())]).permutation(members)
        parts[shuffled] = np.repeat(PARTS, _sizes(len(members), shares))
    return parts


def _sizes(n: int, shares: np.ndarray) -> np.ndarray:
    """Share out ``n`` cells by largest remainders, at least one to each part."""
    sizes = np.floor(n * shares).astype(int)
    by_remainder = np.argsort(-(n * shares - sizes), kind="stable")
    sizes[by_remainder[: n - sizes.sum()]] += 1
    while (sizes == 0).any():
        sizes[np.argmax(sizes)] -= 1
        sizes[np.argmin(sizes)] += 1
    return sizes


def _groups(dataset: CellDataset, group_key: str) -> np.ndarray:
    if group_key not in dataset.covariates:
        raise InputError(
            f"group_key {group_key!r} is not among the covariates: {nearest(group_key, dataset.covariates)}; "
            "pass it in covariates= when the dataset is made"
        )
    return np.asarray(dataset.covariates[group_key], dtype=object)


def _by_group(groups: np.ndarray, group_key: str, shares: np.ndarray, seed: int) -> np.ndarray:
    names, members = np.unique(groups, return_counts=True)
    if len(names) < len(PARTS):
        listed = ", ".join(repr(str(name)) for name in names)
        raise InputError(
            f"group_key {group_key!r} has {len(names)} groups ({listed}), but train, valid and test need a "
            "whole one each: choose a key with at least 3 groups, or leave group_key out"
        )
    order = np.random.default_rng(seed).permutation(len(names))
    targets = shares * members.sum()
    assigned = _best_assignment if len(names) <= _TRIED_EXHAUSTIVELY else _greedy_assignment
    chosen = assigned(members[order], targets)
    part_of = {names[group]: PARTS[part] for group, part in zip(order, chosen, strict=True)}
    return np.array([part_of[group] for group in groups], dtype=object)


def _best_assignment(members: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Give groups to parts so that the parts' sizes come nearest to the targets; the first best one."""
    ways = np.array(list(product(range(len(targets)), repeat=len(members))))  # (ways, groups)
    sizes = np.stack([(ways == part) @ members for part in range(len(targets))], axis=1)  # (ways, parts)
    distance = np.square(sizes - targets).sum(axis=1)
    distance[(sizes == 0).any(axis=1)] = np.inf
    return ways[np.argmin(distance)]


def _greedy_assignment(members: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Give each group to the part that lacks most, in the order given; the last ones to empty parts."""
    chosen = np.empty(len(members), dtype=int)
    lacking = targets.astype(np.float64)
    for position, size in enumerate(members):
        empty = np.setdiff1d(np.arange(len(targets)), chosen[:position])
        candidates = empty if len(empty) == len(members) - position else np.arange(len(targets))
        chosen[position] = candidates[np.argmax(lacking[candidates])]
        lacking[chosen[position]] -= size
    return chosen


def _warn_of_types_not_trained_on(types: np.ndarray, parts: np.ndarray) -> None:
    unseen = sorted(set(types[(parts != LEFT_OUT) & (parts != "train")]) - set(types[parts == "train"]))
    if unseen:
        warnings.warn(
            f"{len(unseen)} types are in no training group ({', '.join(map(repr, unseen))}), so a model "
            "cannot learn them: try another seed or split by type",
            stacklevel=3,
        )
