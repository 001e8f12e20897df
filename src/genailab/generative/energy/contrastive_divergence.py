"""Contrastive divergence: lower the energy of data, raise that of the model's own samples.

    d/dtheta (-log p(x)) = dE(x)/dtheta - E_{x' ~ p}[dE(x')/dtheta]

so the difference of the mean energies of data and samples has the gradient of the negative log-likelihood.
The samples are fixed points to the gradient. They come from a few steps of a chain started at the data (CD-k:
Hinton 2002, "Training products of experts by minimizing contrastive divergence") or from chains that go on
from batch to batch (PCD: Tieleman 2008, "Training restricted Boltzmann machines using approximations to the
likelihood gradient"), of which a few are started anew (Du & Mordatch 2019, "Implicit generation and modeling
with energy-based models", section 3.2).
"""

from __future__ import annotations

from torch import Tensor

from genailab.nn.model import Loss

__all__ = ["contrastive_divergence"]


def contrastive_divergence(data: Tensor, samples: Tensor, *, regularisation: float = 0.0) -> Loss:
    """Return ``mean E(data) - mean E(samples)``, plus ``regularisation`` times the mean of both squared.

    The squares keep the energies near 0, of which the difference sees no more than a common offset (Du &
    Mordatch 2019, section 3.3). The value is no likelihood: it hovers about 0 while the model improves.

    Parameters
    ----------
    data, samples
        Energies ``(batch,)`` of data and of the model's samples, which carry no gradient of their own.
    regularisation
        The weight alpha; 0 is the plain gradient of the likelihood.

    Examples
    --------
    >>> import torch
    >>> contrastive_divergence(torch.tensor([1.0, 3.0]), torch.tensor([5.0])).total
    tensor(-3.)
    """
    gap = data.mean() - samples.mean()
    terms = {"gap": gap, "data_energy": data.mean(), "sample_energy": samples.mean()}
    squares = data.square().mean() + samples.square().mean()
    return Loss(gap + regularisation * squares, terms)
