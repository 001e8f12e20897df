"""The settings of a comparison of cells."""

from __future__ import annotations

from dataclasses import dataclass, fields

from genailab.errors import InputError

__all__ = ["ComparisonOptions"]


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """How cells are compared; the defaults suit hundreds to thousands of cells.

    Parameters
    ----------
    n_components
        Principal components of the space.
    n_neighbours
        Neighbours that make a neighbourhood for precision, recall, density and coverage.
    n_directions
        Random directions of the sliced Wasserstein distance.
    n_folds, n_trees
        Folds and trees of the random-forest discriminator.
    n_bootstrap
        Resamples an interval is made of.
    max_cells
        Cells of a kind that are compared: more are subsampled, because time and memory grow with the square.
    """

    n_components: int = 30
    n_neighbours: int = 5
    n_directions: int = 100
    n_folds: int = 5
    n_trees: int = 100
    n_bootstrap: int = 200
    max_cells: int = 5000

    def __post_init__(self) -> None:
        for field in fields(self):
            lowest = 2 if field.name in ("n_folds", "max_cells") else 1
            if getattr(self, field.name) < lowest:
                raise InputError(f"{field.name} is {getattr(self, field.name)}: it must be at least {lowest}")
