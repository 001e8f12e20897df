"""Histone marks around starts of transcription, and the expression that follows from them.

What each mark says and where it lies: H3K4me3 and H3K27ac at active starts, on both sides of the
nucleosome-free region; H3K36me3 along the transcribed body; H3K27me3 broad over Polycomb targets; H3K9me3
over heterochromatin (Barski et al. 2007; Roadmap Epigenomics 2015). H3K4me3 together with H3K27me3 is the
bivalent state: marked, but silent (Bernstein et al. 2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genailab.errors import InputError

__all__ = [
    "MARKS",
    "STATES",
    "HistoneConfig",
    "HistoneSimulation",
    "log_expression",
    "simulate_histone_expression",
]

MARKS = ("H3K4me3", "H3K27ac", "H3K36me3", "H3K27me3", "H3K9me3")
STATES = ("active", "bivalent", "polycomb", "heterochromatin", "unmarked")

_MEDIAN_LEVELS = np.array(
    [
        [1.0, 1.0, 1.0, 0.05, 0.05],  # active
        [0.8, 0.1, 0.05, 0.8, 0.05],  # bivalent
        [0.05, 0.05, 0.05, 1.0, 0.05],  # polycomb
        [0.05, 0.05, 0.05, 0.1, 1.0],  # heterochromatin
        [0.05, 0.05, 0.05, 0.05, 0.05],  # unmarked
    ]
)  # (states, marks)


@dataclass(frozen=True, kw_only=True)
class HistoneConfig:
    """Genes, bins around their start, and the formula of expression.

    Parameters
    ----------
    n_genes, n_bins, bin_size
        Size of the data; bins of ``bin_size`` bp lie side by side, the start of transcription in the middle,
        the gene to the right.
    state_shares
        Share of genes in each of `STATES`; kept exactly, up to rounding.
    spread
        Standard deviation of the logarithm of a gene's level of a mark around its state's median.
    depth, background
        Expected reads in a bin where a mark of level 1 is highest; reads expected everywhere, relative to
        that.
    intercept, effects, bivalent_effect, noise
        Of `log_expression`; the noise is the standard deviation of what is added to it.
    """

    n_genes: int = 1000
    n_bins: int = 100
    bin_size: int = 100
    state_shares: tuple[float, ...] = (0.4, 0.15, 0.2, 0.1, 0.15)
    spread: float = 0.4
    depth: float = 20.0
    background: float = 0.05
    intercept: float = 1.0
    effects: tuple[float, ...] = (1.0, 2.0, 2.5, -0.8, -1.2)
    bivalent_effect: float = -1.5
    noise: float = 0.3

    def __post_init__(self) -> None:
        if len(self.state_shares) != len(STATES) or abs(sum(self.state_shares) - 1) > 1e-6:
            raise InputError(
                f"state_shares are {self.state_shares}: give {len(STATES)} shares that sum to 1, for {STATES}"
            )
        if min(self.state_shares) < 0 or min(self.n_genes, self.n_bins, self.bin_size) < 1:
            raise InputError(
                f"state_shares {self.state_shares}, n_genes {self.n_genes}, n_bins {self.n_bins} or bin_size "
                f"{self.bin_size} is too small: shares are at least 0, the others at least 1"
            )
        if len(self.effects) != len(MARKS):
            raise InputError(f"effects are {self.effects}: give one to each of {MARKS}")
        if min(self.spread, self.depth, self.background, self.noise) < 0:
            raise InputError(
                f"spread {self.spread}, depth {self.depth}, background {self.background} and noise "
                f"{self.noise} must all be at least 0"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class HistoneSimulation:
    """Marks, expression and the truth behind them.

    Parameters
    ----------
    marks
        Reads, ``(genes, marks, bins)`` float32, in the order of `MARKS`.
    rows
        One row a gene: ``state``, the level of each mark, ``log_expression`` (noise-free) and
        ``measured_expression``.
    profiles
        Expected reads of level 1 in each bin, relative to the highest, ``(marks, bins)``.
    """

    marks: Tensor
    rows: pd.DataFrame
    profiles: np.ndarray


def simulate_histone_expression(
    config: HistoneConfig, *, generator: np.random.Generator
) -> HistoneSimulation:
    """Draw each gene's state, levels, reads (Poisson) and expression.

    Examples
    --------
    >>> data = simulate_histone_expression(HistoneConfig(n_genes=10), generator=np.random.default_rng(0))
    >>> data.marks.shape, data.rows["state"].value_counts()["active"]
    (torch.Size([10, 5, 100]), np.int64(4))
    """
    limits = np.round(np.cumsum(config.state_shares) * config.n_genes)
    state = generator.permutation(np.searchsorted(limits, np.arange(config.n_genes), side="right"))
    scatter = np.exp(config.spread * generator.standard_normal((config.n_genes, len(MARKS))))
    levels = _MEDIAN_LEVELS[state] * scatter  # (genes, marks)
    profiles = mark_profiles(config)
    expected = config.depth * (levels[:, :, None] * profiles + config.background)  # (genes, marks, bins)
    marks = torch.from_numpy(generator.poisson(expected).astype(np.float32))
    expression = log_expression(levels, config)
    rows = pd.DataFrame(levels, columns=list(MARKS))
    rows.insert(0, "state", np.array(STATES)[state])
    rows["log_expression"] = expression
    rows["measured_expression"] = expression + config.noise * generator.standard_normal(config.n_genes)
    return HistoneSimulation(marks=marks, rows=rows, profiles=profiles)


def log_expression(levels: np.ndarray, config: HistoneConfig) -> np.ndarray:
    """Log2 expression of genes with these levels of the marks, ``(genes, marks) -> (genes,)``.

    ``intercept + levels @ effects + bivalent_effect * H3K4me3 * H3K27me3``: the last term is what no additive
    model of the marks can say.
    """
    bivalent = levels[:, MARKS.index("H3K4me3")] * levels[:, MARKS.index("H3K27me3")]
    return config.intercept + levels @ np.array(config.effects) + config.bivalent_effect * bivalent


def mark_profiles(config: HistoneConfig) -> np.ndarray:
    """Where each mark lies, ``(marks, bins)``, 1 where it is highest."""
    at = (np.arange(config.n_bins) + 0.5 - config.n_bins / 2) * config.bin_size  # bp from the start
    free = 1 - 0.9 * np.exp(-(((at + 50) / 120) ** 2))  # the nucleosome-free region just upstream
    profiles = np.stack(
        [
            np.exp(-(((at - 150) / 700) ** 2)) * free,
            np.exp(-((at / 1000) ** 2)) * free,
            1 / (1 + np.exp(-(at - 1500) / 500)),
            np.exp(-((at / 4000) ** 2)),
            np.exp(-((at / 8000) ** 2)),
        ]
    )
    return profiles / profiles.max(axis=1, keepdims=True)
