"""Lower bounds on the log-likelihood of a latent-variable model, from its importance weights.

Both take ``log_weights = log p(x, z) - log q(z | x)`` for draws ``z ~ q(z | x)``, shape ``(draws, cells)``,
so any model with an encoder and a decoder, ours or another library's, is measured by the same two lines.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["elbo", "importance_weighted_bound"]


def elbo(log_weights: Tensor) -> Tensor:
    """Return the evidence lower bound of each cell in nats, ``(cells,)``: the mean log-weight.

    Kingma & Welling 2014, "Auto-Encoding Variational Bayes", equation 3.
    """
    return log_weights.mean(dim=0)


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    """Return the importance-weighted bound of each cell in nats, ``(cells,)``: the log of the mean weight.

    With one draw it is the ELBO; it rises to ``log p(x)`` with the number of draws.
    Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders", equation 8.

    Examples
    --------
    >>> importance_weighted_bound(torch.tensor([[-1.0], [-1.0]]))
    tensor([-1.])
    """
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))
