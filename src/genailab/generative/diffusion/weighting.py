"""How much the error counts at each amount of noise.

A weighting is a weight on the squared error of x_0; the same weighting of another prediction's error follows
from how much larger that error is (`genailab.generative.diffusion.prediction.error_scale`), so that the loss
is the same number whichever quantity the network puts out::

    simple     1 on the network's own output            Ho et al. 2020, equation 14
    eps        SNR, which is 1 on eps                   and sigma^2 on the score, Song et al. 2021
    min_snr    min(SNR, gamma)                          Hang et al. 2023, section 3.4
    edm        SNR + 1 / sigma_data^2                   Karras et al. 2022, table 1
    elbo       -SNR' / 2                                Kingma et al. 2021, equation 17

``SNR = alpha^2 / sigma^2``.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from genailab.errors import InputError, nearest
from genailab.generative.diffusion.prediction import Prediction, error_scale
from genailab.generative.diffusion.schedules import Schedule

__all__ = ["WEIGHTINGS", "Weighting", "loss_weight"]

Weighting = Literal["simple", "eps", "min_snr", "edm", "elbo"]
WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)


def loss_weight(
    weighting: Weighting,
    t: Tensor,
    schedule: Schedule,
    *,
    prediction: Prediction,
    gamma: float = 5.0,
    sigma_data: float = 1.0,
) -> Tensor:
    """Return the weight of the squared error of this prediction at times t, shape of ``t``.

    Parameters
    ----------
    weighting
        Which; ``simple`` is 1 for each prediction but the score, whose error has no bound near data: there it
        is ``sigma^2``, 1 on the noise that the score stands for. ``elbo`` gives nats a dimension where times
        are uniform.
    t
        Times in [0, 1].
    schedule
        Says the signal-to-noise ratio at each time.
    prediction
        What the error is of.
    gamma
        Where ``min_snr`` is cut.
    sigma_data
        Standard deviation of the data, for ``edm``.

    Raises
    ------
    InputError
        If there is no such weighting or prediction.
    """
    if weighting == "simple" and prediction != "score":
        return torch.ones_like(t)
    if weighting in ("simple", "eps"):
        own = error_scale(t, schedule, kind="eps")
    elif weighting == "min_snr":
        own = _snr(t, schedule).clamp(max=gamma).sqrt()
    elif weighting == "edm":
        own = (_snr(t, schedule) + sigma_data**-2).sqrt()
    elif weighting == "elbo":
        # SNR' = SNR times the derivative of the log-SNR
        own = (-0.5 * schedule.log_snr_derivative(t) * _snr(t, schedule)).sqrt()
    else:
        raise InputError(f"there is no weighting {weighting!r}: {nearest(str(weighting), WEIGHTINGS)}")
    return (own / error_scale(t, schedule, kind=prediction)).square()


def _snr(t: Tensor, schedule: Schedule) -> Tensor:
    return schedule.log_snr(t).exp()
