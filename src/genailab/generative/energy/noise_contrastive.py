"""Noise-contrastive estimation: learn a density, its normaliser too, by telling data from noise.

With ``nu`` draws of a noise density q for each row of data, the best classifier's logit is ``G(x) = log p(x)
- log q(x) - log nu``; trained as a logistic regression, a model ``log p = -E - c`` with a free number c ends
at ``c = log Z``. Gutmann & Hyvarinen 2010, "Noise-contrastive estimation: a new estimation principle for
unnormalized statistical models", equations 3 and 4; with nu their 2012 paper's section 2.
"""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import softplus

from genailab.errors import InputError
from genailab.nn.model import Loss

__all__ = ["noise_contrastive"]


def noise_contrastive(data: Tensor, noise: Tensor) -> Loss:
    """Return ``-E_data log h(x) - nu E_noise log(1 - h(x))`` with ``h = sigmoid(log p - log q - log nu)``.

    Parameters
    ----------
    data
        ``log p(x) - log q(x)`` of rows of data, ``(batch,)``; p is the model and q the noise.
    noise
        The same of draws from the noise, ``(nu * batch,)``.

    Raises
    ------
    InputError
        If either is empty.

    Examples
    --------
    A model that is the noise can't do better than chance:

    >>> import torch
    >>> round(noise_contrastive(torch.zeros(5), torch.zeros(5)).total.item(), 4)
    1.3863
    """
    if not len(data) or not len(noise):
        raise InputError(f"got {len(data)} rows of data and {len(noise)} of noise: give at least 1 of each")
    ratio = len(noise) / len(data)
    data_term = softplus(-(data - math.log(ratio))).mean()
    noise_term = ratio * softplus(noise - math.log(ratio)).mean()
    return Loss(data_term + noise_term, {"data": data_term, "noise": noise_term})
