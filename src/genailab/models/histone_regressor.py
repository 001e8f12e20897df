"""Gene expression from histone marks around its start.

    marks     (batch, marks)         one signal a mark     -> perceptron -> expression (batch, outputs)
    profiles  (batch, marks, bins)   along the promoter    -> convolution, max-pool, perceptron

The binned form follows DeepChrome (Singh et al. 2016, "DeepChrome: deep-learning for predicting gene
expression from histone modifications", figure 2), here as a regression of log expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from genailab.errors import InputError
from genailab.nn.checks import check_at_least_one, check_odd, check_outputs, check_share
from genailab.nn.model import Batch, Loss, Model
from genailab.nn.tasks import task_loss

__all__ = ["HistoneRegressor", "HistoneRegressorConfig"]


@dataclass(frozen=True, kw_only=True)
class HistoneRegressorConfig:
    """Size and meaning of a HistoneRegressor; `of_features` fills in what belongs to the training genes."""

    marks: tuple[str, ...]  # H3K4me3, H3K27ac, ... in the order of the axis
    n_bins: int = 0  # along the promoter; 0 for one value a mark
    mean: tuple[float, ...] = ()  # of each mark over the training genes and bins; empty: not standardised
    std: tuple[float, ...] = ()
    outputs: tuple[str, ...] = ("log_expression",)
    n_filters: int = 50  # of the binned form
    kernel: int = 9  # bins that a filter sees: 900 bp of 100 bp bins, about a promoter's nucleosomes
    pool: int = 5  # bins
    n_hidden: tuple[int, ...] = (64, 32)
    dropout: float = 0.5  # marks are correlated and genes few: the paper's 0.5

    def __post_init__(self) -> None:
        check_outputs(self, "marks")
        check_outputs(self)
        check_at_least_one(self, "n_filters", "pool", "n_hidden")
        check_odd(self, "kernel")
        check_share(self, "dropout")
        if self.n_bins < 0 or 0 < self.n_bins < self.pool:
            raise InputError(
                f"n_bins is {self.n_bins}: give 0 for one value a mark, or at least pool={self.pool} bins"
            )
        for name in ("mean", "std"):
            values = getattr(self, name)
            if values and len(values) != len(self.marks):
                raise InputError(
                    f"{name} has {len(values)} values for {len(self.marks)} marks: give one each"
                )
        if bool(self.mean) != bool(self.std) or not all(value > 0 for value in self.std):
            raise InputError(f"mean {self.mean} and std {self.std}: give both, each std above 0, or neither")

    @classmethod
    def of_features(
        cls, features: Tensor, *, marks: tuple[str, ...], **settings: Any
    ) -> HistoneRegressorConfig:
        """Take shape, means and standard deviations from the training genes' features.

        Parameters
        ----------
        features
            ``(genes, marks)`` or ``(genes, marks, bins)``, for example log1p of coverage.
        marks
            Their names, in the order of the axis.
        **settings
            Other fields of the configuration.

        Raises
        ------
        InputError
            If the shape doesn't fit the names, a value is not finite, or a mark is the same everywhere.
        """
        if features.dim() not in (2, 3) or features.shape[1] != len(marks):
            raise InputError(
                f"features are {tuple(features.shape)} for {len(marks)} marks: give (genes, {len(marks)}) or "
                f"(genes, {len(marks)}, bins)"
            )
        _check_finite(features, marks)
        values = features.double().transpose(0, 1).flatten(1)  # (marks, genes * bins)
        mean, std = values.mean(dim=1), values.std(dim=1, correction=0)
        for mark, spread in zip(marks, std.tolist(), strict=True):
            if not spread > 0:
                raise InputError(f"mark {mark!r} has the same value in every gene and bin: leave it out")
        n_bins = features.shape[2] if features.dim() == 3 else 0
        return cls(marks=marks, n_bins=n_bins, mean=tuple(mean.tolist()), std=tuple(std.tolist()), **settings)


class HistoneRegressor(Model):
    """Standardise the marks, look for local shapes where there are bins, and regress; see the module.

    ``forward`` takes features ``(batch, marks)`` or ``(batch, marks, bins)`` and returns values
    ``(batch, outputs)``. Batches hold ``features`` and ``target``, both floats.

    Raises
    ------
    InputError
        If the features have another shape than the configuration says.

    Examples
    --------
    >>> config = HistoneRegressorConfig(marks=("H3K4me3", "H3K27me3"), n_bins=20)
    >>> HistoneRegressor(config)(torch.zeros(3, 2, 20)).shape
    torch.Size([3, 1])
    """

    config_class = HistoneRegressorConfig
    config: HistoneRegressorConfig
    mean: Tensor
    std: Tensor

    def __init__(self, config: HistoneRegressorConfig) -> None:
        super().__init__()
        self.config = c = config
        shape = (len(c.marks), 1) if c.n_bins else (len(c.marks),)
        # Not among the saved weights: the configuration holds them already.
        mean, std = c.mean or (0.0,) * len(c.marks), c.std or (1.0,) * len(c.marks)
        self.register_buffer("mean", torch.tensor(mean).reshape(shape), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(shape), persistent=False)
        self.profile = _profile(c) if c.n_bins else nn.Identity()
        widths = [c.n_filters * (c.n_bins // c.pool) if c.n_bins else len(c.marks), *c.n_hidden]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(c.dropout)]
        self.regress = nn.Sequential(*layers, nn.Linear(widths[-1], len(c.outputs)))

    def forward(self, features: Tensor) -> Tensor:
        """Return the expression of each gene, ``(batch, outputs)``."""
        c = self.config
        wanted = (len(c.marks), c.n_bins) if c.n_bins else (len(c.marks),)
        if tuple(features.shape[1:]) != wanted:
            raise InputError(
                f"features are {tuple(features.shape)}, expected (batch, {', '.join(map(str, wanted))}) for "
                f"the marks {', '.join(c.marks)}: bring them into the shape that the model was trained on"
            )
        return self.regress(self.profile((features - self.mean) / self.std))

    def loss(self, batch: Batch) -> Loss:
        """Return the mean squared error over the batch, in squared units of the target."""
        return task_loss(self(batch["features"]), batch, "regression")


def _profile(config: HistoneRegressorConfig) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(len(config.marks), config.n_filters, config.kernel, padding=config.kernel // 2),
        nn.ReLU(),
        nn.MaxPool1d(config.pool),
        nn.Flatten(),  # (batch, n_filters * bins // pool): the place along the promoter matters
    )


def _check_finite(features: Tensor, marks: tuple[str, ...]) -> None:
    wrong = (~torch.isfinite(features)).nonzero()
    if len(wrong):
        gene, mark = wrong[0, :2].tolist()
        raise InputError(
            f"{len(wrong)} of the features are not finite (first: gene {gene}, mark {marks[mark]!r}): fill "
            "them in, or remove those genes"
        )
