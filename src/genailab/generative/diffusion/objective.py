"""The denoising objective: which time, which target, which weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genailab.generative.diffusion.prediction import Prediction, from_x0
from genailab.generative.diffusion.process import GaussianProcess, beside

__all__ = ["DenoisingObjective", "low_discrepancy_times"]

# From noisy samples (batch, ...) and times (batch,) to a prediction, shape of the samples.
Network = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class DenoisingObjective:
    """Mean squared error of the prediction at a random time; Ho et al. 2020, equation 14 (for ``eps``)."""

    process: GaussianProcess
    prediction: Prediction = "v"

    def __call__(self, network: Network, x0: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Return the loss of each sample, ``(batch,)``, averaged over its dimensions.

        Parameters
        ----------
        network
            From noisy samples ``(batch, ...)`` and times ``(batch,)`` to its prediction.
        x0
            Data, ``(batch, ...)``.
        generator
            Source of the times and the noise.
        """
        t = low_discrepancy_times(len(x0), generator=generator, device=x0.device)
        noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
        alpha, sigma = (
            beside(values, x0) for values in (self.process.schedule.alpha(t), self.process.schedule.sigma(t))
        )
        target = from_x0(x0, noise, alpha, sigma, kind=self.prediction)
        error = network(self.process.add_noise(x0, t, noise), t) - target
        return error.square().flatten(start_dim=1).mean(dim=1)


def low_discrepancy_times(
    n: int, *, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
) -> Tensor:
    """Return times uniform in [0, 1], ``(n,)``, spread evenly over the batch.

    One random offset, then a grid in random order: each time alone is uniform, but a batch has no gaps, which
    lowers the variance of the loss. Kingma et al. 2021, "Variational Diffusion Models", appendix I.1.
    """
    offset = torch.rand(1, generator=generator, device=device)
    grid = torch.arange(n, device=device) / n
    return (grid + offset).remainder(1.0)[torch.randperm(n, generator=generator, device=device)]
