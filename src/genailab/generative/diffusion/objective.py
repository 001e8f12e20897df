"""The denoising objective: which prediction, which times, which weights.

The loss of a sample is::

    L = E  w(t) | output(x_t, t) - target |^2,      x_t = alpha(t) x_0 + sigma(t) noise

Its settings are the papers: eps with simple weights is Ho et al. 2020, equation 14; the score with the
weights ``eps`` is denoising score matching, Song et al. 2021, equation 7; the velocity along `CondOTSchedule`
is conditional flow matching, Lipman et al. 2023, equation 14, with any coupling of data and noise; eps, x0 or
v with the weights ``elbo`` is the variational bound, Kingma et al. 2021, equation 17.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.generative.diffusion.prediction import Prediction, from_x0
from genailab.generative.diffusion.process import GaussianProcess, beside
from genailab.generative.diffusion.times import Times, low_discrepancy_times, sample_times
from genailab.generative.diffusion.weighting import Weighting, loss_weight

__all__ = ["DenoisingObjective", "low_discrepancy_times"]

# From noisy samples (batch, ...) and times (batch,) to a prediction, shape of the samples.
Network = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class DenoisingObjective:
    """Weighted squared error of the prediction at a random time."""

    process: GaussianProcess
    prediction: Prediction = "v"
    weighting: Weighting = "simple"
    times: Times = "low_discrepancy"
    sigma_data: float = 1.0  # standard deviation of the data, for the weights "edm"

    def __call__(
        self,
        network: Network,
        x0: Tensor,
        *,
        noise: Tensor | None = None,
        t: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the loss of each sample, ``(batch,)``, averaged over its dimensions.

        Parameters
        ----------
        network
            From noisy samples ``(batch, ...)`` and times ``(batch,)`` to its prediction.
        x0
            Data, ``(batch, ...)``.
        noise
            The noise of each sample, shape of ``x0``, where a coupling chose it; None draws it.
        t
            The times, ``(batch,)``; None draws them.
        generator
            Source of the times and the noise.
        """
        schedule = self.process.schedule
        if t is None:
            t = sample_times(self.times, len(x0), schedule, generator=generator, device=x0.device)
        if noise is None:
            noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
        error = network(self.process.add_noise(x0, t, noise), t) - self.target(x0, t, noise)
        weight = loss_weight(
            self.weighting, t, schedule, prediction=self.prediction, sigma_data=self.sigma_data
        )
        return weight * error.square().flatten(start_dim=1).mean(dim=1)

    def target(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Return what a perfect network would put out, shape of ``x0``."""
        if self.prediction == "velocity":
            return self.process.velocity(x0, t, noise)
        schedule = self.process.schedule
        alpha, sigma = beside(schedule.alpha(t), x0), beside(schedule.sigma(t), x0)
        return from_x0(x0, noise, alpha, sigma, kind=self.prediction)
