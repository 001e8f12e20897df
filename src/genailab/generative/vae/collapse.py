"""Whether a VAE uses its latent at all: posterior collapse, measured.

    activity of z_j = Var_x(E_q[z_j | x]);  z_j is active where it exceeds 0.01
    I_q(x; z) = E_x KL(q(z|x) || p(z)) - KL(q(z) || p(z))

Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2 (active units); Hoffman & Johnson 2016,
"ELBO surgery", section 3 (mutual information). A collapsed posterior is the prior for every x: no KL, no
activity, no information.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from genailab.errors import InputError
from genailab.generative.vae.autoencoder import Autoencoder
from genailab.generative.vae.count_vae import CountVAE
from genailab.generative.vae.kl_parts import KLParts, decompose_kl
from genailab.generative.vae.posterior import Gaussian
from genailab.nn.model import Batch, evaluating

__all__ = ["ACTIVE", "LatentUse", "Rows", "active_units", "encode_rows", "latent_use", "measure_use"]

ACTIVE = 0.01  # activity above which a dimension counts as used; Burda et al. found it between two modes


class Rows(Protocol):
    """Rows that can be fetched in batches, such as TensorRows or a CellDataset."""

    def __len__(self) -> int: ...

    def __getitems__(self, indices: Sequence[int]) -> Batch: ...


@dataclass(frozen=True, kw_only=True)
class LatentUse:
    """How much a latent space is used, over a set of rows; information in nats."""

    kl_per_dimension: tuple[float, ...]
    activity: tuple[float, ...]  # variance over the rows of the posterior mean
    mutual_information: float  # between row and latent; at most the log of the number of rows
    total_correlation: float
    dimension_wise_kl: float
    n_rows: int

    @property
    def kl(self) -> float:
        """The whole KL term."""
        return math.fsum(self.kl_per_dimension)

    @property
    def n_active(self) -> int:
        """Dimensions that are used."""
        return sum(activity > ACTIVE for activity in self.activity)

    @property
    def collapsed(self) -> bool:
        """Whether no dimension is used."""
        return self.n_active == 0


def active_units(means: Tensor, *, threshold: float = ACTIVE) -> Tensor:
    """Return which dimensions are used, bool ``(n_latent,)``, from posterior means ``(rows, n_latent)``.

    Examples
    --------
    >>> active_units(torch.tensor([[1.0, 0.001], [-1.0, 0.0]])).tolist()
    [True, False]
    """
    return _activity(means) > threshold


def latent_use(
    model: Autoencoder | CountVAE,
    rows: Rows,
    *,
    batch_size: int = 512,
    generator: torch.Generator | None = None,
) -> LatentUse:
    """Measure a model's latent over rows; the mutual information compares all rows with each other.

    Raises
    ------
    InputError
        If there are fewer than two rows.
    """
    return measure_use(encode_rows(model, rows, batch_size=batch_size), generator=generator)


def measure_use(posterior: Gaussian, *, generator: torch.Generator | None = None) -> LatentUse:
    """Measure the posteriors ``(rows, n_latent)`` of a set of rows, with one draw from each."""
    n_rows = len(posterior.mean)
    if n_rows < 2:
        raise InputError(f"the use of a latent space is measured over rows, got {n_rows}: give at least 2")
    with torch.no_grad():
        parts: KLParts = decompose_kl(posterior, posterior.draw(generator), n_rows=n_rows)
        per_dimension = posterior.kl_per_dimension().mean(dim=0)
    return LatentUse(
        kl_per_dimension=tuple(per_dimension.tolist()),
        activity=tuple(_activity(posterior.mean).tolist()),
        mutual_information=float(parts.mutual_information),
        total_correlation=float(parts.total_correlation),
        dimension_wise_kl=float(parts.dimension_wise),
        n_rows=n_rows,
    )


@torch.no_grad()
def encode_rows(model: Autoencoder | CountVAE, rows: Rows, *, batch_size: int = 512) -> Gaussian:
    """Return the posterior of every row, ``(rows, n_latent)``, as the model in evaluation gives it."""
    if len(rows) == 0:
        raise InputError("there are no rows to encode: give at least 1")
    device = next(model.parameters()).device
    means, stds = [], []
    with evaluating(model):
        for start in range(0, len(rows), batch_size):
            batch = rows.__getitems__(range(start, min(start + batch_size, len(rows))))
            state = model.encode({key: values.to(device) for key, values in batch.items()}).state
            means.append(state.mean)
            stds.append(state.std)
    return Gaussian(torch.cat(means), torch.cat(stds))


def _activity(means: Tensor) -> Tensor:
    return means.var(dim=0)
